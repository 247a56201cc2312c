# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# target.sh - namespaces of the NVMe target one by one, and what they say of peer
# memory.  Sourced below guest-test.sh.

# shellcheck source=tests/lib/guest.sh
declare -F nvmet_export >/dev/null || . "${BASH_SOURCE[0]%/*}/guest.sh"
require_p2pmem
require_p2ptrace

# namespace SUBSYSTEM NSID: its directory
namespace() { echo "$nvmet/subsystems/$1/namespaces/$2"; }

# nvmet_add SUBSYSTEM NSID SERIAL [P2PMEM]: one more namespace, on that drive
nvmet_add() {
	local dir device
	dir=$(namespace "$1" "$2")
	device=$(drive "$3") || exit
	mkdir "$dir" || bail "cannot make namespace $2 of $1"
	printf %s "$device" >"$dir/device_path"
	[ -z "${4:-}" ] || echo "$4" >"$dir/p2pmem" || return
	echo 1 >"$dir/enable"
}

# asked SUBSYSTEM NSID VALUE: write it to p2pmem; prints errno's name, or nothing
asked() {
	local said
	said=$({ echo "$3" >"$(namespace "$1" "$2")/p2pmem"; } 2>&1) && return
	case $said in
	*'Invalid argument') echo EINVAL ;;
	*'No such device') echo ENODEV ;;
	*'resource busy') echo EBUSY ;;
	*) echo "$said" ;;
	esac
}

# stat_of SUBSYSTEM NSID NAME: a count of p2pmem_stats
stat_of() { awk -v name="$3" '$1 == name { print $2 }' "$(namespace "$1" "$2")/p2pmem_stats"; }

# bound SUBSYSTEM NSID: what its controllers are bound to, as DEV:DISTANCE:ERR in the
# order of their ids, in one line
bound() {
	sed -E 's/^cntlid=[0-9]+ dev=(.*) distance=(.*) err=(.*)$/\1:\2:\3/' \
		"$(namespace "$1" "$2")/p2pmem_bindings" | paste -sd ' '
}

# bound_to SUBSYSTEM NSID DEV...
bound_to() { [ "$(bound "$1" "$2" | sed 's/:[^ ]*//g')" = "${*:3}" ]; }

# lent_by PROVIDER: the name of its p2pmem device
lent_by() { basename "$(p2pmem_of "$1")"; }
