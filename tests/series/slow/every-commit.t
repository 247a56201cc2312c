#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: every commit of the series builds, links and boots. The compiler with W=1, sparse and
# kernel-doc report nothing new about the files that the series touches; the compiler also reports
# nothing new about files that include them.
# Requires: build/BASE/linux (make kernel-tree), sparse, QEMU.  The test has a configuration of its
# own, kernel-config/commits.config.  Builds are incremental from commit to commit.

# shellcheck source=tests/series/series.sh
. "${BASH_SOURCE[0]%/*}/../series.sh"

fragments=("$top"/kernel-config/{base,p2pmem,"$BASE/series",commits}.config)
command -v sparse >/dev/null || bail "sparse is missing: run 'make deps-series'"

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

changed '*.c' >"$work/files"
export SERIES_FILES=$work/files SERIES_SAID=$work/said SERIES_TREE=$tree

# build: build the commit that is checked out; leaves $work/warnings and $work/checks
build() {
	local status=0
	: >"$SERIES_SAID"
	# W=1 runs kernel-doc on every file; the checker runs it only on the files of the series
	configure commits "${fragments[@]}" &&
		kmake commits W=1 cmd_checkdoc= C=1 CHECK="$top/tests/series/checker" bzImage ||
		status=1
	warnings commits >"$work/warnings"
	grep -v '^checked ' "$SERIES_SAID" | plain >"$work/checks"
	return $status
}

# build_alone COMMIT: compile the files of COMMIT that no option selects yet, because their user
# comes in a later commit
build_alone() {
	local file list=()
	while read -r file; do
		compiled commits "$file" || list+=("${file%.c}.o")
	done < <(touched "$1" '*.c')
	[ ${#list[@]} -gt 0 ] || return 0

	mv "$built/commits.log" "$work/log"
	kmake commits W=1 cmd_checkdoc= C=1 CHECK="$top/tests/series/checker" "${list[@]}"
	warnings commits | sort -o "$work/warnings" - "$work/warnings"
	grep -v '^checked ' "$SERIES_SAID" | plain >"$work/checks"
	cat "$work/log" >>"$built/commits.log"
}

# The errors of a failed build
last_words() {
	grep -nE 'error:|\*\*\*|undefined reference' "$built/commits.log" | head -n 20
}

# build_base: build the base, and leave its messages in $known and $work/checks.base.  $known also
# has the warnings of earlier runs, because make does not repeat them.  It is discarded after an
# interrupted build or for another base.
known=$built/commits.warnings
build_base() {
	local file

	if [ "$(cat "$known.of" 2>/dev/null)" != "$base" ]; then
		rm -rf "$built/commits"
		: >"$known"
	fi
	rm -f "$known.of"
	checkout "$base"
	while read -r file; do
		[ ! -e "$tree/$file" ] || touch "$tree/$file"
	done <"$work/files"
	build || bail "the base does not build: $(last_words)"
	comm -13 "$known" "$work/warnings" | sort -o "$known" - "$known"
	mv "$work/checks" "$work/checks.base"
	echo "$base" >"$known.of"
}

# passed_over COMMIT: the files of COMMIT that were not compiled or not checked
passed_over() {
	touched "$1" '*.c' | while read -r file; do
		compiled commits "$file" || echo "$file was not compiled"
		grep -qxF "checked $file" "$SERIES_SAID" || echo "$file was not checked"
	done
}

mapfile -t list < <(commits)
plan $((4 * ${#list[@]} + 2))
build_base

for commit in "${list[@]}"; do
	name=$(titled "$commit")
	checkout "$commit"
	if ! build; then
		tap_fail "$name: builds, and so does all that it touches"
		diag "$(last_words)"
		tap_fail "$name: no new warning with W=1"
		tap_fail "$name: no new complaint by sparse or kernel-doc"
		tap_fail "$name: boots"
		continue
	fi
	build_alone "$commit"
	is "$name: builds, and so does all that it touches" "$(passed_over "$commit")" ''
	is "$name: no new warning with W=1" "$(comm -13 "$known" "$work/warnings")" ''
	is "$name: no new complaint by sparse or kernel-doc" \
		"$(comm -13 "$work/checks.base" "$work/checks")" ''
	said=$(LAB_KERNEL=$built/commits/arch/x86/boot/bzImage LAB_LOG=$built/commits.console \
		"$top/tests/series/boot" 2>&1)
	is "$name: boots" $? 0 || diag "$said"
done

# Code whose option is off was not built
is 'the configuration has no option that the series does not know' "$absent" ''
is 'the configuration has all options that the series adds' \
	"$(comm -13 <(options "$base") <(options "$tip") |
	while read -r option; do
		grep -qE "^$option=[ym]$" "$built/commits/.config" || echo "$option"
	done)" ''

exit $((tap_failed > 0))
