#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the module of the provider is unloaded under full load, no I/O fails, no data is lost,
# and its memory is released within a second. When it is loaded again, connected hosts use peer
# memory again.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, the build directory of the kernel,
# fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/removal.sh
. "${BASH_SOURCE[0]%/*}/../lib/removal.sh"

# Two modules: p2pmem_provider is the driver of cmb0, in place of nvme, and provides its memory;
# p2pmem_test uses the memory
provider=$(pci_of cmb0)
provider_unbind "$provider" || bail 'cannot unbind cmb0 from nvme'
echo p2pmem_provider >"/sys/bus/pci/devices/$provider/driver_override"
take_away() { timeout 60 rmmod p2pmem_provider && ! grep -q p2pmem_provider /proc/modules; }
bring_back() { insmod "${LAB_MODULE%/*}/p2pmem_provider.ko"; }
bring_back || bail 'cannot load p2pmem_provider'
core_load

plan $((REMOVAL_POINTS + 2))

provides() { p2pmem_of "$provider" >/dev/null; }
ok 'the module provides memory' provides
core find "$(pci_of plain0)" "$(nic_pci)"
is 'p2pmem_find() finds it' "$(field provider)" "$provider"
removal_under_load "$provider"
