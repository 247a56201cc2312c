#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the PCI device of the provider is removed through sysfs under full load, no I/O fails,
# no data is lost, and its memory is released within a second. After a rescan it provides all of its
# memory again, and connected hosts use it.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, the build directory of the kernel,
# fio, nvme, rdma.

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

provides_all() { [ "$(<"$(p2pmem_of "$provider")/available")" = "$available" ]; }
ok 'it provides as much as before' wait_for 20 provides_all
core find "$(pci_of plain0)" "$(nic_pci)"
is 'p2pmem_find() finds it' "$(field provider)" "$provider"
