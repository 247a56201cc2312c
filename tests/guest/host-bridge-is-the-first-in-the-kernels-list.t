#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace peers takes the first function on the root bus in the kernel's list for the host
# bridge, which is not always the one with the lowest number: a function that is removed and found
# again is the last one. A snapshot keeps the order.
# Requires: the base kernel, p2ptrace.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch STOCK=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2ptrace

far=$(pci_of far0) cmb=$(pci_of cmb0)
root_port=$(basename "$(readlink -f "/sys/bus/pci/devices/$far/..")")
host_bridge() {
	"$P2PTRACE" peers --json "$@" --why "$cmb" "$far" | jq -r '.findings[] |
		select(.topic == "host_bridge" and .level == "note").text' |
		sed -nE 's/.*first function on its root bus: ([0-9a-f:.]+),.*/\1/p'
}
first_in_list() { awk '/^00/ { print $1; exit }' /proc/bus/pci/devices; }

plan 5

is 'the kernel lists 00.0 first' "$(first_in_list)" 0000
is 'it represents the host bridge' "$(host_bridge)" 0000:00:00.0
# The port of far0 leads to nothing that the guest needs
echo 1 >/sys/bus/pci/devices/0000:00:00.0/remove
echo 1 >/sys/bus/pci/rescan
ok 'the host bridge is removed and found again' [ -e /sys/bus/pci/devices/0000:00:00.0 ]
number=$(first_in_list)
expected=$(printf '0000:00:%02x.%x' $((0x$number >> 3 & 31)) $((0x$number & 7)))
like 'another function represents it then' \
	"$expected $(host_bridge) $root_port" "^(0000:00:0[1-9a-f].[0-7]) \\1 "
"$P2PTRACE" snapshot -o /tmp/snapshot
is 'the snapshot says so, too' "$(host_bridge --from /tmp/snapshot)" "$expected"
