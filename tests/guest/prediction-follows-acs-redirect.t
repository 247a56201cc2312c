#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on a kernel without the series, the prediction of p2ptrace peers follows ACS redirect as
# the kernel does. The port and the remedy that it names are those in the kernel log.
# Requires: the base kernel, p2ptrace, setpci.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=acs CPU=max STOCK=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/stock.sh
. "${BASH_SOURCE[0]%/*}/../lib/stock.sh"
require_p2ptrace
require_stock

cmb=$(pci_of cmb0) client=$(pci_of plain0)
root_port=$(basename "$(readlink -f "/sys/bus/pci/devices/$cmb/..")")
# The bits of ECAP_ACS+6.w: Request Redirect, Completion Redirect, Egress Control
control() { setpci -s "$root_port" "ECAP_ACS+6.w=$1:2c"; }
remedy() { kernel_log 'disable_acs_redir=' | sed 's/.*\(pci=disable_acs_redir=\)/\1/' | sort -u; }
why() { "$P2PTRACE" peers --why "$cmb" "$client" "$@"; }

plan 17

is 'nothing redirects' "$(predicted "$cmb" "$client")" 'bus_addr 2 same_bridge -'
is 'this kernel decides the same' "$(decided plain0 "$cmb")" 2
is 'the kernel logs no remedy' "$(remedy)" ''

# The same as in acs-redirect-blocked.t for a kernel with the series.  The ports of QEMU have no
# egress control, so the third bit cannot be tested.
for bits in 4 8 c; do
	ok "redirect by bits $bits" control $bits
	is 'the drive beside it is refused' \
		"$(predicted "$cmb" "$client")" "not_supported 2 acs_redirect_blocked $root_port"
	is 'this kernel decides the same' "$(decided plain0 "$cmb")" -1
done
is 'the kernel names the remedy' "$(remedy)" "pci=disable_acs_redir=$root_port"
like 'and so does p2ptrace' "$(why)" "$(remedy)"
is 'as JSON, too' \
	"$(why --json | jq -r '"\(.source) \(.blocker) \(.redirects[])"')" \
		"predicted $root_port $root_port"
is 'redirect does not affect the provider itself' \
	"$(predicted "$cmb" "$cmb") $(decided cmb0 "$cmb")" 'bus_addr 0 same_function - 0'
control 0
is 'the prediction is as before without redirect' \
	"$(predicted "$cmb" "$client")" 'bus_addr 2 same_bridge -'
