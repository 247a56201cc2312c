#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on the base kernel, without the series, p2ptrace says "mode stock", and trace,
# stat, lifetimes, leaks and check see each DMA mapping of peer memory, each allocation
# and each decision; what such a kernel does not know they leave out.
# Requires: the base kernel, p2ptrace, fio.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch BASE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2ptrace

plan 32

provider=$(pci_of cmb0) client=$(pci_of plain0) drive=$(drive plain0)
out=/tmp/out err=/tmp/err
started() { grep -qs 'mode stock' $err; }
# start COMMAND [OPTION]...: attached when it returns
start() {
	: >$err
	env --default-signal=INT "$P2PTRACE" "$@" >$out 2>$err &
	pid=$!
	wait_for 30 started
}
stop() { kill -INT $pid; wait $pid; }
# peer_read BLOCKS: so many of 16 KiB, from the other drive into memory of the provider
peer_read() {
	fio --name=peer --filename="$drive" --direct=1 --rw=read --bs=16k --size=$(($1 * 16))k --output=/tmp/fio.out \
		--mem=mmapshared:/sys/bus/pci/devices/"$provider"/p2pmem/allocate || { diag "$(cat /tmp/fio.out)"; return 1; }
}
count() { jq -c "select($1)" $out | wc -l; }
# Its queues come out of its own memory: they go, and come
rebind() { provider_unbind "$provider" && provider_bind "$provider" && wait_for 30 drive cmb0 >/dev/null; }

rxe_up
ok 'trace starts' start trace --json
ok 'fio reads into peer memory' peer_read 43
ok 'the provider goes and comes' rebind
nvmet_export lab plain0 1
ok 'trace ends well' stop
is 'one mapping for each block' "$(count ".event == \"p2pmem_dma_map\" and .dev == \"$provider\" and .client == \"$client\" \
	and .size == 16384 and .map == \"bus_addr\" and .dir == \"from_device\"")" 43
is 'and no other' "$(count '.event == "p2pmem_dma_map"')" 43
is 'each ended' "$(count '.event == "p2pmem_dma_unmap"')" 43
is 'of one address' "$(jq -c 'select(.event | startswith("p2pmem_dma_")) | [.id, .dma_addr] | unique | length' $out | sort -u)" 1
is 'fio has mapped it' "$(jq -c 'select(.event == "p2pmem_mmap") | [.comm, .dev]' $out)" "[\"fio\",\"$provider\"]"
allocs=$(count '.event == "p2pmem_alloc"')
ok 'queues were allocated' [ "$allocs" -ge 2 ]
is 'as many as were freed' "$(count '.event == "p2pmem_free"')" "$allocs"
is 'at addresses of the provider' "$(jq -c 'select(.event == "p2pmem_alloc") | .bus_addr >= 3221225472 and .id == .bus_addr' $out | sort -u)" true
is 'it was found for the target' "$(jq -c "select(.event == \"p2pmem_find\") | .dev" $out)" "\"$provider\""
is 'and decided on' "$(jq -c "select(.event == \"p2pmem_decide\" and .client == \"$client\") | [.provider, .map, .distance]" $out | sort -u)" \
	"[\"$provider\",\"bus_addr\",4]"
is 'no event has what is not known' "$(count 'has("pins") or has("reason") or has("nents") or has("candidates")')" 0
is 'and none was lost' "$(jq -c 'select(.event == "end") | .lost' $out)" 0
nvmet_unexport lab

start trace --lives --json
attached=$(bpftool prog show | grep -c 'name stock_')
rebind
peer_read 3
stop
# Those that there were before are from before
is 'lives has what came since, none of which has gone' "$(count '.event == "life"')" 0
start trace --lives --json
rebind
rebind
stop
is 'or it shows that' "$(jq -c 'select(.event == "life") | [.dev, .held_ns > 0, has("request")]' $out | sort -u)" "[\"$provider\",true,false]"

# Nobody, with two capabilities
install -m 755 "$P2PTRACE" /tmp/p2ptrace
chmod 755 /tmp
setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all,+bpf,+perfmon --ambient-caps=-all,+bpf,+perfmon \
	/tmp/p2ptrace stat --json --duration 0.1 >$out 2>$err
is 'CAP_BPF and CAP_PERFMON are enough' "$? $(count '.event == "total"')" '0 1'

ok 'stat starts' start stat --json
peer_read 37
ok 'stat ends well' stop
is 'and counts the same' "$(jq -c 'select(.event == "total") | .metrics | [.maps, ."maps.bus_addr", .unmaps, .mmaps, has("held"), has("pinned")]' $out)" \
	'[37,37,37,1,false,false]'

start lifetimes --json
peer_read 31
stop
is 'lifetimes has each mapping' "$(jq -c '[.mode, (.lifetimes[] | select(.client) | [.dev, .client, .count])]' $out)" \
	"[\"stock\",[\"$provider\",\"$client\",31]]"

start leaks --json --older-than 0
rebind
stop
is 'leaks has what is held' "$(jq -c '[.mode, (.held | length > 1), (.held | all(.dev == "'"$provider"'" and (.stack | length > 3)))]' $out)" '["stock",true,true]'
like 'and who allocated it' "$(jq -r '.held[0].stack[]' $out)" '^pci_alloc_p2pmem'
is 'all of it' "$(jq '[.held[].size] | add' $out)" \
	$(($(cat /sys/bus/pci/devices/"$provider"/p2pmem/size) - $(cat /sys/bus/pci/devices/"$provider"/p2pmem/available)))

"$P2PTRACE" check --json --output $out --expect 'maps.bus_addr == 29' --expect 'mmaps == 1' -- \
	fio --name=peer --filename="$drive" --direct=1 --rw=read --bs=16k --size=464k --output=/dev/null \
	--mem=mmapshared:/sys/bus/pci/devices/"$provider"/p2pmem/allocate 2>$err
is 'check finds all well' "$? $(jq -c '[.mode, .failed, .violations]' $out)" '0 ["stock",0,{}]'
"$P2PTRACE" check --expect 'held == 0' -- true 2>$err
is 'an expectation of what is not known' "$? $(grep -c "no metric 'held'" $err)" '2 1'
"$P2PTRACE" trace --event p2pmem_reclaim 2>$err
is 'an event that there is not' "$? $(grep -c 'cannot show p2pmem_reclaim' $err)" '3 1'
"$P2PTRACE" trace --dev p2pmem0 2>$err
is 'a device that there is not' "$? $(grep -c "no p2pmem device 'p2pmem0'" $err)" '2 1'
ok 'what was attached' [ "$attached" -gt 0 ]
is 'is not any more' "$(bpftool prog show | grep -c 'name stock_')" 0
