#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: with ACS redirect on the bridge above provider and clients, and an unknown host bridge, the
# target refuses peer memory. It names the reason and the bridge, uses system memory instead, and
# the data is right. Without redirect, the same bridge is accepted.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma, setpci.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=acs CPU=max
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

# Request Redirect in the ACS control register of the root port applies to requests from one
# function below it to another
root_port=$(basename "$(readlink -f "/sys/bus/pci/devices/$(pci_of cmb0)/..")")
redirect() { setpci -s "$root_port" ECAP_ACS+6.w=4:4; }

plan 9

trace_start
rxe_up
# A decision is made once and kept.  That for the drive is made here, before the redirect, and that
# for the network card when a host connects.
ok 'plain0 can be exported with p2pmem on' nvmet_export lab plain0 1
ok 'redirect can be switched on' redirect
nvmet_connect lab
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 31
nvmet_disconnect lab
trace_stop

decision='"\(.map) \(.reason) \(.blocker)"'
is 'before: bus_addr' \
	"$(trace_values "$decision" \
		".event == \"p2pdma_decide\" and .client == \"$(pci_of plain0)\"")" \
	'bus_addr same_bridge '
is 'after: not_supported, with the bridge that redirects' \
	"$(trace_values "$decision" ".event == \"p2pdma_decide\" and .client == \"$(nic_pci)\"")" \
	"not_supported acs_redirect_blocked $root_port"
is 'nothing was bound' "$(trace_count '.event == "nvmet_p2pmem_bind" and .err == 0')" 0
ok 'all requests fell back' \
	[ "$(trace_count '.event == "nvmet_p2pmem_fallback" and .qid > 0')" -ge 62 ]
is 'because nothing is bound' \
	"$(trace_values .reason '.event == "nvmet_p2pmem_fallback" and .qid > 0')" no_binding
is 'nothing was allocated' "$(trace_count '.event == "p2pmem_alloc"')" 0
