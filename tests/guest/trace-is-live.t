#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace trace prints events within seconds of their happening, all of
# them, also when nothing follows them.
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

# A block is allocated, used, mapped twice, unmapped twice and freed
printed() { [ "$(wc -l <$trace_json)" = $((2 * 127 * 7)) ]; }

trace_start
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 127
ok 'all events are printed while it goes on' wait_for 3 printed
trace_stop
is 'none came later' "$(trace_count)" $((2 * 127 * 7))
