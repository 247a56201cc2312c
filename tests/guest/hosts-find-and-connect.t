#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: discovery lists exactly the subsystems that a host may use on a port, over RDMA and over
# loop, also after a change. A host can connect repeatedly to each listed subsystem, even while
# another host is connected. It cannot connect to a subsystem that is not listed.
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

# listed OPTION...: the subsystems that discovery lists, with their transport
listed() {
	nvme discover -o json "$@" 2>/dev/null |
		jq -r '.records[] | select(.subtype == "nvme subsystem") |
			"\(.subnqn):\(.trtype)"' |
		sort | paste -sd ' '
}

# is_refused SUBSYSTEM [OPTION]...: succeeds if the host cannot connect
is_refused() { ! timeout 60 nvme connect "${rdma[@]}" --nqn "$@" >/dev/null 2>&1; }

is 'over RDMA, both are listed' "$(listed "${rdma[@]}")" 'lab:rdma other:rdma'
is 'over loop, only lab is listed' "$(listed --transport loop)" 'lab:loop'
rm $nvmet/ports/1/subsystems/other
is 'an unlinked subsystem is not listed' "$(listed "${rdma[@]}")" 'lab:rdma'
ok 'a host cannot connect to it' is_refused other
mkdir "$nvmet/hosts/$(host 1)"
echo 0 >$lab/attr_allow_any_host
ln -s "$nvmet/hosts/$(host 1)" $lab/allowed_hosts/
is 'a restricted subsystem is listed for an allowed host' \
	"$(listed "${rdma[@]}" --hostnqn "$(host 1)")" 'lab:rdma'
is 'it is not listed for another host' "$(listed "${rdma[@]}" --hostnqn "$(host 2)")" ''
ok 'another host cannot connect to it' is_refused lab --hostnqn "$(host 2)"
rm "$lab/allowed_hosts/$(host 1)"
echo 1 >$lab/attr_allow_any_host

for i in 1 2 3; do
	nvmet_connect lab
	ok "$i: the data of a connected host is right" fio_verify "$(host_drive 1)" 16k 31
	nvmet_disconnect lab
	ok 'the controller is gone after a disconnect' wait_for 10 host_is ''
done

# Not with nvme connect, which takes the second host for the first
for i in 1 2; do
	printf 'transport=rdma,traddr=%s,trsvcid=%s,nqn=lab,hostnqn=%s,hostid=%s' "$RDMA_ADDRESS" \
		"$RDMA_PORT" \
		"$(host $i)" "00000000-0000-4000-8000-00000000000$i" >/dev/nvme-fabrics
done
two() { [ "$(host_controllers lab | wc -l)" = 2 ]; }
ok 'two hosts are connected' wait_for 20 two
for name in $(host_controllers lab); do
	wait_for 20 test -b "/dev/${name}n1"
	ok "the data of $name is right" fio_verify "/dev/${name}n1" 16k 31
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
