#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: memory that its provider has unpublished is neither found nor allocated, except by the
# provider itself, until it is published again. When the provider goes away and returns, its memory
# is found again.
# Requires: p2pmem series, p2ptrace, the build directory of the kernel.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
drive=$(pci_of plain0)
card=$(nic_pci)
p2pmem=$(p2pmem_of "$provider")
core_load

plan 24

available=$(<"$p2pmem/available")
trace_start
ok 'the memory is found' core find "$drive" "$card"
is 'the distance is that of two clients beside the provider' \
	"$reply" "dev=${p2pmem##*/} provider=$provider distance=8"
ok 'a check succeeds' core check "$provider" "$drive" "$card"
is 'at the same distance' "$(field distance)" 8
core alloc 1 "$provider" 4096
core publish "$provider" 0
is 'it is not published' "$(<"$p2pmem/published")" 0
is 'both attributes agree' "$(<"/sys/bus/pci/devices/$provider/p2pmem/published")" 0
is 'it is not found' "$(core_says find "$drive" "$card")" -ENODEV
is 'a check fails' "$(core_says check "$provider" "$drive")" -ENODEV
is 'an allocation fails' "$(core_says alloc 2 "$provider" 4096)" -ENODEV
is 'the allocation of a list fails' "$(core_says alloc_sgl 2 "$provider" 8192 1)" -ENODEV
ok 'the provider can allocate' core pci_alloc 2 "$provider" 4096
ok 'an older buffer is still usable' core fill 1 1
ok 'it can be mapped' core map 1 1 "$drive"
ok 'it can be unmapped' core unmap 1
core publish "$provider" 1
is 'it is published again' "$(<"$p2pmem/published")" 1
ok 'it is found again' core find "$drive" "$card"
ok 'it can be allocated again' core alloc 3 "$provider" 4096
for i in 1 2 3; do
	core free $i
done
is 'the pool is as full as before' "$(<"$p2pmem/available")" "$available"
trace_stop
is 'the failures have the reason not_published' \
	"$(trace_values '"\(.size) \(.reason)"' '.event == "p2pmem_alloc_fail"')" \
	'4096 not_published 8192 not_published'

ok 'the provider can be unbound' provider_unbind "$provider"
is 'no memory is found' "$(core_says find "$drive" "$card")" -ENODEV
ok 'it can be bound again' provider_bind "$provider"
found() { core find "$drive" "$card"; }
ok 'its memory is found' wait_for 20 found
provides_all() { [ "$(<"$(p2pmem_of "$provider")/available")" = "$available" ]; }
ok 'it provides as much as before' wait_for 20 provides_all
