#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace trace, stat and lifetimes work with CAP_BPF and CAP_PERFMON and without root, or
# say that this kernel wants root. If one is missing, the message names it. Commands that read
# debugfs say that they need root.
# Requires: p2pmem series, p2ptrace, setpriv, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

plan 14

provider=$(pci_of cmb0)
core_load
# A copy that every user may execute
tool=/tmp/p2ptrace
install -m 755 "$P2PTRACE" $tool
chmod 755 /tmp
# with CAPABILITIES COMMAND...: run p2ptrace as user nobody with these capabilities only
with() {
	setpriv --reuid 65534 --regid 65534 \
		--clear-groups --inh-caps="-all$1" --ambient-caps="-all$1" \
		env --default-signal=INT $tool "${@:2}"
}
# refused MESSAGE CAPABILITIES COMMAND...: p2ptrace fails with status 3 and that message
refused() {
	local said status
	said=$(with "${@:2}" 2>&1 >/dev/null)
	status=$?
	is "refused: $3 with '$2'" "$status $(grep -c "$1" <<<"$said") $(wc -l <<<"$said")" '3 1 1'
}

# watch NAME COMMAND...: run p2ptrace with both capabilities during three allocations
watch() {
	: >/tmp/err
	with ,+bpf,+perfmon "${@:2}" >/tmp/"$1" 2>/tmp/err &
	pid=$!
	attached() { grep -qE 'tracing|counting|measuring' /tmp/err; }
	ok "$1 starts" wait_for 30 attached
	for i in 1 2 3; do core alloc $i "$provider" 4096 && core free $i; done
	kill -INT "$(pgrep -x p2ptrace)"
	wait $pid
	ok "$1 ends with status 0" [ $? = 0 ]
}

refused 'CAP_PERFMON is missing; run it as root' ,+bpf trace
refused 'CAP_BPF is missing; run it as root' ,+perfmon stat
refused 'CAP_BPF and CAP_PERFMON are missing' '' lifetimes

# compat.bpf.h has a weak reference to this variable, which kernels since 6.15 do not have.  libbpf
# then looks for it in the BTF of modules, and the kernel shows that to CAP_SYS_ADMIN only.
if bpftool btf dump file /sys/kernel/btf/vmlinux | grep -q "VAR 'pcpu_hot'"; then
	watch trace trace --json
	is 'trace saw all events' "$(jq -r '.event' /tmp/trace | sort | uniq -c | xargs)" \
		'1 end 3 p2pmem_alloc 3 p2pmem_free'
	watch stat stat --json
	is 'stat counted all events' "$(jq -c 'select(.event == "total").metrics |
		[.allocs, .frees, .lost]' /tmp/stat)" '[3,3,0]'
	watch lifetimes lifetimes --json
	is 'lifetimes measured all buffers' \
		"$(jq -c '.lifetimes[] | [.dev, .count]' /tmp/lifetimes)" '["p2pmem0",3]'
	refused 'not permitted to read .*/buffers.*as root' ,+bpf,+perfmon leaks
	refused 'not permitted to read .*/buffers.*as root' ,+bpf,+perfmon check -- true
else
	refused 'CAP_BPF and CAP_PERFMON are not enough' ,+bpf,+perfmon trace
	skip 10 'this kernel has no pcpu_hot'
fi
