#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a request that does not fit into the free peer memory falls back with the reason no_memory,
# and its data is right. Smaller requests still use peer memory.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# The provider keeps 9 queues of 128 KiB each in its 2 MiB, which leaves less than 1 MiB
# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=small
# shellcheck disable=SC2034
RUN_OPTIONS=(--smp 3)
# shellcheck disable=SC2034
APPEND='nvme.io_queue_depth=2048 nvme.write_queues=3 nvme.poll_queues=3'
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 11

available=$(<$p2pmem_class/p2pmem0/available)
ok 'less than 1 MiB is available' [ "$available" -lt 1048576 ]
rxe_up
ok 'plain0 can be exported with p2pmem on' nvmet_export lab plain0 1
nvmet_connect lab

trace_start
ok 'fio wrote and verified blocks of 1 MiB' fio_verify "$(remote_drive lab)" 1m 13
is 'fio: 13 each way' "$(fio_count)" '13 13'
ok 'fio wrote and verified blocks of 64 KiB' fio_verify "$(remote_drive lab)" 64k 7
is 'fio: 7 each way' "$(fio_count)" '7 7'
nvmet_disconnect lab
trace_stop

is 'the large ones fell back' \
	"$(trace_count '.event == "nvmet_p2pmem_fallback" and .size == 1048576')" 26
is 'with the reason no_memory' \
	"$(trace_values '"\(.size) \(.reason)"' '.event == "nvmet_p2pmem_fallback" and .qid > 0')" \
	'1048576 no_memory'
is 'each was refused once by the pool' \
	"$(trace_count '.event == "p2pmem_alloc_fail" and .reason == "no_memory"')" 26
is 'the small ones did not' "$(trace_count '.event == "nvmet_p2pmem_use" and .size == 65536')" 14
is 'the pool is as full as before' "$(<$p2pmem_class/p2pmem0/available)" "$available"
