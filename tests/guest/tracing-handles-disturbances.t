#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace handles these situations without losing an event or leaving a program attached:
# the device that it watches is removed and returns, another p2ptrace runs, it is killed, its reader
# exits, its disk is full, a task has a name that is not text, BPF programs are interpreted. It
# names each error in a message.
# Requires: p2pmem series, p2ptrace, bpftool, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 17

provider=$(pci_of cmb0)
core_load
# started FILE: succeeds if the standard error of p2ptrace in FILE says that it is attached
started() { grep -qsE 'tracing|counting' "$1"; }
# begin NAME COMMAND [OPTION]...: start p2ptrace with its output in /tmp/NAME.out and /tmp/NAME.err
begin() {
	: >/tmp/"$1".err
	env --default-signal=INT "$P2PTRACE" "${@:2}" >/tmp/"$1".out 2>/tmp/"$1".err &
	wait_for 30 started /tmp/"$1".err
}
some() { for ((i = 0; i < $1; i++)); do core alloc 1 "$provider" 4096 && core free 1; done; }
programs() { bpftool prog show 2>/dev/null | grep -cE 'name (p2pmem|nvmet_p2p)'; }
allocs() { jq -c 'select(.event == "p2pmem_alloc" and .size == 4096)' "$1" | wc -l; }

rebind() {
	provider_unbind "$provider" && provider_bind "$provider" &&
		wait_for 30 test -d $p2pmem_class/p2pmem0
}

is 'nothing is attached' "$(programs)" 0
begin one trace --json && one=$!
begin two trace --json --dev p2pmem0 && two=$!
begin sum stat --json && sum=$!
some 5
ok 'the device goes and comes back' rebind
some 7
kill -INT "$one" "$two" "$sum"
wait "$one"; status=$?
wait "$two"; status+=\ $?
wait "$sum"; status+=\ $?
is 'three at once end with status 0' "$status" '0 0 0'
is 'each saw all allocations' "$(allocs /tmp/one.out) $(allocs /tmp/two.out)" '12 12'
is 'the trace has the removal and the return' \
	"$(jq -r 'select(.event | startswith("p2pmem_dev_")) | .event' /tmp/two.out |
		paste -sd ' ')" \
	'p2pmem_dev_del p2pmem_dev_drained p2pmem_dev_add'
is 'stat counts them' \
	"$(jq -c 'select(.event == "total") | .metrics |
		[.devs_deleted, .devs_added, .frees >= 12]' /tmp/sum.out)" '[1,1,true]'
is 'no event was lost' \
	"$(cat /tmp/{one,two,sum}.out | jq -c 'select(.event == "end") | .lost' | paste -sd ' ')" \
		'0 0 0'

begin one trace --json && one=$!
ok 'p2ptrace is attached' [ "$(programs)" -gt 0 ]
kill -KILL "$one"
wait "$one" 2>/dev/null
gone() { [ "$(programs)" = 0 ]; }
ok 'no program stays attached after SIGKILL' wait_for 10 gone
ok 'buffers can be allocated as before' some 1

# A reader that exits after the first line
(begin_head() { env --default-signal=INT,PIPE "$P2PTRACE" trace --json 2>/tmp/head.err; echo $? \
	>/tmp/head.status; }
	begin_head | head -n 1 >/tmp/head.out) &
wait_for 30 started /tmp/head.err
some 1
ok 'p2ptrace ends when its reader exits' wait_for 20 test -s /tmp/head.status
is 'its status is 0, and there is no message' \
	"$(cat /tmp/head.status) $(wc -l </tmp/head.out) $(grep -vc tracing /tmp/head.err)" '0 1 0'

# A full disk, which the first write detects
"$P2PTRACE" trace --json >/dev/full 2>/tmp/full.err &
full=$!
wait_for 30 started /tmp/full.err
some 1
wait $full
is 'a full disk is an error with a message' \
	"$? $(grep -c 'No space left on device' /tmp/full.err)" '4 1'

begin one trace --json --event p2pmem_alloc && one=$!
# shellcheck disable=SC2016 # expanded by the inner shell
bash -c 'printf "\e[2J\"\xff" >/proc/self/comm; exec 3<>/sys/kernel/debug/p2pmem_test
	echo "alloc 9 $1 4096" >&3' bash "$provider"
core free 9
kill -INT "$one"
wait "$one"
is 'a task name that is not text is escaped' \
	"$(jq -c 'select(.event == "p2pmem_alloc") | .comm' /tmp/one.out)" '"\u001b[2J\"�"'
is 'the output has no control characters' "$(tr -d '\n -~\200-\377' </tmp/one.out | wc -c)" 0

ok 'the BPF JIT can be switched off' eval 'echo 0 >/proc/sys/net/core/bpf_jit_enable'
"$P2PTRACE" trace >/tmp/jit.out 2>/tmp/jit.err
is 'p2ptrace refuses to run without the JIT, with the remedy' \
	"$? $(wc -l </tmp/jit.out) $(grep -c 'sysctl net.core.bpf_jit_enable=1' /tmp/jit.err)" \
		'3 0 1'
