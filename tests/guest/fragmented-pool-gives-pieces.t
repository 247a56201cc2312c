#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: if no contiguous range is large enough, p2pmem_alloc_sgl() returns several pieces, up to
# the limit of the caller and no more. They are one buffer, and they are mapped and pinned piece by
# piece. DMA through them leaves the data right.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, the build directory of the kernel,
# fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=small MODULE=1 NEEDS=pieces
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
drive=$(pci_of plain0)
p2pmem=$(p2pmem_of "$provider")
core_load

plan 27

available=$(<"$p2pmem/available")
buffers=$(<"$p2pmem/buffers")

# Leave every other range of 64 KiB free, and nothing else
n=0
while core alloc $((n + 100)) "$provider" 65536; do
	core fill $((n + 100)) $n
	n=$((n + 1))
done
rest=0
while core alloc $((rest + 1000)) "$provider" 4096; do
	rest=$((rest + 1))
done
is 'the pool is full' "$(<"$p2pmem/available")" 0
for ((i = 0; i < n; i += 2)); do
	core free $((i + 100))
done
ok 'half of it is free' [ "$(<"$p2pmem/available")" -ge $((13 * 65536)) ]
is 'the free half is not contiguous' "$(core_says alloc 1 "$provider" 131072)" -ENOMEM

trace_start
is 'a limit of 6 pieces is not enough for 7' "$(core_says alloc_sgl 1 "$provider" 458752 6)" -ENOMEM
ok 'a limit of 7 is' core alloc_sgl 1 "$provider" 458752 7
is 'the buffer has 7 pieces' "$(field nents)" 7
is 'each piece has 64 KiB' "$(field pieces)" 65536,65536,65536,65536,65536,65536,65536
id=$(field id)
is 'they are one buffer' "$(<"$p2pmem/buffers")" $((buffers + n - (n + 1) / 2 + rest + 1))
ok 'a size that fits into one piece can be allocated' core alloc_sgl 2 "$provider" 65536 7
is 'it has one piece, although 7 are allowed' "$(field nents)" 1
ok 'an odd size can be allocated' core alloc_sgl 3 "$provider" 131073 7
is 'its pieces add up to the byte' "$(field pieces)" 65536,65536,1
core fill 1 7
core fill 3 9
ok 'the CPU reads back the pattern' core verify 1 7
ok 'also for the odd size' core verify 3 9
ok 'they are mapped' core map 1 1 "$drive"
is 'each piece has a pin' "$(<"$p2pmem/pinned")" 7
ok 'freed while mapped' core free 1
ok 'and unmapped' core unmap 1
core free 2
core free 3
trace_stop

is 'allocated: pieces' "$(trace_values '.nents' '.event == "p2pmem_alloc"')" '1 3 7'
is 'mapped: one event per piece' \
	"$(trace_count ".event == \"p2pdma_map\" and .id == $id and .size == 65536")" 7
is 'mapped: at 7 addresses' \
	"$(jq -n '[inputs | select(.event == "p2pdma_map") | .dma_addr] | unique | length' \
		$trace_json)" 7
is 'freed with 7 pins, and reclaimed later' \
	"$(jq -c "select(.id == $id) |
			select(.event == \"p2pmem_free\" or .event == \"p2pmem_reclaim\") |
			[.event, .pins]" $trace_json | paste -sd ' ')" \
	'["p2pmem_free",7] ["p2pmem_reclaim",null]'

rxe_up
nvmet_export lab plain0 1
nvmet_connect lab
trace_start
ok 'fio wrote and verified blocks of 256 KiB' fio_verify "$(remote_drive lab)" 256k 13
nvmet_disconnect lab
trace_stop
is 'all of them used peer memory of 4 pieces' \
	"$(trace_count '.event == "p2pmem_alloc" and .size == 262144 and .nents == 4')" 26

damaged=0
for ((i = 1; i < n; i += 2)); do
	core verify $((i + 100)) $i || damaged=$((damaged + 1))
	core free $((i + 100))
done
is 'the buffers between the pieces are intact' $damaged 0
for ((i = 0; i < rest; i++)); do
	core free $((i + 1000))
done
is 'the pool is as full as before' \
	"$(<"$p2pmem/available") $(<"$p2pmem/buffers")" "$available $buffers"
ok 'half of the pool is contiguous again' core alloc 1 "$provider" $((available / 2))
