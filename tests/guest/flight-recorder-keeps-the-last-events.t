#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace record --ring keeps the last events and does not grow. It writes them to a file on
# SIGUSR1, at the end, and when its trigger begins to hold.
# Requires: p2pmem series, p2ptrace, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 TIMEOUT=600
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/record.sh
. "${BASH_SOURCE[0]%/*}/../lib/record.sh"
require_p2pmem
require_p2ptrace

plan 8

resident() { awk '/^VmRSS/ { print $2 }' /proc/$record_pid/status; }
written() { [ "$(grep -c 'wrote [0-9]* events' $rec.err)" = "$1" ]; }
alloc_and_free() {
	local i
	for ((i = 0; i < $1; i++)); do
		core alloc 2 "$provider" 4096 && core free 2
	done
}

provider=$(pci_of cmb0)
core_load
record_start --ring 128K --event p2pmem_alloc,p2pmem_free
alloc_and_free 701
ok 'the file is not there yet' [ ! -e $rec ]
kill -USR1 $record_pid
ok 'SIGUSR1 writes it' wait_for 10 written 1
report --json $rec >/tmp/report.json
nr=$(wc -l </tmp/report.json)
ok "it has the last events, not all: $nr" [ "$nr" -gt 500 -a "$nr" -lt 1300 ]
is 'the last one is the last free' \
	"$(tail -n 2 /tmp/report.json | jq -r '.event' | xargs)" 'p2pmem_free end'
before=$(resident)
alloc_and_free 701
after=$(resident)
ok "it does not grow: $before and $after KiB" [ "$after" -le $((before + 256)) ]
record_stop
ok 'it writes a second file at the end' [ -s $rec.1 ]

rm -f $rec $rec.1
record_start --ring 128K --trigger 'allocs >= 3' --event p2pmem_alloc
core alloc 3 "$provider" 4096
core alloc 4 "$provider" 4096
ok 'a trigger that does not hold writes nothing' [ ! -e $rec ]
core alloc 5 "$provider" 4096
wait_for 10 written 1
record_stop
is 'a trigger writes the file when it holds, once' \
	"$(report --json $rec | wc -l) $(echo $rec*)" "4 $rec $rec.err"
core free 3
core free 4
core free 5
