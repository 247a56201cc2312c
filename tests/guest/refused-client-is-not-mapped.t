#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a mapping for a client that cannot reach the memory fails with an error of its own and pins
# nothing, even if the client could reach it before redirect was switched on and a new decision was
# made.
# Requires: p2pmem series, p2ptrace, the build directory of the kernel, setpci.

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
ok 'the client can reach the memory' core check "$provider" "$drive"
ok 'it can be mapped' core map 1 1 "$drive"
setpci -s "$root_port" ECAP_ACS+6.w=4:4
is 'the check fails after a redirect' "$(core_says check "$provider" "$drive")" -EREMOTEIO
is 'a mapping fails' "$(core_says map 2 1 "$drive")" -EREMOTEIO
if with_pins 1; then
	is 'the older mapping still has its pin' "$(pins_of "$p2pmem")" 1
fi
ok 'it can be unmapped' core unmap 1
is 'no pin is left' "$(pins_of "$p2pmem")" 0
is 'a find fails' "$(core_says find "$drive")" -ENODEV
trace_stop
is 'mapped once' "$(trace_count '.event == "p2pdma_map"')" 1
is 'the last decision' \
	"$(jq -r 'select(.event == "p2pdma_decide") | "\(.map) \(.reason) \(.blocker)"' \
		$trace_json | tail -n 1)" \
	"not_supported acs_redirect_blocked $root_port"
