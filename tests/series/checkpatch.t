#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: checkpatch --strict reports nothing for any patch, with two exceptions:
#
# - the commit id of a Fixes: tag is unknown, because the mainline repository is not here, or the
#   tag is missing, because nobody could look up the id;
# - trace headers have the layout of all trace headers, which checkpatch takes for function calls.
#
# Requires: build/BASE/linux (make kernel-tree).

# shellcheck source=tests/series/series.sh
. "${BASH_SOURCE[0]%/*}/series.sh"

plan ${#patches[@]}

readonly TRACE_LAYOUT='(trace/events/p2pmem|nvme/target/trace)\.h:[0-9]+: CHECK:'\
'(PARENTHESIS_ALIGNMENT|OPEN_ENDED_LINE):'

cd "$linux" || exit
for patch in "${patches[@]}"; do
	said=$(./scripts/checkpatch.pl --strict --terse --showfile --show-types --no-summary \
		--ignore UNKNOWN_COMMIT_ID,MISSING_FIXES_TAG "$patch" 2>/dev/null)
	status=$?
	# Any status other than 0 and 1 means that checkpatch itself failed
	[ $status -le 1 ] || said="checkpatch.pl failed with status $status"
	is "${patch##*/}" "$(grep -v '^$' <<<"$said" | grep -vE "$TRACE_LAYOUT")" ''
done

exit $((tap_failed > 0))
