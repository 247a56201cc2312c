# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# arm64.sh - run a test on Debian's kernel for arm64, in a guest that QEMU emulates
#
#   on_arm64 TEST [KERNEL]   build p2ptrace for arm64, and run tests/TEST on that kernel of Debian
#                            (default: debian:newest); does not return
#
# If Debian's archive cannot be read, or lacks a package or the kernel, the test is skipped and says
# so.  A program that does not build fails the test.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

on_arm64() {
	local output

	export LAB_ARCH=arm64 DEBIAN_KERNEL=${2:-debian:newest}
	# The reason follows the steps that were done
	output=$("$top/tests/vm/debian-root" 2>&1) ||
		skip_all "no files of Debian for arm64: ${output##*$'\n'}"
	output=$(env -u MAKEFLAGS -u MAKELEVEL make -C "$top" p2ptrace-arm64 2>&1) || {
		plan 1
		tap_fail 'p2ptrace builds for arm64'
		bail "$(tail -n 20 <<<"$output")"
	}
	exec "$top/tests/$1"
}
