#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the patches apply to the base with "git am", the test aids to the series, and the kernel
# that the other tests run has no other changes.
# Requires: build/BASE/linux (make kernel-tree).  Works in a git tree of its own that has only the
# files that the patches touch.

# shellcheck source=tests/series/series.sh
. "${BASH_SOURCE[0]%/*}/series.sh"

plan 4

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

mapfile -t series < <(series_patches)
mapfile -t aids < <(test_patches)

git init -q "$work/tree" && cd "$work/tree" || exit
echo "$linux/.git/objects" >.git/objects/info/alternates
git config core.sparseCheckout true
sed -n 's|^[+-]\{3\} [ab]/\(.*\)|/\1|p' "${patches[@]}" | sort -u >.git/info/sparse-checkout
git checkout -q "$base" || exit

apply() { git -c user.name=tester -c user.email=tester@localhost am "$@" 2>&1; }
am=$(apply "${series[@]}" && git tag series && { [ ${#aids[@]} -eq 0 ] || apply "${aids[@]}"; })
is 'git am applies all patches' "$?" 0 || diag "$am"
is 'there is no fuzz, offset or white space warning' \
	"$(grep -v '^Applying: ' <<<"$am" | grep -iE 'fuzz|offset|warning|error')" ''
is 'the result is the tree that the kernel is built from' \
	"$(git rev-parse 'HEAD^{tree}')" "$(lgit rev-parse "$tip^{tree}")"

# The last line of the diffstat, as git prints it
want=$(git diff --shortstat --diff-algorithm=myers "$base" series)
is 'the diffstat of the cover letter is that of the patches' \
	"$(grep 'files changed,' "$base_patches/0000-cover-letter.patch")" "$want"

exit $((tap_failed > 0))
