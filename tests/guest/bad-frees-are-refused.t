#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a buffer that is freed twice, an address that is not a buffer's, and a
# size that is not its own are refused: with one warning, and nothing changes.
# Requires: p2pmem series, the kernel's build directory.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck disable=SC2034
ALLOW_WARNING='WARNING: .* at [^ ]*drivers/pci/p2pmem|Call Trace'
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem

provider=$(pci_of cmb0)
p2pmem=$(p2pmem_of "$provider")
core_load

warnings() { kernel_log 'WARNING:' | wc -l; }
state() { echo "$(<"$p2pmem/available") $(<"$p2pmem/buffers")"; }

# refused NAME COMMAND...: does nothing but warn, the first time
refused() {
	local name=$1 before
	shift
	before=$(state)
	echo 1 >/sys/kernel/debug/clear_warn_once
	dmesg --clear
	core "$@"
	is "$name: nothing changes" "$(state)" "$before"
	is "$name: it is warned of" "$(warnings)" 1
	core "$@"
	is "$name: nor does it change anything again" "$(state)" "$before"
	is "$name: and not warned of again" "$(warnings)" 1
}

# freed_twice NAME COMMAND...: for an allocation; the second free does nothing
freed_twice() {
	local name=$1 before
	shift
	before=$(state)
	echo 1 >/sys/kernel/debug/clear_warn_once
	dmesg --clear
	core "$@" && core free_twice 9
	is "$name: it is freed once" "$(state)" "$before"
	is "$name: the second is warned of" "$(warnings)" 1
	core "$@" && core free_twice 9
	is "$name: nor is it more than once again" "$(state)" "$before"
	is "$name: and not warned of again" "$(warnings)" 1
}

plan 42

empty=$(state)
ok 'a buffer is allocated' core alloc 1 "$provider" 12288
ok 'and one by the old interface' core pci_alloc 2 "$provider" 20000
core fill 1 11
core fill 2 12

refused 'its first page only' free_part 1 0 4096
refused 'more than it has' free_part 1 0 16384
refused 'from its second page on' free_part 1 4096 8192
refused 'a size that has as many pages' free_part 2 0 20480
refused 'memory that is no peer memory' free_foreign "$provider"

ok 'the first is unharmed' core verify 1 11
ok 'and so is the other' core verify 2 12
ok 'the first can be freed' core free 1
ok 'and so can the other' core free 2
is 'and all is back' "$(state)" "$empty"

freed_twice 'p2pmem_free()' alloc 9 "$provider" 65536
freed_twice 'pci_free_p2pmem()' pci_alloc 9 "$provider" 65536

# While it is mapped, the buffer is there for sure
ok 'a buffer is allocated' core alloc 3 "$provider" 4096
ok 'and mapped' core map 3 3 "$(pci_of plain0)"
held=$(state)
echo 1 >/sys/kernel/debug/clear_warn_once
dmesg --clear
core free_twice 3
is 'freed twice while mapped: it stays' "$(state)" "$held"
is 'freed twice while mapped: it is warned of' "$(warnings)" 1
ok 'it is unmapped' core unmap 3
is 'and all is back, once' "$(state)" "$empty"

# What was freed twice is free to be had, but once
core alloc 4 "$provider" 65536
one=$(field bus_addr)
core alloc 5 "$provider" 65536
ok 'what is allocated next is in different places' [ "$one" != "$(field bus_addr)" ]
