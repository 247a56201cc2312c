# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# guest.sh - the lab's hardware, the NVMe target and the trace, for scripts that
# run in the guest.  Whatever fails here ends the script with its reason.

# shellcheck source=tests/lib/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"

# The runner starts everything in the checkout
P2PTRACE=$PWD/build/p2ptrace

# A script fails if one of its points did, or if something was wrong that is
# nobody's point, such as a lost event
guest_trouble=''
trouble() {
	guest_trouble=$1
	diag "$guest_trouble"
}

guest_end() {
	local status=$?
	core_unload
	check_leaks
	[ "$tap_failed" = 0 ] || status=1
	# Another status than for a failed point, or that would hide it
	[ -z "$guest_trouble" ] || status=3
	exit $status
}
trap guest_end EXIT

# On a kernel with kmemleak, nothing may have leaked.  It reports what two scans
# have found lost, and nothing that is younger than five seconds.
check_leaks() {
	local file=/sys/kernel/debug/kmemleak
	[ -e $file ] || return 0
	echo scan >$file
	sleep 5.5
	echo scan >$file
	[ -z "$(<$file)" ] || trouble "memory has leaked: $(<$file)"
}

# ---- drives and the network card ---------------------------------------------

# controller SERIAL: nvmeX of the drive in the topology that is called so
controller() {
	local dir serial
	for dir in /sys/class/nvme/nvme*; do
		read -r serial <"$dir/serial" &&
			[ "$serial" = "$1" ] && [ "$(<"$dir/transport")" = pcie ] &&
			echo "${dir##*/}" && return
	done
	echo "no drive '$1' in this topology" >&2
	return 1
}

# drive SERIAL: its block device; pci_of SERIAL: its PCI address
drive() {
	local name
	name=$(controller "$1") && echo "/dev/${name}n1"
}

pci_of() {
	local name
	name=$(controller "$1") && basename "$(readlink "/sys/class/nvme/$name/device")"
}

# nic: the name of the network card; nic_pci: its PCI address
nic() {
	local dir
	for dir in /sys/class/net/*; do
		[ -e "$dir/device" ] && echo "${dir##*/}" && return
	done
	echo 'no network card in this topology' >&2
	return 1
}

nic_pci() {
	local name
	name=$(nic) && basename "$(readlink "/sys/class/net/$name/device")"
}

# p2pmem_of PROVIDER: the directory in /sys/class/p2pmem of what that PCI function
# lends, if it does
p2pmem_of() {
	local dir
	for dir in /sys/class/p2pmem/*; do
		[ "$(basename "$(readlink "$dir/device")")" = "$1" ] &&
			echo "$dir" && return
	done
	return 1
}

# provider_unbind PROVIDER, provider_bind PROVIDER: from or to the nvme driver, in
# a minute at most
provider_unbind() { timeout 60 sh -c "echo $1 >/sys/bus/pci/drivers/nvme/unbind"; }
provider_bind() { timeout 60 sh -c "echo $1 >/sys/bus/pci/drivers/nvme/bind"; }

# qmp COMMAND [ARGUMENTS]: have QEMU carry it out, with arguments in JSON; for
# tests with QMP=1.  Returns at once; what comes of it is to be waited for.
qmp() { printf '# qmp {"execute": "%s", "arguments": %s}\n' "$1" "${2:-{\}}"; }

# kernel_log REGEX: the lines of the kernel's log that match
kernel_log() { dmesg --notime | grep -E "$1"; }

# ---- the core's kernel interface ---------------------------------------------

# core_load: load p2pmem_test, for tests with MODULE=1
core_load() { insmod "$LAB_MODULE" || bail "cannot load $LAB_MODULE"; }

# What is held by its commands is given back with it
core_unload() {
	[ -e /sys/kernel/debug/p2pmem_test ] || return 0
	timeout 60 rmmod p2pmem_test || trouble 'p2pmem_test cannot be unloaded'
}

# core COMMAND...: one of its commands, see the end of tests/module/commands.c.
# Leaves its reply in $reply, or the error with which it fails.
reply=''
core() {
	local fd status=0
	exec {fd}<>/sys/kernel/debug/p2pmem_test
	{ echo "$*" >&"$fd"; } 2>/dev/null || status=1
	reply=''
	read -r reply <&"$fd"
	exec {fd}>&-
	return $status
}

# core_says COMMAND...: the same, and print the reply
core_says() {
	core "$@"
	echo "$reply"
}

# field NAME [REPLY]: the value of NAME in "NAME=VALUE NAME=VALUE", by default in
# the last reply
field() { [[ " ${2-$reply}" =~ [[:space:]]$1=([^[:space:]]*) ]] && echo "${BASH_REMATCH[1]}"; }

# stress_start PROVIDER CLIENT...: everything at once, in the background, until
# stress_stop, which leaves its account in $stress
stress=''
stress_start() {
	core_says stress 3600 "$@" >/tmp/stress &
	stress_pid=$!
}

stress_stop() {
	core stress_stop
	wait "$stress_pid"
	# shellcheck disable=SC2034 # for the test
	stress=$(</tmp/stress)
	diag "stress: $stress"
}

# ---- soft-RoCE and the NVMe target over it -----------------------------------

readonly RDMA_ADDRESS=10.0.0.1 RDMA_PORT=4420
nvmet=/sys/kernel/config/nvmet

rxe_ready() {
	[[ $(</sys/class/infiniband/rxe0/ports/1/state) == *ACTIVE ]] &&
		grep -qs '0a00:0001$' /sys/class/infiniband/rxe0/ports/1/gids/*
}

# rxe_up: make rxe0 on the network card and wait until it can be used
rxe_up() {
	local name
	name=$(nic) || exit
	ip link set "$name" up
	ip address add $RDMA_ADDRESS/24 dev "$name"
	rdma link add rxe0 type rxe netdev "$name" || bail "cannot make rxe0"
	wait_for 20 rxe_ready 2>/dev/null || bail "rxe0 is not active: $(rdma link)"
}

# p2pmem_of_any_size NAMESPACE: also for the few small requests with which a host looks
# for partitions, so that what is counted is all requests
p2pmem_of_any_size() { [ ! -e "$1/p2pmem_min_size" ] || echo 0 >"$1/p2pmem_min_size"; }

# nvmet_export SUBSYSTEM SERIAL [P2PMEM]: a subsystem whose only namespace is
# that drive, reachable over rxe0; P2PMEM is what to write to its p2pmem (0, 1
# or a provider), for requests of any size.  Fails as the last write does.
nvmet_export() {
	local subsystem=$nvmet/subsystems/$1 device
	device=$(drive "$2") || exit

	mkdir "$subsystem" "$subsystem/namespaces/1" || bail "cannot make subsystem $1"
	echo 1 >"$subsystem/attr_allow_any_host"
	printf %s "$device" >"$subsystem/namespaces/1/device_path"
	if [ -n "${3:-}" ]; then
		echo "$3" >"$subsystem/namespaces/1/p2pmem" || return
		p2pmem_of_any_size "$subsystem/namespaces/1"
	fi
	echo 1 >"$subsystem/namespaces/1/enable" || return

	if ! [ -d $nvmet/ports/1 ]; then
		mkdir $nvmet/ports/1
		echo rdma >$nvmet/ports/1/addr_trtype
		echo ipv4 >$nvmet/ports/1/addr_adrfam
		echo $RDMA_ADDRESS >$nvmet/ports/1/addr_traddr
		echo $RDMA_PORT >$nvmet/ports/1/addr_trsvcid
	fi
	ln -s "$subsystem" $nvmet/ports/1/subsystems/
}

# nvmet_unexport SUBSYSTEM: undo nvmet_export
nvmet_unexport() {
	rm "$nvmet/ports/1/subsystems/$1"
	echo 0 >"$nvmet/subsystems/$1/namespaces/1/enable"
	rmdir "$nvmet/subsystems/$1/namespaces/1" "$nvmet/subsystems/$1"
}

# remote_drive SUBSYSTEM: the block device of the connection to it, if there is one
remote_drive() {
	local dir
	for dir in /sys/class/nvme/nvme*; do
		[ "$(<"$dir/subsysnqn")" = "$1" ] && [ -b "/dev/${dir##*/}n1" ] &&
			echo "/dev/${dir##*/}n1" && return
	done
	return 1
}

# nvmet_connect SUBSYSTEM [OPTION of nvme connect]...: connect to it from this
# same guest; remote_drive then names the drive
nvmet_connect() {
	local name=$1
	shift
	nvme connect --transport rdma --traddr $RDMA_ADDRESS --trsvcid $RDMA_PORT \
		--nqn "$name" "$@" >/dev/null || bail "cannot connect to $name"
	wait_for 20 remote_drive "$name" >/dev/null || bail "$name has no drive"
}

nvmet_disconnect() {
	nvme disconnect --nqn "$1" >/dev/null || bail "cannot disconnect from $1"
}

# fio_verify DEVICE BLOCK_SIZE COUNT [OPTION of fio]...
# Write COUNT blocks, each with its checksum, then read and verify every one.
# One block at a time, unless an option says otherwise.  Leaves fio's account in
# $fio_json; fails on any error.
fio_json=/tmp/fio.json

fio_verify() {
	local device=$1 size=$2 count=$3 bytes
	shift 3
	bytes=$(numfmt --from=iec "${size^^}") || bail "bad block size $size"
	fio --name=verify --filename="$device" --rw=write --bs="$size" \
		--size=$((count * bytes)) --direct=1 --ioengine=libaio --iodepth=1 \
		--verify=crc32c --verify_fatal=1 --do_verify=1 --verify_state_save=0 \
		--output-format=json --output=$fio_json "$@"
}

# fio_count: how many blocks were written, and how many read back and verified
fio_count() {
	jq -r '.jobs[0] | select(.error == 0) | "\(.write.total_ios) \(.read.total_ios)"' $fio_json
}

# ---- the trace ---------------------------------------------------------------

trace_json=/tmp/trace.json
trace_pid=''

require_p2ptrace() {
	[ -x "$P2PTRACE" ] || skip_all "build/p2ptrace is not built: make p2ptrace"
}

require_p2pmem() {
	[ -d /sys/class/p2pmem ] || skip_all "kernel $(uname -r) is without the p2pmem series"
}

trace_attached() {
	grep -qs tracing /tmp/trace.err || ! kill -0 "$trace_pid" 2>/dev/null
}

# buffers_held: how many buffers of each p2pmem device are handed out just now.
# A drive may keep some for its queues.
buffers_held() { cat /sys/class/p2pmem/*/buffers 2>/dev/null | awk '{ n += $1 } END { print n + 0 }'; }

trace_settled() { [ "$(buffers_held)" -le "$buffers_before" ]; }

# trace_start [OPTION of p2ptrace trace]...: from its return on, events are
# recorded in $trace_json
trace_start() {
	# A shell without job control starts what is in the background with
	# SIGINT ignored
	buffers_before=$(buffers_held)
	env --default-signal=INT "$P2PTRACE" trace --json "$@" >$trace_json 2>/tmp/trace.err &
	trace_pid=$!
	wait_for 30 trace_attached
	kill -0 $trace_pid 2>/dev/null || bail "p2ptrace: $(cat /tmp/trace.err)"
}

# trace_stop: end the recording, once what was in use has come back or had its
# time to.  A lost event is trouble, whatever the test is about.
trace_stop() {
	local status
	wait_for 10 trace_settled
	kill -INT "$trace_pid"
	wait "$trace_pid"
	status=$?
	trace_pid=''
	if [ $status -ne 0 ]; then
		trouble "p2ptrace ended with status $status: $(cat /tmp/trace.err)"
	elif ! tail -n 1 $trace_json | jq -e '.event == "end" and .lost == 0' >/dev/null; then
		trouble "events were lost: $(tail -n 1 $trace_json)"
	fi
}

# check_run [OPTION of p2ptrace check]... -- CMD [ARG]...: run a program, or a function
# of the test, and fail if p2ptrace finds a violation or an expectation that is not met
check_run() (
	options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	while read -r function; do
		# shellcheck disable=SC2163 # the function that it names
		export -f "$function"
	done < <(compgen -A function)
	export fio_json
	# shellcheck disable=SC2016 # that shell's
	"$P2PTRACE" check --settle 10 --output /tmp/check.txt "${options[@]}" -- bash -c '"$@"' - "$@" ||
		{ diag "$(cat /tmp/check.txt)"; exit 1; }
)

# trace_count [CONDITION]: how many events meet a jq condition, as in
# trace_count '.event == "p2pmem_alloc" and .size > 4096'
trace_count() {
	jq -n "[inputs | select(.event != \"end\") | select(${1:-true})] | length" $trace_json
}

# trace_values EXPRESSION [CONDITION]: its distinct values, in one line, sorted
trace_values() {
	jq -r "select(.event != \"end\") | select(${2:-true}) | $1" $trace_json |
		sort -u | paste -sd ' '
}

# trace_held: allocations in the trace without a free, or with a deferred one
# whose memory did not come back
trace_held() {
	jq -n 'reduce inputs as $e ({};
		if $e.event == "p2pmem_alloc" then .["\($e.dev) \($e.id)"] = 1
		elif $e.event == "p2pmem_reclaim" or ($e.event == "p2pmem_free" and $e.pins == 0)
		then del(.["\($e.dev) \($e.id)"])
		else . end) | length' $trace_json
}
