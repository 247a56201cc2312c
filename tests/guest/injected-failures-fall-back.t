#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: fail_p2pmem makes exactly the requested number of allocations fail. They are counted and
# traced with the reason "injected". The target serves these requests from system memory, and the
# data is right.
# Requires: p2pmem series with FAIL_P2PMEM and RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch NEEDS=FAIL_P2PMEM
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/faults.sh
. "${BASH_SOURCE[0]%/*}/../lib/faults.sh"

plan 3

p2pmem=$(p2pmem_of "$(pci_of cmb0)")
failures=$(<"$p2pmem/alloc_failures")
rxe_up
nvmet_export lab plain0 1
nvmet_connect lab
inject 37
ok 'fio wrote and verified, 37 requests fell back, and every buffer was freed' check_run \
	--expect 'alloc_fails.injected == 37' --expect 'alloc_fails == 37' \
		--expect 'fallbacks.no_memory == 37' \
	--expect "uses == $((2 * 127 - 37))" -- fio_verify "$(remote_drive lab)" 16k 127
is 'fio: 127 blocks each way' "$(fio_count)" '127 127'
is 'they are counted' "$(<"$p2pmem/alloc_failures")" $((failures + 37))
nvmet_disconnect lab
