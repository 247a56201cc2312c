#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: no line of code or prose in this tree is wider than 100 columns, where a tab ends at the
# next multiple of 8.  Exempt are lines that cannot be wrapped: rows of tables and indented blocks
# of quoted output in .md files, format strings of bpftrace, patches, output of lspci, drawings
# of machines, the dashboard, and input for fuzzers.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

cd "$top" || exit
# The user need not be the owner of the checkout
mapfile -t files < <(git -c safe.directory='*' ls-files -co --exclude-standard)
[ ${#files[@]} -gt 0 ] || skip_all 'this is not a git checkout'

# wide FILE: its wide lines, as FILE:LINE: COLUMNS
wide() {
	expand "$1" | perl -CS -lne '
		BEGIN { $name = shift }
		next if $name =~ /\.md$/ && /^(\||    )/ || $name =~ /\.bt$/ && /printf/;
		print "$name:$.: ", length, " columns" if length > 100' "$1"
}

plan 3

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf '%0100d\n%0101d\n\t%092d\n\t%093d\n' 0 0 0 0 >"$scratch/text"
printf 'é%.0s' {1..100} >>"$scratch/text"
printf '    %0100d\n|%0100d\n%0101d\n' 0 0 0 >"$scratch/text.md"
is 'wide lines are found' "$(wide "$scratch/text"; wide "$scratch/text.md")" \
	"$scratch/text:2: 101 columns
$scratch/text:4: 101 columns
$scratch/text.md:3: 101 columns"

is 'no line is wider than 100 columns' "$(for file in "${files[@]}"; do
	case $file in
	patches/* | *.patch | COPYING | tests/fuzz/corpus/* | tests/field/dumps/*) ;;
	tests/field/cases.txt | tools/p2ptrace/export/dashboard.json) ;;
	*) [ ! -f "$file" ] || wide "$file" ;;
	esac
done)" ''

ok 'README.md has at most 250 lines' [ "$(wc -l <"$top/README.md")" -le 250 ]

exit $((tap_failed > 0))
