#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace check names the unmap of a buffer by a device that did not map it.
# The kernel cannot refuse that: it counts the mappings of a buffer, and not their
# clients.  The mapping of the other device then never ends, and check names it as well.
# Requires: p2pmem series, p2ptrace, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# A kernel with CONFIG_DMA_API_DEBUG does know the clients
# shellcheck disable=SC2034
ALLOW_WARNING='DMA-API: .* has not allocated|WARNING: .* at kernel/dma/debug|Call Trace'
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 9

report=/tmp/report
# checked STATUS [OPTION]... -- COMMANDS: those of core(), one an argument
checked() {
	local want=$1 status=0 options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	# shellcheck disable=SC2016 # that shell's
	"$P2PTRACE" check --output $report --settle 0 "${options[@]}" -- \
		bash -c 'for command; do $command || exit 9; done' - "$@" 2>/tmp/err || status=$?
	[ $status = "$want" ] || { diag "status $status: $(cat /tmp/err $report)"; return 1; }
}

provider=$(pci_of cmb0) client=$(pci_of plain0) other=$(nic_pci)
# In events of mappings, the series for 7.3 has the provider
mapped=$(for_612 && echo p2pmem0 || echo "$provider")
core_load
export -f core

wrong=("core alloc 1 $provider 12288" "core map 1 1 $client" "core unmap_as 1 $other" 'core free 1')
ok 'JSON: a device unmaps what another one has mapped' checked 1 --json -- "${wrong[@]}"
is 'JSON: both violations are named, once' \
	"$(jq -c '[.command.status, .failed, .violations]' $report)" \
	'[0,2,{"unmap_without_map":1,"mapped":1}]'
is 'JSON: the first one has the device that unmapped' \
	"$(jq -c '.first.unmap_without_map | [.dev, .client, .comm]' $report)" \
	"[\"$mapped\",\"$other\",\"bash\"]"
is 'JSON: the other one has the device that mapped' \
	"$(jq -c '.first.mapped.client' $report)" "\"$client\""

ok 'text: the same again' checked 1 -- "${wrong[@]}"
like 'text: the violation has the device that unmapped' \
	"$(grep '^FAILED unmap_without_map' $report)" \
	"^FAILED unmap_without_map: 1 .*client $other, by bash-[0-9]+\$"

ok 'it can be allowed' checked 0 --allow unmap_without_map --allow mapped -- "${wrong[@]}"

ok 'each device unmaps what it has mapped' checked 0 --json -- "core alloc 1 $provider 12288" \
	"core map 1 1 $client" "core map 2 1 $other" 'core unmap 1' 'core unmap 2' 'core free 1'
is 'which is no violation' "$(jq -c .violations $report)" '{}'
