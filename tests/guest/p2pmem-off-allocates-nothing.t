#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a namespace whose p2pmem is off allocates no peer memory and has no bindings and no
# fallbacks.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 5

buffers=$(buffers_held)
trace_start
rxe_up
ok 'plain0 can be exported with p2pmem off' nvmet_export lab plain0 0
nvmet_connect lab
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 127
is 'fio: 127 blocks each way' "$(fio_count)" '127 127'
is 'no buffer was allocated' "$(buffers_held)" "$buffers"
nvmet_disconnect lab
trace_stop

is 'there was no event' "$(trace_count)" 0
