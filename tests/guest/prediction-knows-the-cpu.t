#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on a kernel without the series, the prediction of p2ptrace peers for a drive under another
# root port depends on the CPU, as the decision of the kernel does.
# Requires: the base kernel, p2ptrace.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch CPU=EPYC STOCK=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/stock.sh
. "${BASH_SOURCE[0]%/*}/../lib/stock.sh"
require_p2ptrace
require_stock

cmb=$(pci_of cmb0)

plan 5

# The same as in map-type-thru-host-bridge.t for a kernel with the series
is 'the drive under another root port' \
	"$(predicted "$cmb" "$(pci_of far0)")" 'thru_host_bridge 6 cpu_allowed -'
is 'this kernel decides the same' "$(decided far0 "$cmb")" 6
is 'the drive beside it' "$(predicted "$cmb" "$(pci_of plain0)")" 'bus_addr 4 same_bridge -'
is 'this kernel decides the same' "$(decided plain0 "$cmb")" 4
is 'no client is refused, of some' "$("$P2PTRACE" peers --json |
	jq -c '.pairs | [length > 1, any(.[]; .map == "not_supported")]')" '[true,false]'
