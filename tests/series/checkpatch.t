#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every patch is clean under checkpatch --strict, but for what cannot be:
#
# - a commit id in a Fixes: tag is of the mainline repository, which is not here;
# - trace headers are laid out like all trace headers, which checkpatch takes for
#   function calls.
#
# Requires build/linux (make kernel-tree).

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
tree=$top/build/linux

patches=("$top"/patches/0*.patch)
unset 'patches[0]'
plan ${#patches[@]}

cd "$tree" || exit
for patch in "${patches[@]}"; do
	said=$(./scripts/checkpatch.pl --strict --terse --showfile --show-types --no-summary \
		--ignore UNKNOWN_COMMIT_ID "$patch" 2>/dev/null)
	status=$?
	# 0 and 1 are verdicts; with anything else there was none
	[ $status -le 1 ] || said="checkpatch.pl failed with status $status"
	is "${patch##*/}" "$(grep -v '^$' <<<"$said" |
		grep -vE '(trace/events/p2pmem|nvme/target/trace)\.h:[0-9]+: CHECK:(PARENTHESIS_ALIGNMENT|OPEN_ENDED_LINE):')" ''
done

exit $((tap_failed > 0))
