#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2pmem_min_size of a namespace is the size of the smallest request that uses peer memory,
# and applies from the next request on. It is 0 unless it is set. Smaller requests fall back with
# the reason too_small. Wrong values are refused.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch NEEDS=p2pmem_min_size
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
is 'requests of any size use peer memory by default' \
	"$(cat "$nvmet/subsystems/fresh/namespaces/1/p2pmem_min_size" "$ns/p2pmem_min_size" |
		xargs)" '0 0'
echo 8192 >"$ns/p2pmem_min_size"
before=$(counted too_small)
ok 'blocks of 4 KiB are right' fio_verify "$remote" 4k 3
ok 'blocks of 8 KiB are right' fio_verify "$remote" 8k 3
# The host sends such small writes as inline data, which have another reason
is 'reads of 4 KiB were too small' $(($(counted too_small) - before)) 3

echo 65536 >"$ns/p2pmem_min_size"
before=$(counted too_small)
is 'the attribute reads back as written' "$(<"$ns/p2pmem_min_size")" 65536
ok 'blocks of 32 KiB fall back' \
	check_run --expect 'fallbacks.too_small == 14' --expect 'fallback_bytes == 458752' \
	--expect 'uses == 0' -- fio_verify "$remote" 32k 7
ok 'blocks of 64 KiB do not fall back' \
	check_run --expect 'fallbacks == 0' --expect 'use_bytes == 655360' \
	-- fio_verify "$remote" 64k 5
is 'the smaller ones are counted as too_small' $(($(counted too_small) - before)) 14
echo 32768 >"$ns/p2pmem_min_size"
ok 'blocks of 32 KiB do not fall back with a lower bound' \
	check_run --expect 'fallbacks == 0' --expect 'uses == 6' \
	-- fio_verify "$remote" 32k 3
is 'they are not counted as too_small' $(($(counted too_small) - before)) 14
nvmet_disconnect lab

is 'a value that is not a number is refused' \
	"$( { echo 4k5 >"$ns/p2pmem_min_size"; } 2>&1 | grep -o 'Invalid argument')" \
		'Invalid argument'
like 'the log has the error' "$(kernel_log p2pmem_min_size)" "'4k5' is not a number of bytes"
