#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the files that the series touches compile for arm64, too, without a new warning with W=1.
# Requires: build/BASE/linux (make kernel-tree), gcc-aarch64-linux-gnu.

# shellcheck source=tests/series/series.sh
. "${BASH_SOURCE[0]%/*}/../series.sh"

export ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-
command -v ${CROSS_COMPILE}gcc >/dev/null ||
	bail "${CROSS_COMPILE}gcc is missing: run 'make deps-series'"

mapfile -t files < <(changed '*.c')
plan $((${#files[@]} + 1))

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# build WARNINGS: compile all of the files that exist, and write the warnings to WARNINGS
build() {
	local file list=()
	for file in "${files[@]}"; do
		[ ! -e "$tree/$file" ] || list+=("${file%.c}.o")
	done
	configure arm64 "$top"/kernel-config/{arm64,"$BASE/series"}.config ||
		bail 'no configuration'
	(cd "$built/arm64" && rm -f "${list[@]}")
	kmake arm64 -k W=1 "${list[@]}"
	warnings arm64 >"$1"
}

checkout "$base"
build "$work/base"
checkout "$tip"
build "$work/tip"

for file in "${files[@]}"; do
	ok "$file" test -e "$built/arm64/${file%.c}.o" ||
		diag "$(grep -F "${file%.c}" "$built/arm64.log")"
done
is 'no new warning' "$(comm -13 "$work/base" "$work/tip")" ''

exit $((tap_failed > 0))
