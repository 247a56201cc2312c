#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: with two providers at different distances and several namespaces on two drives, each
# controller of two hosts is bound to the nearest provider for each namespace, and among equally
# near ones to the one with more memory. The data of both hosts is right at queue depth 32. When the
# nearest provider goes, the next one is used until it returns.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=two
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/target.sh
. "${BASH_SOURCE[0]%/*}/../lib/target.sh"

provider=$(pci_of cmb0)
near=$(p2pmem_name "$provider")
large=$(p2pmem_name "$(pci_of cmb1)")

plan 22

rxe_up
nvmet_export lab plain0 1 || bail 'cannot export plain0'
ok 'a second namespace, on the other drive' namespace_asks 2 plain1 1
ok 'a third, on the first drive, with the farther provider' namespace_asks 3 plain0 "$large"
ok 'a fourth, with p2pmem off' namespace_asks 4 plain1 0

nvmet_events=nvmet_p2pmem_bind,nvmet_p2pmem_unbind,nvmet_p2pmem_use,nvmet_p2pmem_fallback
trace_start --event p2pmem_dev_add,$nvmet_events
one=00000000-0000-4000-8000-000000000001
two=00000000-0000-4000-8000-000000000002
nqn=nqn.2014-08.org.nvmexpress:uuid
nvmet_connect lab --hostnqn $nqn:$one --hostid $one
first=$(host_controllers lab)
# nvme connect refuses a second host on one machine; the kernel accepts it
printf 'transport=rdma,traddr=%s,trsvcid=%s,nqn=lab,hostnqn=%s,hostid=%s' "$RDMA_ADDRESS" \
	"$RDMA_PORT" $nqn:$two $two >/dev/nvme-fabrics || bail 'the second host cannot connect'
second() {
	local name
	for name in $(host_controllers lab); do
		[ "$name" != "$first" ] && controller_drive "$name" 4 >/dev/null && echo "$name" &&
			return
	done
	return 1
}
wait_for 20 second >/dev/null || bail 'the second host has no drives'
second=$(second)
wait_for 20 controller_drive "$first" 4 >/dev/null || bail 'the first host has no drives'

is 'namespace 1: both are bound to the nearest' \
	"$(got)" "$(bound_as "$near" 8) $(bound_as "$near" 8)"
is 'namespace 2: both are bound to the larger of two equally near ones' \
	"$(got 2)" "$(bound_as "$large" 10) $(bound_as "$large" 10)"
is 'namespace 3: both are bound to the named one' \
	"$(got 3)" "$(bound_as "$large" 12) $(bound_as "$large" 12)"
is 'namespace 4: nothing is bound' "$(got 4)" ''

# Each job has its own area of the drive
jobs=(--direct=1 --ioengine=libaio --iodepth=32 --rw=randwrite --bs=16k --size=2m --verify=crc32c
	--verify_fatal=1 --do_verify=1 --verify_state_save=0)
ok 'two hosts and eight drives at once, all verified' \
	fio --output=/tmp/fio.json --output-format=json \
	"${jobs[@]}" \
	--name=a1 --filename="$(controller_drive "$first" 1)" --offset=0 \
	--name=b1 --filename="$(controller_drive "$second" 1)" --offset=4m \
	--name=a3 --filename="$(controller_drive "$first" 3)" --offset=8m \
	--name=b3 --filename="$(controller_drive "$second" 3)" --offset=12m \
	--name=a2 --filename="$(controller_drive "$first" 2)" --offset=0 \
	--name=b2 --filename="$(controller_drive "$second" 2)" --offset=4m \
	--name=a4 --filename="$(controller_drive "$first" 4)" --offset=8m \
	--name=b4 --filename="$(controller_drive "$second" 4)" --offset=12m
is 'fio: each block once each way' \
	"$(jq -r '.jobs[] | "\(.error) \(.write.total_ios) \(.read.total_ios)"' /tmp/fio.json |
		sort -u)" \
	'0 128 128'
for nsid in 1 2 3; do
	dir=$lab/namespaces/$nsid
	is "namespace $nsid: no request of 16 KiB fell back" \
		"$(for reason in no_memory too_small no_binding; do counted $reason "$dir"; done |
			xargs)" \
		'0 0 0'
done

bound_to() { [ "$(got "$1" | sed 's/:[^ ]*//g')" = "$2 $2" ]; }
provider_unbind "$provider"
ok 'without the nearest, the next is bound' wait_for 20 bound_to 1 "$large"
provider_bind "$provider"
provides() { near=$(p2pmem_name "$provider"); }
ok 'the nearest returns' wait_for 20 provides
# With the series for 7.3, a namespace keeps what it has while it exists
if for_612; then
	moved=2
	ok 'the nearest is bound again' wait_for 20 bound_to 1 "$near"
else
	moved=0
	ok 'the next is still bound' bound_to 1 "$large"
fi
ok 'namespace 3 is still bound to the named one' bound_to 3 "$large"
nvme disconnect --nqn lab >/dev/null
trace_stop

is 'each binding that moved has that reason' \
	"$(trace_count '.event == "nvmet_p2pmem_unbind" and .reason == "moved"')" $moved

for nsid in 1 2 3; do
	used=".event == \"nvmet_p2pmem_use\" and .size == 16384 and .nsid == $nsid"
	is "namespace $nsid: two hosts, 128 blocks each way" "$(trace_count "$used")" 512
done
is 'six bindings were made, and two of them each time the nearest went or returned' \
	"$(trace_count '.event == "nvmet_p2pmem_bind" and .err == 0')" $((8 + moved))
is 'namespace 4 used none' "$(trace_count '.nsid == 4')" 0
