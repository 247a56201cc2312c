#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: what goes into the guest and what comes out is exact: arguments, both
# outputs, exit status, environment; input is empty, the checkout is read-only,
# and the kernel's console stays in its log.
# Requires: a kernel; 2 boots.

# shellcheck source=tests/lib/runner-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/runner-test.sh"

plan 15

# A file on either side that is large and has every byte value in it
binary=$(readlink -f "$BASH")

# shellcheck disable=SC2016 # not to be expanded
arguments=('' ' ' 'two words' "it's" '"quoted"' '$HOME `id` \n' $'new\nline' $'tab\there' '*' '--' 'é' '&;|<>')
# Standard output is opened a second time, as tee and scripts do
# shellcheck disable=SC2016 # expanded in the guest
lab --topology plain -- bash -c '
	cat "$1"
	shift
	echo "to stderr" >/dev/stderr
	echo "late" >>/dev/stdout
	(printf "%s\0" "$@"; env -0; cat; pwd; touch here 2>&1; uname -n) >/run/lab/told
	cat /run/lab/told
	exit 7' bash "$binary" "${arguments[@]}"
is 'exit status' "$status" 7
is 'standard error holds its line and nothing else' "$(<"$scratch/err")" 'to stderr'

size=$(stat -c %s "$binary")
ok 'standard output is byte-exact' cmp -n "$size" "$binary" "$scratch/out"
tail -c +$((size + 1)) "$scratch/out" >"$scratch/rest"
is 'what is written to /dev/stdout comes after' "$(head -n 1 "$scratch/rest")" late
sed -i 1d "$scratch/rest"

mapfile -d '' -t told <"$scratch/rest"
got=("${told[@]:0:${#arguments[@]}}")
is 'arguments are exact' "$(printf '<%s>' "${got[@]}")" "$(printf '<%s>' "${arguments[@]}")"
variables=$(printf '%s\n' "${told[@]:${#arguments[@]}}" | sed '/^_=/d; /^SHLVL=/d; /^PWD=/d' | grep '=' | LC_ALL=C sort)
is 'environment is what --help says' "$variables" \
	'HOME=/root
LAB_GUEST=1
LAB_TOPOLOGY=plain
LANG=C.UTF-8
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
mapfile -t tail <<<"${told[-1]}"
is 'input is empty, and it starts in the checkout' "${tail[0]}" "$top"
like 'the checkout is read-only' "${tail[1]}" 'Read-only file system'
is 'the host is called lab' "${tail[2]}" lab

ok 'the console is in the log' grep -q 'Run .*/init as init process' "$scratch/log"
is 'no kernel warning in it' "$(grep -aE 'WARNING|BUG|Call Trace' "$scratch/log")" ''

# What a command leaves behind holds both outputs open
lab --topology plain -- sh -c 'sleep 1000 & exec false'
is 'false: exit status' "$status" 1
is 'false: nothing on standard output' "$(<"$scratch/out")" ''
is 'false: nothing on standard error' "$(<"$scratch/err")" ''
ok 'a process that is left behind does not hold up the end' [ "$SECONDS" -lt 60 ]
