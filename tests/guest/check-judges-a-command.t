#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace check succeeds if its command succeeds, no buffer or mapping is left, and every
# expectation holds. Otherwise it names the problem: a leaked buffer, a mapping that did not end, a
# counter that differs, a command that failed. It waits for buffers that are still in flight.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, the build directory of the kernel, p2ptrace,
# fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 TIMEOUT=600
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/../lib/load.sh"
require_p2pmem
require_p2ptrace

plan 33

# checked STATUS OPTION... -- CMD...: run check and compare its status.  The report is in $report,
# the output of CMD in /tmp/out.
report=/tmp/report.json
checked() {
	local want=$1 status=0
	shift
	env --default-signal=INT "$P2PTRACE" check --json --output $report "$@" \
		>/tmp/out 2>/tmp/err || status=$?
	[ $status = "$want" ]
}
got() { jq -c "$1" $report; }

provider=$(pci_of cmb0) client=$(pci_of plain0)
# In events of mappings, the series for 7.3 has the provider
mapped=$(for_612 && echo p2pmem0 || echo "$provider")
core_load
export -f core

ok 'a command that does nothing passes' checked 0 -- true
is 'nothing is reported' "$(got '[.failed, .violations, .command.status]')" '[0,{},0]'
ok 'a command that fails makes check fail' checked 1 -- bash -c 'echo said; exit 7'
is 'its status is reported' "$(got '[.failed, .command.status, .command.argv[0]]')" '[1,7,"bash"]'
is 'its output is passed on' "$(cat /tmp/out)" said
# shellcheck disable=SC2016 # the pid of the inner shell
ok 'a command that is killed makes check fail' checked 1 -- bash -c 'kill -KILL $$'
is 'the signal is reported' "$(got '[.command.status, .command.signal]')" '[null,9]'
ok 'a command that does not exist is bad usage' checked 2 -- /nowhere/command
like 'the message says so' "$(cat /tmp/err)" "cannot run '/nowhere/command': No such file"

ok 'a buffer that is freed passes' \
	checked 0 --expect 'allocs == 1' --expect 'alloc_bytes >= 12K' --expect 'maps == 0' -- \
	bash -c "core alloc 1 $provider 12288 && core free 1"
is 'all expectations are met' "$(got '[.expectations[] | .met]')" '[true,true,true]'
ok 'a buffer that is not freed makes check fail' \
	checked 1 --settle 0.1 -- bash -c "core alloc 2 $provider 4096"
is 'it is reported as a leak' "$(got .violations)" '{"leak":1}'
# The free of an older buffer does not compensate for a leak
core alloc 5 "$provider" 4096
ok 'a leak counts even if an older buffer is freed' \
	checked 1 --settle 0.1 -- bash -c "core alloc 6 $provider 4096; core free 5"
is 'the leak is reported' "$(got .violations)" '{"leak":1}'
core free 6
ok 'a mapping that does not end makes check fail' \
	checked 1 --settle 0.1 -- bash -c "core map 1 2 $client"
is 'it is reported' "$(got .violations)" '{"mapped":1}'
is 'with its client and task' \
	"$(got '.first.mapped | [.dev, .id > 0, .client, .comm]')" \
		"[\"$mapped\",true,\"$client\",\"bash\"]"
if with_pins 1; then
	core free 2
	ok 'a mapping that ends passes, and its buffer returns' \
		checked 0 --expect 'reclaims == 1' --expect 'frees == 0' -- bash -c 'core unmap 1'
else
	core unmap 1
	core free 2
fi
ok 'an expectation that does not hold makes check fail' \
	checked 1 --settle 0 --expect 'allocs > 100' --expect 'allocs == 0' -- true
is 'each expectation has its result' \
	"$(got '[.expectations[] | [.expect, .value, .met]]')" \
		'[["allocs > 100",0,false],["allocs == 0",0,true]]'
ok 'an unknown metric is bad usage' checked 2 --expect 'nonsense == 0' -- touch /tmp/ran
is 'it is refused before the command runs' \
	"$(grep -c 'no metric .nonsense.' /tmp/err) $([ -e /tmp/ran ] || echo not)" '1 not'

ok 'check waits for a buffer that is freed later' checked 0 --settle 20 -- \
	bash -c "core alloc 3 $provider 4096; (sleep 1; core free 3) >/dev/null 2>&1 &"
"$P2PTRACE" check --expect 'held > 1000' --settle 0 -- true >/tmp/text
is 'text: a failed check has its line and status 1' "$? $(grep -c FAILED /tmp/text)" '1 1'

held=$(buffers_held)
rxe_up
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
fio_json=/tmp/fio.json
export fio_json
export -f fio_verify bail
ok 'all real I/O is peer-to-peer, through the switch' \
	checked 0 --settle 10 --expect 'fallbacks.no_memory == 0' \
	--expect 'uses == 200' --expect 'maps.bus_addr == 400' \
		--expect 'maps.thru_host_bridge == 0' --expect 'pinned == 0' -- \
	bash -c "fio_verify $(remote_drive lab) 16k 100 --iodepth=8"
is 'fio counts the same' \
	"$(jq -r '.jobs[0] | "\(.write.total_ios) \(.read.total_ios)"' /tmp/fio.json)" '100 100'
fio --name=load --filename="$(remote_drive lab)" \
	--rw=randread --bs=16k --iodepth=8 --ioengine=libaio --direct=1 \
	--time_based --runtime=300 --output=/dev/null &
load=$!
# The load ends once some requests have used peer memory, however long check takes to attach
used_more() {
	local before
	before=$(counted used)
	until used_above $((before + 10)); do sleep 0.1; done
}
end_load() {
	used_more
	kill -INT "$load"
	tail --pid="$load" -f /dev/null
}
export -f in_debugfs counted used_above used_more end_load
export load ns
busy() { [ "$(buffers_held)" -gt "$((held + 2))" ]; }
wait_for 20 busy
ok 'I/O of others that goes on after the command is not a violation' \
	checked 0 --settle 20 --expect 'uses > 10' -- bash -c used_more ||
	diag "$(cat $report /tmp/err)"
ok 'I/O from before the start of check is not a violation' \
	checked 0 --settle 20 --expect 'uses > 10' -- bash -c end_load ||
	diag "$(cat $report /tmp/err)"
nvmet_disconnect lab
attached() { bpftool prog show | grep -c 'name p2pmem_alloc'; }
export -f attached
# shellcheck disable=SC2016 # the parent of the inner shell
"$P2PTRACE" check -- bash -c 'attached >/tmp/attached; kill -INT $PPID; sleep 60' \
	>/tmp/text 2>/tmp/err &
pid=$!
wait $pid
is 'after Ctrl-C, check ends with its command and without a report' "$? $(wc -l </tmp/text)" '4 0'
is 'programs were attached, and none stays' "$(($(cat /tmp/attached) > 0)) $(attached)" '1 0'

umount /sys/kernel/debug
ok 'check needs debugfs to know the buffers from before its start' \
	checked 3 -- touch /tmp/ran-without
is 'the message comes before the command runs' \
	"$(grep -c 'mount -t debugfs none /sys/kernel/debug' /tmp/err) $([ -e /tmp/ran-without ] ||
		echo not)" '1 not'
mount -t debugfs none /sys/kernel/debug
