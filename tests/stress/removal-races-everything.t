#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: for more than two minutes, threads on every CPU allocate, map, unmap, free, find and bind.
# Meanwhile the provider is unbound and bound, published and unpublished, redirect is switched,
# attributes are read, and processes map memory.  Nothing hangs, no page is in two buffers at once,
# and the debug kernel reports nothing.
# Requires: p2pmem series, the build directory of the kernel, setpci, cc.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=acs CPU=EPYC MODULE=1 TIMEOUT=900
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/mapping.sh
. "${BASH_SOURCE[0]%/*}/../lib/mapping.sh"

readonly DURATION=150
drive=$(pci_of plain0)
card=$(nic_pci)
root_port=$(basename "$(readlink -f "/sys/bus/pci/devices/$provider/..")")
peers=$(peers_of "$provider")
core_load

# Each of these functions works until the time is over
end=$((SECONDS + DURATION))
time_is_left() { [ $SECONDS -lt $end ]; }

readers() {
	while time_is_left; do
		cat $p2pmem_class/*/{size,available,buffers,pinned,alloc_failures} \
			/sys/kernel/debug/p2pmem/*/{peers,buffers,pool} \
			"$peers" >/dev/null 2>&1
	done
}

switchers() {
	local i=0
	while time_is_left; do
		setpci -s "$root_port" "ECAP_ACS+6.w=$((4 * (i % 2))):4"
		core publish "$provider" $((i % 3 > 0))
		i=$((i + 1))
	done
	core publish "$provider" 1
}

# The process unmaps half of the memory before it ends, and the rest when it ends
mappers() {
	while time_is_left; do
		p2pmem=$(p2pmem_of "$provider") && allow_mapping
		$map "$allocate" 65536 </dev/null >/dev/null
	done 2>/dev/null
}

# Leaves the number of removals in a file.  Fails if one takes longer than a minute.
removals() {
	local n=0
	while time_is_left; do
		sleep 2
		provider_unbind "$provider" && provider_bind "$provider" || return
		n=$((n + 1))
	done
	echo $n >/tmp/removals
}

names='allocs maps found binds notified'
if has_pins; then names+=' deferred'; fi

plan $(($(wc -w <<<"$names") + 6))

buffers=$(<"$p2pmem/buffers")
available=$(<"$p2pmem/available")
stress_start "$provider" "$drive" "$card"
readers &
pids=($!)
switchers &
pids+=($!)
mappers &
pids+=($!)
removals
ok 'every removal ended in time' [ -s /tmp/removals ]
ok 'there were at least 7' [ "$(cat /tmp/removals || echo 0)" -ge 7 ]
wait "${pids[@]}"
stress_stop
for name in $names; do
	ok "$name: there were more than 11" [ "$(field "$name" "$stress")" -gt 11 ]
done
is 'no page had two owners or was changed by another, and there was no other error' \
	"$(field overlaps "$stress") $(field corrupted "$stress") $(field errors "$stress")" '0 0 0'
is 'no removal has stalled' "$(kernel_log 'removal of p2pmem')" ''
provides() { p2pmem=$(p2pmem_of "$provider"); }
ok 'the provider is back' wait_for 20 provides
all_back() {
	[ "$(<"$p2pmem/buffers") $(<"$p2pmem/available") $(pins_of "$p2pmem")" = \
		"$buffers $available 0" ]
}
ok 'all of its memory is available' wait_for 20 all_back
