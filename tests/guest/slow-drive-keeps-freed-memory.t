#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: an owner frees memory that a slow drive is still reading. With pins, the drive reads what
# was there: nobody gets the memory before its request has ended. p2ptrace counts the free as
# deferred and finds the late end of the mapping. Without pins, see
# slow-drive-reads-freed-memory.t.
# Requires: p2pmem series with pins, p2ptrace, the build directory of the kernel.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 QMP=1 NEEDS=pins
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/early-free.sh
. "${BASH_SOURCE[0]%/*}/../lib/early-free.sh"
require_p2pmem
require_p2ptrace

plan 10

p2pmem=$(p2pmem_of "$(pci_of cmb0)")
early_free_load || bail 'cannot load early_free'
available=$(<"$p2pmem/available") buffers=$(<"$p2pmem/buffers")
ok 'the drive is slow' slow_down

export early_free
export -f early_free_write
trace_start
"$P2PTRACE" check --json --expect 'frees_deferred == 1' --expect 'maps.bus_addr == 1' -- \
	bash -c 'early_free_write 65536' >/tmp/check.json
status=$?
trace_stop

is 'check finds that the mapping ended after the free, and nothing else' \
	"$status $(jq -c .violations /tmp/check.json)" '1 {"late_unmap":1}'
is 'it counted one free as deferred, and one mapping' "$(jq .failed /tmp/check.json)" 1
is 'the owner got other memory meanwhile' "$(<$early_free/again)" N
is 'the drive has all of the old data' "$(on_drive o)" 65536
is 'and none of the new' "$(on_drive n)" 0
is 'the free waited for one pin' \
	"$(trace_values .pins '.event == "p2pmem_free" and .size == 65536')" '0 1'
is 'the memory came back after the request' "$(jq -rs 'map(select(.size == 65536) | .event |
	select(. == "p2pmem_free" or . == "p2pdma_unmap" or . == "p2pmem_reclaim"))[:3] |
	join(" ")' $trace_json)" 'p2pmem_free p2pdma_unmap p2pmem_reclaim'
is 'the pool is as full as before' "$(<"$p2pmem/buffers") $(<"$p2pmem/available")" \
	"$buffers $available"
is 'every buffer was freed' "$(trace_held)" 0
