#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: while threads on every CPU allocate, map, unmap and free at random in all contexts, no page
# is in two buffers at once, no page is reused before its last unmap, and in the end the pool is as
# full as before.
# Requires: p2pmem series, the build directory of the kernel.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=small MODULE=1 RUN_OPTIONS=(--parallel)
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem

provider=$(pci_of cmb0)
p2pmem=$(p2pmem_of "$provider")
state() { echo "$(<"$p2pmem/available") $(<"$p2pmem/buffers") $(pins_of "$p2pmem")"; }
core_load

# Without pins, a buffer is unmapped before it is freed
names='allocs no_memory maps found binds in_interrupt'
if has_pins; then names+=' deferred'; fi
if for_612; then names+=' piecewise'; fi

plan $(($(wc -w <<<"$names") + 3))

# A run tells its counts only when it ends, so it is repeated, longer, if one of them is 0.
each_counted() {
	local name
	for name in $names; do [ "$(field "$name" "$stress")" -gt 0 ] || return; done
}

before=$(state)
wrong='' notified=''
for seconds in 3 9 27 81; do
	stress_start "$provider" "$(pci_of plain0)" "$(nic_pci)"
	sleep $seconds
	stress_stop
	for name in overlaps corrupted errors; do wrong+=$(field $name "$stress"); done
	notified+=$(field notified "$stress")
	! each_counted || break
done
for name in $names; do
	ok "$name: there were some" [ "$(field "$name" "$stress")" -gt 0 ]
done
like 'no page had two owners or was changed by another, and there was no other error' \
	"$wrong" '^(000)+$'
like 'no user was notified of a removal' "$notified" '^0+$'
is 'the pool is as full as before' "$(state)" "$before"
