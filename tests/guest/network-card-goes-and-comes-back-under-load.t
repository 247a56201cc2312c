#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the network card goes away under full load, first its RDMA device only and then the
# whole card, the controllers end and no buffer stays allocated. With a new one, the port works
# again through peer memory, and the data is right.
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

card=$(nic_pci)
rxe_up
buffers=$(buffers_held)
trace_start --event nvmet_p2pmem_bind,nvmet_p2pmem_unbind
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
ok 'there is data' keep_data "$(host_drive 1)"

rxe_gone() { [ ! -e /sys/class/infiniband/rxe0 ]; }
taken_away() { ! kill -0 "$pid" 2>/dev/null; }
# The removal of an RDMA device waits for its users.  If nvme_rdma and nvmet_rdma are built in, as
# in the lab, the removal reaches rdma_cm before it reaches them, and rdma_cm waits for them
# forever.  This is so in any kernel.  The administrator then has to end their connections.
is_going() { taken_away || grep -q cma_ "/proc/$pid/stack" /proc/[0-9]*/task/*/stack 2>/dev/null; }

# goes_and_comes_back HOW TAKE_AWAY BRING_BACK: 12 points
goes_and_comes_back() {
	ok "$1: I/O is under way" load_start_unverified "$(host_drive 1)"
	sh -c "$2" &
	pid=$!
	ok 'the removal begins' wait_for 30 is_going
	ok 'the subsystem can be unlinked from the port' port_unlink
	ok 'nothing is bound' wait_for 30 bound 0
	ok 'nothing is held' wait_for 10 held_is "$buffers"
	timeout 60 nvme disconnect --nqn lab >/dev/null
	ok 'the card is gone' wait_for 30 taken_away
	ok 'its RDMA device is gone' wait_for 20 rxe_gone
	ok 'I/O ends' wait_for 30 load_ended
	load_stop
	ok 'fio saw an error' [ "$(load_error)" -gt 0 ]
	$3
	port_link
	nvmet_connect lab
	used=$(counted used)
	ok 'with a new card, the data is there' data_kept "$(host_drive 1)"
	ok 'requests use peer memory' used_above "$((used + 60))"
	is 'the namespace is bound' "$(bindings)" 1
}

rxe_again() {
	ip address flush dev "$(nic)"
	rxe_up
}
card_again() {
	timeout 60 sh -c 'echo 1 >/sys/bus/pci/rescan'
	wait_for 20 nic >/dev/null 2>&1 || bail 'the network card is not back'
	rxe_up
}
goes_and_comes_back 'RDMA device' 'rdma link delete rxe0' rxe_again
goes_and_comes_back 'whole card' "echo 1 >/sys/bus/pci/devices/$card/remove" card_again
nvmet_disconnect lab
trace_stop

is 'there were three bindings' "$(trace_count '.event == "nvmet_p2pmem_bind" and .err == 0')" 3
is 'each ended with its controller' \
	"$(jq -r 'select(.event != "end") | .reason // "bound"' $trace_json | paste -sd ' ')" \
	'bound teardown bound teardown bound teardown'
