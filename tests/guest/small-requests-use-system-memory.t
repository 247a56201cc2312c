#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2pmem_min_size of a namespace is the smallest request that uses peer
# memory, from the next request on; what is smaller falls back as too_small; wrong
# values are refused.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/target.sh
. "${BASH_SOURCE[0]%/*}/../lib/target.sh"

plan 12

rxe_up
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
remote=$(remote_drive lab)

mkdir -p "$nvmet/subsystems/fresh/namespaces/1"
default=$(<"$nvmet/subsystems/fresh/namespaces/1/p2pmem_min_size")
is 'by default, two pages are enough' "$default" 8192
echo "$default" >"$ns/p2pmem_min_size"
before=$(counted too_small)
ok 'with that, blocks of 4 KiB' fio_verify "$remote" 4k 3
ok 'and of 8 KiB are right' fio_verify "$remote" 8k 3
# A host sends data of such small writes along in the command
is 'and 4 KiB were too small to read' $(($(counted too_small) - before)) 3

echo 65536 >"$ns/p2pmem_min_size"
before=$(counted too_small)
is 'the bound is what was written' "$(<"$ns/p2pmem_min_size")" 65536
ok 'blocks of 32 KiB fall back' check_run --expect 'fallbacks.too_small == 14' --expect 'fallback_bytes == 458752' \
	--expect 'uses == 0' -- fio_verify "$remote" 32k 7
ok 'those of 64 KiB do not' check_run --expect 'fallbacks == 0' --expect 'use_bytes == 655360' \
	-- fio_verify "$remote" 64k 5
is 'the smaller ones were counted as such' $(($(counted too_small) - before)) 14
echo 32768 >"$ns/p2pmem_min_size"
ok 'with a lower bound, blocks of 32 KiB do not, either' check_run --expect 'fallbacks == 0' --expect 'uses == 6' \
	-- fio_verify "$remote" 32k 3
is 'and not too small any more' $(($(counted too_small) - before)) 14
nvmet_disconnect lab

is 'what is no number is refused' "$( { echo 4k5 >"$ns/p2pmem_min_size"; } 2>&1 | grep -o 'Invalid argument')" 'Invalid argument'
like 'and is in the log' "$(kernel_log p2pmem_min_size)" "'4k5' is not a number of bytes"
