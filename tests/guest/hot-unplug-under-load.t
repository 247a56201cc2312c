#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the provider is unplugged under full load, no I/O fails, no data is
# lost, and the memory is given back within a second; a drive that is plugged
# into the same slot lends its memory, and connected hosts use it.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, the kernel's build
# directory, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 QMP=1
# On a debug kernel, lockdep says of the base kernel's pciehp that it takes its
# reset_lock inside of pci_rescan_remove_lock, and the other way around elsewhere
# shellcheck disable=SC2034
ALLOW_WARNING='WARNING: possible circular locking dependency detected|Call Trace'
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/removal.sh
. "${BASH_SOURCE[0]%/*}/../lib/removal.sh"

# The slot's button takes five seconds to act
provider=$(pci_of cmb0)
unplugged() { [ ! -e "/sys/bus/pci/devices/$provider" ]; }
take_away() {
	qmp device_del '{"id": "cmb0"}'
	wait_for 60 unplugged
}
# The driver turns the slot's power off a second before its indicator, and QEMU
# has the drive out, and the presence bit with it, at the latter
slot_empty() { [ "$(<"$slot/adapter")" = 0 ]; }
bring_back() {
	wait_for 20 slot_empty || return
	qmp blockdev-add '{"driver": "null-co", "node-name": "other", "size": 268435456, "read-zeroes": true}'
	qmp device_add '{"driver": "nvme", "id": "other", "bus": "downstream3", "addr": "0.0", "serial": "other", "drive": "other", "cmb_size_mb": 64}'
}

# The slot that it is in
for slot in /sys/bus/pci/slots/*; do
	[ "$(<"$slot/address")" != "${provider%.*}" ] || break
done
core_load

plan $((REMOVAL_POINTS + 2))

removal_under_load "$provider"

is 'it is another drive in its place' "$(pci_of other)" "$provider"
is 'nor has lockdep complained of anything but pciehp' \
	"$(dmesg --notime | grep -A 1 'is trying to acquire lock:' | grep ', at: ' | grep -v 'ctrl->reset_lock.*pciehp_')" ''
