#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: after ACS redirect is changed at run time, the next decision takes it into account, whether
# a search for memory or a check of one pair makes it, and all mappings follow that decision.
# Reading "peers" shows the decision that would be made, and has no side effects.
# Requires: p2pmem series, p2ptrace, the build directory of the kernel, setpci.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=acs CPU=EPYC MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
drive=$(pci_of plain0)
card=$(nic_pci)
peers=$(peers_of "$provider")
root_port=$(basename "$(readlink -f "/sys/bus/pci/devices/$provider/..")")
redirect() { setpci -s "$root_port" "ECAP_ACS+6.w=$1:4"; }
peer() { awk -v client="$1" '$1 == client { print $2, $4, $5 }' "$peers"; }
core_load

# by_bus_addr CLIENT...: for each client, 1 if the buffer is mapped by its bus address, otherwise 0
by_bus_addr() {
	local client said=''
	for client; do
		core map 1 1 "$client"
		said+=" $(field by_bus_addr)"
		core unmap 1
	done
	echo "${said# }"
}

plan 18

core alloc 1 "$provider" 4096
trace_start
ok 'both are found to reach it' core find "$drive" "$card"
is 'and mapped by bus address' "$(by_bus_addr "$drive" "$card")" '1 1'

ok 'redirect can be switched on' redirect 4
ok 'the drive is checked again' core check "$provider" "$drive"
is 'it is mapped as was decided, and so is the network card' "$(by_bus_addr "$drive" "$card")" '0 1'
ok 'both are found again' core find "$drive" "$card"
is 'and mapped so' "$(by_bus_addr "$drive" "$card")" '0 0'

ok 'redirect can be switched off' redirect 0
is 'that alone changes no mapping' "$(by_bus_addr "$drive")" 0
is 'peers sees what would be decided' "$(peer "$drive")" 'bus_addr same_bridge -'
is 'and changes none, either' "$(by_bus_addr "$drive" "$card")" '0 0'
ok 'both are found once more' core find "$drive" "$card"
is 'and mappings follow' "$(by_bus_addr "$drive" "$card")" '1 1'

redirect 4
is 'peers sees it when it is on again' \
	"$(peer "$card")" "thru_host_bridge acs_redirect_allowed $root_port"
ok 'both are checked' core check "$provider" "$drive" "$card"
is 'and mappings follow again' "$(by_bus_addr "$drive" "$card")" '0 0'
trace_stop

is 'the drive, by its mappings' \
	"$(jq -r "select(.event == \"p2pdma_map\" and .client == \"$drive\") | .map" \
		$trace_json | uniq | paste -sd ' ')" \
	'bus_addr thru_host_bridge bus_addr thru_host_bridge'
is 'every mapping is as its client was last decided' "$(jq -n 'reduce inputs as $e ({bad: 0};
	if $e.event == "p2pdma_decide" then .[$e.client] = $e.map
	elif $e.event == "p2pdma_map" and .[$e.client] != $e.map then .bad += 1
	else . end) | .bad' $trace_json)" 0
