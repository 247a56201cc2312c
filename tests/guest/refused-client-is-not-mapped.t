#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a mapping for a client that cannot reach the memory fails with its own
# error and pins nothing, also when it could reach it until a redirect was
# switched on and a new decision was taken.
# Requires: p2pmem series, p2ptrace, the kernel's build directory, setpci.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=acs CPU=max MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
drive=$(pci_of plain0)
p2pmem=$(p2pmem_of "$provider")
root_port=$(basename "$(readlink -f "/sys/bus/pci/devices/$provider/..")")
core_load

plan 10

core alloc 1 "$provider" 4096
trace_start
ok 'it can be reached' core check "$provider" "$drive"
ok 'and mapped' core map 1 1 "$drive"
setpci -s "$root_port" ECAP_ACS+6.w=4:4
is 'after a redirect it cannot' "$(core_says check "$provider" "$drive")" -EREMOTEIO
is 'nor be mapped' "$(core_says map 2 1 "$drive")" -EREMOTEIO
is 'the mapping from before is still pinned' "$(<"$p2pmem/pinned")" 1
ok 'and can be undone' core unmap 1
is 'without a pin left' "$(<"$p2pmem/pinned")" 0
is 'it is not found either' "$(core_says find "$drive")" -ENODEV
trace_stop
is 'mapped once' "$(trace_count '.event == "p2pmem_dma_map"')" 1
is 'the last decision' "$(jq -r 'select(.event == "p2pmem_decide") | "\(.map) \(.reason) \(.blocker)"' $trace_json | tail -n 1)" \
	"not_supported acs_redirect_blocked $root_port"
