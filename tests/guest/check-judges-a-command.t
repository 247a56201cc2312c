#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace check succeeds if the command does, all has come back and all that
# is expected is so; it names what is not: a buffer that is kept, a mapping that has
# not ended, a count that is another, a command that fails; and waits for what is
# still on its way.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, the kernel's build directory,
# p2ptrace, fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 32

# checked STATUS OPTION... -- CMD...: the report is in $report, the command's output
# in /tmp/out
report=/tmp/report.json
checked() {
	local want=$1 status=0
	shift
	env --default-signal=INT "$P2PTRACE" check --json --output $report "$@" >/tmp/out 2>/tmp/err || status=$?
	[ $status = "$want" ]
}
got() { jq -c "$1" $report; }

provider=$(pci_of cmb0) client=$(pci_of plain0)
core_load
export -f core

ok 'nothing happens' checked 0 -- true
is 'and nothing is reported' "$(got '[.failed, .violations, .command.status]')" '[0,{},0]'
ok 'a command fails' checked 1 -- bash -c 'echo said; exit 7'
is 'which is reported as such' "$(got '[.failed, .command.status, .command.argv[0]]')" '[1,7,"bash"]'
is 'its output is its own' "$(cat /tmp/out)" said
# shellcheck disable=SC2016 # that shell itself
ok 'a command is killed' checked 1 -- bash -c 'kill -KILL $$'
is 'which is reported, too' "$(got '[.command.status, .command.signal]')" '[null,9]'
ok 'there is no such command' checked 2 -- /nowhere/command
like 'which is said' "$(cat /tmp/err)" "cannot run '/nowhere/command': No such file"

ok 'a buffer comes and goes' checked 0 --expect 'allocs == 1' --expect 'alloc_bytes >= 12K' --expect 'maps == 0' -- \
	bash -c "core alloc 1 $provider 12288 && core free 1"
is 'as expected' "$(got '[.expectations[] | .met]')" '[true,true,true]'
ok 'a buffer is kept' checked 1 --settle 0.1 -- bash -c "core alloc 2 $provider 4096"
is 'and found' "$(got .violations)" '{"leak":1}'
# What goes meanwhile, and was there before, makes up for nothing
core alloc 5 "$provider" 4096
ok 'one is kept, and an older one freed' checked 1 --settle 0.1 -- bash -c "core alloc 6 $provider 4096; core free 5"
is 'the kept one is found' "$(got .violations)" '{"leak":1}'
core free 6
ok 'it is freed, but mapped' checked 1 --settle 0.1 -- bash -c "core map 1 2 $client && core free 2"
is 'the mapping is found' "$(got .violations)" '{"mapped":1}'
is 'with client and task' "$(got '.first.mapped | [.dev, .id > 0, .client, .comm]')" "[\"p2pmem0\",true,\"$client\",\"bash\"]"
ok 'the mapping ends' checked 0 --expect 'reclaims == 1' --expect 'frees == 0' -- bash -c "core unmap 1"
ok 'another is expected' checked 1 --settle 0 --expect 'allocs > 100' --expect 'allocs == 0' -- true
is 'and not met' "$(got '[.expectations[] | [.expect, .value, .met]]')" '[["allocs > 100",0,false],["allocs == 0",0,true]]'
ok 'a metric that there is not' checked 2 --expect 'nonsense == 0' -- touch /tmp/ran
is 'is refused before the command is run' "$(grep -c 'no metric .nonsense.' /tmp/err) $([ -e /tmp/ran ] || echo not)" '1 not'

ok 'it waits for what is on its way' checked 0 --settle 20 -- \
	bash -c "core alloc 3 $provider 4096; (sleep 1; core free 3) >/dev/null 2>&1 &"
"$P2PTRACE" check --expect 'held > 1000' --settle 0 -- true >/tmp/text
is 'as text, with the status of a failed check' "$? $(grep -c FAILED /tmp/text)" '1 1'

held=$(buffers_held)
rxe_up
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
fio_json=/tmp/fio.json
export fio_json
export -f fio_verify bail
ok 'real I/O is all peer-to-peer, by the switch' checked 0 --settle 10 --expect 'fallbacks.no_memory == 0' \
	--expect 'uses == 200' --expect 'maps.bus_addr == 400' --expect 'maps.thru_host_bridge == 0' --expect 'pinned == 0' -- \
	bash -c "fio_verify $(remote_drive lab) 16k 100 --iodepth=8"
is 'which fio says, too' "$(jq -r '.jobs[0] | "\(.write.total_ios) \(.read.total_ios)"' /tmp/fio.json)" '100 100'
fio --name=load --filename="$(remote_drive lab)" --rw=randread --bs=16k --iodepth=8 --ioengine=libaio --direct=1 \
	--time_based --runtime=300 --output=/dev/null &
load=$!
# However long it takes to attach: it ends when requests have been seen
stats=$nvmet/subsystems/lab/namespaces/1/p2pmem_stats
used() { awk '$1 == "used" { print $2 }' "$stats"; }
end_load() {
	local before
	before=$(used)
	until [ "$(used)" -gt $((before + 10)) ]; do sleep 0.1; done
	kill -INT "$load"
	tail --pid="$load" -f /dev/null
}
export -f used end_load
export load stats
busy() { [ "$(buffers_held)" -gt "$((held + 2))" ]; }
wait_for 20 busy
ok 'I/O that was under way when it began is no violation' checked 0 --settle 20 --expect 'uses > 10' -- bash -c end_load ||
	diag "$(cat $report /tmp/err)"
nvmet_disconnect lab
# shellcheck disable=SC2016 # that shell's parent
"$P2PTRACE" check -- bash -c 'kill -INT $PPID; sleep 60' >/tmp/text 2>/tmp/err &
pid=$!
wait $pid
is 'interrupted, it ends with its command, and does not call that well' "$? $(wc -l </tmp/text)" '4 0'
is 'and leaves nothing attached' "$(bpftool prog show 2>/dev/null | grep -c 'name p2pmem_alloc')" 0

umount /sys/kernel/debug
ok 'without debugfs, nobody knows what was there before' checked 3 -- touch /tmp/ran-without
is 'which is said before the command is run' \
	"$(grep -c 'mount -t debugfs none /sys/kernel/debug' /tmp/err) $([ -e /tmp/ran-without ] || echo not)" '1 not'
mount -t debugfs none /sys/kernel/debug
