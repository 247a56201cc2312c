#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on the base kernel, p2ptrace reports each refused mapping: the first one as a new decision,
# and the others, for which the kernel has an earlier decision, as cached. trace, stat, and the
# kernel's own tracer count the same. Mappings that are not refused make no such event.
# Requires: the base kernel (6.19 or later), p2ptrace, fio.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch STOCK=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/stock.sh
. "${BASH_SOURCE[0]%/*}/../lib/stock.sh"
require_p2ptrace
require_stock

plan 15

provider=$(pci_of cmb0) near=$(drive plain0) far=$(drive far0) client=$(pci_of far0)
allocate=/sys/bus/pci/devices/$provider/p2pmem/allocate
# reads DRIVE BLOCKS: read blocks of 16 KiB into the memory of the provider, one at a time, whatever
# becomes of each
reads() {
	fio --name=reads "--filename=$1" --direct=1 --rw=read --bs=16k --size=$(($2 * 16))k \
		--ioengine=psync --ignore_error=EINVAL --error_dump=0 --output=/tmp/fio.json \
		--output-format=json \
		"--mem=mmapshared:$allocate"
	jq '.jobs[0] | [.read.total_ios, .total_err]' -c /tmp/fio.json
}
refusals() { trace_count ".event == \"p2pdma_decide\" and .map == \"not_supported\" and $1"; }
is_far=".provider == \"$provider\" and .client == \"$client\""

# ---- the kernel's own tracer ----------------------------------------------------

not_supported=$(bpftool btf dump file /sys/kernel/btf/vmlinux format raw |
	sed -n "s/.*'PCI_P2PDMA_MAP_NOT_SUPPORTED' val=//p")
# shellcheck disable=SC2016 # the kernel's variable
echo 'r:mapping pci_p2pdma_map_type type=$retval:u32' >>$tracing/kprobe_events
echo "type == $not_supported" >$tracing/events/kprobes/mapping/filter
echo 1 >$tracing/events/kprobes/mapping/enable
kernel_refused() { grep -c ' mapping: ' $tracing/trace; }
kernel_forget() { echo >$tracing/trace; }

kernel_forget
ok 'trace starts' trace_start
is 'all reads of a drive under another root port fail' "$(reads "$far" 17)" '[17,17]'
is 'all reads of the drive beside the provider succeed' "$(reads "$near" 7)" '[7,0]'
trace_stop
is 'the kernel refused each time' "$(kernel_refused)" 17
is 'one refusal is a new decision, with its distance' \
	"$(refusals "$is_far and (has(\"cached\") | not) and .distance == 6")" 1
is 'all others follow from it' \
	"$(refusals "$is_far and .cached == true and .distance == -1")" 16
is 'nothing else was refused' "$(refusals true)" 17
is 'and only the others were mapped' "$(trace_values .client '.event == "p2pdma_map"')" \
	"$(pci_of plain0)"
is 'no event was lost, and none was not seen' \
	"$(jq -c 'select(.event == "end") | [.lost, .blind]' $trace_json)" '[0,[]]'

# A search for memory makes decisions as well, which are for no mapping
kernel_forget
env --default-signal=INT "$P2PTRACE" stat --json >/tmp/stat 2>/tmp/stat.err &
pid=$!
counting() { grep -qs 'mode stock' /tmp/stat.err; }
wait_for 300 counting || bail "p2ptrace: $(cat /tmp/stat.err)"
is 'the target cannot use the memory for that drive' "$(decided far0 "$provider")" -1
is 'reads of it still fail' "$(reads "$far" 11)" '[11,11]'
kill -INT $pid
wait $pid
is 'stat counts the refusals of the search and those of the mappings' \
	"$(jq -c 'select(.event == "total") | .metrics | [."decisions.not_supported" -
		.decisions_cached, .decisions_cached, .lost]' /tmp/stat)" \
	"[$(grep -c 'distance=-1' $tracing/trace),11,0]"
is 'the kernel counts the same' "$(kernel_refused)" 11

# A task that searches, and then maps: only the search makes a new decision
search_and_read() {
	local namespace=$nvmet/subsystems/search/namespaces/1
	mkdir "$nvmet/subsystems/search" "$namespace"
	printf %s "$far" >"$namespace/device_path"
	printf %s "$provider" >"$namespace/p2pmem"
	({ echo 1 >"$namespace/enable"; } 2>/dev/null
	exec /tmp/map-peer-memory "$allocate" 4096 "$far" </dev/null)
	rmdir "$namespace" "$nvmet/subsystems/search"
}
cc -O1 -o /tmp/map-peer-memory tests/lib/map-peer-memory.c || bail 'cannot compile'
trace_start --event p2pdma_decide
like 'a task that searched reads, and fails' "$(search_and_read 2>&1)" "read $far: Invalid argument"
trace_stop
is 'the search is a new decision, and the mapping of the same task is not' \
	"$(jq -r 'select(.event == "p2pdma_decide" and .map == "not_supported") |
		.cached // false' $trace_json | paste -sd ' ')" 'false true'
