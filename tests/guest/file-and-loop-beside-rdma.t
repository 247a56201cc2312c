#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a namespace on a file works beside one on a drive, over RDMA and over the loop transport.
# All data is right. Only requests to the drive over RDMA use peer memory.
# Requires: fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"

plan 20

file=/tmp/namespace
truncate -s 32M $file
rxe_up
buffers=$(buffers_held)
nvmet_export lab plain0 1 || bail 'cannot export plain0'
ok 'a namespace can be on a file' namespace_add 2 $file 1
ok 'a port of another transport can be created' port_make 2 loop
ln -s $lab $nvmet/ports/2/subsystems/
nvmet_connect lab
ok 'a host can connect over loop as well' \
	sh -c 'nvme connect --transport loop --nqn lab >/dev/null'
for transport in rdma loop; do
	for nsid in 1 2; do
		ok "$transport: it has namespace $nsid" wait_for 20 host_has $nsid $transport
	done
done

used=$(with_series 0 && counted used)
ok 'over loop, the data of the drive is right' fio_verify "$(host_drive 1 loop)" 16k 61
ok 'over loop, the data of the file is right' fio_verify "$(host_drive 2 loop)" 16k 61
if with_series 2; then
	is 'no request used peer memory' "$(counted used)" "$used"
	is 'only the host over RDMA is bound' "$(bindings)" 1
fi

ok 'over RDMA, the data that was written over loop is on the drive' \
	fio_verify "$(host_drive 1)" 16k 61 --verify_only=1
[ ! -d "$p2pmem_class" ] || before_file=$(counted used)
ok 'over RDMA, the data that was written over loop is in the file' \
	fio_verify "$(host_drive 2)" 16k 61 --verify_only=1
if with_series 1; then
	is 'requests to the file used no peer memory' "$(counted used)" "$before_file"
fi
ok 'I/O to the drive is under way' load_start "$(host_drive 1)"
ok 'the data of the file is right meanwhile' \
	fio_verify "$(host_drive 2)" 16k 127 --output=/tmp/fio.file.json
ok 'I/O to the drive can be ended' load_stop
is 'fio saw no error' "$(load_error)" 0
if with_series 1; then
	ok 'requests to the drive used peer memory' used_above $((used + 400))
fi
nvme disconnect --nqn lab >/dev/null
if with_series 1; then
	ok 'nothing is held' wait_for 20 held_is "$buffers"
fi
