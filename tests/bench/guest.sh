# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the benchmarks share in the guest.

# shellcheck source=tests/lib/guest.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest.sh"

# Time leaps to the next timer whenever all CPUs are idle, much faster than the
# host can serve a drive: without something to do, requests would time out.
chrt --idle 0 bash -c 'while :; do :; done' &
spinner=$!
quiet() { kill -STOP $spinner; }
busy() { kill -CONT $spinner; }

taskset -cp 0 $$ >/dev/null

published() { [ "$(cat "/sys/bus/pci/devices/$1/p2pmem/published" 2>/dev/null)" = 1 ]; }

# target SUBSYSTEM DRIVE [P2PMEM]: a subsystem whose only namespace is DRIVE
target() {
	local subsystem=$nvmet/subsystems/$1
	mkdir "$subsystem" "$subsystem/namespaces/1" || return
	echo 1 >"$subsystem/attr_allow_any_host"
	printf %s "$2" >"$subsystem/namespaces/1/device_path"
	if [ -n "${3:-}" ]; then
		echo "$3" >"$subsystem/namespaces/1/p2pmem" || return
	fi
	echo 1 >"$subsystem/namespaces/1/enable"
}

# port NUMBER KEY=VALUE...: a port, if it is not there yet
port() {
	local port=$nvmet/ports/$1 pair
	[ ! -d "$port" ] || return 0
	mkdir "$port" || return
	for pair in "${@:2}"; do
		echo "${pair#*=}" >"$port/${pair%%=*}" || return
	done
}

# target_loop, target_rdma: the same, reachable
target_loop() {
	target "$@" && port 1 addr_trtype=loop && ln -s "$nvmet/subsystems/$1" $nvmet/ports/1/subsystems/
}

# RDMA_PORT_OPTIONS: more about the port
RDMA_PORT_OPTIONS=()
target_rdma() {
	target "$@" && port 2 addr_trtype=rdma addr_adrfam=ipv4 "addr_traddr=$RDMA_ADDRESS" \
		"addr_trsvcid=$RDMA_PORT" "${RDMA_PORT_OPTIONS[@]}" &&
		ln -s "$nvmet/subsystems/$1" $nvmet/ports/2/subsystems/
}

# connect loop|rdma SUBSYSTEM
connect() {
	local where=()
	[ "$1" = loop ] || where=(--traddr "$RDMA_ADDRESS" --trsvcid "$RDMA_PORT")
	nvme connect --transport "$1" "${where[@]}" --nqn "$2" >/dev/null &&
		wait_for 60 remote_drive "$2" >/dev/null
}

# requests WORDS SUBSYSTEM read|write SIZE [COUNT]: through a connection that is
# there, and say what WORDS are about
requests() {
	local device out
	device=$(remote_drive "$2") || return
	quiet
	# shellcheck disable=SC2154 # the script says which program this is
	out=$(chrt --fifo 1 "$requests" "$device" "${@:3}")
	busy
	[ -n "$out" ] || return
	echo "test=request $1 $out"
}
