#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the provider is unbound, a connected host continues in system memory with right data,
# and each request is reported as a fallback. When the provider is bound again, the same connection
# uses peer memory again.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/target.sh
. "${BASH_SOURCE[0]%/*}/../lib/target.sh"

provider=$(pci_of cmb0)
driver=/sys/bus/pci/drivers/nvme
device() { ls $p2pmem_class; }

plan 19

rxe_up
ok 'plain0 can be exported with p2pmem on' nvmet_export lab plain0 1
nvmet_connect lab
trace_start
ok 'data is right with the provider' fio_verify "$(remote_drive lab)" 16k 11
ok 'the provider can be unbound' timeout 60 sh -c "echo $provider >$driver/unbind"
is 'no device provides memory' "$(device)" ''
ok 'data is right without the provider' fio_verify "$(remote_drive lab)" 16k 7
ok 'the provider can be bound again' timeout 60 sh -c "echo $provider >$driver/bind"
provides_again() { [ -n "$(device)" ]; }
ok 'it provides memory again' wait_for 20 provides_again
bound_again() { [[ $(got) = $(device)* ]]; }
ok 'the connection is bound to it' wait_for 20 bound_again
ok 'data is right with the new device' fio_verify "$(remote_drive lab)" 16k 13
nvmet_disconnect lab
trace_stop

is 'the device was removed once' \
	"$(trace_values '"\(.provider) \(.buffers) \(.pins)"' '.event == "p2pmem_dev_del"')" \
		"$provider 0 0"
is 'the removal ended' "$(trace_count '.event == "p2pmem_dev_drained"')" 1
is 'the removal did not stall' "$(trace_count '.event == "p2pmem_drain_stall"')" 0
is 'a device was added once' \
	"$(trace_values '"\(.provider) \(.size)"' '.event == "p2pmem_dev_add"')" \
		"$provider 67108864"
is 'requests of 16 KiB used peer memory before and after' \
	"$(trace_count '.event == "nvmet_p2pmem_use" and .size == 16384')" $((2 * (11 + 13)))
is 'requests fell back in between' \
	"$(trace_count '.event == "nvmet_p2pmem_fallback" and .size == 16384')" $((2 * 7))
is 'with the reason removed' \
	"$(trace_values .reason '.event == "nvmet_p2pmem_fallback" and .size == 16384')" removed
is 'the binding ended with the same reason' \
	"$(jq -r 'select(.event == "nvmet_p2pmem_unbind") | .reason' $trace_json | head -n 1)" \
		removed
is 'the last binding is to the new device' \
	"$(jq -r 'select(.event == "nvmet_p2pmem_bind") | .dev' $trace_json | tail -n 1)" \
		"$(device)"
is 'only the queues of the drive are still allocated' \
	"$(trace_held)" "$(cat "$p2pmem_class/$(device)/buffers")"
