#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace bears what happens to it: the device that it watches goes and comes
# back, another p2ptrace runs, it is killed, its reader goes, its disk is full, tasks
# have names that are none, programs are interpreted.  Nothing is lost or left behind, and it says what is wrong.
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
# started FILE: what it says on stderr goes there
started() { grep -qsE 'tracing|counting' "$1"; }
# begin NAME COMMAND [OPTION]...: output and errors are in /tmp/NAME.out and .err
begin() {
	: >/tmp/"$1".err
	env --default-signal=INT "$P2PTRACE" "${@:2}" >/tmp/"$1".out 2>/tmp/"$1".err &
	wait_for 30 started /tmp/"$1".err
}
some() { for ((i = 0; i < $1; i++)); do core alloc 1 "$provider" 4096 && core free 1; done; }
programs() { bpftool prog show 2>/dev/null | grep -cE 'name (p2pmem|nvmet_p2p)'; }
allocs() { jq -c 'select(.event == "p2pmem_alloc" and .size == 4096)' "$1" | wc -l; }

rebind() {
	provider_unbind "$provider" && provider_bind "$provider" && wait_for 30 test -d /sys/class/p2pmem/p2pmem0
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
is 'three at once end well' "$status" '0 0 0'
is 'each saw all there was of the device' "$(allocs /tmp/one.out) $(allocs /tmp/two.out)" '12 12'
is 'going and coming included' "$(jq -r 'select(.event | startswith("p2pmem_dev_")) | .event' /tmp/two.out | paste -sd ' ')" \
	'p2pmem_dev_del p2pmem_dev_drained p2pmem_dev_add'
is 'and so were they counted' "$(jq -c 'select(.event == "total") | .metrics | [.devs_deleted, .devs_added, .frees >= 12]' /tmp/sum.out)" '[1,1,true]'
is 'none was lost' "$(cat /tmp/{one,two,sum}.out | jq -c 'select(.event == "end") | .lost' | paste -sd ' ')" '0 0 0'

begin one trace --json && one=$!
ok 'it is attached' [ "$(programs)" -gt 0 ]
kill -KILL "$one"
wait "$one" 2>/dev/null
gone() { [ "$(programs)" = 0 ]; }
ok 'killed, it leaves nothing behind' wait_for 10 gone
ok 'and buffers come and go as before' some 1

# A reader that has had enough
(begin_head() { env --default-signal=INT,PIPE "$P2PTRACE" trace --json 2>/tmp/head.err; echo $? >/tmp/head.status; }
	begin_head | head -n 1 >/tmp/head.out) &
wait_for 30 started /tmp/head.err
some 1
ok 'its reader goes' wait_for 20 test -s /tmp/head.status
is 'which is the end, and no error' "$(cat /tmp/head.status) $(wc -l </tmp/head.out) $(grep -vc tracing /tmp/head.err)" '0 1 0'

# A disk without room, which is noticed with the first lines that go there
"$P2PTRACE" trace --json >/dev/full 2>/tmp/full.err &
full=$!
wait_for 30 started /tmp/full.err
some 1
wait $full
is 'a full disk is an error that is named' "$? $(grep -c 'No space left on device' /tmp/full.err)" '4 1'

begin one trace --json --event p2pmem_alloc && one=$!
bash -c 'printf "\e[2J\"\xff" >/proc/self/comm; exec 3<>/sys/kernel/debug/p2pmem_test; echo "alloc 9 '"$provider"' 4096" >&3'
core free 9
kill -INT "$one"
wait "$one"
is 'a name that is none' "$(jq -c 'select(.event == "p2pmem_alloc") | .comm' /tmp/one.out)" '"\u001b[2J\"�"'
is 'moves no cursor' "$(tr -d '\n -~\200-\377' </tmp/one.out | wc -c)" 0

ok 'programs can be interpreted instead of compiled' eval 'echo 0 >/proc/sys/net/core/bpf_jit_enable'
"$P2PTRACE" trace >/tmp/jit.out 2>/tmp/jit.err
is 'which it refuses, and says how to change that' \
	"$? $(wc -l </tmp/jit.out) $(grep -c 'sysctl net.core.bpf_jit_enable=1' /tmp/jit.err)" '3 0 1'
