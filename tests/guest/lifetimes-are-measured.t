#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace lifetimes counts as many buffers and mappings as p2ptrace trace in the same run.
# It measures a buffer that is held for a second. A buffer that is freed while it is mapped counts
# until its last unmap. Buffers from before its start are counted, not measured.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, the build directory of the kernel, p2ptrace,
# fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 17

out=/tmp/lifetimes.json
attached() { grep -qs measuring /tmp/lifetimes.err; }
lifetimes_start() {
	rm -f /tmp/lifetimes.err
	env --default-signal=INT "$P2PTRACE" lifetimes --json "$@" >$out 2>/tmp/lifetimes.err &
	lifetimes_pid=$!
	wait_for 30 attached || bail "p2ptrace: $(cat /tmp/lifetimes.err)"
}
lifetimes_stop() { kill -INT $lifetimes_pid && wait $lifetimes_pid; }
# of_client CLIENT|null EXPRESSION: null selects the buffers
of_client() { jq -r --arg client "$1" \
	".lifetimes[] | select((.client // \"null\") == \$client) | $2" $out; }

provider=$(pci_of cmb0) client=$(pci_of plain0)
core_load
core alloc 1 "$provider" 4096
lifetimes_start
core alloc 2 "$provider" 4096
core map 1 2 "$client"
# The mapping keeps it, if it can
if has_pins; then core free 2; fi
core free 1
sleep 1	# the time that is measured
core unmap 1
if ! has_pins; then core free 2; fi
ok 'it ends well' lifetimes_stop
is 'one buffer was held' "$(of_client null .count)" 1
ok 'it was held for a second, although it was freed at once if it has a pin' \
	[ "$(of_client null .max_ns)" -ge 1000000000 ]
is 'one was mapped' "$(of_client "$client" .count)" 1
ok 'it was mapped for a second' [ "$(of_client "$client" .max_ns)" -ge 1000000000 ]
ok 'the percentiles are in the right bucket' \
	[ "$(of_client "$client" \
		'if .p50_ns <= .max_ns and .p50_ns >= .buckets[0].from_ns then 1 else 0 end')" = 1 ]
is 'there is one bucket' "$(of_client "$client" '.buckets | length')" 1
is 'the buffer from before the start is counted' "$(jq .unknown $out)" 1

rxe_up
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
trace_start --event p2pmem_alloc,p2pmem_free,p2pdma_unmap
lifetimes_start
ok 'fio wrote and verified, 32 at a time' fio_verify "$(remote_drive lab)" 16k 255 --iodepth=32
trace_stop
ok 'it ends well again' lifetimes_stop
is 'the number of buffers matches the trace' \
	"$(of_client null .count)" "$(trace_count '.event == "p2pmem_free"')"
for name in "$client" "$(nic_pci)"; do
	is "mappings for $name" "$(of_client "$name" .count)" \
		"$(trace_count ".event == \"p2pdma_unmap\" and .client == \"$name\"")"
done
is 'buckets add up' "$(jq '[.lifetimes[] | .count == ([.buckets[].count] | add)] | all' $out)" true
is 'nothing was lost' "$(jq .lost $out)" 0
lifetimes_start --client "$client"
nvmet_disconnect lab
lifetimes_stop
is 'with --client, only mappings are shown' \
	"$(jq '[.lifetimes[] | select(.client == null)] | length' $out)" 0
"$P2PTRACE" lifetimes --duration 0.2 >/tmp/text 2>/dev/null
is 'text says that nothing was measured' \
	"$(cat /tmp/text)" 'no buffer, dma-buf or mapping both began and ended during this run'
