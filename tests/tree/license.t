#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every file says its license in an SPDX line near its top, but for the texts.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

plan 1

cd "$top" || exit
is 'all files have an SPDX line' "$(git ls-files -co --exclude-standard |
	grep -vxE 'README.md|CONTRIBUTING|COPYING|\.gitignore|patches/.*' |
	while read -r file; do
		head -n 5 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' || echo "$file"
	done)" ''

exit $((tap_failed > 0))
