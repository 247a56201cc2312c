#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the unit tests run as many lines of each folder of tools/p2ptrace, in percent, as the
# file floors demands, and no floor is more than 6 points below what they run.
# Requires: gcc with its gcov, jq, and what check-unit requires.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

measured=$("$top/tests/coverage/measure") ||
	bail 'the unit tests fail when they are built with --coverage'
mapfile -t floors < <(grep -v '^#' "$top/tests/coverage/floors")

plan $((2 * ${#floors[@]} + 1))

for line in "${floors[@]}"; do
	read -r folder floor <<<"$line"
	percent=$(awk -v folder="$folder" '$1 == folder { print $4 }' <<<"$measured")
	ok "$folder: ${percent:-nothing} of $floor percent" [ "${percent%.*}" -ge "$floor" ]
	ok "$folder: a floor of $floor is up to date" [ "${percent%.*}" -le $((floor + 6)) ] ||
		tap_why "$folder: raise it in tests/coverage/floors to $((${percent%.*} - 2))"
done
is 'each folder has a floor' "$(awk '$1 != "." && $1 != "total" { print $1 }' <<<"$measured")" \
	"$(awk '$1 != "total" { print $1 }' <<<"$(printf '%s\n' "${floors[@]}" | sort)")"
diag "$measured"

exit $((tap_failed > 0))
