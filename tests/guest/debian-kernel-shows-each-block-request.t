#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on Debian's newest kernel, unpatched, p2ptrace reports each block request that an NVMe
# drive maps in the memory of another drive, and its end, with the size and the map type that the
# kernel's own tracer sees in the same run. trace, stat and check agree, and no buffer is left.
# Requires: a kernel of Debian with P2PDMA that maps block requests (6.17 or later), p2ptrace, fio.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch KERNEL=${DEBIAN_KERNEL:-debian:newest} TIMEOUT=600
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2ptrace

plan 21

provider=$(pci_of cmb0) client=$(pci_of plain0) drive=$(drive plain0)
memory=/sys/bus/pci/devices/$provider/p2pmem
in_use() { echo $(($(<"$memory/size") - $(<"$memory/available"))); }
before=$(in_use)

# ---- the kernel's own tracer: a probe where requests are mapped, and one where they are unmapped

tracing=/sys/kernel/tracing
mount -t tracefs tracefs $tracing 2>/dev/null
bus_addr=$(bpftool btf dump file /sys/kernel/btf/vmlinux format raw |
	sed -n "s/.*'PCI_P2PDMA_MAP_BUS_ADDR' val=//p")
probe() { echo "$1" >>$tracing/dynamic_events; }
# shellcheck disable=SC2016 # the kernel's variable
fields='request=req:x64 type=iter->p2pdma.map:u32 bytes=req->__data_len:u32 mapped=$retval:u8'
ok 'the kernel can trace where requests are mapped' \
	probe "f:mapped blk_rq_dma_map_iter_start%return $fields"
ok 'and where they are unmapped' probe 'f:unmapped nvme_unmap_data request=req:x64'
echo 1 >$tracing/events/fprobes/enable

# kernel_saw: "REQUESTS BYTES UNMAPPED" of all requests with that map type
kernel_saw() {
	awk -v type="type=$bus_addr" '
		/ mapped: / { split($0, f, "request=") ; split(f[2], r, " ")
			if (index($0, type " ") && /mapped=1/) {
				sub(/.*bytes=/, ""); bytes += $1; maps++; live[r[1]] = 1 } }
		/ unmapped: / { sub(/.*request=/, ""); unmaps += live[$1]; delete live[$1] }
		END { print maps + 0, bytes + 0, unmaps + 0 }' $tracing/trace
}
kernel_forget() { echo >$tracing/trace; }

# p2p BLOCKS: write and verify that many blocks of 16 KiB, which are in the provider's memory
p2p() {
	fio_verify "$drive" 16k "$1" --mem=mmapshared:"$memory/allocate" --ioengine=psync
}
bytes() { echo $(($1 * 2 * 16384)); }
bytes_mapped() { jq -n '[inputs | select(.event == "p2pdma_map") | .size] | add' $trace_json; }

kernel_forget
ok 'trace starts' trace_start
ok 'fio writes and verifies 53 blocks' p2p 53
is 'as many as that' "$(fio_count)" '53 53'
trace_stop
is 'the kernel saw each request' "$(kernel_saw)" "106 $(bytes 53) 106"
is 'trace has the same mappings' \
	"$(trace_count ".event == \"p2pdma_map\" and .kind == \"block\" and
		.map == \"bus_addr\" and .provider == \"$provider\" and .client == \"$client\"")" \
	106
is 'and no other' "$(trace_count '.event == "p2pdma_map"')" 106
is 'trace has the same bytes' "$(bytes_mapped)" "$(bytes 53)"
is 'and both directions' "$(trace_values .dir '.event == "p2pdma_map"')" 'from_device to_device'
is 'each mapping ended' "$(trace_count '.event == "p2pdma_unmap"')" 106
is 'the address is in the BAR of the provider' \
	"$(trace_count ".event == \"p2pdma_map\" and .id == .bus_addr and
		$(in_bar "$provider" .bus_addr)")" 106

kernel_forget
env --default-signal=INT "$P2PTRACE" stat --json >/tmp/stat 2>/tmp/stat.err &
pid=$!
counting() { grep -qs 'mode stock' /tmp/stat.err; }
wait_for 300 counting
p2p 29
kill -INT $pid
ok 'stat ends with status 0' wait $pid
is 'the kernel saw each request again' "$(kernel_saw)" "58 $(bytes 29) 58"
is 'stat counts the same' "$(jq -c 'select(.event == "total") | .metrics |
	[.maps, ."maps.kind_block", ."maps.bus_addr", .map_bytes, .unmaps, .lost]' /tmp/stat)" \
	"[58,58,58,$(bytes 29),58,0]"

is 'and tells between whom, and that the drive did nothing else' \
	"$(jq -c 'select(.event == "total") | .pairs[] |
		[.provider, .client, .map, .maps, .bytes, .share_percent]' /tmp/stat)" \
	"[\"$provider\",\"$client\",\"bus_addr\",58,$(bytes 29),100]"

"$P2PTRACE" check --json --output /tmp/check --expect 'maps.bus_addr == 34' \
	--expect 'unmaps == 34' -- fio --name=verify --filename="$drive" --rw=write --bs=16k \
	--size=272k --direct=1 --ioengine=psync --verify=crc32c --output=/dev/null \
	--mem=mmapshared:"$memory/allocate" 2>/tmp/check.err
is 'check passes' "$? $(jq -c '[.mode, .failed, .violations]' /tmp/check)" '0 ["stock",0,{}]'

"$P2PTRACE" lifetimes --json --duration 0.1 >/tmp/lifetimes 2>/tmp/lifetimes.err
is 'lifetimes runs' $? 0
"$P2PTRACE" leaks --json --duration 0.1 --older-than 0 >/tmp/leaks 2>/tmp/leaks.err
is 'leaks finds no buffer' "$? $(jq '.held | length' /tmp/leaks)" '0 0'
is 'as much memory is in use as before' "$(in_use)" "$before"
is 'no program is attached at the end' "$(bpftool prog show | grep -c 'name stock_')" 0
