#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2pmem refuses a second free of a buffer, an address that is not that of a buffer, and a
# wrong size. It warns once, and the pool does not change.
# Requires: p2pmem series, the build directory of the kernel.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck disable=SC2034
ALLOW_WARNING='WARNING: .*drivers/pci/p2pmem|Call Trace'
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem

provider=$(pci_of cmb0)
p2pmem=$(p2pmem_of "$provider")
core_load

warnings() { kernel_log 'WARNING:' | wc -l; }
state() { echo "$(<"$p2pmem/available") $(<"$p2pmem/buffers")"; }

# refused NAME COMMAND...: the command has no effect but a warning, the first time only
refused() {
	local name=$1 before
	shift
	before=$(state)
	echo 1 >/sys/kernel/debug/clear_warn_once
	dmesg --clear
	core "$@"
	is "$name: nothing changes" "$(state)" "$before"
	is "$name: there is a warning" "$(warnings)" 1
	core "$@"
	is "$name: nothing changes the second time" "$(state)" "$before"
	is "$name: there is no second warning" "$(warnings)" 1
}

# freed_twice NAME COMMAND...: allocate with COMMAND and free twice; the second free has no effect
freed_twice() {
	local name=$1 before
	shift
	before=$(state)
	echo 1 >/sys/kernel/debug/clear_warn_once
	dmesg --clear
	core "$@" && core free_twice 9
	is "$name: the buffer is freed once" "$(state)" "$before"
	is "$name: there is a warning about the second free" "$(warnings)" 1
	core "$@" && core free_twice 9
	is "$name: the next buffer is freed once, too" "$(state)" "$before"
	is "$name: there is no second warning" "$(warnings)" 1
}

plan 42

empty=$(state)
ok 'a buffer is allocated' core alloc 1 "$provider" 12288
ok 'a buffer is allocated through the old interface' core pci_alloc 2 "$provider" 20000
core fill 1 11
core fill 2 12

refused 'its first page only' free_part 1 0 4096
refused 'more pages than it has' free_part 1 0 16384
refused 'from its second page on' free_part 1 4096 8192
if for_612; then
	refused 'a wrong size with the same number of pages' free_part 2 0 20480
else
	skip 4 'this kernel does not know the size of a buffer to the byte'
fi
refused 'system memory' free_foreign "$provider"

ok 'the first buffer is intact' core verify 1 11
ok 'the second buffer is intact' core verify 2 12
ok 'the first buffer can be freed' core free 1
ok 'the second buffer can be freed' core free 2
is 'the pool is as full as before' "$(state)" "$empty"

freed_twice 'p2pmem_free()' alloc 9 "$provider" 65536
freed_twice 'pci_free_p2pmem()' pci_alloc 9 "$provider" 65536

# A mapped buffer stays allocated after its free
if with_pins 6; then
	ok 'a buffer is allocated' core alloc 3 "$provider" 4096
	ok 'and mapped' core map 3 3 "$(pci_of plain0)"
	held=$(state)
	echo 1 >/sys/kernel/debug/clear_warn_once
	dmesg --clear
	core free_twice 3
	is 'freed twice while mapped: it stays' "$(state)" "$held"
	is 'freed twice while mapped: there is a warning' "$(warnings)" 1
	ok 'it is unmapped' core unmap 3
	is 'the buffer returned to the pool once' "$(state)" "$empty"
fi

# Memory that was freed twice can be allocated only once
core alloc 4 "$provider" 65536
one=$(field bus_addr)
core alloc 5 "$provider" 65536
ok 'the next two buffers have different addresses' [ "$one" != "$(field bus_addr)" ]
