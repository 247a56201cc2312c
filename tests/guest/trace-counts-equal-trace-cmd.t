#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace trace, as text and as JSON, reports as many events of each kind as trace-cmd
# records in the same run.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma, trace-cmd.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=small
# shellcheck disable=SC2034 # queues that leave less than 1 MiB: see oversized-io-falls-back.t
RUN_OPTIONS=(--smp 3)
# shellcheck disable=SC2034
APPEND='nvme.io_queue_depth=2048 nvme.write_queues=3 nvme.poll_queues=3'
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

events="$(cd /sys/kernel/tracing/events && ls -d {p2pmem,pci_p2pdma}/p2p* nvmet/nvmet_p2pmem_* \
	2>/dev/null)"
seen='p2pmem_alloc p2pmem_alloc_fail p2pmem_free p2pdma_decide p2pmem_find p2pdma_map
p2pdma_unmap nvmet_p2pmem_bind nvmet_p2pmem_unbind nvmet_p2pmem_use nvmet_p2pmem_fallback'

plan $((9 + 2 * $(wc -w <<<"$events") + $(wc -w <<<"$seen")))

options=()
for event in $events; do
	options+=(-e "${event/\//:}")
done
ok 'trace-cmd starts' trace-cmd start -b 20000 "${options[@]}"
env --default-signal=INT "$P2PTRACE" trace >/tmp/trace.text 2>/tmp/trace.text.err &
text_pid=$!
text_attached() { grep -qs tracing /tmp/trace.text.err; }
ok 'p2ptrace starts, for text' wait_for 30 text_attached
trace_start

# far0 is refused, and a block that does not fit falls back, so that most kinds of events occur
rxe_up
nvmet_export far far0 1 2>/dev/null
nvmet_export lab plain0 1
nvmet_connect lab
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 127
is 'fio: 127 blocks each way' "$(fio_count)" '127 127'
ok 'fio wrote and verified a large block' fio_verify "$(remote_drive lab)" 1m 1
nvmet_disconnect lab

trace_stop
kill -INT $text_pid
wait $text_pid
ok 'p2ptrace ends with status 0, for text' [ $? = 0 ]
ok 'trace-cmd stops' trace-cmd stop

# BPF programs leave kallsyms some time after their process has ended, and trace-cmd before 3.4
# gives up if that file changes while it is read
no_bpf_symbols() { ! grep -q '\[bpf\]' /proc/kallsyms; }
ok 'the programs of p2ptrace are gone' wait_for 30 no_bpf_symbols
extract() { trace-cmd extract -o /tmp/trace.dat >/dev/null; }
ok 'trace-cmd extracts what it recorded' extract
trace-cmd report /tmp/trace.dat >/tmp/trace.report

for event in $events; do
	event=${event##*/}
	count=$(grep -c " $event: " /tmp/trace.report)
	is "$event: JSON" "$(trace_count ".event == \"$event\"")" "$count"
	is "$event: text" "$(grep -cE "^ *[0-9.]+ .* $event +[a-z_]+=" /tmp/trace.text)" "$count"
done
for event in $seen; do
	ok "$event: there is at least one" grep -q " $event: " /tmp/trace.report
done
