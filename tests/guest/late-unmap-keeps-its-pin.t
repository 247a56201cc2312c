#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: with unmap-delay-ms of fail_p2pmem, a chosen unmap takes effect after that delay. Until
# then the memory is not reused, although its owner has freed it, and a removal waits for it.
# Requires: p2pmem series with FAIL_P2PMEM, p2ptrace, the build directory of the kernel.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 NEEDS=FAIL_P2PMEM
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/faults.sh
. "${BASH_SOURCE[0]%/*}/../lib/faults.sh"

provider=$(pci_of cmb0)
drive=$(pci_of plain0)
p2pmem=$(p2pmem_of "$provider")
core_load

plan 21

available=$(<"$p2pmem/available")
trace_start
echo N >$fail_p2pmem/alloc
echo 4000 >$fail_p2pmem/unmap-delay-ms
inject 1
core alloc 1 "$provider" 12288
ok 'allocations do not fail' core map 1 1 "$drive"
ok 'the buffer is unmapped, with a delay' core unmap 1
is 'the pin is still there' "$(<"$p2pmem/pinned")" 1
ok 'the buffer is freed' core free 1
is 'its memory is not available' "$(<"$p2pmem/available")" $((available - 12288))
all_back() { [ "$(<"$p2pmem/available") $(<"$p2pmem/pinned")" = "$available 0" ]; }
ok 'its memory returns after the delay' wait_for 20 all_back

core alloc 2 "$provider" 4096
core map 2 2 "$drive"
core unmap 2
is 'an unmap that was not chosen has no delay' "$(<"$p2pmem/pinned")" 0
core free 2

inject 1
core alloc 3 "$provider" 20480
core map 3 3 "$drive"
core unmap 3
core free 3
ok 'a removal during the delay succeeds' provider_unbind "$provider"
trace_stop

is 'frees: one pin, none, one' \
	"$(jq -r 'select(.event == "p2pmem_free" and .size <= 20480) | .pins' $trace_json |
		paste -sd ' ')" '1 0 1'
is 'reclaims' \
	"$(jq -r 'select(.event == "p2pmem_reclaim") | .size' $trace_json | paste -sd ' ')" \
		'12288 20480'

# delay SIZE: the time from the map of a buffer to its unmap, in ms
delay() {
	jq -n "[inputs | select(.size == $1)] |
		((map(select(.event == \"p2pdma_unmap\"))[0].ts_ns) -
		 (map(select(.event == \"p2pdma_map\"))[0].ts_ns)) / 1e6 | floor" $trace_json
}
for size in 12288 20480; do
	is "$size: mapped once" \
		"$(trace_count ".event == \"p2pdma_map\" and .size == $size")" 1
	is "$size: unmapped once" \
		"$(trace_count ".event == \"p2pdma_unmap\" and .size == $size")" 1
	ok "$size: the unmap came late" [ "$(delay $size)" -ge 4000 ]
	is "$size: in the order map, free, unmap, reclaim" \
		"$(jq -r "select(.size == $size and .event != \"p2pmem_alloc\") | .event" \
			$trace_json | paste -sd ' ')" \
		'p2pdma_map p2pmem_free p2pdma_unmap p2pmem_reclaim'
done
is 'the removal ended after the last reclaim' \
	"$(jq -n '[inputs | .event] | index("p2pmem_dev_drained") > rindex("p2pmem_reclaim")' \
		$trace_json)" true
ok 'the removal waited for it' \
	[ "$(trace_count '.event == "p2pmem_dev_drained" and .waited_ns > 1e9')" = 1 ]
is 'every buffer was freed' "$(trace_held)" 0
