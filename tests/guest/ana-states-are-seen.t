#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a host without multipath follows the ANA state (asymmetric namespace access) of the target.
# Requests work in a state that is accessible, optimized or not, and fail in the others. The data
# survives. No buffer stays allocated, and I/O to another namespace goes on.
# Requires: fio, nvme, rdma, jq.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"

plan 27

rxe_up
buffers=$(buffers_held)
nvmet_export lab plain0 1 || bail 'cannot export plain0'
mkdir $nvmet/ports/1/ana_groups/2
group=$nvmet/ports/1/ana_groups/2/ana_state
namespace_add 2 "$(drive far0)" || bail 'cannot add a namespace'
echo 0 >$lab/namespaces/2/enable
echo 2 >$lab/namespaces/2/ana_grpid
echo optimized >"$group"
echo 1 >$lab/namespaces/2/enable
nvmet_connect lab
wait_for 20 host_has 2 || bail 'the host has not seen namespace 2'
remote=$(host_drive 1)
other=$(host_drive 2)

# ana: the namespaces and the state of each group, as the host reads them.  Depending on its
# version, nvme prints one object per line or a single one, with the number of states first.
ana() {
	nvme ana-log "/dev/$(host_controllers lab)" -o json 2>/dev/null |
		jq -r '.["ANA DESC LIST "]? // .["ANA DESC LIST"]? // .[] |
			.[] | "\(.grpid):\([.NSIDS[].nsid] | join(",")):\(.state)"' | paste -sd ' '
}

# works: succeeds if the host can read a block
works() { timeout 60 dd if="$other" of=/dev/null bs=16k count=1 iflag=direct 2>/dev/null; }
works_not() { ! works; }

ok 'there is data' keep_data "$other"
is 'at first, both groups are optimized' "$(ana)" '1:1:optimized 2:2:optimized'
ok 'I/O to the other namespace is under way' load_start "$remote"

for state in non-optimized inaccessible persistent-loss change non-optimized optimized; do
	ok "$state: the state can be changed" timeout 60 sh -c "echo $state >$group"
	is 'the host reads it' "$(ana)" "1:1:optimized 2:2:$state"
	case $state in
	*optimized) ok 'requests work' works ;;
	*) ok 'requests fail' works_not ;;
	esac
done
ok 'the data is there' data_kept "$other"

ok 'I/O to the other namespace goes on' goes_on "$remote"
ok 'fio can be ended' load_stop
is 'it has seen no error' "$(load_error)" 0
if with_series 1; then
	ok 'it has used peer memory' used_above 300
fi
nvmet_disconnect lab
if with_series 1; then
	ok 'nothing is held' wait_for 20 held_is "$buffers"
fi
