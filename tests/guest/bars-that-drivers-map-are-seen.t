#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on the base kernel, p2ptrace sees each mapping of another device's BAR that a driver makes
# by dma_map_resource(), as often as the kernel's tracepoint, and none of the client's own BAR. It
# sees each page of peer memory that a process maps, and its return.
# Requires: the base kernel, p2ptrace, the test module, a compiler.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch STOCK=1 MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2ptrace
# shellcheck source=tests/lib/churn.sh
. "${BASH_SOURCE[0]%/*}/../lib/churn.sh"

plan 12

provider=$(pci_of cmb0) client=$(pci_of plain0)
tracing=/sys/kernel/tracing
mount -t tracefs tracefs $tracing 2>/dev/null
bar=$(awk '{ print $1; exit }' "/sys/bus/pci/devices/$provider/resource")
cc -O1 -o /tmp/map-peer-memory tests/lib/map-peer-memory.c || bail 'cannot compile'
churn_load "$provider" client="$client"
# hold PAGES: a process maps them until fd 3 is closed
hold() {
	[ -e /tmp/go ] || mkfifo /tmp/go
	: >/tmp/said
	/tmp/map-peer-memory "/sys/bus/pci/devices/$provider/p2pmem/allocate" $(($1 * 4096)) \
		</tmp/go >/tmp/said &
	holder=$!
	exec 3>/tmp/go
	wait_for 20 grep -qx mapped /tmp/said
}
count() { grep -c "$1" $watch_out; }

# Newer kernels have dma_map_resource() call dma_map_phys(), which has the event
event=dma_map_resource
[ -e $tracing/events/dma/$event ] || event=dma_map_phys
echo 1 >$tracing/events/dma/$event/enable
watch trace --json
ok 'the module maps BARs' sh -c "echo 61 >$churn/bars"
ok 'a process maps 23 pages, and unmaps 12' hold 23
exec 3>&-
ok 'it ends' wait "$holder"
ok 'trace ends well' watch_end
echo 0 >$tracing/events/dma/$event/enable
is 'the kernel mapped BARs' \
	"$(grep -cE ' dma_map_(resource: |phys: .* attrs=.*MMIO)' $tracing/trace)" 122
is 'trace has those of the provider' "$(jq -c 'select(.event == "p2pdma_map") |
	[.provider, .client, .bus_addr, .dma_addr, .size, .kind, .dir, .map]' $watch_out |
	sort | uniq -c | sed 's/^ *//')" "61 [\"$provider\",\"$client\",$((bar)),$((bar)),4096,\
\"sg\",\"to_device\",\"thru_host_bridge\"]"
is 'and their ends' "$(count '"event":"p2pdma_unmap"')" 61
is 'it has each page' "$(jq -c 'select(.event == "p2pmem_alloc") | [.dev, .size, .comm]' \
	$watch_out | sort | uniq -c | sed 's/^ *//')" "23 [\"$provider\",4096,\"map-peer-memory\"]"
is 'and its return' "$(trace_json=$watch_out trace_held) $(count '"event":"p2pmem_free"')" '0 23'
is 'no event was lost, and none was not seen' "$(tail -n 1 $watch_out | jq -c '[.lost, .blind]')" \
	'[0,[]]'

watch leaks --json --older-than 0
hold 23
watch_end
is 'leaks names the process that maps memory' \
	"$(jq -c '[.held[] | [.dev, .comm, .size]] | unique' $watch_out)" \
	"[[\"$provider\",\"map-peer-memory\",4096]]"
is 'and the pages that it has not unmapped' "$(jq '.held | length' $watch_out)" 11
exec 3>&-
churn_unload
