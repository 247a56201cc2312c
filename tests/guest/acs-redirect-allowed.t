#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: with ACS redirect on the bridge above provider and clients, and a CPU that is known to
# route peer-to-peer requests, peer memory is mapped through the host bridge, and the data is right.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma, setpci.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=acs CPU=EPYC
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

# Request Redirect in the ACS control register of the root port applies to requests from one
# function below it to another
root_port=$(basename "$(readlink -f "/sys/bus/pci/devices/$(pci_of cmb0)/..")")
redirect() { setpci -s "$root_port" ECAP_ACS+6.w=4:4; }

plan 6

ok 'redirect can be switched on' redirect
trace_start
rxe_up
ok 'plain0 can be exported with p2pmem on' nvmet_export lab plain0 1
nvmet_connect lab
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 31
nvmet_disconnect lab
trace_stop

is 'the decision for both clients' \
	"$(trace_values '"\(.map) \(.reason) \(.blocker)"' '.event == "p2pdma_decide"')" \
	"thru_host_bridge acs_redirect_allowed $root_port"
is 'the map type of all mappings' \
	"$(trace_values .map '.event == "p2pdma_map"')" thru_host_bridge
is 'nothing fell back' "$(trace_count '.event == "nvmet_p2pmem_fallback" and .qid > 0')" 0
