#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: ACS redirect on the bridge above both makes the target refuse peer
# memory when nothing is known about the host bridge: it names the reason and the
# bridge, goes on with system memory, and the data is right.  Without the
# redirect the same bridge is fine.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma, setpci.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=acs CPU=max
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

# What the root port has to say about requests from one function below it to
# another: Request Redirect, in the ACS control register
root_port=$(basename "$(readlink -f "/sys/bus/pci/devices/$(pci_of cmb0)/..")")
redirect() { setpci -s "$root_port" ECAP_ACS+6.w=4:4; }

plan 9

trace_start
rxe_up
# A decision is taken once and kept: the drive is looked at before the redirect,
# the network card when a host connects
ok 'plain0 can be exported with p2pmem on' nvmet_export lab plain0 1
ok 'redirect can be switched on' redirect
nvmet_connect lab
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 31
nvmet_disconnect lab
trace_stop

decision='"\(.map) \(.reason) \(.blocker)"'
is 'before: bus_addr' \
	"$(trace_values "$decision" ".event == \"p2pmem_decide\" and .client == \"$(pci_of plain0)\"")" \
	'bus_addr same_bridge '
is 'after: not supported, and which bridge is in the way' \
	"$(trace_values "$decision" ".event == \"p2pmem_decide\" and .client == \"$(nic_pci)\"")" \
	"not_supported acs_redirect_blocked $root_port"
is 'nothing was bound' "$(trace_count '.event == "nvmet_p2pmem_bind" and .err == 0')" 0
ok 'all requests fell back' [ "$(trace_count '.event == "nvmet_p2pmem_fallback" and .qid > 0')" -ge 62 ]
is 'and for that reason' "$(trace_values .reason '.event == "nvmet_p2pmem_fallback" and .qid > 0')" no_binding
is 'nothing was allocated' "$(trace_count '.event == "p2pmem_alloc"')" 0
