#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: "--kernel debian:VERSION" boots a kernel of Debian with its modules, in the PCI tree of the
# lab.  An unknown version, suite or option is refused with status 253 and one sentence that lists
# the kernels there are.  APT's configuration and lists, and the packages of this machine, stay as
# they are.
# Requires: Debian's archive; without it, the test is skipped.

# shellcheck source=tests/lib/runner-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/runner-test.sh"

debian_kernel=$top/tests/vm/debian-kernel

# What APT and dpkg keep about this machine, with the times of the files
machine() {
	find /etc/apt /var/lib/apt /var/lib/dpkg /var/cache/apt /lib/modules /boot \
		-printf '%p %s %T@\n' 2>/dev/null | sort
}

before=$(machine)
"$debian_kernel" --list >"$scratch/list" 2>"$scratch/err" ||
	skip_all "$(tail -n 1 "$scratch/err")"
newest=$(awk 'NR == 1 { print $1 }' "$scratch/list")

plan 14

for unknown in 1.2 6.1.0-5 bookworm/7.3 nowhere/6.1; do
	lab --kernel "debian:$unknown" -- true
	is "debian:$unknown: status" "$status" 253
	like "debian:$unknown: one sentence lists what there is" "$(<"$scratch/err")" \
		"^debian-kernel: Debian's archive has no kernel '$unknown'; there are: [^
]*6\\.1 \\(bookworm[^
]*\$"
done
lab --kernel debian: -- true
is 'no version: status' "$status" 253

lab --kernel "debian:$newest" -- sh -c 'uname -r
	ls /sys/class/nvme | wc -l
	modprobe nvmet && ls -d /sys/module/nvmet'
is "debian:$newest boots, has the drives, and has its modules" "$(<"$scratch/out")" \
	"$newest"$'\n3\n/sys/module/nvmet'
is 'its command ends with its status' "$status" 0

lab --kernel "debian:$newest" -- true
is 'the second use fetches nothing' "$(<"$scratch/err")" ''

lab --kernel "debian:$newest" -- touch /lib/modules/new
is 'the modules cannot be changed in the guest' "$status" 1

is 'APT and dpkg of this machine are untouched' "$(machine)" "$before"

exit $((tap_failed > 0))
