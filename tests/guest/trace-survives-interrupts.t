#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: no event is lost when interrupts raise events while a process raises one. With many
# requests in flight, every event of each request is there.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 8

rxe_up
nvmet_export lab plain0 1
nvmet_connect lab

trace_start
ok 'fio wrote and verified, 32 at a time' \
	fio_verify "$(remote_drive lab)" 16k 1021 --iodepth=32
trace_stop

is 'fio: 1021 blocks each way' "$(fio_count)" '1021 1021'
is 'every block was in peer memory' "$(trace_count '.event == "nvmet_p2pmem_use"')" 2042
is 'allocations' "$(trace_count '.event == "p2pmem_alloc"')" 2042
is 'frees' "$(trace_count '.event == "p2pmem_free"')" 2042
is 'mappings' "$(trace_count '.event == "p2pdma_map"')" 4084
is 'unmaps' "$(trace_count '.event == "p2pdma_unmap"')" 4084
is 'every buffer was freed' "$(trace_held)" 0
