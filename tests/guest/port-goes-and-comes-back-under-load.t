#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the port of a busy host is taken away, its requests wait, and no buffer stays
# allocated. When the port is back, the host reconnects by itself without an I/O error and uses peer
# memory again.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"
require_p2pmem
require_p2ptrace

plan 27

rxe_up
buffers=$(buffers_held)
trace_start --event nvmet_p2pmem_bind,nvmet_p2pmem_unbind
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab --reconnect-delay 2 --ctrl-loss-tmo 120
remote=$(host_drive 1)
ok 'I/O is under way' load_start "$remote"

# goes_and_comes_back HOW TAKE_AWAY BRING_BACK: 9 points
goes_and_comes_back() {
	is "$1: the namespace is bound" "$(bindings)" 1
	ok 'the port goes' "$2"
	ok 'the controller goes with it' wait_for 20 bound 0
	ok 'nothing is held' wait_for 10 held_is "$buffers"
	ok 'the host tries to reconnect' wait_for 20 host_is connecting
	ok 'the port comes back' "$3"
	ok 'the host is connected again' wait_for 30 host_is live
	ok 'its I/O goes on' goes_on "$remote"
	ok 'requests use peer memory' uses_peer_memory
}

port_remove() { port_unlink && timeout 60 rmdir $nvmet/ports/1; }
port_remake() { port_make 1 rdma && port_link; }
goes_and_comes_back 'subsystem unlinked' port_unlink port_link
goes_and_comes_back 'port removed' port_remove port_remake

ok 'fio can be ended' load_stop
is 'fio saw no error' "$(load_error)" 0
ok 'fio read and verified' [ "$(load_verified)" -gt 1000 ]
nvmet_disconnect lab
ok 'nothing is held in the end' wait_for 20 held_is "$buffers"
trace_stop
is 'there were three bindings' "$(trace_count '.event == "nvmet_p2pmem_bind" and .err == 0')" 3
is 'each binding ended with its controller' \
	"$(trace_count '.event == "nvmet_p2pmem_unbind" and .reason == "teardown"')" 3
is 'no binding ended for another reason' \
	"$(trace_values .reason '.event == "nvmet_p2pmem_unbind"')" teardown
is 'no bind failed' "$(trace_count '.event == "nvmet_p2pmem_bind" and .err != 0')" 0
