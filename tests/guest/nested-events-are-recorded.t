#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace records events that interrupt the program of an event of the same kind.
# The kernel does not run that program again, and p2ptrace has a second one.  A process
# and a timer interrupt of its CPU allocate, map, unmap and free at the same time.  The
# kernel counts the programs that it skipped, which shows that the interrupt hit a running
# program.  Recorded and lost events add up to the events that occurred, and few of the
# skipped events are lost.
# Requires: p2pmem series, p2ptrace, bpftool, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace
# shellcheck source=tests/lib/churn.sh
. "${BASH_SOURCE[0]%/*}/../lib/churn.sh"

plan 12

interrupts=503
churn_load "$(pci_of cmb0)" client="$(pci_of plain0)"

# interrupt: allocate in both contexts until the timer has done so that many times
interrupt() { taskset -c 1 sh -c "echo $interrupts >$churn/interrupts"; }
occurred() { echo $((4 * ($(<$churn/pairs) + interrupts))); }

# skipped EVENT: how often the kernel did not run its program because it was running.  The program
# for a mapping of the series for 7.3 has a name of its own.
skipped() {
	bpftool --json prog show | jq --arg name "$1" '
		[.[] | select(.name == $name or .name == "mapping_\($name)") |
			.recursion_misses // 0] | add // "no program"'
}

# met COMMAND [OPTION]...: watch while they do
met() {
	local name n
	watch "$@"
	interrupt || bail 'the process and the interrupt cannot allocate'
	all_skipped=0
	for name in p2pmem_alloc p2pdma_map p2pmem_free; do
		n=$(skipped "$name")
		if [ $name = p2pmem_free ] && [ -d /sys/class/pci_p2pmem ]; then
			is "$1: interrupts are off in the event of a free" "$n" 0
		else
			ok "$1: interrupts met the program $name" [ "$n" -gt 0 ]
		fi
		all_skipped=$((all_skipped + n))
	done
	watch_end || diag "$(cat $watch_err)"
}

met trace --json --buffer 64M
recorded=$(grep -cE '"event":"(p2pmem_(alloc|free)|p2pdma_(un)?map)"' $watch_out)
lost=$(tail -n 1 $watch_out | jq .lost)
diag "trace: $(occurred) events, of three kinds $all_skipped met, $lost lost"
is 'trace: recorded and lost events are those that occurred' $((recorded + lost)) "$(occurred)"
ok 'trace: of those that met, few are lost' [ $((4 * lost)) -lt "$all_skipped" ]
is 'trace: no event is recorded twice' \
	"$(sed -nE 's/.*"event":"(p2p[a-z]*_[a-z_]*)".*"id":([0-9]+).*/\1 \2/p' $watch_out |
		sort | uniq -d | wc -l)" 0

met stat --json
counted=$(tail -n 2 $watch_out |
	jq 'select(.event == "total") | .metrics | .allocs + .maps + .unmaps + .frees')
lost=$(tail -n 1 $watch_out | jq .lost)
diag "stat: $(occurred) events, of three kinds $all_skipped met, $lost lost"
is 'stat: counted and lost events are those that occurred' $((counted + lost)) "$(occurred)"
ok 'stat: of those that met, few are lost' [ $((4 * lost)) -lt "$all_skipped" ]

export -f interrupt
export interrupts churn
"$P2PTRACE" check --json --output $watch_out -- bash -c interrupt 2>$watch_err
is 'check: counted and lost events are those that occurred' \
	"$(jq '.metrics | .allocs + .maps + .unmaps + .frees + .lost' $watch_out)" "$(occurred)"
churn_unload
