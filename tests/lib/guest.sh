# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# guest.sh - functions for scripts that run in the guest: the hardware of the lab, the NVMe target
# and the trace.  A function that cannot do its work ends the script with the reason.

# shellcheck source=tests/lib/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"

# The runner starts the script in the checkout
lab_build=$PWD/build
[ "$(uname -m)" != aarch64 ] || lab_build+=/arm64
P2PTRACE=$lab_build/p2ptrace

# A script fails if a point failed or if something outside of the points was wrong, such as a lost
# event
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
	# A status of its own: a failed point must not hide the trouble
	[ -z "$guest_trouble" ] || status=3
	exit $status
}
trap guest_end EXIT

# On a kernel with kmemleak, nothing may have leaked.  kmemleak reports memory that two scans have
# found unreferenced and that is at least five seconds old.
check_leaks() {
	local file=/sys/kernel/debug/kmemleak
	[ -e $file ] || return 0
	echo scan >$file
	sleep 5.5
	echo scan >$file
	[ -z "$(<$file)" ] || trouble "memory has leaked: $(<$file)"
}

# ---- drives and the network card ---------------------------------------------

# controller SERIAL: the name nvmeX of the drive that has this name in the topology
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

# The header type is the lower seven bits of byte 14 of config space; type 0 is an endpoint
endpoints() {
	local dir
	for dir in /sys/bus/pci/devices/*; do
		[ $(($(od -An -tu1 -j14 -N1 "$dir/config") & 127)) != 0 ] || echo "${dir##*/}"
	done
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

# in_bar PROVIDER EXPRESSION: a condition of jq: the address is in a BAR of the PCI function
in_bar() {
	local start end condition=false
	while read -r start end _; do
		[ $((start)) = 0 ] || condition+=" or ($2 >= $((start)) and $2 <= $((end)))"
	done <"/sys/bus/pci/devices/$1/resource"
	echo "($condition)"
}

# The directory of all p2pmem devices, which does not exist without the p2pmem series
# p2pmem_of PROVIDER: that of the p2pmem device of the PCI function, if it has one
# peers_of PROVIDER: the file of debugfs with the kernel's decisions about it
p2pmem_class=/sys/class/pci_p2pmem
[ -d $p2pmem_class ] || p2pmem_class=/sys/class/p2pmem
p2pmem_of() {
	local dir
	for dir in "$p2pmem_class"/*; do
		[ "$(basename "$(readlink "$dir/device")")" = "$1" ] &&
			echo "$dir" && return
	done
	return 1
}

# pins_of DIR: the number of DMA mappings of the p2pmem device with that directory, 0 if the kernel
# does not count them
# has_pins: succeeds if the kernel keeps a buffer while it is mapped, and counts these mappings
# with_pins POINTS: succeeds if it does, and otherwise skips POINTS points
# for_612: succeeds with the series for 6.12, which has more features than that for 7.3
pins_of() { if has_pins; then cat "$1/pinned"; else echo 0; fi; }
has_pins() { compgen -G "$p2pmem_class/*/pinned" >/dev/null; }
with_pins() {
	has_pins && return
	skip "$1" 'a DMA mapping does not keep its buffer on this kernel'
	return 1
}
for_612() { [ $p2pmem_class = /sys/class/p2pmem ]; }

peers_of() {
	local file=/sys/kernel/debug/p2pdma/$1
	[ -e "$file" ] || file=/sys/kernel/debug/p2pmem/$(basename "$(p2pmem_of "$1")")/peers
	echo "$file"
}

# provider_unbind PROVIDER, provider_bind PROVIDER: unbind it from the nvme driver or bind it.  They
# fail after a minute.
provider_unbind() { timeout 60 sh -c "echo $1 >/sys/bus/pci/drivers/nvme/unbind"; }
provider_bind() { timeout 60 sh -c "echo $1 >/sys/bus/pci/drivers/nvme/bind"; }

# qmp COMMAND [ARGUMENTS]: make QEMU execute a command, with arguments in JSON; for tests with
# QMP=1.  Returns at once: the caller has to wait for the effect.
qmp() { printf '# qmp {"execute": "%s", "arguments": %s}\n' "$1" "${2:-{\}}"; }

# kernel_log REGEX: the lines of the kernel's log that match
kernel_log() { dmesg --notime | grep -E "$1"; }

# ---- the kernel interface of the p2pmem core ---------------------------------

# core_load: load p2pmem_test, for tests with MODULE=1
core_load() { insmod "$LAB_MODULE" || bail "cannot load $LAB_MODULE"; }

# Unloading the module frees what its commands have allocated
core_unload() {
	[ -e /sys/kernel/debug/p2pmem_test ] || return 0
	timeout 60 rmmod p2pmem_test || trouble 'p2pmem_test cannot be unloaded'
}

# core COMMAND...: run a command of p2pmem_test, see the end of tests/module/commands.c.  Leaves its
# reply, or the name of the error, in $reply.
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

# core_says COMMAND...: the same, but print the reply
core_says() {
	core "$@"
	echo "$reply"
}

# field NAME [REPLY]: the value of NAME in "NAME=VALUE NAME=VALUE"; REPLY defaults to the last reply
field() { [[ " ${2-$reply}" =~ [[:space:]]$1=([^[:space:]]*) ]] && echo "${BASH_REMATCH[1]}"; }

# stress_start PROVIDER CLIENT...: start the stress of p2pmem_test in the background.  stress_stop
# stops it and leaves its counters in $stress.
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

# rxe_up: create rxe0 on the network card and wait until it can be used
rxe_up() {
	local name
	name=$(nic) || exit
	ip link set "$name" up
	ip address add $RDMA_ADDRESS/24 dev "$name"
	rdma link add rxe0 type rxe netdev "$name" || bail "cannot create rxe0"
	wait_for 20 rxe_ready 2>/dev/null || bail "rxe0 is not active: $(rdma link)"
}

# nvmet_export SUBSYSTEM SERIAL [P2PMEM]: export a drive as the only namespace of a subsystem over
# rxe0.  P2PMEM is written to its p2pmem attribute (0, 1 or a provider).  Fails if the kernel
# refuses P2PMEM, or to enable the namespace.
nvmet_export() {
	local subsystem=$nvmet/subsystems/$1 device
	device=$(drive "$2") || exit

	mkdir "$subsystem" "$subsystem/namespaces/1" || bail "cannot create subsystem $1"
	echo 1 >"$subsystem/attr_allow_any_host"
	printf %s "$device" >"$subsystem/namespaces/1/device_path"
	if [ -n "${3:-}" ]; then
		echo "$3" >"$subsystem/namespaces/1/p2pmem" || return
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

# remote_drive SUBSYSTEM: the block device of the connection to it; fails if there is none
remote_drive() {
	local dir
	for dir in /sys/class/nvme/nvme*; do
		[ "$(<"$dir/subsysnqn")" = "$1" ] && [ -b "/dev/${dir##*/}n1" ] &&
			echo "/dev/${dir##*/}n1" && return
	done
	return 1
}

# nvmet_connect SUBSYSTEM [OPTION of nvme connect]...: connect to it from this guest.  remote_drive
# then names the drive.
nvmet_connect() {
	local name=$1
	shift
	nvme connect --transport rdma --traddr $RDMA_ADDRESS --trsvcid $RDMA_PORT \
		--nqn "$name" "$@" >/dev/null || bail "cannot connect to $name"
	wait_for 20 remote_drive "$name" >/dev/null || bail "$name has no drive"
}

# reason_of_inline_data SUBSYSTEM: why requests fall back whose data comes with their command: the
# series for 6.12 has one reason for all data that the CPU of the target reads
reason_of_inline_data() {
	if [ -e "$nvmet/subsystems/$1/namespaces/1/p2pmem_stats" ]; then
		echo cpu_access
	else
		echo inline_data
	fi
}

nvmet_disconnect() {
	nvme disconnect --nqn "$1" >/dev/null || bail "cannot disconnect from $1"
}

# fio_verify DEVICE BLOCK_SIZE COUNT [OPTION of fio]...
# Write COUNT blocks, each with a checksum, then read and verify each of them, one at a time unless
# an option says otherwise.  Leaves the output of fio in $fio_json; fails on any error.
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

# fio_count: the number of blocks written, and the number of blocks read back and verified
fio_count() {
	jq -r '.jobs[0] | select(.error == 0) | "\(.write.total_ios) \(.read.total_ios)"' \
		$fio_json
}

# ---- the trace ---------------------------------------------------------------

trace_json=/tmp/trace.json
trace_pid=''

require_p2ptrace() {
	[ -x "$P2PTRACE" ] || bail "there is no $P2PTRACE: run 'make p2ptrace', or p2ptrace-arm64"
}

# lacks_series WHY: skip the test, but give up if this kernel was built with the series.  A kernel
# without a build directory (LAB_KERNEL) may be any.
lacks_series() {
	! grep -qs '^CONFIG_PCI_P2PMEM_KUNIT_TEST=' "$LAB_KERNEL_BUILD/.config" || bail "$1"
	skip_all "$1"
}

require_p2pmem() {
	[ -d $p2pmem_class ] || lacks_series "kernel $(uname -r) is without the p2pmem series"
}

trace_attached() {
	grep -qs tracing /tmp/trace.err || ! kill -0 "$trace_pid" 2>/dev/null
}

# buffers_held: the number of buffers that are allocated now, in all p2pmem devices.  A drive may
# keep some for its queues.
buffers_held() {
	cat $p2pmem_class/*/buffers 2>/dev/null | awk '{ n += $1 } END { print n + 0 }'
}

trace_settled() { [ "$(buffers_held)" -le "$buffers_before" ]; }

# trace_start [OPTION of p2ptrace trace]...: start to record events in $trace_json
trace_start() {
	buffers_before=$(buffers_held)
	# A shell without job control makes its background commands ignore SIGINT
	env --default-signal=INT "$P2PTRACE" trace --json "$@" >$trace_json 2>/tmp/trace.err &
	trace_pid=$!
	wait_for 300 trace_attached || bail 'p2ptrace trace does not attach within five minutes'
	kill -0 $trace_pid 2>/dev/null || bail "p2ptrace: $(cat /tmp/trace.err)"
}

# trace_stop: end the recording.  Waits up to 10 s until the buffers allocated since trace_start
# are freed.  A lost event fails the test, whatever it is about.
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

# check_run [OPTION of p2ptrace check]... -- CMD [ARG]...: run a program or a function of the test
# under p2ptrace check.  Fails if p2ptrace finds a violation or an expectation does not hold.
check_run() (
	options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	while read -r function; do
		# shellcheck disable=SC2163 # exports the function that $function names
		export -f "$function"
	done < <(compgen -A function)
	export fio_json
	# shellcheck disable=SC2016 # expanded by the inner shell
	"$P2PTRACE" check --settle 10 --output /tmp/check.txt "${options[@]}" -- \
		bash -c '"$@"' - "$@" ||
		{ diag "$(cat /tmp/check.txt)"; exit 1; }
)

# trace_count [CONDITION]: the number of events that meet a jq condition, such as
# '.event == "p2pmem_alloc" and .size > 4096'
trace_count() {
	jq -n "[inputs | select(.event != \"end\") | select(${1:-true})] | length" $trace_json
}

# trace_values EXPRESSION [CONDITION]: the distinct values of a jq expression, sorted, in one line
trace_values() {
	jq -r "select(.event != \"end\") | select(${2:-true}) | $1" $trace_json |
		sort -u | paste -sd ' '
}

# trace_held: the number of buffers in the trace that were allocated and did not return to the pool
trace_held() {
	jq -n 'reduce inputs as $e ({};
		if $e.event == "p2pmem_alloc" then .["\($e.dev) \($e.id)"] = 1
		elif $e.event == "p2pmem_reclaim" or
			($e.event == "p2pmem_free" and ($e.pins // 0) == 0)
		then del(.["\($e.dev) \($e.id)"])
		else . end) | length' $trace_json
}
