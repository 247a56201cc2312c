# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# load.sh - a host that works while something is done to the target, and what is
# to be right then.  Sourced below guest-test.sh.
#
# Most of it is for the subsystem "lab", with plain0 as namespace 1, as
# nvmet_export makes it.

# shellcheck source=tests/lib/guest.sh
declare -F nvmet_export >/dev/null || . "${BASH_SOURCE[0]%/*}/guest.sh"

lab=$nvmet/subsystems/lab
ns=$lab/namespaces/1

# ---- the host's side ---------------------------------------------------------

# host_controllers SUBSYSTEM [TRANSPORT]: its controllers, by name
host_controllers() {
	local dir
	for dir in /sys/class/nvme/nvme*; do
		[ "$(cat "$dir/subsysnqn" 2>/dev/null)" = "$1" ] &&
			[[ $(<"$dir/transport") =~ ^(${2:-.*})$ ]] && echo "${dir##*/}"
	done
	return 0
}

# controller_drive CONTROLLER NSID: the block device that it has for a namespace, if
# it does; numbers in names are not those of namespaces
controller_drive() {
	local dir
	for dir in "/sys/class/nvme/$1/$1"n*; do
		[ "$(cat "$dir/nsid" 2>/dev/null)" = "$2" ] && [ -b "/dev/${dir##*/}" ] &&
			echo "/dev/${dir##*/}" && return
	done
	return 1
}

# host_drive NSID [TRANSPORT]: the same for the first controller of lab that has it
host_drive() {
	local name
	for name in $(host_controllers lab "${2:-rdma}"); do
		controller_drive "$name" "$1" && return
	done
	return 1
}

host_has() { host_drive "$@" >/dev/null; }
host_has_not() { ! host_has "$@"; }

# host_state: of its controllers for lab, such as "live"
host_state() {
	local name
	for name in $(host_controllers lab); do
		cat "/sys/class/nvme/$name/state" 2>/dev/null
	done | paste -sd ' '
}
host_is() { [ "$(host_state)" = "$1" ]; }

# ios DEVICE: how many reads and writes it has done, 0 if it is not there
ios() {
	local stat
	read -ra stat 2>/dev/null <"/sys/block/${1##*/}/stat" || stat=()
	echo $((stat[0] + stat[4]))
}

# ios_above DEVICE N
ios_above() { [ "$(ios "$1")" -gt "$2" ]; }

# goes_on DEVICE: it does a few hundred more, in a minute
goes_on() { wait_for 60 ios_above "$1" $(($(ios "$1") + 300)); }

# load_start DEVICE [OPTION of fio]...: have fio write to its first 8 MiB, and
# verify, in the background until load_stop.  Succeeds once that is under way.
load_start() {
	local device=$1
	shift
	load_start_unverified "$device" --rw=write --verify=crc32c --verify_fatal=1 \
		--verify_backlog=61 --verify_state_save=0 "$@"
}

# load_start_unverified DEVICE [OPTION of fio]...: the same, but write and read as it
# comes.  For a drive that is about to go: behind the end of one that has no size any
# more there is nothing to be read, which fio would take for wrong data.
load_start_unverified() {
	local device=$1
	shift
	# Until it is interrupted; then it ends well, unless there was an error
	env --default-signal=INT fio --name=load --filename="$device" --rw=rw --bs=16k \
		--size=8m --time_based --runtime=3600 --direct=1 --ioengine=libaio --iodepth=8 \
		--allow_file_create=0 --output-format=json --output="$fio_json" "$@" 2>/tmp/fio.err &
	load_pid=$!
	wait_for 60 ios_above "$device" $(($(ios "$device") + 500))
}

load_ended() { ! kill -0 "$load_pid" 2>/dev/null; }

# load_stop: end it, with its account in $fio_json.  Fails if that takes more than
# a minute.
load_stop() {
	kill -INT "$load_pid" 2>/dev/null
	wait_for 60 load_ended || return
	wait "$load_pid"
	# Its account comes after a line on the signal, if that was quick enough
	sed -i '/^{/,$!d' "$fio_json"
}

# load_error: the errno that it ended with, 0 if there was none; load_verified:
# how many blocks it has read and verified
load_error() { jq '.jobs[0].error' "$fio_json"; }
load_verified() { jq '.jobs[0].read.total_ios' "$fio_json"; }

# keep_data DEVICE, data_kept DEVICE: write something out of the load's way, and
# see that it is still there
keep_data() { fio_verify "$1" 16k 61 --offset=64m --do_verify=0; }
data_kept() { fio_verify "$1" 16k 61 --offset=64m --verify_only=1; }

# ---- the target's side -------------------------------------------------------

# held_is N: as many buffers are handed out
held_is() { [ "$(buffers_held)" = "$1" ]; }

# counted NAME [NAMESPACE]: how often a namespace has used peer memory ("used"), or
# has not, and why
counted() { awk -v name="$1" '$1 == name { print $2 }' "${2:-$ns}/p2pmem_stats"; }
used_above() { [ "$(counted used)" -gt "$1" ]; }

# uses_peer_memory: requests do so again, in 20 seconds
uses_peer_memory() { wait_for 20 used_above $(($(counted used) + 100)); }

# bindings [NAMESPACE]: for how many controllers it is bound; bound N
bindings() { grep -c 'err=0$' "${1:-$ns}/p2pmem_bindings"; }
bound() { [ "$(bindings)" = "$1" ]; }

# with_series POINTS: the points that follow, as many, want the series.  Without
# it they are skipped: what is around them holds for any kernel.
with_series() {
	[ -d /sys/class/p2pmem ] && return
	skip "$1" "kernel $(uname -r) is without the p2pmem series"
	return 1
}

# namespace_add NSID DEVICE_OR_FILE [BUFFERED]: another one for lab, with an
# identity that is the same each time
namespace_add() {
	local dir=$lab/namespaces/$1
	mkdir "$dir" || return
	printf %s "$2" >"$dir/device_path"
	printf '00000000-0000-4000-8000-%012x' "$1" >"$dir/device_uuid"
	[ -z "${3:-}" ] || echo 1 >"$dir/buffered_io"
	echo 1 >"$dir/enable"
}

# namespace_remove NSID: in a minute at most
namespace_remove() { timeout 60 rmdir "$lab/namespaces/$1"; }

# port_unlink, port_link: nobody reaches lab any more, and everybody does again
port_unlink() { timeout 60 rm "$nvmet/ports/1/subsystems/lab"; }
port_link() { timeout 60 ln -s "$lab" "$nvmet/ports/1/subsystems/"; }

# port_make NUMBER TRANSPORT: with an address of that kind
port_make() {
	local dir=$nvmet/ports/$1
	mkdir "$dir" || return
	echo "$2" >"$dir/addr_trtype"
	[ "$2" = rdma ] || return 0
	echo ipv4 >"$dir/addr_adrfam"
	echo "$RDMA_ADDRESS" >"$dir/addr_traddr"
	echo "$RDMA_PORT" >"$dir/addr_trsvcid"
}
