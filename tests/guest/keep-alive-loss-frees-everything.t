#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the packets of a working host no longer arrive, the target ends its
# controller after the keep-alive timeout, with nothing held; the host connects again,
# uses peer memory again with the series, and has not seen an error.
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

# Soft-RoCE knows packets for itself by the address of its card.  With another one,
# those of present connections are sent to nobody; new ones have the new address.
card=$(nic)
expired() { [ "$(kernel_log 'ctrl 1 keep-alive timer \(5 seconds\) expired' | wc -l)" = "$1" ]; }
connected_again() { [ -n "$(kernel_log 'creating nvm controller 2 for subsystem lab')" ] && host_is live; }

ok 'nothing has expired so far' expired 0
ok 'packets get lost' ip link set "$card" address 02:00:00:00:00:17
ok 'the host connects again' wait_for 60 connected_again
ok 'its I/O goes on' goes_on "$remote"
ok 'the target misses the old connection' wait_for 60 expired 1
if with_series 2; then
	ok 'its controller ends' wait_for 30 bound 1
	like 'and the other one is there' "$(<"$ns/p2pmem_bindings")" '^cntlid=2 '
fi
ok 'I/O goes on after that' goes_on "$remote"
if with_series 1; then
	ok 'in peer memory' uses_peer_memory
fi
ok 'fio can be ended' load_stop
is 'it has seen no error' "$(load_error)" 0
ok 'it has read and verified' [ "$(load_verified)" -gt 500 ]
nvmet_disconnect lab
if with_series 1; then
	ok 'nothing is held in the end' wait_for 20 held_is "$buffers"
fi
