#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on the base kernel, p2ptrace prints "mode stock", and trace, stat, lifetimes, leaks and
# check see each DMA mapping of peer memory, each allocation and each decision. Fields that this
# kernel does not have are absent.
# Requires: the base kernel, p2ptrace, fio.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch STOCK=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2ptrace

plan 37

provider=$(pci_of cmb0)
attributes=/sys/bus/pci/devices/$provider/p2pmem
client=$(pci_of plain0) drive=$(drive plain0)
out=/tmp/out err=/tmp/err
started() { grep -qs 'mode stock' $err; }
# start COMMAND [OPTION]...: start p2ptrace and wait until it is attached
start() {
	: >$err
	env --default-signal=INT "$P2PTRACE" "$@" >$out 2>$err &
	pid=$!
	wait_for 300 started
}
stop() { kill -INT $pid; wait $pid; }
# peer_read BLOCKS: read blocks of 16 KiB from the other drive into the memory of the provider
peer_read() {
	fio --name=peer --filename="$drive" --direct=1 --rw=read --bs=16k --size=$(($1 * 16))k \
		--output=/tmp/fio.out \
		--mem=mmapshared:"$attributes/allocate" ||
			{ diag "$(cat /tmp/fio.out)"; return 1; }
}
count() { jq -c "select($1)" $out | wc -l; }
# rebind: the provider frees and allocates its queues, which are in its own memory
rebind() { provider_unbind "$provider" && provider_bind "$provider" &&
	wait_for 30 drive cmb0 >/dev/null; }

rxe_up
ok 'trace starts' start trace --json
ok 'fio reads into peer memory' peer_read 43
ok 'the provider is unbound and bound again' rebind
nvmet_export lab plain0 1
ok 'trace ends with status 0' stop
is 'one mapping for each block' "$(count ".event == \"p2pdma_map\" and
	.provider == \"$provider\" and .client == \"$client\" and .size == 16384 and
	.map == \"bus_addr\" and .dir == \"from_device\"")" 43
is 'there is no other mapping' "$(count '.event == "p2pdma_map"')" 43
is 'each mapping ended' "$(count '.event == "p2pdma_unmap"')" 43
is 'all mappings have the same address' \
	"$(jq -c 'select(.event | startswith("p2pdma_")) | [.id, .dma_addr] | unique | length' \
		$out | sort -u)" 1
is 'fio mapped the memory into its process' \
	"$(jq -c 'select(.event == "p2pmem_mmap") | [.comm, .dev]' $out)" "[\"fio\",\"$provider\"]"
allocs=$(count '.event == "p2pmem_alloc"')
ok 'queues were allocated' [ "$allocs" -ge 2 ]
is 'as many were freed' "$(count '.event == "p2pmem_free"')" "$allocs"
is 'their addresses are in the BAR of the provider' \
	"$(jq -c "select(.event == \"p2pmem_alloc\") | .id == .bus_addr and
		$(in_bar "$provider" .bus_addr)" $out | sort -u)" true
is 'the target found the memory' \
	"$(jq -c "select(.event == \"p2pmem_find\") | .dev" $out)" "\"$provider\""
is 'the decision is there' \
	"$(jq -c "select(.event == \"p2pdma_decide\" and .client == \"$client\") |
		[.provider, .map, .distance]" $out | sort -u)" \
	"[\"$provider\",\"bus_addr\",4]"
is 'fields that this kernel does not have are absent' \
	"$(count 'has("pins") or has("reason") or has("nents") or has("candidates")')" 0
is 'no event was lost, and none was not seen' \
	"$(jq -c 'select(.event == "end") | [.lost, .blind]' $out)" '[0,[]]'
nvmet_unexport lab

start trace --lives --json
attached=$(bpftool prog show | grep -c 'name stock_')
rebind
peer_read 3
stop
# Buffers from before the start have no life, and the new ones were not freed
is 'only the pages that a process mapped have a life yet' \
	"$(jq -c 'select(.event == "life") | [.comm, .size]' $out | sort -u)" '["fio",4096]'
start trace --lives --json
rebind
rebind
stop
is 'there are lives of buffers that were allocated and freed since' \
	"$(jq -c 'select(.event == "life") | [.dev, .held_ns > 0, has("request")]' $out |
		sort -u)" "[\"$provider\",true,false]"

# As user nobody with two capabilities; since 6.15, that needs root (two-capabilities-are-enough.t)
enough='3 0'
! bpftool btf dump file /sys/kernel/btf/vmlinux | grep -q "VAR 'pcpu_hot'" || enough='0 1'
install -m 755 "$P2PTRACE" /tmp/p2ptrace
chmod 755 /tmp
setpriv --reuid 65534 --regid 65534 \
	--clear-groups --inh-caps=-all,+bpf,+perfmon --ambient-caps=-all,+bpf,+perfmon \
	/tmp/p2ptrace stat --json --duration 0.1 >$out 2>$err
is 'CAP_BPF and CAP_PERFMON are enough before 6.15' "$? $(count '.event == "total"')" "$enough"

ok 'stat starts' start stat --json
peer_read 37
ok 'stat ends with status 0' stop
is 'stat counts the same' \
	"$(jq -c 'select(.event == "total") | .metrics |
		[.maps, ."maps.bus_addr", .unmaps, .mmaps, has("held"), has("pinned")]' $out)" \
	'[37,37,37,1,false,false]'

start lifetimes --json
peer_read 31
stop
is 'lifetimes has each mapping' \
	"$(jq -c '[.mode, (.lifetimes[] | select(.client) | [.dev, .client, .count])]' $out)" \
	"[\"stock\",[\"$provider\",\"$client\",31]]"

start leaks --json --older-than 0
rebind
stop
is 'leaks lists the buffers of the provider with stacks' \
	"$(jq -c --arg provider "$provider" '[.mode, (.held | length > 1),
		(.held | all(.dev == $provider and (.stack | length > 3)))]' $out)" \
	'["stock",true,true]'
like 'the stack begins with the allocation or with its caller' \
	"$(jq -r '.held[0].stack[]' $out)" '^(pci_alloc_p2pmem|nvme_alloc_queue)'
is 'they add up to the memory that is in use' "$(jq '[.held[].size] | add' $out)" \
	$(($(<"$attributes/size") - $(<"$attributes/available")))

"$P2PTRACE" check --json --output $out --expect 'maps.bus_addr == 29' --expect 'mmaps == 1' -- \
	fio --name=peer --filename="$drive" --direct=1 --rw=read --bs=16k --size=464k \
	--output=/dev/null --mem=mmapshared:"$attributes/allocate" 2>$err
is 'check passes' "$? $(jq -c '[.mode, .failed, .violations, .blind]' $out)" '0 ["stock",0,{},[]]'
listed=$("$P2PTRACE" trace --list-events)
is 'the events are listed' "$? $(grep -c '^[a-z]' <<<"$listed")" '0 26'
is 'with their hooks' "$(grep -c '^    seen: by pci_alloc_p2pmem()$' <<<"$listed")" 2
is 'with what cannot be known of them' \
	"$(grep -c '^    not known: reason, blocker$' <<<"$listed")" 1
is 'and those that this kernel does not have' \
	"$(grep -c 'not seen: only the p2pmem series has it' <<<"$listed")" 7
like 'as user nobody, the list is the same but for a note' \
	"$(setpriv --reuid 65534 --regid 65534 --clear-groups /tmp/p2ptrace trace --list-events \
		2>&1)" 'run p2ptrace as root'
"$P2PTRACE" check --expect 'held == 0' -- true 2>$err
is 'an expectation about an unknown metric is refused' "$? $(grep -c "no metric 'held'" $err)" '2 1'
"$P2PTRACE" trace --event p2pmem_reclaim 2>$err
is 'an event that this kernel cannot show is refused' \
	"$? $(grep -c 'cannot show p2pmem_reclaim' $err)" '3 1'
"$P2PTRACE" trace --dev p2pmem0 2>$err
is 'a device that does not exist is refused' "$? $(grep -c "no p2pmem device 'p2pmem0'" $err)" '2 1'
ok 'programs were attached' [ "$attached" -gt 0 ]
is 'no program is attached at the end' "$(bpftool prog show | grep -c 'name stock_')" 0
