#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace check names each misuse of peer memory by a driver, with its place: a leak, a
# mapping that is made twice, an unmap after the free, a map after the free, a buffer that is held
# too long. It reports neither correct use nor anything that began before its start.
# Requires: p2pmem series, p2ptrace, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 23

report=/tmp/report.json
# checked STATUS [OPTION]... -- COMMAND...: run commands of core(), one per argument, under check
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
# In events of mappings, the series for 7.3 has the provider
mapped=$(for_612 && echo p2pmem0 || echo "$provider")
core_load
export -f core

ok 'correct use passes' \
	checked 0 -- "core alloc 1 $provider 12288" "core map 1 1 $client" "core map 2 1 $other" \
	'core unmap 2' 'core unmap 1' "core map 3 1 $client" 'core unmap 3' 'core free 1'
is 'it is not a violation' "$(found)" '[0,{}]'

ok 'a leak fails' checked 1 -- "core alloc 1 $provider 12288"
is 'it is named' "$(found)" '[0,{"leak":1}]'
is 'the leak has its buffer and task' \
	"$(jq -c '.first.leak | [.dev, .id, .client, .comm]' $report)" \
	"[\"p2pmem0\",$(awk '/p2pmem_test/ { print $1 }' \
		/sys/kernel/debug/p2pmem/p2pmem0/buffers),null,\"bash\"]"

# Buffer 1 is from before the start of this check
ok 'a mapping that is made twice fails, even of an older buffer' \
	checked 1 -- "core map 1 1 $client" "core map 2 1 $client" 'core unmap 2' 'core unmap 1'
is 'it is named' "$(found)" '[0,{"double_map":1}]'
is 'it has its client and task' \
	"$(jq -c '.first.double_map | [.dev, .client, .comm]' $report)" \
		"[\"$mapped\",\"$client\",\"bash\"]"

ok 'a violation can be allowed' \
	checked 0 --allow double_map -- "core map 1 1 $client" "core map 2 1 $client" \
		'core unmap 2' 'core unmap 1'

ok 'an unmap after the free fails' \
	checked 1 -- "core alloc 4 $provider 4096" "core map 4 4 $client" 'core free 4' \
		'core unmap 4'
is 'it is named' "$(found)" '[0,{"late_unmap":1}]'
like 'as text, too' "$("$P2PTRACE" check --settle 0 -- \
	bash -c "core alloc 4 $provider 4096 && core map 4 4 $client && core free 4 &&
		core unmap 4" | grep late)" \
	'^FAILED late_unmap: 1 DMA mapping ended after its buffer was freed; first: '\
"$mapped id=[0-9]*, client $client, by bash-[0-9]*$"

ok 'a map after the free fails' \
	checked 1 -- "core alloc 5 $provider 4096" "core map 5 5 $client" 'core free 5' \
	'core map_again 5' 'core unmap 5'
is 'it is named with its consequences' \
	"$(found)" '[0,{"map_after_free":1,"double_map":1,"late_unmap":2}]'

ok 'a buffer that is held too long fails' \
	checked 1 --older-than 0.2 -- "core alloc 7 $provider 4096" 'sleep 0.5' 'core free 7'
is 'it is named' "$(found)" '[0,{"held_too_long":1}]'
like 'the report has its age' "$(jq .first.held_too_long.held_ns $report)" '^[0-9]{9,}$'
ok 'a buffer that is still held fails' \
	checked 1 --allow leak --older-than 0.2 -- "core alloc 7 $provider 4096" 'sleep 0.5'
is 'it is named beside the allowed violation' \
	"$(found) $(jq -c .allowed $report)" '[0,{"held_too_long":1,"leak":1}] ["leak"]'
core free 7
ok 'a buffer that is held for less time passes' \
	checked 0 --older-than 100 -- "core alloc 7 $provider 4096" 'sleep 0.5' 'core free 7'

core map 8 1 "$client"
core alloc 9 "$provider" 4096
core map 9 9 "$client"
core free 9
ok 'buffers and mappings from before the start may end' \
	checked 0 -- 'core unmap 8' 'core free 1' 'core unmap 9'
is 'they are not violations' "$(found)" '[0,{}]'
is 'only the queues of the drive are allocated' \
	"$(buffers_held)" "$(cat /sys/kernel/debug/p2pmem/p2pmem*/buffers |
		grep -c nvme_alloc_queue)"
