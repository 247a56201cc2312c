#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: commands whose data the CPU of the target reads or writes use system memory and report a
# fallback: DSM, admin commands, and writes with inline data. Reads and writes beside them use peer
# memory. The counters of the namespace match the events.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma, blkdiscard.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/target.sh
. "${BASH_SOURCE[0]%/*}/../lib/target.sh"

plan 13

rxe_up
nvmet_export lab plain0 1 || bail 'cannot export plain0'
trace_start
nvmet_connect lab
remote=$(remote_drive lab)

reason=$(reason_of_inline_data lab)

base=$(counted "$reason")
ok 'a range is discarded' blkdiscard -o 1048576 -l 1048576 "$remote"
is 'by one DSM command, which is counted' $(($(counted "$reason") - base)) 1

base=$(counted "$reason")
ok '7 blocks of 4 KiB are written, with their commands' \
	fio --name=small --filename="$remote" --rw=write \
	--bs=4k --size=28k --direct=1 --ioengine=psync --output=/dev/null
is 'each is counted' $(($(counted "$reason") - base)) 7

base=$(counted "$reason") used=$(counted used)
ok '11 blocks of 64 KiB are written and verified' fio_verify "$remote" 64k 11
is 'all of them used peer memory' $(($(counted used) - used)) 22
is 'and nothing fell back' "$(counted "$reason")" "$base"

want=$(counted "$reason")
nvmet_disconnect lab
trace_stop

is 'the DSM command is there' \
	"$(trace_count '.event == "nvmet_p2pmem_fallback" and .opcode == 9')" 1
is 'the small writes are there' \
	"$(trace_count '.event == "nvmet_p2pmem_fallback" and .opcode == 1 and .size == 4096')" 7
admin=$(trace_count '.event == "nvmet_p2pmem_fallback" and .qid == 0 and .nsid == 0')
case $reason in
cpu_access) ok 'admin commands are there, without a namespace' [ "$admin" -gt 0 ] ;;
*) is 'the series for 7.3 does not count admin commands' "$admin" 0 ;;
esac
is 'all for the same reason' \
	"$(trace_values .reason '.event == "nvmet_p2pmem_fallback"')" "$reason"
is 'the namespace counted all commands but those' \
	"$(trace_count '.event == "nvmet_p2pmem_fallback" and .qid > 0')" "$want"
is 'no other opcode used peer memory' \
	"$(trace_values .opcode \
		'.event == "nvmet_p2pmem_use" and .opcode != 1 and .opcode != 2')" ''
