# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# load.sh - I/O of a host while the target is changed, and checks of the result.  Source it below
# guest-test.sh.
#
# Most functions work on the subsystem "lab" with plain0 as namespace 1, as nvmet_export creates it.

# shellcheck source=tests/lib/guest.sh
declare -F nvmet_export >/dev/null || . "${BASH_SOURCE[0]%/*}/guest.sh"

lab=$nvmet/subsystems/lab
ns=$lab/namespaces/1

# ---- the host's side ---------------------------------------------------------

# host_controllers SUBSYSTEM [TRANSPORT]: the names of the host's controllers for it
host_controllers() {
	local dir
	for dir in /sys/class/nvme/nvme*; do
		[ "$(cat "$dir/subsysnqn" 2>/dev/null)" = "$1" ] &&
			[[ $(<"$dir/transport") =~ ^(${2:-.*})$ ]] && echo "${dir##*/}"
	done
	return 0
}

# controller_drive CONTROLLER NSID: the block device of a namespace; fails if there is none.  The
# number in its name is not the NSID.
controller_drive() {
	local dir
	for dir in "/sys/class/nvme/$1/$1"n*; do
		[ "$(cat "$dir/nsid" 2>/dev/null)" = "$2" ] && [ -b "/dev/${dir##*/}" ] &&
			echo "/dev/${dir##*/}" && return
	done
	return 1
}

# host_drive NSID [TRANSPORT]: the same, for the first controller of lab that has the namespace
host_drive() {
	local name
	for name in $(host_controllers lab "${2:-rdma}"); do
		controller_drive "$name" "$1" && return
	done
	return 1
}

host_has() { host_drive "$@" >/dev/null; }
host_has_not() { ! host_has "$@"; }

# host_state: the states of the host's controllers for lab, such as "live"
host_state() {
	local name
	for name in $(host_controllers lab); do
		cat "/sys/class/nvme/$name/state" 2>/dev/null
	done | paste -sd ' '
}
host_is() { [ "$(host_state)" = "$1" ]; }

# ios DEVICE: the number of reads and writes it has done, 0 if the device does not exist
ios() {
	local stat
	read -ra stat 2>/dev/null <"/sys/block/${1##*/}/stat" || stat=()
	echo $((stat[0] + stat[4]))
}

# ios_above DEVICE N
ios_above() { [ "$(ios "$1")" -gt "$2" ]; }

# goes_on DEVICE: succeeds if the device does 300 more I/Os within a minute
goes_on() { wait_for 60 ios_above "$1" $(($(ios "$1") + 300)); }

# load_start DEVICE [OPTION of fio]...: start fio in the background, which writes and verifies the
# first 8 MiB until load_stop.  Succeeds once I/O is under way.
load_start() {
	local device=$1
	shift
	load_start_unverified "$device" --rw=write --verify=crc32c --verify_fatal=1 \
		--verify_backlog=61 --verify_state_save=0 "$@"
}

# load_start_unverified DEVICE [OPTION of fio]...: the same without verification.  For a drive that
# is about to be removed: reads beyond the end of a drive whose size has become 0 return no data,
# which fio would report as wrong data.
load_start_unverified() {
	local device=$1
	shift
	# fio runs until SIGINT, and then exits with 0 unless there was an error
	env --default-signal=INT fio --name=load --filename="$device" --rw=rw --bs=16k \
		--size=8m --time_based --runtime=3600 --direct=1 --ioengine=libaio --iodepth=8 \
		--allow_file_create=0 --output-format=json --output="$fio_json" "$@" \
		2>/tmp/fio.err &
	load_pid=$!
	wait_for 60 ios_above "$device" $(($(ios "$device") + 500))
}

load_ended() { ! kill -0 "$load_pid" 2>/dev/null; }

# load_stop: end the load, and leave the output of fio in $fio_json.  Fails after a minute.
load_stop() {
	kill -INT "$load_pid" 2>/dev/null
	wait_for 60 load_ended || return
	wait "$load_pid"
	# The JSON may follow a line about the signal
	sed -i '/^{/,$!d' "$fio_json"
}

# load_error: the errno of the load, 0 if there was no error
# load_verified: the number of blocks that the load has read and verified
load_error() { jq '.jobs[0].error' "$fio_json"; }
load_verified() { jq '.jobs[0].read.total_ios' "$fio_json"; }

# keep_data DEVICE: write data outside of the area of the load
# data_kept DEVICE: succeeds if that data is still there
keep_data() { fio_verify "$1" 16k 61 --offset=64m --do_verify=0; }
data_kept() { fio_verify "$1" 16k 61 --offset=64m --verify_only=1; }

# ---- the target's side -------------------------------------------------------

# held_is N: succeeds if N buffers are allocated
held_is() { [ "$(buffers_held)" = "$1" ]; }

# in_debugfs NAMESPACE: the directory of its subsystem in debugfs.  With the series for 7.3, each of
# its controllers has a file "p2pmem".
in_debugfs() {
	local subsystem=${1%/namespaces/*}
	echo "/sys/kernel/debug/nvmet/${subsystem##*/}"
}

# counted NAME [NAMESPACE]: a counter of the namespace: NAME is "used" for requests that used peer
# memory, or the reason of a fallback.  With the series for 7.3, it is that of all controllers of
# the subsystem that are connected.
counted() {
	local dir=${2:-$ns}
	cat "$dir/p2pmem_stats" "$(in_debugfs "$dir")"/ctrl*/p2pmem 2>/dev/null |
		awk -v name="$1" '$1 == name { n += $2 } END { print n + 0 }'
}
used_above() { [ "$(counted used)" -gt "$1" ]; }

# uses_peer_memory: succeeds if 100 more requests use peer memory within 20 s
uses_peer_memory() { wait_for 20 used_above $(($(counted used) + 100)); }

# bound_controllers [NAMESPACE]: the ids of the controllers for which it is bound
# bindings [NAMESPACE]: their number
# bound N: succeeds if that number is N
bound_controllers() {
	local dir=${1:-$ns}
	sed -n 's/^cntlid=\([0-9]*\) .* err=0$/\1/p' "$dir/p2pmem_bindings" 2>/dev/null
	grep -lE "^nsid ${dir##*/} [^ ]+ [^ ]+$" "$(in_debugfs "$dir")"/ctrl*/p2pmem 2>/dev/null |
		sed 's/.*ctrl\([0-9]*\).*/\1/'
}
bindings() { bound_controllers "$@" | wc -l; }
bound() { [ "$(bindings)" = "$1" ]; }

# with_series POINTS: succeeds if the kernel has the series, and otherwise skips POINTS points.  The
# other points of the test hold for any kernel.
with_series() {
	[ -d "$p2pmem_class" ] && return
	skip "$1" "kernel $(uname -r) is without the p2pmem series"
	return 1
}

# namespace_add NSID DEVICE_OR_FILE [BUFFERED]: add a namespace to lab.  Its UUID depends on NSID
# only.
namespace_add() {
	local dir=$lab/namespaces/$1
	mkdir "$dir" || return
	printf %s "$2" >"$dir/device_path"
	printf '00000000-0000-4000-8000-%012x' "$1" >"$dir/device_uuid"
	[ -z "${3:-}" ] || echo 1 >"$dir/buffered_io"
	echo 1 >"$dir/enable"
}

# namespace_remove NSID: fails after a minute
namespace_remove() { timeout 60 rmdir "$lab/namespaces/$1"; }

# port_unlink, port_link: make lab unreachable, and reachable again
port_unlink() { timeout 60 rm "$nvmet/ports/1/subsystems/lab"; }
port_link() { timeout 60 ln -s "$lab" "$nvmet/ports/1/subsystems/"; }

# port_make NUMBER TRANSPORT: create a port with an address for that transport
port_make() {
	local dir=$nvmet/ports/$1
	mkdir "$dir" || return
	echo "$2" >"$dir/addr_trtype"
	[ "$2" = rdma ] || return 0
	echo ipv4 >"$dir/addr_adrfam"
	echo "$RDMA_ADDRESS" >"$dir/addr_traddr"
	echo "$RDMA_PORT" >"$dir/addr_trsvcid"
}
