#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a drive under another root port is refused if the host bridge is unknown. The decision has
# the reason host_bridge_unknown, and the drive is not exported.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch CPU=max
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 5

trace_start
rxe_up
if nvmet_export lab far0 1 2>/dev/null; then exported=1; else exported=0; fi
is 'far0 cannot be exported with p2pmem on' $exported 0
trace_stop

is 'the decision has the reason' \
	"$(trace_values '"\(.client) \(.map) \(.reason)"' '.event == "p2pdma_decide"')" \
	"$(pci_of far0) not_supported host_bridge_unknown"
is 'no device was found for it' "$(trace_values .dev '.event == "p2pmem_find"')" ''
is 'nothing was allocated' "$(trace_count '.event == "p2pmem_alloc"')" 0
ok 'far0 can be exported with p2pmem off' nvmet_export other far0 0
