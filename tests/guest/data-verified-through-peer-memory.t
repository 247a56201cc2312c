#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: every block that is written to and read from an exported drive goes through the controller
# memory buffer of another drive. The data is right, also when it is read from the exported drive
# directly.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 14

available=$(<$p2pmem_class/p2pmem0/available)
rxe_up
ok 'plain0 can be exported with p2pmem on' nvmet_export lab plain0 1
nvmet_connect lab

trace_start
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 127
trace_stop

is 'fio: 127 blocks each way' "$(fio_count)" '127 127'
is 'every block was in peer memory' "$(trace_count '.event == "nvmet_p2pmem_use"')" 254
is 'all of them of that size' "$(trace_values .size '.event == "nvmet_p2pmem_use"')" 16384
is 'half of them are writes' \
	"$(trace_count '.event == "nvmet_p2pmem_use" and .opcode == 1')" 127
is 'none in system memory' "$(trace_count '.event == "nvmet_p2pmem_fallback" and .qid > 0')" 0
is 'allocations' "$(trace_count '.event == "p2pmem_alloc"')" 254
is 'frees' "$(trace_count '.event == "p2pmem_free"')" 254
is 'mappings: each block for the network card and for the drive' \
	"$(trace_count '.event == "p2pdma_map"')" 508
is 'unmaps' "$(trace_count '.event == "p2pdma_unmap"')" 508
is 'every buffer was freed' "$(trace_held)" 0

nvmet_disconnect lab
ok 'the blocks are right on the drive itself' \
	fio_verify "$(drive plain0)" 16k 127 --verify_only=1
is 'the pool is as full as before' "$(<$p2pmem_class/p2pmem0/available)" "$available"
