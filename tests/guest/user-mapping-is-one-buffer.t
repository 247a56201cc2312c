#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: peer memory that a process maps is one buffer, which returns to the pool when its last page
# is unmapped. A removal of the provider revokes the mapping and does not wait for the process.
# Requires: p2pmem series, p2ptrace, cc.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/mapping.sh
. "${BASH_SOURCE[0]%/*}/../lib/mapping.sh"

plan 15

allow_mapping
available=$(<"$p2pmem/available")
buffers=$(<"$p2pmem/buffers")
trace_start

# 52 KiB, an odd number of pages, of which the process unmaps half early
ok 'a process maps 52 KiB, writes and reads them' mapped 53248
is 'they are one buffer' "$(<"$p2pmem/buffers")" $((buffers + 1))
is 'none of its pages is available while some are mapped' \
	"$(<"$p2pmem/available")" $((available - 53248))
exec 3>&-
ok 'the process ends with status 0' wait "$map_pid"
is 'the buffer is freed' "$(<"$p2pmem/buffers") $(<"$p2pmem/available")" "$buffers $available"
ok 'a mapping beyond the size of the device fails' eval "! mapped $((1 << 30))"
exec 3>&-
is 'it allocates nothing' "$(<"$p2pmem/available")" "$available"

ok 'another process maps memory' mapped 8192
ok 'the provider can be unbound while that is mapped' \
	timeout 60 sh -c "echo $provider >/sys/bus/pci/drivers/nvme/unbind"
ok 'p2pmem0 is gone' [ ! -e "$p2pmem" ]
exec 3>&-
wait "$map_pid"
trace_stop

is 'p2pmem_mmap' \
	"$(jq -c 'select(.event == "p2pmem_mmap") | [.size, .allowed]' $trace_json |
		paste -sd ' ')" \
	'[53248,true] [1073741824,true] [8192,true]'
is 'p2pmem_alloc_fail' \
	"$(trace_values '"\(.size) \(.reason)"' '.event == "p2pmem_alloc_fail"')" \
		'1073741824 too_big'
is 'p2pmem_dev_del: only the mapped buffer was left' \
	"$(trace_values '"\(.buffers) \(.bytes) \(.pins)"' '.event == "p2pmem_dev_del"')" '1 8192 0'
is 'p2pmem_dev_drained' "$(trace_count '.event == "p2pmem_dev_drained"')" 1
is 'every buffer was freed' "$(trace_held)" 0
