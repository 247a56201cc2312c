#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the provider is unplugged under full load, no I/O fails, no data is lost, and its
# memory is released within a second. A drive that is plugged into the same slot provides memory,
# and connected hosts use it.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, the build directory of the kernel,
# fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 QMP=1
# On a debug kernel, lockdep reports that pciehp of the base kernel takes its reset_lock inside of
# pci_rescan_remove_lock in one place, and in the opposite order in another
# shellcheck disable=SC2034
ALLOW_WARNING='WARNING: possible circular locking dependency detected|Call Trace'
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/removal.sh
. "${BASH_SOURCE[0]%/*}/../lib/removal.sh"

# The attention button of the slot takes effect after five seconds
provider=$(pci_of cmb0)
unplugged() { [ ! -e "/sys/bus/pci/devices/$provider" ]; }
take_away() {
	qmp device_del '{"id": "cmb0"}'
	wait_for 60 unplugged
}
# The driver turns off the power of the slot, and a second later its indicator.  QEMU removes the
# drive and clears the presence bit when the indicator goes off.
slot_empty() { [ "$(<"$slot/adapter")" = 0 ]; }
bring_back() {
	wait_for 20 slot_empty || return
	local backend='"driver": "null-co", "node-name": "other", "size": 268435456'
	local drive='"driver": "nvme", "id": "other", "bus": "downstream3", "addr": "0.0"'
	qmp blockdev-add "{$backend, \"read-zeroes\": true}"
	qmp device_add "{$drive, \"serial\": \"other\", \"drive\": \"other\", \"cmb_size_mb\": 64}"
}

# The slot of the provider
for slot in /sys/bus/pci/slots/*; do
	[ "$(<"$slot/address")" != "${provider%.*}" ] || break
done
core_load

plan $((REMOVAL_POINTS + 2))

removal_under_load "$provider"

is 'another drive is in its place' "$(pci_of other)" "$provider"
is 'lockdep reported nothing but pciehp' \
	"$(dmesg --notime | grep -A 1 'is trying to acquire lock:' | grep ', at: ' |
		grep -v 'ctrl->reset_lock.*pciehp_')" ''
