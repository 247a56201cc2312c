#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the attribute p2pmem of a namespace takes 0, 1, other booleans, a PCI name and the name of
# a p2pmem device, and reads back as written, or as 0, 1 or that PCI name. Wrong values fail with
# the right error and a line in the kernel log. The kernel shows the result for each controller, or
# the error.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/target.sh
. "${BASH_SOURCE[0]%/*}/../lib/target.sh"

provider=$(pci_of cmb0)
name=$(p2pmem_name "$provider")
rxe_up
nvmet_export lab plain0 0 || bail 'cannot export plain0'
value() { cat "$ns/p2pmem"; }

plain=$(pci_of plain0)
if for_612; then
	named=$name said_wrong="p2pmem: 'rubbish' provides no peer memory"
	said_missing="'p2pmem99' provides no peer memory"
	said_none="'$plain' provides no peer memory"
else
	named=$provider said_wrong='No such PCI device: rubbish'
	said_missing='No such PCI device: p2pmem99'
	said_none="PCI device has no peer-to-peer memory: $plain"
fi

plan 37

is 'p2pmem is read-only while the namespace is enabled' "$(asked 1)" EBUSY
echo 0 >"$ns/enable"

for asked in 0 1 "$provider"; do
	is "$asked is accepted" "$(asked "$asked")" ''
	is "$asked is read back" "$(value)" "$asked"
done
for word in on=1 off=0 yes=1 no=0 true=1 false=0; do
	is "${word%=*} is accepted" "$(asked "${word%=*}")" ''
	is "${word%=*} is read back" "$(value)" "${word#*=}"
done
is "$name is accepted" "$(asked "$name")" ''
is "$named is read back" "$(value)" "$named"

lines=$(kernel_log '.' | wc -l)
logged() { kernel_log '.' | tail -n +$((lines + 1)); }
is 'a value that is not a name fails' "$(asked rubbish)" ENODEV
like 'the log has the error' "$(logged)" "$said_wrong"
is 'a device that does not exist fails' "$(asked p2pmem99)" ENODEV
like 'the log has the error' "$(logged)" "$said_missing"
is 'a PCI function that provides no memory fails' "$(asked "$plain")" ENODEV
like 'the log has the error' "$(logged)" "$said_none"
is 'there is one line for each' "$(logged | wc -l)" 3
is 'a word that begins like a number fails' "$(asked 01)" ENODEV
is 'the last accepted value is kept' "$(value)" "$named"

is 'nothing is bound without a controller' "$(got)" ''
echo 1 >"$ns/enable"
nvmet_connect lab
is 'it is bound to the named device' "$(got)" "$(bound_as "$name" 8)"
nvmet_disconnect lab

echo 0 >"$ns/enable"
asked 1
echo 1 >"$ns/enable"
nvmet_connect lab
is 'with 1, the same device is found' "$(got)" "$(bound_as "$name" 8)"
provider_unbind "$provider"
is 'the binding has the error after the device is gone' "$(got)" "$(bound_as - -1 -ESHUTDOWN)"
nvmet_disconnect lab

echo 0 >"$ns/enable"
is 'its name is unknown after that' "$(asked "$name")" ENODEV
is 'a namespace without a usable device cannot be enabled' \
	"$( { echo 1 >"$ns/enable"; } 2>&1 | grep -o 'Invalid argument')" 'Invalid argument'
like 'the log has the error' \
	"$(kernel_log 'no peer')" 'no peer(-to-peer)? memory is available for /dev/nvme'
