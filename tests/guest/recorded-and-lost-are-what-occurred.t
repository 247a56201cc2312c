#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: of two million events that come faster than p2ptrace record writes them, each is in the
# file or counted as lost there, on its CPU. On a full disk, the recorder says so and ends, and the
# file can be read.
# Requires: p2pmem series, p2ptrace, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 TIMEOUT=900
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace
# shellcheck source=tests/lib/churn.sh
. "${BASH_SOURCE[0]%/*}/../lib/churn.sh"

plan 9

provider=$(pci_of cmb0)
churn_load "$provider"
rec=/tmp/run.rec

# 1000003 pairs are 2000006 events
watch record -o $rec --buffer 64K --event p2pmem_alloc,p2pmem_free
pairs 1 1000003
ok 'it ends well' watch_end
recorded=$("$P2PTRACE" report $rec | sed -nE '2s/.*, ([0-9]+) events; ended.*/\1/p')
lost=$("$P2PTRACE" report $rec | sed -nE 's/^LOST: ([0-9]+) events? \(cpu1 ([0-9]+)\).*/\1 \2/p')
diag "recorded $recorded, lost $lost"
ok 'some events were recorded, and some were lost' [ "$recorded" -gt 1000 -a "${lost% *}" -gt 0 ]
is 'recorded and lost are those that occurred' $((recorded + ${lost% *})) 2000006
is 'all losses were on the CPU where the events occurred' "${lost#* }" "${lost% *}"

# One that is stopped for a while
watch record -o $rec --buffer 4K --event p2pmem_alloc
watch_pause
pairs 0 1009
watch_resume
ok 'it ends well' watch_end
recorded=$("$P2PTRACE" report --json $rec | grep -c p2pmem_alloc)
lost=$("$P2PTRACE" report --json $rec | tail -n 1 | jq .lost)
is 'recorded and lost are those that occurred' $((recorded + lost)) 1009

mkdir /tmp/small
mount -t tmpfs -o size=256K none /tmp/small
watch record -o /tmp/small/run.rec --event p2pmem_alloc,p2pmem_free
pairs 0 5003
wait "$watch_pid"
is 'a full disk ends it with 4' $? 4
like 'it says why, and what can be done' "$(tail -n 1 $watch_err)" \
	'cannot write /tmp/small/run.rec: No space left on device; what was written .* can be read'
nr=$("$P2PTRACE" report --json /tmp/small/run.rec 2>/dev/null | grep -c p2pmem_)
ok "what was written can be read: $nr events" [ "$nr" -gt 500 ]
churn_unload
