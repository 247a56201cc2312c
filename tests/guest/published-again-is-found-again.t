#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: memory that its provider keeps to itself is neither found nor handed out,
# until it is published again; the provider itself can use it all the time.  When
# the provider goes and comes back, its memory is found anew.
# Requires: p2pmem series, p2ptrace, the kernel's build directory.

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
ok 'it is found' core find "$drive" "$card"
is 'two hops to each side of the switch' "$reply" "dev=${p2pmem##*/} provider=$provider distance=8"
ok 'and it will do' core check "$provider" "$drive" "$card"
is 'at the same distance' "$(field distance)" 8
core alloc 1 "$provider" 4096
core publish "$provider" 0
is 'now it is not published' "$(<"$p2pmem/published")" 0
is 'by both accounts' "$(<"/sys/bus/pci/devices/$provider/p2pmem/published")" 0
is 'it is not found' "$(core_says find "$drive" "$card")" -ENODEV
is 'it will not do' "$(core_says check "$provider" "$drive")" -ENODEV
is 'nothing is handed out' "$(core_says alloc 2 "$provider" 4096)" -ENODEV
is 'nor as a list' "$(core_says alloc_sgl 2 "$provider" 8192 1)" -ENODEV
ok 'but to the provider' core pci_alloc 2 "$provider" 4096
ok 'what was handed out stays' core fill 1 1
ok 'and can be mapped' core map 1 1 "$drive"
ok 'and unmapped' core unmap 1
core publish "$provider" 1
is 'it is published again' "$(<"$p2pmem/published")" 1
ok 'and found' core find "$drive" "$card"
ok 'and handed out' core alloc 3 "$provider" 4096
for i in 1 2 3; do
	core free $i
done
is 'all is back' "$(<"$p2pmem/available")" "$available"
trace_stop
is 'why it failed' "$(trace_values '"\(.size) \(.reason)"' '.event == "p2pmem_alloc_fail"')" \
	'4096 not_published 8192 not_published'

ok 'the provider can be unbound' provider_unbind "$provider"
is 'nothing is found' "$(core_says find "$drive" "$card")" -ENODEV
ok 'it can be bound again' provider_bind "$provider"
found() { core find "$drive" "$card"; }
ok 'and is found' wait_for 20 found
lends_all() { [ "$(<"$(p2pmem_of "$provider")/available")" = "$available" ]; }
ok 'with as much to lend as before' wait_for 20 lends_all
