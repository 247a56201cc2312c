# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# target.sh - the p2pmem attributes of namespaces of the NVMe target.  Source it below
# guest-test.sh.  Like load.sh, it works on the subsystem "lab".

# shellcheck source=tests/lib/guest.sh
declare -F nvmet_export >/dev/null || . "${BASH_SOURCE[0]%/*}/guest.sh"
# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/load.sh"
require_p2pmem
require_p2ptrace

# p2pmem_name PROVIDER: the name of its p2pmem device
p2pmem_name() { basename "$(p2pmem_of "$1")"; }

# namespace_asks NSID SERIAL P2PMEM: create a namespace on that drive with that p2pmem attribute
namespace_asks() {
	local dir=$lab/namespaces/$1 device
	device=$(drive "$2") || exit
	mkdir "$dir" || bail "cannot create namespace $1"
	printf %s "$device" >"$dir/device_path"
	echo "$3" >"$dir/p2pmem" || return
	echo 1 >"$dir/enable"
}

# asked VALUE: write VALUE to p2pmem of namespace 1.  Prints the name of the error, or nothing.
asked() {
	local said
	said=$({ echo "$1" >"$ns/p2pmem"; } 2>&1) && return
	case $said in
	*'Invalid argument') echo EINVAL ;;
	*'No such device') echo ENODEV ;;
	*'resource busy') echo EBUSY ;;
	*) echo "$said" ;;
	esac
}

# got [NSID]: the bindings of its controllers as DEV:DISTANCE:ERR, ordered by controller id, in one
# line.  With the series for 7.3 only DEV, which is "-" if the device was removed.
# bound_as DEV DISTANCE [ERR]: such a binding; ERR is 0 by default
got() {
	local dir=$lab/namespaces/${1:-1}
	cat "$dir/p2pmem_bindings" "$(in_debugfs "$dir")"/ctrl*/p2pmem 2>/dev/null |
		sed -nE 's/^cntlid=[0-9]+ dev=(.*) distance=(.*) err=(.*)$/\1:\2:\3/p
			s/^nsid '"${dir##*/}"' [^ ]+ [^ ]+ removed$/-/p
			s/^nsid '"${dir##*/}"' ([^ ]+) [^ ]+$/\1/p' | paste -sd ' '
}
bound_as() {
	if for_612; then
		echo "$1:$2:${3:-0}"
	else
		echo "$1"
	fi
}
