#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the patches apply to the base with "git am", and the kernel that the other tests run has
# no other changes.
# Requires: build/linux (make kernel-tree).  Works in a git tree of its own that has only the files
# that the patches touch.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
tree=$top/build/linux

plan 4

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

patches=("$top"/patches/0*.patch)
cover=${patches[0]}
unset 'patches[0]'

git init -q "$work/tree" && cd "$work/tree" || exit
echo "$tree/.git/objects" >.git/objects/info/alternates
git config core.sparseCheckout true
sed -n 's|^[+-]\{3\} [ab]/\(.*\)|/\1|p' "${patches[@]}" | sort -u >.git/info/sparse-checkout
git checkout -q "$(git -C "$tree" rev-parse 'base^0')" || exit

am=$(git -c user.name=tester -c user.email=tester@localhost am "${patches[@]}" 2>&1)
is 'git am applies all patches' "$?" 0 || diag "$am"
is 'there is no fuzz, offset or white space warning' \
	"$(grep -iE 'fuzz|offset|warning|error' <<<"$am")" ''
is 'the result is the tree that the kernel is built from' \
	"$(git rev-parse 'HEAD^{tree}')" "$(git -C "$tree" rev-parse 'HEAD^{tree}')"

# The last line of the diffstat, as git prints it
want=$(git diff --shortstat --diff-algorithm=myers "$(git -C "$tree" rev-parse 'base^0')" HEAD)
is 'the diffstat of the cover letter is that of the patches' \
	"$(grep 'files changed,' "$cover")" "$want"

exit $((tap_failed > 0))
