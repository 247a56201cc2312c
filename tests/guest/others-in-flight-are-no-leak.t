#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a thread allocates, maps, unmaps and frees without a pause.  p2ptrace check does not
# report its buffers and mappings as leaks.  It does report the one buffer and the one mapping
# that its command keeps.
# Requires: p2pmem series, p2ptrace, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 TIMEOUT=600
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace
# shellcheck source=tests/lib/churn.sh
. "${BASH_SOURCE[0]%/*}/../lib/churn.sh"

plan 5

runs=5
report=/tmp/report.json
provider=$(pci_of cmb0) client=$(pci_of plain0)
core_load
export -f core
churn_load "$provider" client="$client" window=31

# checked SETTLE COMMAND...
checked() { "$P2PTRACE" check --json --output $report --settle "$1" -- "${@:2}" 2>/tmp/err; }

churn_on 1
failed=0
for ((i = 0; i < runs; i++)); do
	# Those from before the end of the command soon come back, whatever the load
	checked 10 true && continue
	failed=$((failed + 1))
	diag "run $i: $(jq -c .violations $report) $(cat /tmp/err)"
done
is "none of $runs short commands has a leak" $failed 0
ok 'buffers were in flight' [ "$(buffers_held)" -gt 20 ]

checked 5 bash -c "core alloc 1 $provider 8192 && core map 1 1 $client"
is 'a buffer and a mapping that the command keeps are named' "$? $(jq -c .violations $report)" \
	'1 {"leak":1,"mapped":1}'
is 'by their client and task' \
	"$(jq -c '.first | [.leak.comm, .mapped.client, .mapped.comm]' $report)" \
	"[\"bash\",\"$client\",\"bash\"]"
core unmap 1
core free 1
ok 'the thread has allocated throughout' [ "$(<$churn/churned)" -gt 1000 ]
churn_off
churn_unload
