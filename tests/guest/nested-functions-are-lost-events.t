#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on the base kernel, p2ptrace counts the events that it loses because they
# interrupt the program of an event of the same kind.  Programs of functions have no
# second one that takes over; recorded and lost events add up to those that occurred,
# and p2ptrace check fails.
# Requires: the base kernel, p2ptrace, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch STOCK=1 MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2ptrace
# shellcheck source=tests/lib/churn.sh
. "${BASH_SOURCE[0]%/*}/../lib/churn.sh"

plan 8

interrupts=503
churn_load "$(pci_of cmb0)"
interrupt() { taskset -c 1 sh -c "echo $interrupts >$churn/interrupts"; }
# occurred: allocations and frees, those of the process and of the interrupts
occurred() { echo $((2 * ($(<$churn/pairs) + interrupts))); }

# Of a failed allocation, another program would have to be run for the same function
watch trace --json --buffer 64M --event p2pmem_alloc,p2pmem_free
interrupt || bail 'the process and the interrupt cannot allocate'
ok 'trace ends well' watch_end
printed=$(grep -cE '"event":"p2pmem_(alloc|free)"' $watch_out)
lost=$(tail -n 1 $watch_out | jq .lost)
ok 'interrupts met the programs' [ "$lost" -gt 0 ]
is 'recorded and lost events are those that occurred' $((printed + lost)) "$(occurred)"
is 'the last object has the number of recorded events' \
	"$(tail -n 1 $watch_out | jq .events)" "$printed"
is 'the note says how they were lost' \
	"$(tail -n 1 $watch_err | grep -o '[0-9]* events lost in all (nested [0-9]*)')" \
	"$lost events lost in all (nested $lost)"

export -f interrupt
export interrupts churn
"$P2PTRACE" check --json --output $watch_out --allow leak -- bash -c interrupt 2>$watch_err
is 'check fails for that alone' \
	"$? $(jq -c '[.failed, (.violations | del(.leak) | keys)]' $watch_out)" '1 [1,["lost"]]'
ok 'check has the number' [ "$(jq .violations.lost $watch_out)" -gt 0 ]
ok 'check accounts for each event' \
	[ "$(jq '.metrics | .allocs + .frees + .lost' $watch_out)" -ge "$(occurred)" ]
churn_unload
