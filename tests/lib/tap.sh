# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# tap.sh - the Test Anything Protocol, for tests on either side of the runner.
#
#   plan 3                           say first how many points there will be
#   ok 'name' CMD [ARG]...           a point: passes if CMD does
#   is 'name' GOT WANT               a point: passes if the two are equal
#   like 'name' GOT REGEX            a point: passes if GOT matches
#   skip N 'why'                     N points that cannot be tried, and why not
#   skip_all 'why'                   the same for a whole file; does not return
#   diag 'text'                      a remark
#   bail 'why'                       give this file up; does not return

# shellcheck disable=SC2034 # read by those who source this
tap_points=0
tap_failed=0

plan() { echo "1..$1"; }

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# On standard error, which prove(1) shows, too
tap_why() { diag "$@" >&2; }

tap_pass() { printf 'ok %d - %s\n' $((++tap_points)) "$1"; }

tap_fail() {
	printf 'not ok %d - %s\n' $((++tap_points)) "$1"
	tap_why "not ok: $1"
	tap_failed=$((tap_failed + 1))
	return 1
}

ok() {
	local name=$1
	shift
	if "$@"; then
		tap_pass "$name"
	else
		tap_fail "$name"
	fi
}

is() {
	if [ "$2" = "$3" ]; then
		tap_pass "$1"
	else
		tap_fail "$1"
		tap_why "got:  $2"
		tap_why "want: $3"
		return 1
	fi
}

like() {
	if [[ $2 =~ $3 ]]; then
		tap_pass "$1"
	else
		tap_fail "$1"
		tap_why "got: $2"
		tap_why "not like: $3"
		return 1
	fi
}

skip() {
	local i
	for ((i = 0; i < $1; i++)); do
		tap_pass "# SKIP $2"
	done
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

bail() {
	diag "given up: $*"
	exit 1
}

# wait_for SECONDS CMD [ARG]...: until CMD succeeds; fails when it has not by then
wait_for() {
	local deadline=$((SECONDS + $1 + 1))
	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.1
	done
}
