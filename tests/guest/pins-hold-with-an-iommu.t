#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: pins keep freed memory behind an IOMMU as well, which has a function of its own to map
# scatterlists: with bus addresses and through the host bridge, also in a list that begins with
# system memory.
# Requires: p2pmem series, p2ptrace, the build directory of the kernel.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=dmabuf CPU=EPYC APPEND='intel_iommu=on' MODULE=1 NEEDS=pins
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
p2pmem=$(p2pmem_of "$provider")
near=$(pci_of plain0)
far=$(pci_of far0)
core_load

plan 7

available=$(<"$p2pmem/available")
trace_start

# pinned_by CLIENT [mixed]: a buffer that CLIENT has mapped is freed, and returns with the unmap
pinned_by() {
	core alloc 1 "$provider" 65536 && core map 2 1 "$@" || return
	[ "$(<"$p2pmem/pinned")" = 1 ] || { diag "pinned: $(<"$p2pmem/pinned")"; return 1; }
	core free 1 || return
	[ "$(<"$p2pmem/available")" = $((available - 65536)) ] || return
	core unmap 2 || return
	[ "$(<"$p2pmem/pinned") $(<"$p2pmem/available")" = "0 $available" ]
}

ok 'there is an IOMMU' test -e "/sys/bus/pci/devices/$near/iommu_group"
ok 'by bus address' pinned_by "$near"
ok 'through the host bridge' pinned_by "$far"
ok 'by bus address, behind a page of system memory' pinned_by "$near" mixed
ok 'through the host bridge, behind a page of system memory' pinned_by "$far" mixed
trace_stop
is 'each map type was used twice' \
	"$(jq -r 'select(.event == "p2pdma_map") | .map' $trace_json | sort | uniq -c | xargs)" \
	'2 bus_addr 2 thru_host_bridge'
is 'each buffer returned with its unmap' \
	"$(trace_count '.event == "p2pmem_reclaim" and .size == 65536')" 4
