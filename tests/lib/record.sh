# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# record.sh - functions for tests of "p2ptrace record".  Source it below guest-test.sh.
#
#   record_start [OPTION]...        start to record to $rec
#   record_stop                     end it, with its status
#   report [OPTION]... FILE         p2ptrace report

rec=/tmp/run.rec
recording() { grep -qs recording $rec.err || ! kill -0 "$record_pid" 2>/dev/null; }
record_start() {
	: >$rec.err
	env --default-signal=INT "$P2PTRACE" record -o $rec "$@" 2>$rec.err &
	record_pid=$!
	wait_for 120 recording || bail 'p2ptrace record does not attach within two minutes'
	kill -0 "$record_pid" 2>/dev/null || bail "p2ptrace: $(cat $rec.err)"
}
record_stop() { kill -INT "$record_pid"; wait "$record_pid"; }
report() { "$P2PTRACE" report "$@"; }
