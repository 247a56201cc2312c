#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: with a CPU that is known to route peer-to-peer requests, a drive under another root port is
# mapped through the host bridge. The network card beside the provider keeps bus_addr.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch CPU=EPYC
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 6

trace_start
rxe_up
ok 'far0 can be exported with p2pmem on' nvmet_export lab far0 1
nvmet_connect lab
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 31
nvmet_disconnect lab
trace_stop

is 'the decision for each client' \
	"$(trace_values '"\(.client) \(.map) \(.reason)"' '.event == "p2pdma_decide"')" \
	"$(nic_pci) bus_addr same_bridge $(pci_of far0) thru_host_bridge cpu_allowed"
is 'the map type for each client' \
	"$(trace_values '"\(.client) \(.map)"' '.event == "p2pdma_map"')" \
	"$(nic_pci) bus_addr $(pci_of far0) thru_host_bridge"
is 'nothing fell back' "$(trace_count '.event == "nvmet_p2pmem_fallback" and .qid > 0')" 0
is 'every buffer was freed' "$(trace_held)" 0
