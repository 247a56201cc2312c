#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: while threads on every CPU allocate, map, unmap and free at random, in
# all contexts, no page is ever handed out twice or reused before its last unmap,
# and at the end all memory is back.
# Requires: p2pmem series, the kernel's build directory.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=small MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem

provider=$(pci_of cmb0)
p2pmem=$(p2pmem_of "$provider")
state() { echo "$(<"$p2pmem/available") $(<"$p2pmem/buffers") $(<"$p2pmem/pinned")"; }
core_load

plan 11

before=$(state)
stress_start "$provider" "$(pci_of plain0)" "$(nic_pci)"
sleep 12
stress_stop
for name in allocs piecewise no_memory maps deferred found binds in_interrupt; do
	ok "$name: there were some" [ "$(field $name "$stress")" -gt 0 ]
done
is 'no page had two owners, none was changed by another, nothing else was wrong' \
	"$(field overlaps "$stress") $(field corrupted "$stress") $(field errors "$stress")" '0 0 0'
is 'nobody was told of a removal' "$(field told "$stress")" 0
is 'all is back' "$(state)" "$before"
