#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: what bpf-objects-pass-the-verifier.t shows, on the kernel with pages of 16 KiB.
# Requires: Debian's archive, p2ptrace for arm64, QEMU for Arm.

# shellcheck source=tests/arm64/arm64.sh
. "${BASH_SOURCE[0]%/*}/arm64.sh"
on_arm64 guest/bpf-objects-pass-the-verifier-of-the-base.t debian:newest-16k
