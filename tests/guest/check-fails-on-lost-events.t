#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace check fails if it could not follow each buffer.  It follows at most 65536
# buffers at a time, including those allocated before it started.  Each further buffer counts as
# one lost event.  Its free is not reported as another violation.
# Requires: p2pmem series, p2ptrace, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=large MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace
# shellcheck source=tests/lib/churn.sh
. "${BASH_SOURCE[0]%/*}/../lib/churn.sh"

plan 8

room=65536 buffers=65599
report=/tmp/report
churn_load "$(pci_of large0)"
before=$(buffers_held)

# checked STATUS OPTION... -- COMMANDS: the exit status, and the report
checked() {
	local status=0
	"$P2PTRACE" check --settle 0 --output $report "${@:2:$#-2}" sh -c "${!#}" 2>/tmp/err ||
		status=$?
	[ $status = "$1" ] || { diag "status $status: $(cat /tmp/err $report)"; return 1; }
}
hold_and_free() { echo "echo $1 >$churn/held && echo 0 >$churn/held"; }

ok 'JSON: more buffers than there is room for' checked 1 --json -- "$(hold_and_free $buffers)"
is 'JSON: each of them is one lost event' \
	"$(jq -c '[.command.status, .failed, .violations]' $report)" \
	"[0,1,{\"lost\":$((buffers + before - room))}]"
is 'JSON: allocations and frees are counted all the same' \
	"$(jq -c '.metrics | [.allocs, .frees, .lost]' $report)" \
	"[$buffers,$buffers,$((buffers + before - room))]"

ok 'text: more buffers than there is room for' checked 1 -- "$(hold_and_free $buffers)"
like 'text: the violation has the number' "$(grep '^FAILED' $report)" \
	"^FAILED lost: $((buffers + before - room)) "

ok 'a loss can be allowed' checked 0 --allow lost -- "$(hold_and_free $buffers)"

ok 'as many buffers as there is room for' checked 0 --json -- "$(hold_and_free $((room - before)))"
is 'is no loss' "$(jq -c '[.violations, .metrics.lost]' $report)" '[{},0]'
churn_unload
