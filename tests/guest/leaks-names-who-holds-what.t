#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace leaks lists exactly the buffers that are still allocated, with the process and the
# kernel stack that allocated them. Buffers from before its start are marked. Buffers that are too
# young or were freed are left out. A buffer that is freed but still mapped is listed.
# Requires: p2pmem series, the build directory of the kernel, p2ptrace.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 18

provider=$(pci_of cmb0)
dev=$(basename "$(p2pmem_of "$provider")")
core_load
own=$(buffers_held)

attached() { grep -qs watching /tmp/leaks.err; }
# leaks_start [OPTION]...: start p2ptrace leaks and wait until it is attached
leaks_start() {
	rm -f /tmp/leaks.err
	env --default-signal=INT "$P2PTRACE" leaks "$@" >/tmp/leaks.out 2>/tmp/leaks.err &
	leaks_pid=$!
	wait_for 30 attached || bail "p2ptrace: $(cat /tmp/leaks.err)"
}
leaks_stop() { kill -INT $leaks_pid && wait $leaks_pid; }
held() { jq -c ".held[] | select(${1:-true}) | [.dev, .size, .state, .pins]" /tmp/leaks.out; }

ok 'a buffer is allocated before the start' core alloc 1 "$provider" 4096
leaks_start --json --older-than 0
ok 'a buffer is allocated after the start' core alloc 2 "$provider" 12288
held=("$dev" '12288,"live",0')
if with_pins 3; then
	held+=("$dev" '20480,"freed",1')
	ok 'another one is allocated' core alloc 3 "$provider" 20480
	ok 'it is mapped for DMA' core map 1 3 "$(pci_of plain0)"
	ok 'it is freed while mapped' core free 3
fi
ok 'a last one is allocated' core alloc 4 "$provider" 28672
ok 'it is freed' core free 4
ok 'p2ptrace leaks ends well' leaks_stop
is 'the buffers that were allocated after the start' "$(held '.before | not' | sort)" \
	"$(printf '["%s",%s]\n' "${held[@]}")"
is 'the number of buffers from before the start' \
	"$(jq '[.held[] | select(.before)] | length' /tmp/leaks.out)" $((own + 1))
is 'the process that allocated it' \
	"$(jq -r '.held[] | select(.size == 12288) | .comm' /tmp/leaks.out)" "$(<"/proc/$$/comm")"
is 'its pid' "$(jq -r '.held[] | select(.size == 12288) | .pid' /tmp/leaks.out)" $$
like 'its kernel stack' \
	"$(jq -r '.held[] | select(.size == 12288) | .stack | join(" ")' /tmp/leaks.out)" \
	'(^| )p2pmem_alloc.* \[p2pmem_test\].* vfs_write'
is 'a buffer from before the start has no stack' \
	"$(jq -r '.held[] | select(.before) | .stack | length' /tmp/leaks.out | sort -u)" 0

leaks_start --older-than 1000
ok 'p2ptrace leaks ends well, as text' leaks_stop
is 'no buffer is old enough' "$(grep -v '^# dma-bufs' /tmp/leaks.out)" \
	'# 0 buffers, 0 bytes, held for 1000 s or longer; '\
'0 of them since before p2ptrace started'
is 'a kernel before 6.16 cannot list dma-bufs' \
	"$(grep -c '^# dma-bufs exported before.* this kernel cannot list them' /tmp/leaks.out)" \
	"$(for_612 && echo 1 || echo 0)"
"$P2PTRACE" leaks --duration 0.2 --older-than 0 --dev "$provider" >/tmp/leaks.out 2>/dev/null
is 'text has a line for each buffer' \
	"$(grep -c "^$dev id=" /tmp/leaks.out)" $((own + 1 + ${#held[@]} / 2))
