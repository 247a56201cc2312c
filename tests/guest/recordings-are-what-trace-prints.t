#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace report --json prints the lines that p2ptrace trace --json prints of the same load.
# A recorder that is killed leaves nothing attached, and a file that can be read. A command's
# recording is judged as p2ptrace check judges the command.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 TIMEOUT=600
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/record.sh
. "${BASH_SOURCE[0]%/*}/../lib/record.sh"
require_p2pmem
require_p2ptrace

plan 22

# The sessions read the clock one after the other, and two CPUs may swap their records
normal() { jq -c 'select(.event != "end") | del(.ts_ns)' | sort; }

provider=$(pci_of cmb0) drive=$(pci_of plain0)
rxe_up
nvmet_export lab plain0 1
nvmet_connect lab

record_start
trace_start
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 61 --iodepth=4
trace_stop
ok 'the recorder ends with status 0' record_stop
like 'it says what it wrote' "$(tail -n 1 $rec.err)" \
	"^p2ptrace: recorded $((2 * 61 * 7)) events, 0 lost, to $rec \([0-9]* bytes\)"
report --json $rec >/tmp/report.json
is 'report --json has each event of the load' \
	"$(jq -n '[inputs | select(.event != "end")] | length' /tmp/report.json)" $((2 * 61 * 7))
is 'the events are those of trace --json' \
	"$(normal </tmp/report.json | md5sum)" "$(normal <$trace_json | md5sum)"
is 'the last line is the same' "$(tail -n 1 /tmp/report.json)" "$(tail -n 1 $trace_json)"
is 'report --lives has each block' \
	"$(report --lives --json $rec | jq -c 'select(.event == "life") | .request.opcode' |
		sort | uniq -c | awk '{ print $1 }' | xargs)" '61 61'
page=$(report $rec)
like 'the page has the pair, by bytes' "$page" \
	"1\.91M +976K +976K +122 .* bus_addr +(sg|block) .* $drive \(nvme[0-9]\) -> \
$provider \(nvme[0-9]\)"
like 'it has the lifetimes' "$page" ' 122 .* p2pmem0'
like 'it says that nothing is held, and nothing lost' "$page" \
	'Lost: none.*Still held at the end: 0 '
judge() {
	report --check --expect 'maps.bus_addr == 244' --expect 'fallbacks == 0' $rec \
		>/tmp/check.txt
}
ok 'the check of the file succeeds' judge
report --check --json --expect 'maps == 0' $rec >/tmp/check.json
is 'and fails for an expectation that does not hold' "$? $(jq .failed /tmp/check.json)" '1 1'

# ---- the recorder is killed --------------------------------------------------

attached() { bpftool prog show | grep -c 'name p2p\|name nvmet_'; }
record_start --event p2pmem_alloc,p2pmem_free,p2pdma_map,p2pdma_unmap,nvmet_p2pmem_use
ok 'programs are attached' [ "$(attached)" -gt 0 ]
ok 'fio wrote and verified again' fio_verify "$(remote_drive lab)" 16k 31
in_file() { [ "$(report --json $rec 2>/dev/null | wc -l)" = $((2 * 31 * 7 + 1)) ]; }
ok 'all events are in the file while it runs' wait_for 10 in_file
kill -KILL $record_pid
wait $record_pid 2>/dev/null
nothing_attached() { [ "$(attached)" = 0 ]; }
ok 'nothing stays attached' wait_for 10 nothing_attached
report --json $rec >/tmp/report.json 2>/tmp/report.err
is 'the file has all events' "$? $(wc -l </tmp/report.json)" "0 $((2 * 31 * 7 + 1))"
like 'report says that the end is missing' "$(cat /tmp/report.err)" \
	"$rec is not whole: it has no end"
report --check $rec >/tmp/check.txt
is 'its check fails for that' "$? $(grep -c '^FAILED' /tmp/check.txt)" '1 1'
head -c -100 $rec >/tmp/cut.rec
like 'a cut file is shown up to there' "$(report /tmp/cut.rec)" 'NOT WHOLE: it is cut within'
nvmet_disconnect lab

# ---- a command ---------------------------------------------------------------

core_load
export -f core
"$P2PTRACE" record -o $rec -- bash -c "core alloc 1 $provider 8192; core map 1 1 $drive" 2>$rec.err
is 'a command is recorded' $? 0
report --check $rec >/tmp/check.txt
is 'a buffer that is not freed, and a mapping that does not end, fail the check' \
	"$? $(sed -n 's/^FAILED \([a-z_]*\): .*/\1/p' /tmp/check.txt | xargs)" '1 leak mapped'
core unmap 1
core free 1
