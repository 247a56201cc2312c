# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the scripts of this directory share.

set -euo pipefail

top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)
build=${BUILD:-$top/build}
tree=$build/linux

fail() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# In the form of the Makefile's own quiet lines
say() { printf '  %-8s%s\n' "$1" "$2"; }

# step WHAT TEXT CMD...: run CMD, its output to a log, and say how long it took
step() {
	local what=$1 text=$2 log start=$SECONDS
	shift 2
	say "$what" "$text ..."
	mkdir -p "$build"
	log=$build/${what,,}.log
	if ! "$@" >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		fail "$text failed after $((SECONDS - start)) s; everything it said is in $log"
	fi
	say "$what" "$text: done in $((SECONDS - start)) s"
}

# room GIB DIR WHAT: say in words, and first, where WHAT would fill the disk of DIR
room() {
	local free

	mkdir -p "$2"
	free=$(df -k --output=avail "$2" | awk 'END { print int($1 / 1024) }')
	[ "$free" -ge $(($1 * 1024)) ] ||
		fail "$3 takes up to $1 GiB, and the disk of $2 has $free MiB left: make room there"
}

# The git that handles the kernel tree must not depend on its user's settings, nor
# on who that is: root may well run this in somebody's checkout
kgit() { git -C "$tree" -c safe.directory='*' -c core.abbrev=12 -c gc.auto=0 "$@"; }

# What patches/ holds, in one word: to see whether the tree still matches it
series_patches() { find "$top/patches" -name '0*.patch' ! -name '0000-*' | sort; }
series_hash() { series_patches | xargs -r cat | sha256sum | cut -d' ' -f1; }
