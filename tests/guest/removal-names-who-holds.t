#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a removal waits for a buffer whose owner does not let go, says after ten
# seconds which one it is, in the log and in an event, and ends when it is freed
# and unmapped; while it waits, nobody gets anything of the device any more.
# Requires: p2pmem series, p2ptrace, the kernel's build directory.

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
is 'it says so' "$(<"$p2pmem/published")" 0
is 'nothing can be allocated any more' "$(core_says alloc 3 "$provider" 4096)" -ENODEV
is 'nor as a list' "$(core_says alloc_sgl 3 "$provider" 4096 1)" -ENODEV
is 'nobody can become a user' "$(core_says bind 1 "$provider")" -ENODEV
is 'it is not found' "$(core_says find "$drive" "$card")" -ENODEV
is 'nor can it be used' "$(core_says check "$provider" "$drive")" -ENODEV
ok 'what is there can still be read and written' core fill 1 5
ok 'and is what it was' core verify 1 5
ok 'and be mapped' core map 2 1 "$card"
core free 2

stalled() { [ "$(trace_count '.event == "p2pmem_drain_stall"')" -ge 1 ]; }
ok 'the stall is reported' wait_for 25 stalled
is 'with the buffer that is held, and its pins' \
	"$(trace_values '"\(.dev) \(.provider) \(.buffers) \(.pins) \(.oldest_id)"' '.event == "p2pmem_drain_stall"')" \
	"$name $provider 1 2 $id"
ok 'the log names the device and the buffer' \
	[ -n "$(kernel_log "$provider.*$name" | grep -w "$id")" ]
ok 'and who allocated it' [ -n "$(kernel_log 'p2pmem_test')" ]
ok 'the removal still waits' kill -0 $pid

core free 1
core unmap 1
ok 'also for a pin' kill -0 $pid
core unmap 2
ok 'and ends when that is gone' wait $pid
ok 'the device is gone' [ ! -e "$p2pmem" ]
is 'it is dead for those who keep it' "$(core_says alloc 3 "$provider" 4096)" -ENODEV
ok 'who can let go of it' core drop "$provider"
trace_stop
ok 'it has drained, late' \
	[ "$(trace_count '.event == "p2pmem_dev_drained" and .waited_ns > 10e9')" = 1 ]
is 'the last reclaim was before' "$(jq -n '[inputs | .event] | index("p2pmem_dev_drained") > index("p2pmem_reclaim")' $trace_json)" true
