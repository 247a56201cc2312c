#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on a kernel without P2PDMA, p2ptrace trace shows the events of dma-bufs if these are the
# events that it is asked for, and refuses to trace others.
# Requires: Debian's kernel 6.12, which is built without P2PDMA, p2ptrace, a compiler.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch KERNEL=debian:6.12 TIMEOUT=600
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2ptrace

plan 5

program=/tmp/dmabuf
cc -D_GNU_SOURCE -O1 -o $program tests/lib/dmabuf.c -lpthread ||
	bail 'cannot compile tests/lib/dmabuf.c'
started() { grep -qs 'mode stock' /tmp/err; }

"$P2PTRACE" trace --event p2pdma_map,dma_buf_map >/dev/null 2>/tmp/err
is 'a mapping of peer memory cannot be traced' "$? $(grep -c CONFIG_PCI_P2PDMA /tmp/err)" '3 1'
env --default-signal=INT "$P2PTRACE" trace --json \
	--event dma_buf_export,dma_buf_release,dma_buf_attach,dma_buf_map,dma_buf_revoke \
	>/tmp/out 2>/tmp/err &
pid=$!
ok 'dma-bufs can' wait_for 120 started || diag "$(cat /tmp/err)"
is 'three are exported and released' \
	"$(printf '%s\n' 'ram a 4096' 'ram b 8192' 'ram c 4096' 'close b' quit | $program |
		paste -sd ' ')" 'ok ok ok ok'
kill -INT $pid
wait $pid
is 'trace ends with status 0' $? 0
is 'and has seen them' "$(jq -r 'select(.event != "end") | "\(.event) \(.exporter) \(.size)"' \
	/tmp/out | sort | uniq -c | sed 's/^ *//')" "\
2 dma_buf_export system 4096
1 dma_buf_export system 8192
2 dma_buf_release system 4096
1 dma_buf_release system 8192"
