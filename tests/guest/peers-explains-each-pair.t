#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace peers shows the decision of the kernel for each client. --why draws the path,
# names the port that blocks it and the kernel parameter that would help, and reflects a change of
# that port.
# Requires: p2pmem series, p2ptrace, setpci.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=acs CPU=qemu64
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 18

cmb=$(pci_of cmb0) client=$(pci_of plain0)
dev=$(basename "$(p2pmem_of "$cmb")")
known_as=$(controller plain0)
root_port=$(basename "$(readlink -f "/sys/bus/pci/devices/$cmb/..")")

# of_kernel, of_tool: lines "CLIENT MAP DISTANCE REASON BLOCKER"
of_kernel() { tail -n +2 "$(peers_of "$cmb")" | sort; }
of_tool() {
	"$P2PTRACE" peers --json --class gpu,accel,nvme,nic,memory,other,bridge --dev "$dev" |
		jq -r '.pairs[] | select(.source == "kernel") |
		"\(.client) \(.map) \(.distance) \(.reason) \(.blocker // "-")"' | sort
}
why() { "$P2PTRACE" peers --why "$dev" "$client" "$@"; }

is 'all clients have the decisions of the kernel' "$(of_tool)" "$(of_kernel)"
is 'clients have their other names' "$("$P2PTRACE" peers --json | jq -c --arg client "$client" \
	'.functions[] | select(.name == $client).names')" "[\"$known_as\"]"
is 'the provider and its size' \
	"$("$P2PTRACE" peers --json | jq -r '.functions[] | select(.pool) |
		"\(.p2pmem) \(.name) \(.pool.size)"')" \
	"$dev $cmb $(printf 0x%x "$(<"$p2pmem_class/$dev/size")")"
like 'the matrix has the pair' "$("$P2PTRACE" peers)" "$client +nvme +$known_as .* bus PI?X"
like 'the path is drawn' "$(why)" "└─ $root_port  root port"
like 'it has the provider' "$(why)" "├─ $cmb  provider, nvme \\($(controller cmb0)\\), $dev"
like 'it has the client' "$(why)" "└─ $client  client, nvme \\($known_as\\)"
is 'the other names of both devices are accepted' \
	"$("$P2PTRACE" peers --why "$(controller cmb0)" "$known_as")" "$(why)"
like 'the reason is that both share a bridge' "$(why)" 'same_bridge: both are below one bridge'
is 'there is no remedy' "$(why | grep '^remedy:')" ''

ok 'redirect is switched on in the port above both' setpci -s "$root_port" ECAP_ACS+6.w=4:4
is 'all clients have the new decisions of the kernel' "$(of_tool)" "$(of_kernel)"
like 'the pair is refused' "$("$P2PTRACE" peers)" "$client +nvme +$known_as .* no "
like 'the port is marked' \
	"$(why)" "$root_port  root port  <- 1: redirects \\(ACS 0x[0-9a-f]+: ReqRedir\\+"
like 'the reason is shown' "$(why)" 'acs_redirect_blocked: a port redirects'
like 'the remedy is shown' "$(why)" "pci=disable_acs_redir=$root_port"
is 'as JSON, too' \
	"$(why --json | jq -r '"\(.map) \(.blocker) \(.redirects[])"')" \
		"not_supported $root_port $root_port"
"$P2PTRACE" peers --why "$dev" 0000:7f:1f.7 2>/tmp/err
is 'a device that does not exist is refused' "$? $(wc -l </tmp/err)" '2 1'
