#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace check names what a driver does wrong with peer memory, and where:
# a leak, a mapping made twice, one that ends after its buffer was freed, one that is
# made then, a buffer that is held for too long; it takes nothing for wrong that was
# begun before it looked, nor anything that is right.
# Requires: p2pmem series, p2ptrace, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 23

report=/tmp/report.json
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
	"$P2PTRACE" check --json --output $report --settle 0 "${options[@]}" -- \
		bash -c 'for command; do $command || exit 9; done' - "$@" 2>/tmp/err || status=$?
	[ $status = "$want" ] || { diag "status $status: $(cat /tmp/err)"; return 1; }
}
found() { jq -c '[.command.status, .violations]' $report; }

provider=$(pci_of cmb0) client=$(pci_of plain0) other=$(nic_pci)
core_load
export -f core

ok 'all that is right' checked 0 -- "core alloc 1 $provider 12288" "core map 1 1 $client" "core map 2 1 $other" \
	'core unmap 2' 'core unmap 1' "core map 3 1 $client" 'core unmap 3' 'core free 1'
is 'is no violation' "$(found)" '[0,{}]'

ok 'a leak' checked 1 -- "core alloc 1 $provider 12288"
is 'is named' "$(found)" '[0,{"leak":1}]'
is 'by buffer and task' "$(jq -c '.first.leak | [.dev, .id, .client, .comm]' $report)" \
	"[\"p2pmem0\",$(awk '/cmd_alloc/ { print $1 }' /sys/kernel/debug/p2pmem/p2pmem0/buffers),null,\"bash\"]"

# Buffer 1 is from before now
ok 'twice mapped, from before' checked 1 -- "core map 1 1 $client" "core map 2 1 $client" 'core unmap 2' 'core unmap 1'
is 'is named' "$(found)" '[0,{"double_map":1}]'
is 'with client and task' "$(jq -c '.first.double_map | [.dev, .client, .comm]' $report)" "[\"p2pmem0\",\"$client\",\"bash\"]"

ok 'and may be allowed' checked 0 --allow double_map -- "core map 1 1 $client" "core map 2 1 $client" 'core unmap 2' 'core unmap 1'

ok 'unmapped late' checked 1 -- "core alloc 4 $provider 4096" "core map 4 4 $client" 'core free 4' 'core unmap 4'
is 'is named' "$(found)" '[0,{"late_unmap":1}]'
like 'as text, too' "$("$P2PTRACE" check --settle 0 -- bash -c "core alloc 4 $provider 4096 && core map 4 4 $client && \
	core free 4 && core unmap 4" | grep late)" '^FAILED late_unmap: 1 DMA mapping ended after its buffer was freed; first: p2pmem0 '\
"id=[0-9]*, client $client, by bash-[0-9]*$"

ok 'mapped when it was freed' checked 1 -- "core alloc 5 $provider 4096" "core map 5 5 $client" 'core free 5' \
	'core map_again 5' 'core unmap 5'
is 'is named, and what comes of it' "$(found)" '[0,{"map_after_free":1,"double_map":1,"late_unmap":2}]'

ok 'held for long' checked 1 --older-than 0.2 -- "core alloc 7 $provider 4096" 'sleep 0.5' 'core free 7'
is 'is named' "$(found)" '[0,{"held_too_long":1}]'
like 'and for how long' "$(jq .first.held_too_long.held_ns $report)" '^[0-9]{9,}$'
ok 'or is held still' checked 1 --allow leak --older-than 0.2 -- "core alloc 7 $provider 4096" 'sleep 0.5'
is 'is named, besides what is allowed' "$(found) $(jq -c .allowed $report)" '[0,{"held_too_long":1,"leak":1}] ["leak"]'
core free 7
ok 'but not what is held for less' checked 0 --older-than 100 -- "core alloc 7 $provider 4096" 'sleep 0.5' 'core free 7'

core map 8 1 "$client"
core alloc 9 "$provider" 4096
core map 9 9 "$client"
core free 9
ok 'what was begun before' checked 0 -- 'core unmap 8' 'core free 1' 'core unmap 9'
is 'may end' "$(found)" '[0,{}]'
is 'and all is back' "$(buffers_held)" "$(cat /sys/kernel/debug/p2pmem/p2pmem*/buffers | grep -c nvme_alloc_queue)"
