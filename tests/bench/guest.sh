# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# guest.sh - functions that the benchmarks share in the guest.

# shellcheck source=tests/lib/guest.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest.sh"

# Whenever all CPUs are idle, time jumps to the next timer, much faster than the host can serve a
# drive.  Without this process, requests would time out.
chrt --idle 0 bash -c 'while :; do :; done' &
spinner=$!
quiet() { kill -STOP $spinner; }
busy() { kill -CONT $spinner; }

taskset -cp 0 $$ >/dev/null

published() { [ "$(cat "/sys/bus/pci/devices/$1/p2pmem/published" 2>/dev/null)" = 1 ]; }

# target SUBSYSTEM DRIVE [P2PMEM]: create a subsystem whose only namespace is DRIVE
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

# port NUMBER KEY=VALUE...: create a port if it does not exist
port() {
	local port=$nvmet/ports/$1 pair
	[ ! -d "$port" ] || return 0
	mkdir "$port" || return
	for pair in "${@:2}"; do
		echo "${pair#*=}" >"$port/${pair%%=*}" || return
	done
}

# target_loop, target_rdma: the same, and export it
target_loop() {
	target "$@" && port 1 addr_trtype=loop &&
		ln -s "$nvmet/subsystems/$1" $nvmet/ports/1/subsystems/
}

# RDMA_PORT_OPTIONS: more attributes of the RDMA port
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

# requests WORDS SUBSYSTEM read|write SIZE [COUNT]: measure requests through an existing connection
# and print the figures after WORDS
requests() {
	local device out
	device=$(remote_drive "$2") || return
	quiet
	# shellcheck disable=SC2154 # a variable of the script that sources this file
	out=$(chrt --fifo 1 "$requests" "$device" "${@:3}")
	busy
	[ -n "$out" ] || return
	echo "test=request $1 $out"
}
