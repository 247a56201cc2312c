#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: Ctrl-C loses no output, even if the reader of the trace is slow. The reader gets every
# line, and the last line has the number of events.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 6

rxe_up
nvmet_export lab plain0 1
nvmet_connect lab

# Nobody reads the pipe, whose capacity is much less than the output
mkfifo /tmp/pipe
exec 3<>/tmp/pipe
env --default-signal=INT "$P2PTRACE" trace --json >/tmp/pipe 2>/tmp/err 3>&- &
pid=$!
wait_for 30 grep -q tracing /tmp/err
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 127
in_pipe_write() { grep -qs pipe_write /proc/$pid/wchan || grep -qs pipe_write /proc/$pid/stack; }
ok 'p2ptrace waits at the full pipe' wait_for 20 in_pipe_write
kill -INT $pid
cat </tmp/pipe >/tmp/read 3>&- &
reader=$!
exec 3>&-
wait $pid
is 'p2ptrace ends with status 0' $? 0
wait $reader
ok 'all lines are complete' eval 'jq -e . /tmp/read >/dev/null'
is 'the last line counts the others, and no event was lost' "$(tail -n 1 /tmp/read | jq -c .)" \
	"{\"event\":\"end\",\"events\":$(($(wc -l </tmp/read) - 1)),\"lost\":0,\"blind\":[]}"
ok 'the output exceeds the capacity of a pipe' [ "$(stat -c %s /tmp/read)" -gt 65536 ]
nvmet_disconnect lab
