#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a buffer starts at the alignment that its caller requests, and at a page boundary by
# default. A wrong alignment, a size of 0 and a size beyond that of the device fail, each with its
# own error.
# Requires: p2pmem series, p2ptrace, the build directory of the kernel.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 NEEDS=alignment
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
p2pmem=$(p2pmem_of "$provider")
core_load

plan 23

available=$(<"$p2pmem/available")
trace_start
ok 'a first page, so that the next buffer is not aligned by chance' core alloc 0 "$provider" 4096
align=4096
for i in {1..11}; do
	core alloc "$i" "$provider" 4097 $align
	ok "aligned to $align" [ $(($(field bus_addr) % align)) = 0 ]
	align=$((2 * align))
done
core alloc 12 "$provider" 1
ok 'aligned to a page by default' [ $(($(field bus_addr) % 4096)) = 0 ]
for i in {0..12}; do
	core free "$i"
done
is 'the pool is as full as before' "$(<"$p2pmem/available")" "$available"

is 'an alignment of 3' "$(core_says alloc 1 "$provider" 4096 3)" -EINVAL
is 'an alignment of 12 KiB' "$(core_says alloc 1 "$provider" 4096 12288)" -EINVAL
is 'a size of 0' "$(core_says alloc 1 "$provider" 0)" -EINVAL
is 'a list of 0 bytes' "$(core_says alloc_sgl 1 "$provider" 0 1)" -EINVAL
is 'a list of no pieces' "$(core_says alloc_sgl 1 "$provider" 4096 0)" -EINVAL
is 'more than the device has' "$(core_says alloc 1 "$provider" $(($(<"$p2pmem/size") + 1)))" -E2BIG
is 'the size of the device, some of which is in use' \
	"$(core_says alloc 1 "$provider" "$(<"$p2pmem/size")")" -ENOMEM
is 'the pool is still as full as before' "$(<"$p2pmem/available")" "$available"
trace_stop
is 'the events have the reasons' \
	"$(trace_values '"\(.size) \(.reason)"' '.event == "p2pmem_alloc_fail" and .size > 4096')" \
	'67108864 no_memory 67108865 too_big'
