#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: fail_p2pmem has as many allocations fail as it is told to, which are
# counted and traced with that reason; the target serves these requests from
# system memory, and the data is right.
# Requires: p2pmem series with FAIL_P2PMEM and RDMA_RXE_P2PDMA_TEST, p2ptrace, fio,
# nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/faults.sh
. "${BASH_SOURCE[0]%/*}/../lib/faults.sh"

plan 8

p2pmem=$(p2pmem_of "$(pci_of cmb0)")
failures=$(<"$p2pmem/alloc_failures")
rxe_up
nvmet_export lab plain0 1
nvmet_connect lab
inject 37
trace_start
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 127
trace_stop

is 'fio: 127 blocks each way' "$(fio_count)" '127 127'
is '37 allocations failed for that reason' \
	"$(trace_count '.event == "p2pmem_alloc_fail" and .reason == "injected"')" 37
is 'and for no other' "$(trace_values .reason '.event == "p2pmem_alloc_fail"')" injected
is 'they are counted' "$(<"$p2pmem/alloc_failures")" $((failures + 37))
is 'as many requests fell back, for want of memory' \
	"$(trace_count '.event == "nvmet_p2pmem_fallback" and .reason == "no_memory"')" 37
is 'all others used peer memory' "$(trace_count '.event == "nvmet_p2pmem_use"')" $((2 * 127 - 37))
is 'nothing is held' "$(trace_held)" 0
nvmet_disconnect lab
