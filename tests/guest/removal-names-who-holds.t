#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a removal waits for a buffer that its owner does not free. After ten seconds, the kernel
# log and an event name the buffer. The removal ends when the buffer is freed and unmapped. While it
# waits, allocations, binds and finds fail.
# Requires: p2pmem series, p2ptrace, the build directory of the kernel.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
drive=$(pci_of plain0)
card=$(nic_pci)
p2pmem=$(p2pmem_of "$provider")
name=${p2pmem##*/}
# Later, the device is gone
pins=$(has_pins && echo true || echo false)
core_load

plan 22

core keep "$provider"
core alloc 1 "$provider" 8192
id=$(field id)
core map 1 1 "$drive"
core alloc 2 "$provider" 4096
trace_start

provider_unbind "$provider" &
pid=$!
begun() { [ "$(trace_count '.event == "p2pmem_dev_del"')" = 1 ]; }
ok 'the removal begins' wait_for 20 begun
if for_612; then
	is 'the device is not published' "$(<"$p2pmem/published")" 0
else
	ok 'the device is gone, but not its memory' [ ! -e "$p2pmem" ]
fi
is 'an allocation fails' "$(core_says alloc 3 "$provider" 4096)" -ENODEV
is 'the allocation of a list fails' "$(core_says alloc_sgl 3 "$provider" 4096 1)" -ENODEV
is 'a bind fails' "$(core_says bind 1 "$provider")" -ENODEV
is 'a find fails' "$(core_says find "$drive" "$card")" -ENODEV
is 'a check fails' "$(core_says check "$provider" "$drive")" -ENODEV
ok 'an older buffer can be written' core fill 1 5
ok 'it can be read' core verify 1 5
ok 'it can be mapped' core map 2 1 "$card"
core free 2

stalled() { [ "$(trace_count '.event == "p2pmem_drain_stall"')" -ge 1 ]; }
ok 'the stall is reported' wait_for 25 stalled
is 'the event names the buffer and its pins' \
	"$(trace_values '"\(.dev) \(.provider) \(.buffers) \(.pins) \(.oldest_id)"' \
		'.event == "p2pmem_drain_stall"')" \
	"$name $provider 1 $($pins && echo 2 || echo 0) $id"
ok 'the log names the device and the buffer' \
	[ -n "$(kernel_log "$provider.*$name" | grep -w "$id")" ]
ok 'the log names the function that allocated it' [ -n "$(kernel_log 'p2pmem_test')" ]
ok 'the removal still waits' kill -0 $pid

# The order in which its pins, if there are some, and its owner give it up
order=('unmap 1' 'unmap 2' 'free 1')
! $pins || order=('free 1' 'unmap 1' 'unmap 2')
core "${order[0]}"
core "${order[1]}"
ok 'it waits for the last one' kill -0 $pid
core "${order[2]}"
ok 'it ends when all have given up the buffer' wait $pid
ok 'the device is gone' [ ! -e "$p2pmem" ]
is 'an allocation through an old reference fails' "$(core_says alloc 3 "$provider" 4096)" -ENODEV
ok 'the old reference can be dropped' core drop "$provider"
trace_stop
ok 'the removal took more than ten seconds' \
	[ "$(trace_count '.event == "p2pmem_dev_drained" and .waited_ns > 10e9')" = 1 ]
is 'the removal ended after the memory had returned' \
	"$(jq -n '[inputs | .event] | index("p2pmem_dev_drained") >
		([rindex("p2pmem_reclaim", "p2pmem_free")] | max)' $trace_json)" true
