#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: checkpatch --strict reports nothing for any patch, with three exceptions:
#
# - the commit id of a Fixes: tag is unknown, because the mainline repository is not here;
# - one patch for 7.3 lacks the tag, because the id could not be looked up: its message names the
#   commit by its subject;
# - trace headers have the layout of all trace headers, which checkpatch takes for function calls.
#
# Requires: build/BASE/linux (make kernel-tree).

# shellcheck source=tests/series/series.sh
. "${BASH_SOURCE[0]%/*}/series.sh"

plan ${#patches[@]}

readonly TRACE_LAYOUT='(trace/events/(p2pmem|pci_p2pdma|dma_buf)|nvme/target/trace)\.h:[0-9]+: '\
'CHECK:(PARENTHESIS_ALIGNMENT|OPEN_ENDED_LINE):'

# The subject of the patch without a Fixes: tag
readonly NO_FIXES='PCI/P2PDMA: Do not mix up clients in domains above 0xffff'

cd "$linux" || exit
for patch in "${patches[@]}"; do
	ignore=UNKNOWN_COMMIT_ID
	# git breaks a long subject
	! sed -n '/^Subject:/,/^$/p' "$patch" | tr -d '\n' | grep -qF "$NO_FIXES" ||
		ignore+=,MISSING_FIXES_TAG
	said=$(./scripts/checkpatch.pl --strict --terse --showfile --show-types --no-summary \
		--ignore "$ignore" "$patch" 2>/dev/null)
	status=$?
	# Any status other than 0 and 1 means that checkpatch itself failed
	[ $status -le 1 ] || said="checkpatch.pl failed with status $status"
	is "${patch##*/}" "$(grep -v '^$' <<<"$said" | grep -vE "$TRACE_LAYOUT")" ''
done

exit $((tap_failed > 0))
