#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on a kernel without the series, what p2ptrace peers predicts for a drive
# under another root port follows the CPU, as it does in this kernel.
# Requires: the base kernel, p2ptrace.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch CPU=EPYC BASE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/stock.sh
. "${BASH_SOURCE[0]%/*}/../lib/stock.sh"
require_p2ptrace
require_stock

cmb=$(pci_of cmb0)

plan 5

# What map-type-thru-host-bridge.t has of a kernel with the series
is 'the drive under another root port' "$(predicted "$(pci_of far0)")" 'thru_host_bridge 6 cpu_allowed -'
is 'so does this kernel' "$(decided far0 "$cmb")" 6
is 'the drive beside it' "$(predicted "$(pci_of plain0)")" 'bus_addr 4 same_bridge -'
is 'so does this kernel' "$(decided plain0 "$cmb")" 4
is 'nobody is refused' "$("$P2PTRACE" peers | grep -cE ' no$|^no:')" 0
