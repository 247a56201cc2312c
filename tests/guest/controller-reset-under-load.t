#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a controller that is reset three times under full load works again each time, without an
# I/O error or a wrong block. With the series, it uses peer memory again.
# Requires: fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"

readonly TIMES=3
plan $((TIMES * 6 + 7))

rxe_up
buffers=$(buffers_held)
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
remote=$(host_drive 1)
name=$(host_controllers lab)
ok 'I/O is under way' load_start "$remote"

# The target creates another controller for a new connection
target_controllers() {
	kernel_log '(creating|Created) nvm controller .* for subsystem lab ' | wc -l
}

for ((i = 1; i <= TIMES; i++)); do
	ok "$i: the controller can be reset" \
		timeout 60 sh -c "echo 1 >/sys/class/nvme/$name/reset_controller"
	ok 'it is live' wait_for 30 host_is live
	ok 'the target has a new controller' [ "$(target_controllers)" = $((i + 1)) ]
	ok 'I/O goes on' goes_on "$remote"
	if with_series 2; then
		is 'exactly one controller is bound' "$(bindings)" 1
		ok 'requests use peer memory' uses_peer_memory
	fi
done

ok 'fio can be ended' load_stop
is 'fio saw no error' "$(load_error)" 0
ok 'fio read and verified' [ "$(load_verified)" -gt 1000 ]
is 'the drive has kept its name' "$(host_drive 1)" "$remote"
nvmet_disconnect lab
ok 'the controller is gone' wait_for 10 host_is ''
if with_series 1; then
	ok 'nothing is held' wait_for 20 held_is "$buffers"
fi
