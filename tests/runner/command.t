#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: arguments reach the command in the guest unchanged, and so do both outputs and the exit
# status on the way back.  The command has the environment that --help lists and no input.  The
# checkout is read-only.  The console of the kernel is in the log only.
# Requires: a kernel; 2 boots.

# shellcheck source=tests/lib/runner-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/runner-test.sh"

plan 15

# A large file that contains every byte value and exists on both sides
binary=$(readlink -f "$BASH")

# shellcheck disable=SC2016 # not to be expanded
arguments=('' ' ' 'two words' "it's" '"quoted"' '$HOME `id` \n' $'new\nline' $'tab\there'
	'*' '--' 'é' '&;|<>')
# Standard output is opened a second time, as tee(1) and scripts do
# shellcheck disable=SC2016 # expanded in the guest
lab --topology plain -- bash -c '
	cat "$1"
	shift
	echo "to stderr" >/dev/stderr
	echo "late" >>/dev/stdout
	(printf "%s\0" "$@"; env -0; cat; pwd; touch here 2>&1; uname -n) >/run/lab/report
	cat /run/lab/report
	exit 7' bash "$binary" "${arguments[@]}"
is 'exit status' "$status" 7
is 'standard error has its line and nothing else' "$(<"$scratch/err")" 'to stderr'

size=$(stat -c %s "$binary")
ok 'standard output is byte-exact' cmp -n "$size" "$binary" "$scratch/out"
tail -c +$((size + 1)) "$scratch/out" >"$scratch/rest"
is 'output to /dev/stdout follows' "$(head -n 1 "$scratch/rest")" late
sed -i 1d "$scratch/rest"

mapfile -d '' -t report <"$scratch/rest"
got=("${report[@]:0:${#arguments[@]}}")
is 'arguments are exact' "$(printf '<%s>' "${got[@]}")" "$(printf '<%s>' "${arguments[@]}")"
variables=$(printf '%s\n' "${report[@]:${#arguments[@]}}" |
	sed '/^_=/d; /^SHLVL=/d; /^PWD=/d' | grep '=' | LC_ALL=C sort)
is 'the environment is the one in --help' "$variables" \
	'HOME=/root
LAB_GUEST=1
LAB_TOPOLOGY=plain
LANG=C.UTF-8
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
mapfile -t tail <<<"${report[-1]}"
is 'input is empty, and the command starts in the checkout' "${tail[0]}" "$top"
like 'the checkout is read-only' "${tail[1]}" 'Read-only file system'
is 'the host name is lab' "${tail[2]}" lab

ok 'the console is in the log' grep -q 'Run .*/init as init process' "$scratch/log"
is 'no kernel warning in the log' "$(grep -aE 'WARNING|BUG|Call Trace' "$scratch/log")" ''

# A process that the command leaves behind keeps both outputs open
lab --topology plain -- sh -c 'sleep 1000 & exec false'
is 'false: exit status' "$status" 1
is 'false: nothing on standard output' "$(<"$scratch/out")" ''
is 'false: nothing on standard error' "$(<"$scratch/err")" ''
ok 'a process that is left behind does not delay the end' [ "$SECONDS" -lt 60 ]
