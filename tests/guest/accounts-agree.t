#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: sysfs, debugfs and the trace agree about a p2pmem device: its size, buffers, pins and
# failures. The file "buffers" lists exactly the live buffers, each with its state and its owner.
# Requires: p2pmem series, p2ptrace, the build directory of the kernel, cc.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/mapping.sh
. "${BASH_SOURCE[0]%/*}/../lib/mapping.sh"

drive=$(pci_of plain0)
debug=/sys/kernel/debug/p2pmem/${p2pmem##*/}
core_load

sys() { cat "$p2pmem/$1"; }
pool() { awk -v key="$1" '$1 == key { print $2 }' "$debug/pool"; }
# column NAME [ID]: a column of all buffers in the list, or of that buffer.  The last column is the
# rest of the line.
column() {
	awk -v name="$1" -v id="${2:-}" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i; columns = NF; next }
		id == "" || $1 == id {
			for (i = columns + 1; i <= NF; i++) $columns = $columns " " $i
			print $column
		}' "$debug/buffers"
}
lines() { tail -n +2 "$debug/buffers" | wc -l; }

plan 38

pins=0 third=live
if has_pins; then
	pins=1 third=freed
fi

available=$(sys available)
buffers=$(sys buffers)
failures=$(sys alloc_failures)
is 'the device belongs to its provider' "$(basename "$(readlink "$p2pmem/device")")" "$provider"
is 'size: 64 MiB' "$(sys size)" $((64 << 20))
is 'numa_node: none' "$(sys numa_node)" -1
is 'published: yes' "$(sys published)" 1
is 'pinned: nothing' "$(pins_of "$p2pmem")" 0
for name in size available published; do
	is "$name: the same in the attributes of the provider" \
		"$(cat "/sys/bus/pci/devices/$provider/p2pmem/$name")" "$(sys $name)"
done
is 'pool: size' "$(pool size)" "$(sys size)"
is 'pool: available' "$(pool available)" "$available"
is 'pool: largest_free is at most available' \
	$(($(pool largest_free) <= available && $(pool largest_free) > 0)) 1
is 'the buffers of the queues of the drive are in the list' "$(lines)" "$buffers"
is 'their pages are the memory that is not available' $(($(sys size) - available)) \
	"$(column size | awk '{ n += int(($1 + 4095) / 4096) * 4096 } END { print n }')"
is 'their state' "$(column state | sort -u)" live
ok 'the driver of the drive is their owner' eval '! column owner | grep -qv nvme'

trace_start
core alloc 1 "$provider" 12288
one=$(field id)
core alloc_sgl 2 "$provider" 262144 3
two=$(field id)
core alloc 3 "$provider" 4096
three=$(field id)
core map 1 1 "$drive"
core map 2 1 "$(nic_pci)"
core map 3 3 "$drive"
ok 'a size beyond that of the device fails' eval "! core alloc 4 $provider $((65 << 20))"
# Freed while mapped, if that keeps it
if has_pins; then core free 3; fi

is 'buffers: three more' "$(sys buffers)" $((buffers + 3))
is 'pinned: each mapping' "$(pins_of "$p2pmem")" $((3 * pins))
is 'alloc_failures: one more' "$(sys alloc_failures)" $((failures + 1))
is 'available: less by their pages' "$(sys available)" $((available - 12288 - 262144 - 4096))
is 'pool: available' "$(pool available)" "$(sys available)"
is 'pool: largest_free is not more' $(($(pool largest_free) <= $(sys available))) 1
is 'the list has one line per buffer' "$(lines)" "$(sys buffers)"
is 'its columns' "$(head -n 1 "$debug/buffers" | xargs)" 'id size nents age_ms pins state pid owner'
is 'the first' \
	"$(for name in size nents pins state; do column $name "$one"; done | xargs)" \
		"12288 1 $((2 * pins)) live"
is 'the second' \
	"$(for name in size nents pins state; do column $name "$two"; done | xargs)" \
		'262144 1 0 live'
is 'the third, freed while mapped if that keeps it' \
	"$(for name in size nents pins state; do column $name "$three"; done | xargs)" \
	"4096 1 $pins $third"
like 'who allocated it' "$(column owner "$one")" 'p2pmem_test'
# With the series for 7.3, only a process that maps memory has its pid there
like 'in which process' "$(column pid "$one")" "$(for_612 && echo '^[1-9][0-9]*$' || echo '^0$')"
ok 'when it was allocated' [ "$(column age_ms "$one")" -lt 60000 ]
is 'the pins add up' "$(column pins | awk '{ n += $1 } END { print n }')" "$(pins_of "$p2pmem")"

allow_mapping
ok 'a process maps memory' mapped 16384
is 'it is in the list' \
	"$(column state | sort -u | xargs)" "$(printf '%s\n' live user $third | sort -u | xargs)"
exec 3>&-
wait "$map_pid"

for map in 1 2 3; do
	core unmap $map
done
core free 1
core free 2
if ! has_pins; then core free 3; fi
is 'the pool is as full as before' \
	"$(sys available) $(sys buffers) $(pins_of "$p2pmem")" "$available $buffers 0"
is 'the list is as long as before' "$(lines)" "$buffers"
trace_stop
is 'the trace has 4 allocations' "$(trace_count '.event == "p2pmem_alloc"')" 4
is 'their ids are those of the list' \
	"$(jq -r 'select(.event == "p2pmem_alloc") | .id' $trace_json | head -n 3 | xargs)" \
		"$one $two $three"
is 'the trace has one failure' "$(trace_count '.event == "p2pmem_alloc_fail"')" 1
