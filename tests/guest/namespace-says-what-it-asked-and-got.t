#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the attribute p2pmem of a namespace takes 0, 1, a PCI name and the name of a p2pmem device,
# and reads back as written. Wrong values fail with the right error and a line in the kernel log.
# p2pmem_bindings has the result for each controller, or the error.
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

plan 26

is 'p2pmem is read-only while the namespace is enabled' "$(asked 1)" EBUSY
echo 0 >"$ns/enable"

for asked in 0 1 "$provider" "$name"; do
	is "$asked is accepted" "$(asked "$asked")" ''
	is "$asked is read back" "$(value)" "$asked"
done

lines=$(kernel_log '.' | wc -l)
logged() { kernel_log '.' | tail -n +$((lines + 1)); }
is 'a value that is not a name fails' "$(asked rubbish)" EINVAL
like 'the log has the error' "$(logged)" "p2pmem: 'rubbish' is neither"
is 'a device that does not exist fails' "$(asked p2pmem99)" ENODEV
like 'the log has the error' "$(logged)" "'p2pmem99' lends no peer memory"
is 'a PCI function that provides no memory fails' "$(asked "$(pci_of plain0)")" ENODEV
like 'the log has the error' "$(logged)" "'$(pci_of plain0)' lends no peer memory"
is 'there is one line for each' "$(logged | wc -l)" 3
is 'a word that begins like a number fails' "$(asked 01)" EINVAL
is 'a word that begins like false fails' "$(asked foo)" EINVAL
is 'the last accepted value is kept' "$(value)" "$name"

is 'nothing is bound without a controller' "$(got)" ''
echo 1 >"$ns/enable"
nvmet_connect lab
is 'it is bound to the named device' "$(got)" "$name:8:0"
nvmet_disconnect lab

echo 0 >"$ns/enable"
asked 1
echo 1 >"$ns/enable"
nvmet_connect lab
is 'with 1, the same device is found' "$(got)" "$name:8:0"
provider_unbind "$provider"
is 'the binding has the error after the device is gone' "$(got)" '-:-1:-ESHUTDOWN'
nvmet_disconnect lab

echo 0 >"$ns/enable"
is 'its name is unknown after that' "$(asked "$name")" ENODEV
is 'a namespace without a usable device cannot be enabled' \
	"$( { echo 1 >"$ns/enable"; } 2>&1 | grep -o 'Invalid argument')" 'Invalid argument'
like 'the log has the error' \
	"$(kernel_log 'no peer memory')" 'no peer memory is available for /dev/nvme'
