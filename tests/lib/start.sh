# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# start.sh - p2ptrace in the background, on a stock kernel:
#
#   start COMMAND [OPTION]...   start it and wait until it is attached; its process is $pid, its
#                               output is in $out, and its messages are in $err
#   start_stat                  the same for "stat --json", with /tmp/stat and /tmp/stat.err
#   stop PID                    interrupt it; returns its exit status
#   count EXPRESSION            the number of lines in $out for which the expression of jq is true

out=/tmp/out err=/tmp/err
started() { grep -qs 'mode stock' "$err"; }
start() {
	: >"$err"
	# A shell without job control makes its background commands ignore SIGINT
	env --default-signal=INT "$P2PTRACE" "$@" >"$out" 2>"$err" &
	# shellcheck disable=SC2034 # for the tests
	pid=$!
	# Each program takes a second to attach if there is no KVM
	wait_for 240 started
}
start_stat() {
	local out=/tmp/stat err=/tmp/stat.err
	start stat --json
}
stop() { kill -INT "$1"; wait "$1"; }
count() { jq -c "select($1)" "$out" | wc -l; }
