#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when a host disconnects under full load, no buffer, no binding and no controller is left.
# The host can connect again and finds its data. The test does this three times.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"
require_p2pmem
require_p2ptrace

readonly TIMES=3
plan $((TIMES * 7 + 4))

rxe_up
buffers=$(buffers_held)
trace_start --event nvmet_p2pmem_bind,nvmet_p2pmem_unbind
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
ok 'there is data' keep_data "$(host_drive 1)"
nvmet_disconnect lab

for ((i = 1; i <= TIMES; i++)); do
	nvmet_connect lab
	ok "$i: the data is there" data_kept "$(host_drive 1)"
	ok 'I/O is under way' load_start_unverified "$(host_drive 1)"
	ok 'the host can disconnect' timeout 60 sh -c 'nvme disconnect --nqn lab >/dev/null'
	ok 'its I/O ends' wait_for 30 load_ended
	load_stop
	ok 'fio saw an error' [ "$(load_error)" -gt 0 ]
	ok 'nothing is held' wait_for 10 held_is "$buffers"
	ok 'nothing is bound' wait_for 10 bound 0
done
trace_stop

is 'each controller was bound' \
	"$(trace_count '.event == "nvmet_p2pmem_bind" and .err == 0')" $((TIMES + 1))
is 'each binding ended with its controller' \
	"$(trace_count '.event == "nvmet_p2pmem_unbind" and .reason == "teardown"')" $((TIMES + 1))
is 'no binding ended for another reason' \
	"$(trace_values .reason '.event == "nvmet_p2pmem_unbind"')" teardown
