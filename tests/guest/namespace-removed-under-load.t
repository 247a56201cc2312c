#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: an enabled namespace can be removed under full load. No buffer stays allocated, and the
# host sees that the namespace is gone. When it is created again, the same host finds its data and
# uses peer memory again.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"
require_p2pmem
require_p2ptrace

plan 14

rxe_up
buffers=$(buffers_held)
trace_start --event nvmet_p2pmem_bind,nvmet_p2pmem_unbind
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
ok 'there is data' keep_data "$(host_drive 1)"

identity=$(<$ns/device_uuid)
ok 'I/O is under way' load_start_unverified "$(host_drive 1)"
ok 'it uses peer memory' used_above 200
ok 'the namespace can be removed' namespace_remove 1
ok 'nothing is held' wait_for 10 held_is "$buffers"
ok 'the host sees that it is gone' wait_for 30 host_has_not 1
ok 'its I/O ends' wait_for 30 load_ended
load_stop
ok 'fio saw an error' [ "$(load_error)" -gt 0 ]
ok 'it can be made again' mkdir $ns
drive plain0 >$ns/device_path
echo "$identity" >$ns/device_uuid
echo 1 >$ns/p2pmem
ok 'and be enabled' timeout 60 sh -c "echo 1 >$ns/enable"
ok 'the host sees it' wait_for 30 host_has 1
ok 'the data is there' data_kept "$(host_drive 1)"
ok 'requests use peer memory' used_above 60
nvmet_disconnect lab
trace_stop

is 'each binding ended with the right reason' \
	"$(jq -r 'select(.event != "end") | .reason // "bound"' $trace_json | paste -sd ' ')" \
	'bound disabled bound teardown'
