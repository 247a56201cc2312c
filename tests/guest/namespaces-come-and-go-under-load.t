#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: an asynchronous event makes a host see namespaces that are added and removed while it does
# I/O. I/O on the other namespace goes on. Each new namespace can be used at once, through peer
# memory with the series.
# Requires: fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"

plan 21

rxe_up
buffers=$(buffers_held)
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
remote=$(host_drive 1)
ok 'I/O is under way' load_start "$remote"

for i in 1 2; do
	ok "$i: a namespace can be added" namespace_add 2 "$(drive far0)"
	ok 'the host sees it' wait_for 30 host_has 2
	ok 'and can use it' fio_verify "$(host_drive 2)" 16k 31
	ok 'it can be removed' namespace_remove 2
	ok 'the host sees that it is gone' wait_for 30 host_has_not 2
	ok 'I/O to namespace 1 goes on' goes_on "$remote"
done

ok 'events made the host scan for namespaces' \
	[ "$(kernel_log 'rescanning namespaces' | wc -l)" -ge 4 ]
ok 'fio can be ended' load_stop
is 'fio saw no error' "$(load_error)" 0
ok 'fio read and verified' [ "$(load_verified)" -gt 1000 ]
is 'the drive has kept its name' "$(host_drive 1)" "$remote"
if with_series 2; then
	ok 'requests to namespace 1 used peer memory' used_above 1000
	is 'none of them fell back' \
		"$(counted no_binding) $(counted no_memory) $(counted removed)" '0 0 0'
fi
nvmet_disconnect lab
if with_series 1; then
	ok 'nothing is held' wait_for 20 held_is "$buffers"
fi
