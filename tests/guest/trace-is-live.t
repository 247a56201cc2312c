#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace trace prints each event within seconds, even if no other event follows.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 3

rxe_up
nvmet_export lab plain0 1
nvmet_connect lab

# Seven events per block: alloc, use, two maps, two unmaps, free
printed() { [ "$(wc -l <$trace_json)" = $((2 * 127 * 7)) ]; }

trace_start
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 127
ok 'all events are printed while p2ptrace runs' wait_for 3 printed
trace_stop
is 'none came later' "$(trace_count)" $((2 * 127 * 7))
