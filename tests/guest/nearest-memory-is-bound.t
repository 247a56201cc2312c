#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: with two providers at different distances and several namespaces on two
# drives, each controller of two hosts is bound to what is nearest for each
# namespace, and at the same distance to what has more memory; both hosts' data are
# right at queue depth 32.  When the nearest goes, the next is used until it is back.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=two
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/target.sh
. "${BASH_SOURCE[0]%/*}/../lib/target.sh"

provider=$(pci_of cmb0)
near=$(lent_by "$provider")
large=$(lent_by "$(pci_of cmb1)")

plan 22

rxe_up
nvmet_export lab plain0 1 || bail 'cannot export plain0'
ok 'a second namespace, on the other drive' namespace_asks 2 plain1 1
ok 'a third, on the first drive, with a provider that is further off' namespace_asks 3 plain0 "$large"
ok 'a fourth, that wants none' namespace_asks 4 plain1 0

trace_start --event p2pmem_dev_add,nvmet_p2pmem_bind,nvmet_p2pmem_unbind,nvmet_p2pmem_use,nvmet_p2pmem_fallback
nvmet_connect lab --hostnqn nqn.2014-08.org.nvmexpress:uuid:00000000-0000-4000-8000-000000000001 \
	--hostid 00000000-0000-4000-8000-000000000001
first=$(host_controllers lab)
# nvme connect will not have two hosts on one machine, the kernel will
echo "transport=rdma,traddr=$RDMA_ADDRESS,trsvcid=$RDMA_PORT,nqn=lab,hostnqn=nqn.2014-08.org.nvmexpress:uuid:00000000-0000-4000-8000-000000000002,hostid=00000000-0000-4000-8000-000000000002" \
	>/dev/nvme-fabrics || bail 'the second host cannot connect'
second() {
	local name
	for name in $(host_controllers lab); do
		[ "$name" != "$first" ] && controller_drive "$name" 4 >/dev/null && echo "$name" && return
	done
	return 1
}
wait_for 20 second >/dev/null || bail 'the second host has no drives'
second=$(second)
wait_for 20 controller_drive "$first" 4 >/dev/null || bail 'the first host has no drives'

is 'namespace 1: both are bound to the nearest' "$(got)" "$near:8:0 $near:8:0"
is 'namespace 2: to the larger of two that are as near' "$(got 2)" "$large:10:0 $large:10:0"
is 'namespace 3: to the one that was asked for' "$(got 3)" "$large:12:0 $large:12:0"
is 'namespace 4: not at all' "$(got 4)" ''

# Each has a quarter of its drive for itself
jobs=(--direct=1 --ioengine=libaio --iodepth=32 --rw=randwrite --bs=16k --size=2m --verify=crc32c
	--verify_fatal=1 --do_verify=1 --verify_state_save=0)
ok 'two hosts and eight drives at once, all verified' fio --output=/tmp/fio.json --output-format=json \
	"${jobs[@]}" \
	--name=a1 --filename="$(controller_drive "$first" 1)" --offset=0 --name=b1 --filename="$(controller_drive "$second" 1)" --offset=4m \
	--name=a3 --filename="$(controller_drive "$first" 3)" --offset=8m --name=b3 --filename="$(controller_drive "$second" 3)" --offset=12m \
	--name=a2 --filename="$(controller_drive "$first" 2)" --offset=0 --name=b2 --filename="$(controller_drive "$second" 2)" --offset=4m \
	--name=a4 --filename="$(controller_drive "$first" 4)" --offset=8m --name=b4 --filename="$(controller_drive "$second" 4)" --offset=12m
is 'fio: each block once each way' "$(jq -r '.jobs[] | "\(.error) \(.write.total_ios) \(.read.total_ios)"' /tmp/fio.json | sort -u)" \
	'0 128 128'
for nsid in 1 2 3; do
	is "namespace $nsid: no request of 16 KiB fell back" "$(counted no_memory "$lab/namespaces/$nsid") $(counted too_small "$lab/namespaces/$nsid") $(counted no_binding "$lab/namespaces/$nsid")" '0 0 0'
done

bound_to() { [ "$(got "$1" | sed 's/:[^ ]*//g')" = "$2 $2" ]; }
provider_unbind "$provider"
ok 'without the nearest, the next is bound' wait_for 20 bound_to 1 "$large"
provider_bind "$provider"
lends() { near=$(lent_by "$provider"); }
ok 'when it is back' wait_for 20 lends
ok 'it is bound again' wait_for 20 bound_to 1 "$near"
ok 'and what asked for the other by its name still has that' bound_to 3 "$large"
nvme disconnect --nqn lab >/dev/null
trace_stop

is 'each binding that moved says so' \
	"$(trace_count '.event == "nvmet_p2pmem_unbind" and .reason == "moved"')" 2

for nsid in 1 2 3; do
	is "namespace $nsid: two hosts, 128 blocks each way" \
		"$(trace_count ".event == \"nvmet_p2pmem_use\" and .size == 16384 and .nsid == $nsid")" 512
done
is 'six were bound, and of those two twice more' "$(trace_count '.event == "nvmet_p2pmem_bind" and .err == 0')" 10
is 'namespace 4 used none' "$(trace_count '.nsid == 4')" 0
