#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace peers has, for each client, what the kernel decides; --why draws
# the way, names the port that is in it and the kernel parameter that would help,
# and follows when that port is changed.
# Requires: p2pmem series, p2ptrace, setpci.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=acs CPU=qemu64
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 19

cmb=$(pci_of cmb0) client=$(pci_of plain0)
dev=$(basename "$(p2pmem_of "$cmb")")
known_as=$(controller plain0)
root_port=$(basename "$(readlink -f "/sys/bus/pci/devices/$cmb/..")")

# kernel and tool: "CLIENT MAP DISTANCE REASON BLOCKER"
of_kernel() { tail -n +2 "/sys/kernel/debug/p2pmem/$dev/peers"; }
of_tool() {
	"$P2PTRACE" peers --json | jq -r --arg dev "$dev" '.providers[] | select(.dev == $dev) | .clients[] |
		"\(.client) \(.map) \(.distance) \(.reason) \(.blocker // "-")"'
}
why() { "$P2PTRACE" peers --why "$dev" "$client" "$@"; }

is 'all clients, as the kernel has them' "$(of_tool)" "$(of_kernel)"
is 'and what they are known by' "$("$P2PTRACE" peers --json | jq -c --arg client "$client" \
	'.providers[].clients[] | select(.client == $client).known_as')" "[\"$known_as\"]"
is 'the provider and its size' "$("$P2PTRACE" peers --json | jq -r '.providers[] | "\(.dev) \(.provider) \(.size)"')" \
	"$dev $cmb $(<"/sys/class/p2pmem/$dev/size")"
like 'the matrix has the pair' "$("$P2PTRACE" peers)" "$client +nvme +$known_as +bus_addr 2"
like 'the way is drawn' "$(why)" "└─ $root_port  root port"
like 'with the provider' "$(why)" "├─ $cmb  provider, $dev, nvme"
like 'and the client' "$(why)" "└─ $client  client, nvme \\($known_as\\)"
is 'the same by what both are known by' "$("$P2PTRACE" peers --why "$(controller cmb0)" "$known_as")" "$(why)"
is 'and by a block device' "$("$P2PTRACE" peers --why "$dev" "$(basename "$(drive plain0)")")" "$(why)"
like 'nothing is in the way' "$(why)" 'same_bridge: both are below one bridge'
is 'and nothing would help' "$(why | grep '^Remedy:')" ''

ok 'the port above both is told to redirect' setpci -s "$root_port" ECAP_ACS+6.w=4:4
is 'all clients, as the kernel has them now' "$(of_tool)" "$(of_kernel)"
like 'the pair is refused' "$("$P2PTRACE" peers)" "$client +nvme +$known_as +no"
like 'the port is marked' "$(why)" "$root_port  root port  <- redirects"
like 'the reason is said' "$(why)" 'acs_redirect_blocked: a port redirects'
like 'and the parameter that would help' "$(why)" "pci=disable_acs_redir=$root_port on the kernel command line"
is 'as JSON, too' "$(why --json | jq -r '"\(.map) \(.blocker) \(.redirects)"')" "not_supported $root_port $root_port"
"$P2PTRACE" peers --why "$dev" 0000:7f:1f.7 2>/tmp/err
is 'what is not there is refused' "$? $(wc -l </tmp/err)" '2 1'
