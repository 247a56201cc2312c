#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the debugfs file "peers" has one line for each PCI function that is not a bridge, with the
# map type, the distance and the reason of the decision for it.
# Requires: p2pmem series, p2ptrace.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch CPU=max
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
peers=$(peers_of "$provider")
peer() { awk -v client="$1" '$1 == client { $1 = ""; print substr($0, 2) }' /tmp/peers; }

plan 9

trace_start
cat "$peers" >/tmp/peers
trace_stop
is 'the first line names the columns' \
	"$(head -n 1 /tmp/peers | xargs)" 'client map distance reason blocker'
is 'each line has 5 columns' "$(awk 'NF != 5' /tmp/peers)" ''
is 'exactly the endpoints are listed' \
	"$(tail -n +2 /tmp/peers | awk '{ print $1 }' | sort | paste -sd ' ')" \
		"$(endpoints | sort | paste -sd ' ')"
is 'the provider itself' "$(peer "$provider")" 'bus_addr 0 same_function -'
is 'the drive beside it' "$(peer "$(pci_of plain0)")" 'bus_addr 4 same_bridge -'
is 'the network card beside it' "$(peer "$(nic_pci)")" 'bus_addr 4 same_bridge -'
is 'the drive under another root port' \
	"$(peer "$(pci_of far0)")" 'not_supported 6 host_bridge_unknown -'
is 'all other endpoints are refused' \
	"$(tail -n +2 /tmp/peers | grep -vE "^($provider|$(pci_of plain0)|$(nic_pci)) " |
		awk '{ print $2, $4, $5 }' | sort -u)" \
	'not_supported host_bridge_unknown -'
is 'reading it makes no decision' "$(trace_count '.event == "p2pdma_decide"')" 0
