#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the runner ends by SIGINT, SIGTERM or SIGKILL, its QEMU ends, too.  After SIGINT and
# SIGTERM, its temporary directory is removed as well.
# Requires: a kernel; 3 boots.

# shellcheck source=tests/lib/runner-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/runner-test.sh"

export TMPDIR=$scratch/tmp
mkdir "$TMPDIR"

# The command line of QEMU contains the temporary directory of the runner
our_qemu() { pgrep -f "^qemu-system-x86_64 .*$TMPDIR" >/dev/null; }
no_qemu() { ! our_qemu; }
written() { [ -s "$scratch/out" ]; }

# ends SIGNAL STATUS
ends() {
	local runner status
	: >"$scratch/out"
	env --default-signal=INT "$top/tests/vm/run" --topology plain --log "$scratch/log" -- \
		sh -c 'echo up; sleep 1000' >"$scratch/out" 2>"$scratch/err" &
	runner=$!
	wait_for 60 written
	ok "SIG$1: QEMU was running" our_qemu
	kill -"$1" $runner
	wait $runner 2>/dev/null
	status=$?
	is "SIG$1: status" $status "$2"
	ok "SIG$1: QEMU has ended" wait_for 10 no_qemu
}

plan 10

ends TERM 143
ends INT 130
is 'nothing is left in the temporary directory' "$(ls "$TMPDIR")" ''
ends KILL 137
