#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: with --pid, --comm and --min-size, p2ptrace trace and stat report only the events of that
# process, of tasks of that name, or of at least that size.
# Requires: p2pmem series, the build directory of the kernel, p2ptrace.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 10

provider=$(pci_of cmb0)
core_load
export -f core
# Sizes tell the allocations apart: 4 KiB and 64 KiB in this process, 12 KiB in another process, and
# 16 KiB in a task of another name
cp "$(command -v bash)" /tmp/other
happens() {
	core alloc 1 "$provider" 4096 && core free 1 && core alloc 1 "$provider" 65536 &&
		core free 1
	bash -c "core alloc 2 $provider 12288 && core free 2"
	/tmp/other -c "core alloc 3 $provider 16384 && core free 3"
}
sizes() { trace_values .size '.event == "p2pmem_alloc"'; }
selected() {
	trace_start "$@"
	happens
	trace_stop
}

selected --event p2pmem_alloc,p2pmem_free
is 'without options, all events are there' "$(sizes)" '12288 16384 4096 65536'
selected --pid $$
is '--pid selects a process' "$(sizes)" '4096 65536'
is 'no event is of another process' "$(trace_values .pid)" $$
selected --comm other
is '--comm selects tasks of one name' "$(sizes)" 16384
is 'no event is of a task of another name' "$(trace_values .comm)" other
selected --min-size 12K
is '--min-size selects sizes' "$(sizes)" '12288 16384 65536'
is '--min-size selects frees, too' \
	"$(trace_values .size '.event == "p2pmem_free"')" '12288 16384 65536'
like 'a message lists the events without a size' \
	"$(cat /tmp/trace.err)" 'leaving out events without a field .*p2pdma_decide'
selected --pid $$ --min-size 8K
is '--pid and --min-size can be combined' "$(sizes)" 65536

attached() { grep -qs counting /tmp/stat.err; }
env --default-signal=INT "$P2PTRACE" stat --json --min-size 12K >/tmp/stat.json 2>/tmp/stat.err &
pid=$!
wait_for 30 attached || bail "p2ptrace: $(cat /tmp/stat.err)"
happens
kill -INT $pid
wait $pid
is 'stat counts the same' \
	"$(jq -c 'select(.event == "total") | .metrics | [.allocs, .frees, .alloc_bytes]' \
		/tmp/stat.json)" \
	"[3,3,$((12288 + 16384 + 65536))]"
