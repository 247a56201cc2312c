#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace trace and stat have only what happens in the process, in tasks of
# the name, or about as many bytes as they were asked for.
# Requires: p2pmem series, the kernel's build directory, p2ptrace.

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
# What is selected from: here, 4 KiB and 64 KiB; in another process, 12 KiB; in a task
# of another name, 16 KiB
cp "$(command -v bash)" /tmp/other
happens() {
	core alloc 1 "$provider" 4096 && core free 1 && core alloc 1 "$provider" 65536 && core free 1
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
is 'without a choice, all are there' "$(sizes)" '12288 16384 4096 65536'
selected --pid $$
is 'one process' "$(sizes)" '4096 65536'
is 'and nothing else of others' "$(trace_values .pid)" $$
selected --comm other
is 'tasks of one name' "$(sizes)" 16384
is 'and nothing else of others' "$(trace_values .comm)" other
selected --min-size 12K
is 'many bytes' "$(sizes)" '12288 16384 65536'
is 'also when they are freed' "$(trace_values .size '.event == "p2pmem_free"')" '12288 16384 65536'
like 'what has no size is said to be left out' "$(cat /tmp/trace.err)" 'events that --min-size cannot match are left out: .*p2pmem_decide'
selected --pid $$ --min-size 8K
is 'both' "$(sizes)" 65536

attached() { grep -qs counting /tmp/stat.err; }
env --default-signal=INT "$P2PTRACE" stat --json --min-size 12K >/tmp/stat.json 2>/tmp/stat.err &
pid=$!
wait_for 30 attached || bail "p2ptrace: $(cat /tmp/stat.err)"
happens
kill -INT $pid
wait $pid
is 'stat counts the same' "$(jq -c 'select(.event == "total") | [.metrics.allocs, .metrics.frees, .metrics.alloc_bytes]' /tmp/stat.json)" \
	"[3,3,$((12288 + 16384 + 65536))]"
