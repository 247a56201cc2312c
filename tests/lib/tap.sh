# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# tap.sh - the Test Anything Protocol, for tests on either side of the runner.
#
#   plan 3                           announce the number of points; comes first
#   ok 'name' CMD [ARG]...           a point: passes if CMD succeeds
#   is 'name' GOT WANT               a point: passes if the two are equal
#   like 'name' GOT REGEX            a point: passes if GOT matches
#   skip N 'why'                     skip N points and give the reason
#   skip_all 'why'                   skip the whole file; does not return
#   diag 'text'                      print a remark
#   bail 'why'                       give up on this file; does not return
#   wait_for SECONDS CMD [ARG]...    retry CMD until it succeeds; fails after SECONDS

# shellcheck disable=SC2034 # read by the scripts that source this file
tap_points=0
tap_failed=0

plan() { echo "1..$1"; }

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# On standard error, which prove(1) shows in any case
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

wait_for() {
	local deadline=$((SECONDS + $1 + 1))
	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.1
	done
}
