#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2pmem of a namespace takes 0, 1, a PCI name and a p2pmem device's name and
# reads as it was written; wrong values are refused with the right error and a line
# in the log; p2pmem_bindings says what each controller got, or why it got none.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/target.sh
. "${BASH_SOURCE[0]%/*}/../lib/target.sh"

provider=$(pci_of cmb0)
name=$(lent_by "$provider")
rxe_up
nvmet_export lab plain0 0 || bail 'cannot export plain0'
value() { cat "$ns/p2pmem"; }

plan 26

is 'while it is enabled, nothing can be asked' "$(asked 1)" EBUSY
echo 0 >"$ns/enable"

for asked in 0 1 "$provider" "$name"; do
	is "$asked is taken" "$(asked "$asked")" ''
	is "$asked is what it reads" "$(value)" "$asked"
done

lines=$(kernel_log '.' | wc -l)
logged() { kernel_log '.' | tail -n +$((lines + 1)); }
is 'no name at all' "$(asked rubbish)" EINVAL
like 'is in the log' "$(logged)" "p2pmem: 'rubbish' is neither"
is 'a device that is not there' "$(asked p2pmem99)" ENODEV
like 'is in the log' "$(logged)" "'p2pmem99' lends no peer memory"
is 'a PCI function that lends nothing' "$(asked "$(pci_of plain0)")" ENODEV
like 'is in the log' "$(logged)" "'$(pci_of plain0)' lends no peer memory"
is 'a line for each' "$(logged | wc -l)" 3
is 'a word that begins like a number' "$(asked 01)" EINVAL
is 'or like yes or no' "$(asked foo)" EINVAL
is 'and what was asked before is kept' "$(value)" "$name"

is 'no controller, nothing bound' "$(got)" ''
echo 1 >"$ns/enable"
nvmet_connect lab
is 'it is bound to the device that was named' "$(got)" "$name:8:0"
nvmet_disconnect lab

echo 0 >"$ns/enable"
asked 1
echo 1 >"$ns/enable"
nvmet_connect lab
is 'the same one is found' "$(got)" "$name:8:0"
provider_unbind "$provider"
is 'nothing is left when it is gone' "$(got)" '-:-1:-ESHUTDOWN'
nvmet_disconnect lab

echo 0 >"$ns/enable"
is 'its name is not known any more' "$(asked "$name")" ENODEV
is 'what the drive cannot reach' "$( { echo 1 >"$ns/enable"; } 2>&1 | grep -o 'Invalid argument')" 'Invalid argument'
like 'is in the log' "$(kernel_log 'no peer memory')" 'no peer memory is available for /dev/nvme'
