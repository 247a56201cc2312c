# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# stock.sh - functions for tests of the base kernel, which compare the prediction of p2ptrace with
# the decision of the kernel.

# shellcheck source=tests/lib/guest.sh
declare -F nvmet_export >/dev/null || . "${BASH_SOURCE[0]%/*}/guest.sh"
tracing=/sys/kernel/tracing
every_class=gpu,accel,nvme,nic,memory,other,bridge

require_stock() {
	[ ! -e "$p2pmem_class" ] || bail "kernel $(uname -r) has the p2pmem series"
	# shellcheck disable=SC2016 # the kernel's variable
	echo 'r:distance pci_p2pdma_distance_many distance=$retval:s32' >$tracing/kprobe_events
	echo 1 >$tracing/events/kprobes/distance/enable || 
		bail 'cannot trace the decisions of the kernel'
}

# predicted PROVIDER [CLIENT]: the prediction for a client, as "MAP DISTANCE REASON BLOCKER".
# Without CLIENT: for all functions, each line preceded by the client.
predicted() {
	"$P2PTRACE" peers --json --all --class "$every_class" --dev "$1" |
		jq -r --arg client "${2:-}" '.pairs[] |
		"\(.map) \(.distance) \(.reason) \(.blocker // "-")" as $decision |
		if $client == "" then "\(.client) \($decision)"
		elif .client == $client then $decision
		else empty end'
}

# predicted_distance PROVIDER CLIENT: the predicted distance as the kernel returns it, -1 for
# not_supported
predicted_distance() { predicted "$1" "$2" | awk '{ print $1 == "not_supported" ? -1 : $2 }'; }

# decided SERIAL PROVIDER: the distance that the kernel finds, or -1, when the target is to use the
# memory of PROVIDER for that drive
decided() {
	local subsystem=$nvmet/subsystems/decided
	echo >$tracing/trace
	mkdir "$subsystem" "$subsystem/namespaces/1"
	printf %s "$(drive "$1")" >"$subsystem/namespaces/1/device_path"
	printf %s "$2" >"$subsystem/namespaces/1/p2pmem"
	# The kernel refuses to enable the namespace if the drive cannot reach the memory
	{ echo 1 >"$subsystem/namespaces/1/enable"; } 2>/dev/null
	rmdir "$subsystem/namespaces/1" "$subsystem"
	sed -n 's/.* distance=//p' $tracing/trace
}
