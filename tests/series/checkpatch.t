#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: checkpatch --strict reports nothing for any patch, with two exceptions:
#
# - the commit id of a Fixes: tag is unknown, because the mainline repository is not here;
# - trace headers have the layout of all trace headers, which checkpatch takes for function calls.
#
# Requires: build/linux (make kernel-tree).

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
tree=$top/build/linux

patches=("$top"/patches/0*.patch)
unset 'patches[0]'
plan ${#patches[@]}

readonly TRACE_LAYOUT='(trace/events/p2pmem|nvme/target/trace)\.h:[0-9]+: CHECK:'\
'(PARENTHESIS_ALIGNMENT|OPEN_ENDED_LINE):'

cd "$tree" || exit
for patch in "${patches[@]}"; do
	said=$(./scripts/checkpatch.pl --strict --terse --showfile --show-types --no-summary \
		--ignore UNKNOWN_COMMIT_ID "$patch" 2>/dev/null)
	status=$?
	# Any status other than 0 and 1 means that checkpatch itself failed
	[ $status -le 1 ] || said="checkpatch.pl failed with status $status"
	is "${patch##*/}" "$(grep -v '^$' <<<"$said" | grep -vE "$TRACE_LAYOUT")" ''
done

exit $((tap_failed > 0))
