#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace trace counts each event that it could not record.  While p2ptrace does
# not read, events fill the smallest ring buffer.  On each CPU, printed and lost events
# add up to the events that occurred.  The text, the JSON and the note on standard error
# agree.  A trace that loses nothing reports none.
# Requires: p2pmem series, p2ptrace, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace
# shellcheck source=tests/lib/churn.sh
. "${BASH_SOURCE[0]%/*}/../lib/churn.sh"

plan 17

provider=$(pci_of cmb0)
churn_load "$provider"

# 1009 pairs on CPU 0 and 1013 on CPU 1.  The first few of either fit the buffer.
cpu0=1009 cpu1=1013
generate() {
	pairs 1 11
	pairs 0 7
	pairs 1 $((cpu1 - 11))
	pairs 0 $((cpu0 - 7))
}

# overflow OPTION...: generate these while a trace does not read
overflow() {
	watch trace --buffer 4K "$@"
	watch_pause
	generate
	watch_resume
	watch_end
}

# lost_on CPU: as the last line of standard error has it
lost_on() { sed -nE "\$s/.*\<cpu$1 ([0-9]+).*/\1/p" $watch_err; }
printed_text() { grep -c "^ *[0-9.]* \[00$1\] .* p2pmem_" $watch_out; }
printed_json() { grep -c "\"event\":\"p2p[md].*\"cpu\":$1," $watch_out; }
end() { tail -n 1 $watch_out | jq -c 'select(.event == "end") | [.events, .lost]'; }

ok 'text: the trace ends well' overflow --event p2pmem_alloc
text=$(tail -n 1 $watch_out)
printed=$(($(printed_text 0) + $(printed_text 1)))
ok 'text: some events are printed, on both CPUs' \
	[ "$(printed_text 0)" -ge 7 -a "$(printed_text 1)" -ge 11 ]
is 'text: CPU 0: printed and lost are those that occurred' \
	$(($(printed_text 0) + $(lost_on 0))) $cpu0
is 'text: CPU 1: the same' $(($(printed_text 1) + $(lost_on 1))) $cpu1
is 'text: the last line has these counts' "$text" \
	"# $printed events, $((cpu0 + cpu1 - printed)) lost (cpu0 $(lost_on 0), cpu1 $(lost_on 1))"
is 'text: the note has the sum' "$(tail -n 1 $watch_err | grep -oE '[0-9]+ events lost')" \
	"$((cpu0 + cpu1 - printed)) events lost"

ok 'JSON: the trace ends well' overflow --json --event p2pmem_alloc
printed=$(($(printed_json 0) + $(printed_json 1)))
ok 'JSON: some events are printed, on both CPUs' \
	[ "$(printed_json 0)" -ge 7 -a "$(printed_json 1)" -ge 11 ]
is 'JSON: CPU 0: printed and lost are those that occurred' \
	$(($(printed_json 0) + $(lost_on 0))) $cpu0
is 'JSON: CPU 1: the same' $(($(printed_json 1) + $(lost_on 1))) $cpu1
is 'JSON: the last object has the sum' "$(end)" "[$printed,$((cpu0 + cpu1 - printed))]"

ok 'all events: the trace ends well' overflow --json
is 'all events: CPU 0: printed and lost are those that occurred' \
	$(($(printed_json 0) + $(lost_on 0))) $((2 * cpu0))
is 'all events: CPU 1: the same' $(($(printed_json 1) + $(lost_on 1))) $((2 * cpu1))

watch trace --json --event p2pmem_alloc
generate
ok 'with a reader: the trace ends well' watch_end
is 'with a reader: all events are printed' "$(printed_json 0) $(printed_json 1)" "$cpu0 $cpu1"
is 'with a reader: no loss is reported' "$(end) $(grep -c lost $watch_err)" "[$((cpu0 + cpu1)),0] 0"
churn_unload
