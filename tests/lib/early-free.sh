# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# early-free.sh - functions for tests of memory that is freed while a slow drive still reads it.
# Source it below guest-test.sh; for tests with MODULE=1 and QMP=1.
#
#   early_free_load          load early_free, for cmb0 and plain0
#   early_free_write BYTES   the module writes BYTES of peer memory, and frees it meanwhile
#   slow_down                plain0 takes a second for 16 KiB that are written to it
#   on_drive CHARACTER       how often the first 64 KiB of plain0 have it

early_free=/sys/module/early_free/parameters
early_free_load() {
	insmod "${LAB_MODULE%/*}/early_free.ko" "provider=$(pci_of cmb0)" "drive=$(drive plain0)"
}
early_free_write() { echo "$1" >$early_free/write; }

# QEMU lets the first bytes pass at once, and takes its time for the next
is_slow() {
	local start=${EPOCHREALTIME/.}
	dd if=/dev/zero of="$(drive plain0)" bs=16k count=2 seek=64 oflag=direct 2>/dev/null
	[ $((${EPOCHREALTIME/.} - start)) -gt 500000 ]
}
slow_down() {
	local all='"bps": 0, "bps_rd": 0, "iops": 0, "iops_rd": 0, "iops_wr": 0'
	qmp block_set_io_throttle "{\"id\": \"plain0\", $all, \"bps_wr\": 16384}"
	wait_for 60 is_slow
}

on_drive() {
	dd if="$(drive plain0)" bs=64k count=1 iflag=direct 2>/dev/null | tr -cd "$1" | wc -c
}
