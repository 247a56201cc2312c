#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a namespace that is disabled under load, enabled again and then removed is gone for the
# host, and another namespace can take its place.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"
require_p2pmem

plan 6

rxe_up
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
ok 'I/O is under way' load_start_unverified "$(host_drive 1)"
echo 0 >"$ns/enable"
ok 'I/O ends when the namespace is disabled' wait_for 60 load_ended
echo 1 >"$ns/enable"
ok 'the host has the namespace when it is enabled again' wait_for 20 host_has 1
ok 'it can be removed' timeout 60 rmdir "$ns"
ok 'it is gone for the host' wait_for 20 host_has_not 1
ok 'another takes its place' namespace_add 1 "$(drive far0)"
