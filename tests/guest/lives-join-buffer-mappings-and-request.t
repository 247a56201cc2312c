#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace trace --lives prints one line per buffer, with the request of the NVMe target and
# both mappings of the buffer. --min-us and --min-size leave out buffers that are held for less time
# or are smaller.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace
# shellcheck source=tests/lib/target.sh
. "${BASH_SOURCE[0]%/*}/../lib/target.sh"

plan 15

out=/tmp/lives.json
# lives_start [OPTION]...
lives_start() {
	: >/tmp/lives.err
	env --default-signal=INT "$P2PTRACE" trace --lives --json "$@" >$out 2>/tmp/lives.err &
	lives_pid=$!
	wait_for 30 attached
}
lives_stop() { kill -INT $lives_pid; wait $lives_pid; }
all_back() { [ "$(lives true)" -ge 106 ]; }
attached() { grep -qs tracing /tmp/lives.err; }
# lives FILTER: the number of lives that match
lives() { jq -c "select(.event == \"life\" and ($1))" $out | wc -l; }

drive=$(pci_of plain0) nic=$(nic_pci) provider=$(pci_of cmb0)
rxe_up
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab

ok 'it starts' lives_start
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 53 --iodepth=16
ok 'all buffers were freed' wait_for 10 all_back
ok 'it ends well' lives_stop
is 'there is a life for each block, written and read' \
	"$(lives .request.opcode==1) $(lives .request.opcode==2)" \
	"$(fio_count)"
is 'there is no other life' "$(lives true)" 106
is 'each life is for a request of its own' \
	"$(jq -c 'select(.event == "life") | .request | [.cntlid, .qid, .nsid]' $out | sort -u |
		wc -l)" \
	"$(jq -c 'select(.event == "life") | .request.qid' $out | sort -u | wc -l)"
is 'each buffer was mapped for card and drive' \
	"$(lives "([.maps[].client] | sort) == ([\"$nic\", \"$drive\"] | sort)")" 106
is 'each mapping is bus_addr' "$(lives 'all(.maps[]; .map == "bus_addr" and .size == 16384)')" 106
# shellcheck disable=SC2016 # jq's variable
is 'each mapping is within the life of its buffer' \
	"$(lives '.held_ns as $held | all(.maps[]; .mapped_ns > 0 and .after_ns >= 0 and
		.after_ns + .mapped_ns <= $held)')" 106
is 'none was lost' "$(jq -c 'select(.event == "end") | .lost' $out)" 0
nvmet_disconnect lab

core_load
core alloc 1 "$provider" 4096
lives_start --min-us 500000 --min-size 8K || bail 'trace --lives does not start'
core alloc 2 "$provider" 12288
core map 2 2 "$drive"
core alloc 3 "$provider" 4096
core alloc 4 "$provider" 8192 && core free 4
sleep 0.6
core free 1 && core free 3
if has_pins; then core free 2; fi
sleep 0.3
core unmap 2
if ! has_pins; then core free 2; fi
lives_stop
is 'one buffer of the test module is long-lived, large and new enough' "$(lives true)" 1
is 'it was for no request' "$(lives '.size == 12288 and .request == null and .comm != ""')" 1
if with_pins 1; then
	is 'it was still mapped when it was freed' "$(lives '.held_ns - .freed_ns > 200000000')" 1
fi
: >/tmp/lives.err
env --default-signal=INT "$P2PTRACE" trace --lives --count 1 >/tmp/text 2>/tmp/lives.err &
lives_pid=$!
wait_for 30 attached
core alloc 5 "$provider" 4096
core map 5 5 "$drive"
early='$'
if has_pins; then
	core free 5
	early='; freed [^ ]* before its memory was reclaimed'
fi
core unmap 5
if ! has_pins; then core free 5; fi
wait $lives_pid
like 'text has the same facts' "$(cat /tmp/text)" \
	'p2pmem0 id=[0-9]* size=4096 held=[^ ]* by [^ ]*: '"$drive"' bus_addr to_device [^ ]* '\
"after [^ ]*$early"
