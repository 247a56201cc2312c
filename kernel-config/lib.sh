# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# lib.sh - functions that the scripts of this directory share.

set -euo pipefail

top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)
build=${BUILD:-$top/build}
# shellcheck source=kernel-config/base.sh
. "$top/kernel-config/base.sh"
# The output for that base, and the git tree with its series
base_build=$build/$BASE
tree=$base_build/linux

fail() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Like the quiet lines of the Makefile
say() { printf '  %-8s%s\n' "$1" "$2"; }

# step WHAT TEXT CMD...: run CMD with its output in a log, and print how long it took
step() {
	local what=$1 text=$2 log start=$SECONDS
	shift 2
	say "$what" "$text ..."
	mkdir -p "$build"
	log=$build/${what,,}.log
	if ! "$@" >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		fail "$text failed after $((SECONDS - start)) s; the output is in $log"
	fi
	say "$what" "$text: done in $((SECONDS - start)) s"
}

# room GIB DIR WHAT: fail if the disk of DIR has less than GIB of free space for WHAT
room() {
	local free

	mkdir -p "$2"
	free=$(df -k --output=avail "$2" | awk 'END { print int($1 / 1024) }')
	[ "$free" -ge $(($1 * 1024)) ] ||
		fail "$3 takes up to $1 GiB, but the disk of $2 has only $free MiB free:" \
			"free some space"
}

# git for the kernel tree.  It must not depend on the settings of the user, and the user need not be
# the owner of the checkout.
kgit() { git -C "$tree" -c safe.directory='*' -c core.abbrev=12 -c gc.auto=0 "$@"; }

# A hash of the patches, which tells whether the tree still matches them
series_hash() {
	{ series_patches; test_patches; } | xargs -r cat | sha256sum | cut -d' ' -f1
}
