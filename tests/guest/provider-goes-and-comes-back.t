#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the provider is unbound, a connected host goes on with system memory,
# with its data right and each request seen to fall back; when the provider is
# back, so is peer memory, over the same connection.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
driver=/sys/bus/pci/drivers/nvme
lender() { ls /sys/class/p2pmem; }

plan 19

rxe_up
ok 'plain0 can be exported with p2pmem on' nvmet_export lab plain0 1
nvmet_connect lab
trace_start
ok 'with the provider there, data is right' fio_verify "$(remote_drive lab)" 16k 11
ok 'the provider can be unbound' timeout 60 sh -c "echo $provider >$driver/unbind"
is 'nobody lends memory now' "$(lender)" ''
ok 'without it, data is right' fio_verify "$(remote_drive lab)" 16k 7
ok 'the provider can be bound again' timeout 60 sh -c "echo $provider >$driver/bind"
lends_again() { [ -n "$(lender)" ]; }
ok 'it lends memory again' wait_for 20 lends_again
bound_again() { grep -q "dev=$(lender) " $nvmet/subsystems/lab/namespaces/1/p2pmem_bindings; }
ok 'and the connection is bound to it' wait_for 20 bound_again
ok 'with which data is right' fio_verify "$(remote_drive lab)" 16k 13
nvmet_disconnect lab
trace_stop

is 'it was removed once' "$(trace_values '"\(.provider) \(.buffers) \(.pins)"' '.event == "p2pmem_dev_del"')" "$provider 0 0"
is 'and drained' "$(trace_count '.event == "p2pmem_dev_drained"')" 1
is 'without a stall' "$(trace_count '.event == "p2pmem_drain_stall"')" 0
is 'and added once' "$(trace_values '"\(.provider) \(.size)"' '.event == "p2pmem_dev_add"')" "$provider 67108864"
is 'requests of 16 KiB used peer memory before and after' \
	"$(trace_count '.event == "nvmet_p2pmem_use" and .size == 16384')" $((2 * (11 + 13)))
is 'and fell back in between' \
	"$(trace_count '.event == "nvmet_p2pmem_fallback" and .size == 16384')" $((2 * 7))
is 'because it was removed' "$(trace_values .reason '.event == "nvmet_p2pmem_fallback" and .size == 16384')" removed
is 'as the binding was' \
	"$(jq -r 'select(.event == "nvmet_p2pmem_unbind") | .reason' $trace_json | head -n 1)" removed
is 'the last binding is to the new device' \
	"$(jq -r 'select(.event == "nvmet_p2pmem_bind") | .dev' $trace_json | tail -n 1)" "$(lender)"
is 'nothing is held but what the drive keeps for its queues' \
	"$(trace_held)" "$(cat "/sys/class/p2pmem/$(lender)/buffers")"
