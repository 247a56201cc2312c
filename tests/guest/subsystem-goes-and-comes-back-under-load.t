#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the subsystem of a busy host is removed, its requests wait, and no buffer stays
# allocated. When the subsystem is created again, the host reconnects by itself without an I/O error
# and uses peer memory again.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"
require_p2pmem
require_p2ptrace

plan 17

# The host recognises a namespace by its UUID
identity=00000000-0000-4000-8000-000000000001
export_it() {
	mkdir "$lab" "$ns" || return
	echo 1 >"$lab/attr_allow_any_host"
	printf %s "$(drive plain0)" >"$ns/device_path"
	echo $identity >"$ns/device_uuid"
	echo 1 >"$ns/p2pmem"
	echo 1 >"$ns/enable"
	port_link
}
remove_it() {
	port_unlink &&
		timeout 60 sh -c "echo 0 >$ns/enable && rmdir $ns $lab"
}

rxe_up
buffers=$(buffers_held)
trace_start --event nvmet_p2pmem_bind,nvmet_p2pmem_unbind
port_make 1 rdma
ok 'plain0 is exported' export_it
nvmet_connect lab --reconnect-delay 2 --ctrl-loss-tmo 120
remote=$(host_drive 1)
ok 'I/O is under way' load_start "$remote"
ok 'requests use peer memory' used_above 200

ok 'the subsystem can be removed' remove_it
ok 'it is gone' [ ! -e "$lab" ]
ok 'nothing is held' wait_for 10 held_is "$buffers"
ok 'the host tries to reconnect' wait_for 20 host_is connecting
ok 'the subsystem can be made again' export_it
ok 'the host is connected again' wait_for 30 host_is live
ok 'its I/O goes on' goes_on "$remote"
ok 'requests use peer memory' uses_peer_memory

ok 'fio can be ended' load_stop
is 'fio saw no error' "$(load_error)" 0
ok 'fio read and verified' [ "$(load_verified)" -gt 500 ]
nvmet_disconnect lab
ok 'nothing is held in the end' wait_for 20 held_is "$buffers"
trace_stop
is 'there were two bindings' "$(trace_count '.event == "nvmet_p2pmem_bind" and .err == 0')" 2
is 'each binding ended with its controller' \
	"$(jq -r 'select(.event != "end") | .reason // "bound"' $trace_json | paste -sd ' ')" \
	'bound teardown bound teardown'
