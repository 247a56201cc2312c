#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: shellcheck reports nothing for any shell script of this tree.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

cd "$top" || exit
# The user need not be the owner of the checkout
mapfile -t files < <(git -c safe.directory='*' ls-files -co --exclude-standard)
[ ${#files[@]} -gt 0 ] || skip_all 'this is not a git checkout'
mapfile -t scripts < <(for file in "${files[@]}"; do
		[[ $file == *.sh ]] || head -c 64 "$file" | grep -aqE '^#!.*/(ba)?sh' || continue
		echo "$file"
	done)
plan ${#scripts[@]}

for script in "${scripts[@]}"; do
	is "$script" "$(shellcheck -x -P SCRIPTDIR:"$top" -f gcc "$script" 2>&1)" ''
done

exit $((tap_failed > 0))
