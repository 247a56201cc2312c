#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace leaks lists exactly the buffers that have not come back, with the
# process and the kernel's stack that allocated them; what was held before is told
# apart, what is too young and what has come back is left out, and a buffer that is
# freed but still mapped is still held.
# Requires: p2pmem series, the kernel's build directory, p2ptrace.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 17

provider=$(pci_of cmb0)
dev=$(basename "$(p2pmem_of "$provider")")
core_load
own=$(buffers_held)

attached() { grep -qs watching /tmp/leaks.err; }
# leaks_start [OPTION]...: from here on
leaks_start() {
	rm -f /tmp/leaks.err
	env --default-signal=INT "$P2PTRACE" leaks "$@" >/tmp/leaks.out 2>/tmp/leaks.err &
	leaks_pid=$!
	wait_for 30 attached || bail "p2ptrace: $(cat /tmp/leaks.err)"
}
leaks_stop() { kill -INT $leaks_pid && wait $leaks_pid; }
held() { jq -c ".held[] | select(${1:-true}) | [.dev, .size, .state, .pins]" /tmp/leaks.out; }

ok 'one is allocated before' core alloc 1 "$provider" 4096
leaks_start --json --older-than 0
ok 'one is allocated while we watch' core alloc 2 "$provider" 12288
ok 'one is freed, but mapped' core alloc 3 "$provider" 20480
ok 'for DMA' core map 1 3 "$(pci_of plain0)"
ok 'and freed' core free 3
ok 'one has come back' core alloc 4 "$provider" 28672
ok 'all of it' core free 4
ok 'p2ptrace leaks ends well' leaks_stop
is 'what was allocated meanwhile' "$(held '.before | not' | sort)" \
	"$(printf '["%s",%s]\n' "$dev" '12288,"live",0' "$dev" '20480,"freed",1')"
is 'what was before, the drive own apart' "$(jq '[.held[] | select(.before)] | length' /tmp/leaks.out)" $((own + 1))
is 'who did it' "$(jq -r '.held[] | select(.size == 12288) | .comm' /tmp/leaks.out)" "$(<"/proc/$$/comm")"
is 'by which pid' "$(jq -r '.held[] | select(.size == 12288) | .pid' /tmp/leaks.out)" $$
like 'from where' "$(jq -r '.held[] | select(.size == 12288) | .stack | join(" ")' /tmp/leaks.out)" \
	'^p2pmem_alloc.* \[p2pmem_test\].* vfs_write'
is 'what was before has no stack' "$(jq -r '.held[] | select(.before) | .stack | length' /tmp/leaks.out | sort -u)" 0

leaks_start --older-than 1000
ok 'p2ptrace leaks ends well, as text' leaks_stop
is 'nothing is as old as that' "$(cat /tmp/leaks.out)" \
	'# 0 buffers, 0 bytes, held for 1000 s or longer; 0 of them since before p2ptrace started'
"$P2PTRACE" leaks --duration 0.2 --older-than 0 --dev "$provider" >/tmp/leaks.out 2>/dev/null
is 'as text, a line for each' "$(grep -c "^$dev id=" /tmp/leaks.out)" $((own + 3))
