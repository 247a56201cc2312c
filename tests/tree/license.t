#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: every file except texts, output of lspci and input for fuzzers has an SPDX line with its
# license near the top.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

cd "$top" || exit
# The user need not be the owner of the checkout
mapfile -t files < <(git -c safe.directory='*' ls-files -co --exclude-standard)
[ ${#files[@]} -gt 0 ] || skip_all 'this is not a git checkout'

plan 1

texts='README.md|docs/.*\.md|CONTRIBUTING|COPYING|\.gitignore'
is 'all files have an SPDX line' "$(printf '%s\n' "${files[@]}" |
	grep -vxE "$texts|patches/.*|tests/fuzz/corpus/.*|tests/field/dumps/.*" |
	while read -r file; do
		head -n 5 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' || echo "$file"
	done)" ''

exit $((tap_failed > 0))
