#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace decides as the kernel's own calc_map_type_and_dist() does, by the source of each
# base: map type, distance, and the list of redirecting ports, for all pairs of functions of
# cases.txt and of 20,000 random trees.  Where facts are hidden, p2ptrace decides the same, or says
# that the map is unknown.
#
# The random trees have several host bridges, domains above 0xffff, switches in switches, bridges to
# PCI, devices with several functions, virtual functions, some on a bus of their own, functions
# without a root port, and functions that were removed and found again.
#
# Requires: build/BASE/linux of each base (make kernel-tree).  Environment: SEED and TREES, for
# other trees; NEED_SOURCE=1: fail if there is no source at all.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
# shellcheck source=kernel-config/base.sh
. "$top/kernel-config/base.sh" || exit
build=${BUILD:-$top/build}
here=$top/tests/field
compare=$build/obj/field/compare
seed=${SEED:-$((RANDOM << 15 | RANDOM))}
trees=${TREES:-20000}

[ -x "$compare" ] || skip_all "no ${compare#"$top/"}: run 'make check-field', which builds it"

read -ra bases <<<"$all_bases"
[ -z "${NEED_SOURCE:-}" ] || compgen -G "$build/*/linux" >/dev/null ||
	bail "no base has a source to compare with: run 'make kernel-tree'"
plan $((3 * ${#bases[@]}))

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# kernel DIR: the code of a kernel as the shared object $work/kernel.so
# shellcheck disable=SC2317 # called through ok
kernel() {
	"$here/extract" "$1" >"$work/extracted.h" &&
		"${CC:-cc}" -w -O1 -shared -fPIC -I"$work" -I"$here" "$here/kernel.c" \
			-o "$work/kernel.so"
}

# decisions BASE: three points, by the code of the series' base
decisions() {
	local linux=$build/$1/linux line map missing=

	if [ ! -e "$linux" ]; then
		skip 3 "no source of Linux $1: run 'make kernel-tree BASE=$1'"
		return
	fi
	ok "the code of Linux $1 can be compiled" kernel "$linux" || { skip 2 'no code'; return; }
	line=$("$compare" "$work/kernel.so" "$1" "$here/cases.txt" "$seed" "$trees")
	is "all decisions are those of Linux $1" "$?" 0 || tap_why "seed $seed:"$'\n'"$line"
	diag "$1, seed $seed, $trees trees: $line"
	for map in bus_addr thru_host_bridge not_supported with-ports hidden unknown; do
		[[ " $line " =~ \ $map\ [1-9] ]] || missing+=" $map"
	done
	is "these include each map type on Linux $1" "$missing" ''
}

for base in "${bases[@]}"; do decisions "$base"; done

exit $((tap_failed > 0))
