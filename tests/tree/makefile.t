#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on each base, no target of "make help" uses a variable that is not defined, and the demo
# runs.  CFLAGS, LDFLAGS and DESTDIR are the user's.  Nothing is built.
# Requires: make.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
# shellcheck source=kernel-config/base.sh
. "$top/kernel-config/base.sh" || exit

would() { env -u MAKEFLAGS -u MAKELEVEL -u BUILD make -C "$top" --no-print-directory -n "$@" 2>&1; }

read -ra targets < <(would help | sh | sed -n 's/^  \([a-z0-9-]*\)  .*/\1/p' | xargs)
read -ra bases <<<"$all_bases"
plan $((1 + 2 * ${#bases[@]}))
like 'there are targets' "${targets[*]}" 'tour demo check .*clean'
for base in "${bases[@]}"; do
	out=$(would --warn-undefined-variables CFLAGS= LDFLAGS= DESTDIR= BASE="$base" \
		"${targets[@]}")
	is "$base: each variable is defined" \
		"$(grep -o '[^ ]*: warning: undefined variable .*' <<<"$out" | sort -u)" ''
	like "$base: the demo runs" "$(would demo BASE="$base")" 'tests/demo/demo$'
done
