#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: behind one switch, every mapping of peer memory is bus_addr, for the drive and for the
# network card, and the decisions have the reason same_bridge.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch CPU=max
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 6

trace_start
rxe_up
nvmet_export lab plain0 1
nvmet_connect lab
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 31
nvmet_disconnect lab
trace_stop

is 'both clients mapped peer memory' \
	"$(trace_values .client '.event == "p2pdma_map"')" "$(pci_of plain0) $(nic_pci)"
is 'every mapping is bus_addr' "$(trace_values .map '.event == "p2pdma_map"')" bus_addr
is 'both decisions have the reason same_bridge' \
	"$(trace_values '"\(.client) \(.map) \(.reason)"' '.event == "p2pdma_decide"')" \
	"$(pci_of plain0) bus_addr same_bridge $(nic_pci) bus_addr same_bridge"
is 'the provider is cmb0' "$(trace_values .provider '.event == "p2pdma_decide"')" "$(pci_of cmb0)"
is 'nothing fell back' "$(trace_count '.event == "nvmet_p2pmem_fallback" and .qid > 0')" 0
