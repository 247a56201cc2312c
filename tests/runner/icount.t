#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: with --icount, guest time counts instructions, one per nanosecond, and the default is one
# CPU; without --icount, the default is two CPUs.
# Requires: a kernel; 3 boots.

# shellcheck source=tests/lib/runner-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/runner-test.sh"

plan 8

LAB_ACCEL=kvm lab --icount -- true
is 'KVM cannot count: status' "$status" 253
like 'KVM cannot count: the message says so' \
	"$(<"$scratch/err")" '--icount needs software emulation'

lab --topology plain -- nproc
is 'without --icount: CPUs' "$(<"$scratch/out")" 2

for cpus in 1 2; do
	smp=(--smp "$cpus")
	[ $cpus = 2 ] || smp=()
	lab --topology plain --icount "${smp[@]}" -- nproc
	is "$cpus: status" "$status" 0
	is "$cpus: CPUs" "$(<"$scratch/out")" "$cpus"
	# The kernel measures the time stamp counter against another clock
	[ $cpus = 2 ] || like 'an instruction takes a nanosecond' "$(<"$scratch/log")" \
		'tsc: Detected (1000\.0|999\.9)[0-9]* MHz processor'
done
