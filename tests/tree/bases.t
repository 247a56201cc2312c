#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Each base can be used from a fresh clone, which has no empty folders: its patches are found and
# hashed, also if it has no test aids.
# Requires: git.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
# shellcheck source=kernel-config/base.sh
. "$top/kernel-config/base.sh" || exit

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What a clone would have, with the changes that are not committed yet
(cd "$top" && git -c safe.directory='*' ls-files -co --exclude-standard -z kernel-config patches |
	xargs -0 cp --parents -t "$scratch")

# hash BASE: the hash of its patches, as kernel-config/tree computes it; fails as that would
hash() {
	# shellcheck disable=SC2016 # for that shell
	BASE=$1 bash -c '. "$1/kernel-config/lib.sh" && series_hash >"$1/hash" && cat "$1/hash"' \
		tree "$scratch"
}

read -ra bases <<<"$all_bases"
plan $((2 * ${#bases[@]}))
for base in "${bases[@]}"; do
	first=$(hash "$base")
	like "the patches of $base are found" "$first" '^[0-9a-f]{64}$'
	mkdir -p "$scratch/patches/$base/test"
	ok "an empty folder for test aids makes no difference to $base" \
		[ "$(hash "$base")" = "$first" ]
done
