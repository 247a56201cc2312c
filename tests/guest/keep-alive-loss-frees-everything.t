#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: if the packets of a host no longer arrive, the target ends its controller after the
# keep-alive timeout, and no buffer stays allocated. The host connects again without an I/O error
# and, with the series, uses peer memory again.
# Requires: fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"

plan 14

rxe_up
buffers=$(buffers_held)
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab --keep-alive-tmo 5 --reconnect-delay 2 --ctrl-loss-tmo 120
remote=$(host_drive 1)
ok 'I/O is under way' load_start "$remote"

# Soft-RoCE recognises its packets by the MAC address of the card.  After a change of that address,
# packets of existing connections go to the old one and are lost.  New connections use the new one.
card=$(nic)
expired() { [ "$(kernel_log 'ctrl 1 keep-alive timer \(5 seconds\) expired' | wc -l)" = "$1" ]; }
connected_again() {
	[ -n "$(kernel_log '(creating|Created) nvm controller 2 for subsystem lab')" ] &&
		host_is live
}

ok 'nothing has expired so far' expired 0
ok 'packets get lost' ip link set "$card" address 02:00:00:00:00:17
ok 'the host connects again' wait_for 60 connected_again
ok 'its I/O goes on' goes_on "$remote"
ok 'the target notices the loss of the old connection' wait_for 60 expired 1
if with_series 2; then
	ok 'its controller ends' wait_for 30 bound 1
	is 'the new controller is bound' "$(bound_controllers)" 2
fi
ok 'I/O goes on after that' goes_on "$remote"
if with_series 1; then
	ok 'requests use peer memory' uses_peer_memory
fi
ok 'fio can be ended' load_stop
is 'fio saw no error' "$(load_error)" 0
ok 'fio read and verified' [ "$(load_verified)" -gt 500 ]
nvmet_disconnect lab
if with_series 1; then
	ok 'nothing is held in the end' wait_for 20 held_is "$buffers"
fi
