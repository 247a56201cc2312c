#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: discovery lists what a host may use on a port, over RDMA and over loop, no
# more and no less, as it changes; what is listed can be connected to, again and
# again, by more than one host at a time, and nothing else.
# Requires: fio, nvme, rdma, jq.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"

plan 20

rxe_up
buffers=$(buffers_held)
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_export other far0 || bail 'cannot export far0'
port_make 2 loop
ln -s $lab $nvmet/ports/2/subsystems/

host() { echo "nqn.2014-08.org.nvmexpress:uuid:00000000-0000-4000-8000-00000000000$1"; }
rdma=(--transport rdma --traddr "$RDMA_ADDRESS" --trsvcid "$RDMA_PORT")

# listed OPTION...: the subsystems, with their transport
listed() {
	nvme discover -o json "$@" 2>/dev/null |
		jq -r '.records[] | select(.subtype == "nvme subsystem") | "\(.subnqn):\(.trtype)"' |
		sort | paste -sd ' '
}

# is_refused SUBSYSTEM [OPTION]...: it cannot be connected to
is_refused() { ! timeout 60 nvme connect "${rdma[@]}" --nqn "$@" >/dev/null 2>&1; }

is 'over RDMA, both are listed' "$(listed "${rdma[@]}")" 'lab:rdma other:rdma'
is 'over loop, the one that is there' "$(listed --transport loop)" 'lab:loop'
rm $nvmet/ports/1/subsystems/other
is 'what is unlinked is not listed any more' "$(listed "${rdma[@]}")" 'lab:rdma'
ok 'and cannot be connected to' is_refused other
mkdir "$nvmet/hosts/$(host 1)"
echo 0 >$lab/attr_allow_any_host
ln -s "$nvmet/hosts/$(host 1)" $lab/allowed_hosts/
is 'a host that is allowed has it listed' "$(listed "${rdma[@]}" --hostnqn "$(host 1)")" 'lab:rdma'
is 'another has not' "$(listed "${rdma[@]}" --hostnqn "$(host 2)")" ''
ok 'and cannot connect' is_refused lab --hostnqn "$(host 2)"
rm "$lab/allowed_hosts/$(host 1)"
echo 1 >$lab/attr_allow_any_host

for i in 1 2 3; do
	nvmet_connect lab
	ok "$i: a connected host has its data right" fio_verify "$(host_drive 1)" 16k 31
	nvmet_disconnect lab
	ok 'and is gone when it has disconnected' wait_for 10 host_is ''
done

# Past the tool, which takes another host for the same one
for i in 1 2; do
	printf 'transport=rdma,traddr=%s,trsvcid=%s,nqn=lab,hostnqn=%s,hostid=%s' "$RDMA_ADDRESS" "$RDMA_PORT" \
		"$(host $i)" "00000000-0000-4000-8000-00000000000$i" >/dev/nvme-fabrics
done
two() { [ "$(host_controllers lab | wc -l)" = 2 ]; }
ok 'two hosts are connected' wait_for 20 two
for name in $(host_controllers lab); do
	wait_for 20 test -b "/dev/${name}n1"
	ok "$name has its data right" fio_verify "/dev/${name}n1" 16k 31
done
if with_series 1; then
	is 'both use peer memory' "$(bindings)" 2
fi
nvme disconnect --nqn lab >/dev/null
ok 'both can disconnect' wait_for 10 host_is ''
if with_series 2; then
	is 'nothing is bound' "$(bindings)" 0
	ok 'nothing is held' wait_for 20 held_is "$buffers"
fi
