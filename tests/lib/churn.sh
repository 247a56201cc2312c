# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# churn.sh - peer memory that is allocated and freed at a high rate, by the module
# peer_churn (tests/module/peer_churn.c), and p2ptrace in the background.  Sourced
# below guest-test.sh, for tests with MODULE=1.

# shellcheck source=tests/lib/guest.sh
declare -F core_load >/dev/null || . "${BASH_SOURCE[0]%/*}/guest.sh"

churn=/sys/module/peer_churn/parameters

# churn_load PROVIDER [PARAMETER=VALUE]...
churn_load() {
	insmod "${LAB_MODULE%/*}/peer_churn.ko" provider="$1" "${@:2}" ||
		bail 'cannot load peer_churn'
}

# churn_unload: free what the module holds
churn_unload() { timeout 60 rmmod peer_churn || trouble 'peer_churn cannot be unloaded'; }

# pairs CPU N: allocate and free one buffer on that CPU, N times
pairs() {
	taskset -c "$1" sh -c "echo $2 >$churn/pairs" || bail "cannot allocate and free on CPU $1"
}

# churn_on CPU: start the thread that allocates and frees; it has freed a buffer when
# this returns
churn_on() {
	local before
	before=$(<$churn/churned)
	echo "$1" >$churn/churn || bail "cannot start a thread on CPU $1"
	wait_for 20 churned_above "$before" || bail 'the thread frees nothing'
}
churned_above() { [ "$(<$churn/churned)" -gt "$1" ]; }
churn_off() { echo -1 >$churn/churn; }

# watch COMMAND [OPTION]...: start p2ptrace, and return when it is attached; its output
# is in $watch_out and $watch_err
watch_out=/tmp/watch.out watch_err=/tmp/watch.err
watch_pid=''
watch() {
	: >$watch_err
	env --default-signal=INT "$P2PTRACE" "$@" >$watch_out 2>$watch_err &
	watch_pid=$!
	wait_for 120 watch_attached ||
		bail "p2ptrace does not start within two minutes: $(cat $watch_err)"
	kill -0 "$watch_pid" 2>/dev/null || bail "p2ptrace: $(cat $watch_err)"
}
watch_attached() { grep -qs 'mode ' $watch_err || ! kill -0 "$watch_pid" 2>/dev/null; }

# watch_end: interrupt it; returns its exit status
watch_end() {
	kill -INT "$watch_pid"
	wait "$watch_pid"
}

# watch_pause, watch_resume: stop the process, which then reads nothing
watch_paused() { [[ $(</proc/"$watch_pid"/stat) == *') T '* ]]; }
watch_pause() {
	kill -STOP "$watch_pid"
	wait_for 10 watch_paused || bail 'p2ptrace does not stop'
}
watch_resume() { kill -CONT "$watch_pid"; }
