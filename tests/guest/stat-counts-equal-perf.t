#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace stat counts exactly the events that perf stat counts in the same run, also in
# interrupts. Its counters by map type, reason and size match p2ptrace trace. Its rows add up to the
# total, and it knows how many buffers are allocated.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma, perf.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace
# shellcheck source=tests/lib/target.sh
. "${BASH_SOURCE[0]%/*}/../lib/target.sh"

# Each metric of p2ptrace with the event of perf
counted_by_both='allocs p2pmem:p2pmem_alloc
frees p2pmem:p2pmem_free
maps p2pmem:p2pdma_map
unmaps p2pmem:p2pdma_unmap
decisions p2pmem:p2pdma_decide
finds p2pmem:p2pmem_find
uses nvmet:nvmet_p2pmem_use
fallbacks nvmet:nvmet_p2pmem_fallback
binds nvmet:nvmet_p2pmem_bind
unbinds nvmet:nvmet_p2pmem_unbind'

[ ! -d /sys/kernel/tracing/events/pci_p2pdma ] ||
	counted_by_both=${counted_by_both//p2pmem:p2pdma_/pci_p2pdma:p2pdma_}

plan $((15 + $(wc -l <<<"$counted_by_both")))

rows=/tmp/stat.json
stat_attached() { grep -qs counting /tmp/stat.err; }
# metric NAME [EVENT]: a metric of the total, or its sum over all rows; nothing if there is none
metric() { jq -n "[inputs | select(.event == \"${2:-total}\") | .metrics.\"$1\" // empty] |
	add // empty" $rows; }

rxe_up
trace_start
env --default-signal=INT "$P2PTRACE" stat --json 0.3 >$rows 2>/tmp/stat.err &
stat_pid=$!
ok 'p2ptrace stat starts' wait_for 30 stat_attached
events=$(awk '{ print $2 }' <<<"$counted_by_both" | paste -sd ,)
# perf counts until its command ends.  A command that is killed would make perf print a message.
mkfifo /tmp/perf.end
exec {perf_end}<>/tmp/perf.end
perf stat -a -x , -o /tmp/perf.csv -e "$events" cat /tmp/perf.end {perf_end}>&- &
perf_pid=$!
perf_attached() { [ "$(ps -o comm= --ppid $perf_pid)" = cat ]; }
ok 'perf stat starts' wait_for 30 perf_attached

nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
ok 'fio wrote and verified, 32 at a time' fio_verify "$(remote_drive lab)" 16k 509 --iodepth=32
is 'fio: 509 blocks each way' "$(fio_count)" '509 509'
# The data of this command comes with it
blkdiscard -o 1048576 -l 1048576 "$(remote_drive lab)" || bail 'cannot discard a range'
reason=$(reason_of_inline_data lab)
held=$(buffers_held)
nvmet_disconnect lab

# Wait for rows that follow the last event
seen=$(wc -l <$rows)
two_more() { [ "$(wc -l <$rows)" -ge $((seen + 2)) ]; }
ok 'rows go on' wait_for 10 two_more
exec {perf_end}>&-
wait $perf_pid
kill -INT $stat_pid
wait $stat_pid
ok 'p2ptrace stat ends with status 0' [ $? = 0 ]
trace_stop

is 'all lines are JSON, and no event was lost' "$(jq -c 'select(.event == "end") | .lost' $rows)" 0
while read -r name event; do
	is "$name: perf counts the same" \
		"$(metric "$name")" "$(awk -F , -v e="$event" '$3 == e { print $1 }' /tmp/perf.csv)"
done <<<"$counted_by_both"
is 'the rows add up to the total' \
	"$(metric allocs stat) $(metric map_bytes stat)" "$(metric allocs) $(metric map_bytes)"
is 'each request was mapped twice' \
	"$(metric maps.bus_addr)" \
		"$(trace_count '.event == "p2pdma_map" and .map == "bus_addr"')"
is 'no mapping has another map type' "$(metric maps)" "$(metric maps.bus_addr)"
is 'bytes mapped' \
	"$(metric map_bytes)" \
		"$(jq -n '[inputs | select(.event == "p2pdma_map") | .size] | add' $trace_json)"
is 'bytes allocated' \
	"$(metric alloc_bytes)" \
		"$(jq -n '[inputs | select(.event == "p2pmem_alloc") | .size] | add' $trace_json)"
fallbacks=$(trace_count ".event == \"nvmet_p2pmem_fallback\" and .reason == \"$reason\"")
is 'fallbacks by reason' "$(metric "fallbacks.$reason")" "$fallbacks"
ok 'there were some' [ "$fallbacks" -gt 0 ]
is 'the number of allocated buffers' "$(metric held)" "$held"
