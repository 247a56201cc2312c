# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# mapping.sh - a process that maps peer memory.  Source it below guest-test.sh.

require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
allocate=/sys/bus/pci/devices/$provider/p2pmem/allocate
# shellcheck disable=SC2034 # for the test
p2pmem=$(p2pmem_of "$provider")
map=/tmp/map-peer-memory
cc -O1 -o $map tests/lib/map-peer-memory.c || bail 'cannot compile map-peer-memory'

# allow_mapping: let processes map the memory, which only the series for 6.12 can forbid
allow_mapping() { if for_612; then echo 1 >"$p2pmem/user_mmap"; fi; }

# mapped SIZE: start the process and wait until it has mapped SIZE bytes.  It ends when fd 3 is
# closed.  Its messages are in /tmp/said.
mapped() {
	mkfifo /tmp/go 2>/dev/null
	: >/tmp/said
	$map "$allocate" "$1" </tmp/go >/tmp/said 2>&1 &
	# shellcheck disable=SC2034 # for the test
	map_pid=$!
	exec 3>/tmp/go
	wait_for 20 grep -q . /tmp/said
	grep -qx mapped /tmp/said
}
