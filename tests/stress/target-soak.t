#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: for five minutes, two providers are unbound and bound, and namespaces are added and
# removed, while two hosts write and verify.  There is no I/O error, nothing hangs, and in the end
# requests use peer memory and every buffer is freed.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=two TIMEOUT=1500
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"
require_p2pmem

readonly DURATION=300
near=$(pci_of cmb0)
far=$(pci_of cmb1)
other=$(drive plain1)

end=$((SECONDS + DURATION))
time_is_left() { [ $SECONDS -lt $end ]; }

# Each of these functions works until the time is over, and leaves the number of its rounds in a
# file in /tmp
providers() {
	local n=0 which
	while time_is_left; do
		which=$near
		[ $((n % 3)) != 2 ] || which=$far
		provider_unbind "$which" && provider_bind "$which" || return
		n=$((n + 1))
		sleep 1
	done
	echo $n >/tmp/providers
}

namespaces() {
	local n=0
	while time_is_left; do
		namespace_add 2 "$other" || return
		wait_for 60 host_has 2 || return
		fio_verify "$(host_drive 2)" 32k 31 --output=/tmp/namespaces.json || return
		namespace_remove 2 || return
		wait_for 60 host_has_not 2 || return
		n=$((n + 1))
	done >/dev/null
	echo $n >/tmp/namespaces
}

plan 11

buffers=$(buffers_held)
rxe_up
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_export beside plain0 1 || bail 'cannot export plain0 twice'
nvmet_connect lab
nvmet_connect beside
ok 'a host is at work' load_start "$(host_drive 1)"
# In another area of the same drive
env --default-signal=INT fio --name=beside --filename="$(remote_drive beside)" --rw=randwrite \
	--bs=4k --offset=32m --size=4m --time_based --runtime=3600 --direct=1 --ioengine=libaio \
	--iodepth=16 --verify=crc32c --verify_fatal=1 --verify_backlog=61 --verify_state_save=0 \
	--output=/tmp/beside &
beside=$!
providers &
pids=($!)
namespaces &
pids+=($!)
wait "${pids[@]}"
ok 'providers went and came back, 5 times at least' [ "$(cat /tmp/providers || echo 0)" -ge 5 ]
ok 'namespaces came and went, 2 times at least' [ "$(cat /tmp/namespaces || echo 0)" -ge 2 ]
diag "$(cat /tmp/providers) removals of a provider, $(cat /tmp/namespaces) of a namespace"
ok 'the host still works' goes_on "$(host_drive 1)"
ok 'it is bound again' wait_for 20 bound 1
ok 'it uses peer memory' uses_peer_memory
ok 'fio can be ended' load_stop
is 'fio saw no error' "$(load_error)" 0
kill -INT $beside
wait $beside
is 'the other fio saw no error' "$(grep -c 'err= 0' /tmp/beside)" 1
nvmet_disconnect lab
nvmet_disconnect beside
ok 'as many buffers are allocated as before' wait_for 30 held_is "$buffers"
is 'no removal has stalled' "$(kernel_log 'removal of p2pmem')" ''
