#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on Debian's kernel, where nvmet is a module, p2ptrace sees its requests although nvmet is
# loaded only after p2ptrace, and again after it was unloaded and loaded. It does not keep nvmet
# from being unloaded. If nvmet was in use before p2ptrace noticed it, the answer says so. Without
# root, p2ptrace says what this kernel takes.
# Requires: Debian's kernel 7.3, p2ptrace, fio, nvme, rdma, setpriv.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch KERNEL=${DEBIAN_KERNEL:-debian:7.3} TIMEOUT=900
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/start.sh
. "${BASH_SOURCE[0]%/*}/../lib/start.sh"
require_p2ptrace

plan 22

# noted FILE TIMES TEXT: the text is there that often
noted() { [ "$(grep -c "$3" "$1")" = "$2" ]; }
both_noted() { noted $err "$@" && noted /tmp/stat.err "$@"; }

export_drive() {
	modprobe -a nvmet nvmet_rdma || return
	nvmet_export lab plain0 1
}
unload() {
	nvmet_unexport lab && rmdir $nvmet/ports/1 && modprobe -r nvmet_rdma nvmet &&
		[ ! -e /sys/module/nvmet ]
}
# use BLOCKS: write and verify that many blocks of 16 KiB over RDMA
use() {
	nvmet_connect lab
	fio_verify "$(remote_drive lab)" 16k "$1" --ioengine=psync
	local status=$?
	nvmet_disconnect lab
	return $status
}

modprobe -a rdma_rxe nvme_rdma || bail 'no RDMA'
mount -t configfs configfs /sys/kernel/config 2>/dev/null
rxe_up
[ ! -e /sys/module/nvmet ] || bail 'nvmet is loaded already'

ok 'trace starts' start trace --json
trace=$pid
ok 'stat starts' start_stat
is 'both say that nvmet is not loaded' "$(cat $err /tmp/stat.err |
	grep -c 'nvmet is not loaded; its requests are seen once it is loaded')" 2
ok 'nvmet is loaded' modprobe nvmet
ok 'both notice' wait_for 60 both_noted 1 'nvmet was loaded'
ok 'it exports a drive' export_drive
ok 'a host uses it' use 53
ok 'it can be unloaded' unload
ok 'both notice that, too' wait_for 60 both_noted 1 'nvmet was unloaded'
ok 'it is loaded again' modprobe nvmet
ok 'both notice that it is there again' wait_for 60 both_noted 2 'nvmet was loaded'
ok 'it exports the drive again' export_drive
ok 'a host uses it again' use 29
ok 'stat ends with status 0' stop "$pid"
ok 'it can be unloaded again' unload

# Nobody looks while it is loaded
kill -STOP "$trace"
export_drive
kill -CONT "$trace"
ok 'trace notes that it came late' \
	wait_for 60 noted $err 1 'without requests before p2ptrace noticed'
ok 'trace ends with status 0' stop "$trace"
unload

# A host on soft-RoCE has no use for peer memory
is 'each request was seen' "$(count '.event == "nvmet_p2pmem_fallback" and .size == 16384 and
	.nsid == 1 and .qid > 0 and .cntlid > 0')" 164
is 'as a read or a write' "$(jq -r 'select(.event == "nvmet_p2pmem_fallback" and
	.size == 16384) | .opcode' $out | sort | uniq -c | xargs)" '82 1 82 2'
is 'the answer says that it came late, and that nothing was lost' \
	"$(jq -c 'select(.event == "end") | [.lost, .blind]' $out)" \
	'[0,["nvmet_p2pmem_use","nvmet_p2pmem_fallback"]]'
is 'stat counts the same, and missed nothing' \
	"$(jq -cs '[(.[] | select(.event == "total").metrics | .fallbacks, .lost), .[-1].blind]' \
		/tmp/stat)" "[$(count '.event == "nvmet_p2pmem_fallback"'),0,[]]"
install -m 755 "$P2PTRACE" /tmp/p2ptrace
chmod 755 /tmp
setpriv --reuid 65534 --regid 65534 \
	--clear-groups --inh-caps=-all,+bpf,+perfmon --ambient-caps=-all,+bpf,+perfmon \
	/tmp/p2ptrace trace --duration 0.1 >/tmp/nobody 2>&1
is 'without root, it says what this kernel takes' "$? $(grep -c \
	'on this kernel, CAP_BPF and CAP_PERFMON are not enough; run it as root' /tmp/nobody)" '3 1'
