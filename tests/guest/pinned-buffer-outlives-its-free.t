#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a buffer that is freed while it is mapped for DMA keeps its memory until the last unmap.
# The free reports the number of pins, nobody else gets the memory, and an event reports the return
# to the pool.
# Requires: p2pmem series, p2ptrace, the build directory of the kernel.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 NEEDS=pins
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
drive=$(pci_of plain0)
card=$(nic_pci)
p2pmem=$(p2pmem_of "$provider")
core_load

# each COMMAND: run COMMAND for buffers 1 to 7, with the number in place of %
each() {
	local i
	for i in {1..7}; do
		core "${@//%/$i}" || return
	done
}

plan 20

available=$(<"$p2pmem/available")
buffers=$(<"$p2pmem/buffers")
trace_start

ok '7 buffers are allocated' each alloc % "$provider" 65536
ok 'mapped for the drive' each map 1% % "$drive" from_device
ok 'and for the network card' each map 2% % "$card"
is 'there are 14 pins' "$(<"$p2pmem/pinned")" 14
ok 'the CPU writes a pattern' each fill % 42
ok 'they are freed' each free %
is 'they are still there' "$(<"$p2pmem/buffers")" $((buffers + 7))
is 'none of their memory is available' "$(<"$p2pmem/available")" $((available - 7 * 65536))
ok 'others are allocated' each alloc 1% "$provider" 65536
is 'they have other memory' "$(<"$p2pmem/available")" $((available - 14 * 65536))
ok 'they are freed' each free 1%
ok 'the drive unmaps the first 7' each unmap 1%
is 'the network card still has its pins' "$(<"$p2pmem/pinned")" 7
is 'the memory is still not available' "$(<"$p2pmem/available")" $((available - 7 * 65536))
ok 'the network card unmaps them' each unmap 2%
is 'the pool is as full as before' \
	"$(<"$p2pmem/pinned") $(<"$p2pmem/buffers") $(<"$p2pmem/available")" \
	"0 $buffers $available"
trace_stop

is 'frees: 7 with two pins each, 7 without' \
	"$(jq -r 'select(.event == "p2pmem_free") | .pins' $trace_json | sort | uniq -c | xargs)" \
	'7 0 7 2'
is 'the memory of the first 7 came back later' \
	"$(trace_count '.event == "p2pmem_reclaim" and .size == 65536')" 7
is 'each after both unmaps of its buffer' "$(jq -n '
	reduce (inputs | select(.id)) as $e ({};
		if $e.event == "p2pdma_unmap" then .["\($e.id)"] += 1
		elif $e.event == "p2pmem_reclaim" then
			.bad += (if .["\($e.id)"] == 2 then 0 else 1 end)
		else . end) | .bad' $trace_json)" 0
is 'every buffer was freed' "$(trace_held)" 0
