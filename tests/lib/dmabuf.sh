# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# dmabuf.sh - functions for guest tests with dma-bufs, on a kernel with vfio-pci and the topology
# dmabuf: vfio-pci exports a BAR, and dmabuf_importer (tests/module) imports it for any device.

# shellcheck source=tests/lib/guest.sh
declare -F nvmet_export >/dev/null || . "${BASH_SOURCE[0]%/*}/guest.sh"
tracing=/sys/kernel/tracing
importer=/sys/kernel/debug/dmabuf_importer

# dmabuf_setup: bind cmb0 to vfio-pci, unbind the other devices of its IOMMU group from their
# drivers, and start tests/lib/dmabuf.c.  Sets $cmb, $near and $far.
dmabuf_setup() {
	local program=/tmp/dmabuf device nic
	cc -D_GNU_SOURCE -O1 -o $program tests/lib/dmabuf.c -lpthread ||
		bail 'cannot compile tests/lib/dmabuf.c'
	{ modprobe vfio-pci && modprobe vfio_iommu_type1; } || bail 'no vfio-pci'
	# The emulated IOMMU cannot remap interrupts
	echo 1 >/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts
	insmod "${LAB_MODULE%/*}/dmabuf_importer.ko" || bail 'cannot load dmabuf_importer'
	# shellcheck disable=SC2034 # for the caller
	cmb=$(pci_of cmb0) near=$(pci_of plain0) far=$(pci_of far0) nic=$(nic_pci)
	for device in "$cmb" "$near" "$nic"; do
		echo "$device" >"/sys/bus/pci/devices/$device/driver/unbind"
	done
	echo vfio-pci >"/sys/bus/pci/devices/$cmb/driver_override"
	echo "$cmb" >/sys/bus/pci/drivers_probe
	mkfifo /tmp/dmabuf.in /tmp/dmabuf.out
	$program </tmp/dmabuf.in >/tmp/dmabuf.out &
	dmabuf_pid=$!
	exec 5>/tmp/dmabuf.in 6</tmp/dmabuf.out
}

# dmabuf COMMAND...: a command of tests/lib/dmabuf.c.  Prints its answer.
dmabuf() {
	local answer
	echo "$*" >&5
	read -r -t 60 answer <&6
	echo "$answer"
	[ "$answer" = ok ]
}

# import COMMAND NAME [TIMES]: a command of dmabuf_importer
import() {
	local i
	for ((i = 0; i < ${3:-1}; i++)); do
		echo "$1 $2" >$importer || return
	done
}

# count_calls FUNCTION...: let ftrace record the calls of these functions, with the result if they
# have one
count_calls() {
	local function probe
	for function; do
		probe="f:calls/$function $function"
		{ echo "$probe%return ret=\$retval:s64" || echo "$probe"; } 2>/dev/null ||
			bail "cannot trace $function"
	done >$tracing/dynamic_events
	echo 4096 >$tracing/buffer_size_kb
	echo 1 >$tracing/events/calls/enable
}

# calls FUNCTION: how many calls did not fail
calls() { grep " $1: " $tracing/trace | grep -cvE ' ret=-[0-9]{1,4}$'; }

# dmabuf_end: end the program and unbind its device from vfio-pci
dmabuf_end() {
	echo quit >&5
	wait "$dmabuf_pid"
	timeout 60 sh -c "echo $cmb >/sys/bus/pci/drivers/vfio-pci/unbind"
}
