#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the provider's PCI device is removed by sysfs under full load, no
# I/O fails, no data is lost, and the memory is given back within a second; after
# a rescan it is lent anew, all of it, and connected hosts use it again.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, the kernel's build
# directory, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/removal.sh
. "${BASH_SOURCE[0]%/*}/../lib/removal.sh"

provider=$(pci_of cmb0)
available=$(<"$(p2pmem_of "$provider")/available")
take_away() { timeout 60 sh -c "echo 1 >/sys/bus/pci/devices/$provider/remove"; }
bring_back() { timeout 60 sh -c 'echo 1 >/sys/bus/pci/rescan'; }
core_load

plan $((REMOVAL_POINTS + 2))

removal_under_load "$provider"

lends_all() { [ "$(<"$(p2pmem_of "$provider")/available")" = "$available" ]; }
ok 'it lends as much as before' wait_for 20 lends_all
core find "$(pci_of plain0)" "$(nic_pci)"
is 'which is found' "$(field provider)" "$provider"
