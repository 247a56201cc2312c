#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on Debian's kernel, unpatched, p2ptrace sees each buffer, each list of memory, and each DMA
# mapping by a scatterlist, by HMM, by a driver that maps a BAR itself (for a dma-buf or not), and
# of metadata of block requests, as often as the kernel's own tracer, and reports all frees,
# whatever the compiler inlined. So it does with the pages that a process maps. A driver's failure
# to map all of a request leaves no mapping. Nothing is left: leaks and check agree.
# Requires: Debian's kernel 7.3 and its source, p2ptrace, a compiler.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch KERNEL=debian:7.3 MODULE=1 TIMEOUT=600
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2ptrace

plan 38

provider=$(pci_of cmb0) near=$(pci_of plain0)
tracing=/sys/kernel/tracing
mount -t tracefs tracefs $tracing 2>/dev/null
paths=/sys/module/peer_paths/parameters
use() { echo "$2" >"$paths/$1"; }

insmod "${LAB_MODULE%/*}/peer_paths.ko" provider="$provider" client="$near" \
	drive="$(drive plain0)" ||
	bail 'cannot load peer_paths'

# shellcheck disable=SC2016 # the kernel's variables
printf '%s\n' 'f:calls/alloc pci_alloc_p2pmem%return address=$retval:x64 size=size' \
	'f:calls/alloc_list pci_p2pmem_alloc_sgl%return address=$retval:x64' \
	'f:calls/free pci_free_p2pmem' 'f:calls/free_list pci_p2pmem_free_sgl' \
	'f:calls/hmm hmm_dma_map_pfn%return type=p2pdma_state->map:u32 address=$retval:x64' \
	'f:calls/hmm_end hmm_dma_unmap_pfn' \
	'f:calls/bar dma_map_resource%return phys=phys_addr:x64 address=$retval:x64' \
	'f:calls/bar_end dma_unmap_resource' \
	'f:calls/data blk_rq_dma_map_iter_start%return type=iter->p2pdma.map:u32 done=$retval:u8' \
	'f:calls/metadata blk_rq_integrity_dma_map_iter_start%return done=$retval:u8' \
	'f:calls/insert vm_insert_page%return done=$retval:s32' \
	'f:calls/page_free p2pdma_folio_free' |
	while read -r probe; do echo "$probe" >>$tracing/dynamic_events || exit; done ||
	bail 'cannot trace the functions'
echo 1 >$tracing/events/calls/enable
echo 1 >$tracing/events/dma/dma_map_sg/enable
calls() { grep -c " $1: " $tracing/trace; }

trace_start
ok 'the module uses 31 buffers' use buffers 31
ok 'the module maps 41 lists' use lists 41
ok 'the module maps 53 pages by HMM' use pages 53
trace_stop
of() { trace_count ".event == \"$1\" and (${2:-true})"; }

is 'the kernel allocated 73 times' "$(calls alloc)" 73
is 'trace has as many' "$(of p2pmem_alloc)" 73
is 'the kernel freed 41 lists' "$(calls free_list)" 41
diag "of all frees, $(calls free) went through pci_free_p2pmem"
is 'trace has all frees' "$(of p2pmem_free)" 73
is 'each buffer was freed' "$(trace_held)" 0
is 'with its size' "$(of p2pmem_free '.size == 8192') $(of p2pmem_free '.size == 217088')" '72 1'
is 'the kernel mapped 41 scatterlists' "$(calls dma_map_sg)" 41
is 'trace has as many' "$(of p2pdma_map ".kind == \"sg\" and .client == \"$near\" and
	.provider == \"$provider\" and .map == \"bus_addr\" and .size == 8192")" 41
is 'and their ends' "$(of p2pdma_unmap '.kind == "sg"')" 41
is 'HMM mapped each of 53 pages twice, and one of system memory' \
	"$(calls hmm) $(calls hmm_end)" '107 54'
is 'trace has each once' "$(of p2pdma_map ".kind == \"hmm\" and .client == \"$near\" and
	.provider == \"$provider\" and .map == \"bus_addr\" and .size == 4096")" 53
is 'at an address of its own, in the BAR' \
	"$(jq -n '[inputs | select(.kind == "hmm" and .event == "p2pdma_map") |
		select(.bus_addr == .dma_addr and .bus_addr >= 3221225472) | .bus_addr] |
		unique | length' $trace_json)" 53
is 'and their ends' "$(of p2pdma_unmap '.kind == "hmm"')" 53
is 'there is no other mapping' "$(of p2pdma_map)" 94

# ---- BARs that a driver maps, metadata of block requests, pages of processes

bar=$(awk '{ print $1; exit }' "/sys/bus/pci/devices/$provider/resource")
cc -O1 -o /tmp/map-peer-memory tests/lib/map-peer-memory.c || bail 'cannot compile'
map_pages() {
	/tmp/map-peer-memory "/sys/bus/pci/devices/$provider/p2pmem/allocate" $(($1 * 4096)) \
		</dev/null >/dev/null
}
echo >$tracing/trace
trace_start
ok 'the module maps a BAR 2 times 37' use bars 37
ok 'and 29 times for a dma-buf' use dmabufs 29
ok 'it maps 23 requests with metadata, twice' use requests 23
ok 'a process maps 19 pages' map_pages 19
trace_stop
is 'the kernel mapped BARs as often, and the client its own' \
	"$(calls bar) $(grep -c "phys=$((bar)) \|phys=0x$(printf %x $((bar))) " $tracing/trace) \
$(calls bar_end)" '140 103 140'
is 'trace has those of another device' "$(of p2pdma_map ".kind == \"sg\" and
	.client == \"$near\" and .provider == \"$provider\" and .map == \"thru_host_bridge\" and
	.size == 4096 and .bus_addr == $((bar)) and .dma_addr == $((bar)) and
	.dir == \"to_device\"")" 74
is 'and their ends' "$(of p2pdma_unmap '.kind == "sg" and .size == 4096')" 74
is 'those of a dma-buf belong to it' "$(jq -c "select(.kind == \"dmabuf\" and
	.event == \"p2pdma_map\" and .client == \"$near\" and .provider == \"$provider\") | .id" \
	$trace_json | sort -u)" \
	"$(jq -c 'select(.event == "dma_buf_map") | .id' $trace_json | sort -u)"
is 'each once, with its end' "$(of p2pdma_map '.kind == "dmabuf"') \
$(of p2pdma_unmap '.kind == "dmabuf"')" '29 29'
is 'so the dma-buf shows whose memory it is' "$(of dma_buf_map "
	.provider == \"$provider\" and .map == \"thru_host_bridge\" and .where == \"bar\"")" 29
is 'the kernel mapped data and metadata of requests' \
	"$(grep -c ' data: .*type=[34] done=1' $tracing/trace) $(calls metadata)" '46 23'
is 'trace has both, and an end for each' "$(of p2pdma_map '.kind == "block" and .size == 4096') \
$(of p2pdma_map '.kind == "block" and .size == 512') $(of p2pdma_unmap '.kind == "block" and
	.size == 4096') $(of p2pdma_unmap '.kind == "block" and .size == 512')" '46 23 46 23'
is 'the kernel inserted and freed each page' \
	"$(grep -c 'map-peer-memory.* insert: .*done=0' $tracing/trace) $(calls page_free)" '19 19'
is 'trace has each as a buffer' "$(of p2pmem_alloc '.size == 4096 and
	.comm == "map-peer-memory"') $(of p2pmem_free '.size == 4096')" '19 19'
is 'at the same addresses' "$(jq -c 'select(.size == 4096 and .event == "p2pmem_alloc") | .id' \
	$trace_json | sort)" \
	"$(jq -c 'select(.size == 4096 and .event == "p2pmem_free") | .id' $trace_json | sort)"
is 'each buffer was freed' "$(trace_held)" 0

all() { use buffers 7 && use lists 11 && use pages 13; }
export paths
check_run --json --expect 'allocs == 19' --expect 'frees == 19' --expect 'maps == 24' \
	--expect 'maps.kind_hmm == 13' --expect 'unmaps == 24' -- all
is 'check agrees' "$? $(jq -c '[.failed, .violations]' /tmp/check.txt)" '0 [0,{}]'

env --default-signal=INT "$P2PTRACE" leaks --json --older-than 0 >/tmp/leaks 2>/tmp/leaks.err &
pid=$!
attached() { grep -qs 'mode stock' /tmp/leaks.err; }
wait_for 120 attached || bail 'p2ptrace leaks does not attach within two minutes'
all
kill -INT $pid
ok 'leaks ends with status 0' wait $pid
is 'and finds nothing' "$(jq '.held | length' /tmp/leaks)" 0
ok 'the module can be unloaded' rmmod peer_paths
is 'no program is attached at the end' "$(bpftool prog show | grep -c 'name stock_')" 0
