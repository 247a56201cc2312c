#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on Debian's newest kernel for arm64, trace, stat and check report each block request in
# another drive's memory, as often as the kernel's own tracer, and lifetimes and leaks run.
# Requires: Debian's archive, p2ptrace for arm64, QEMU for Arm.

# shellcheck source=tests/arm64/arm64.sh
. "${BASH_SOURCE[0]%/*}/arm64.sh"
on_arm64 guest/debian-kernel-shows-each-block-request.t
