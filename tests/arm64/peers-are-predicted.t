#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on Debian's kernel 7.3 for arm64, peers predicts the decisions of the kernel.
# Requires: Debian's archive, p2ptrace for arm64, QEMU for Arm.

# shellcheck source=tests/arm64/arm64.sh
. "${BASH_SOURCE[0]%/*}/arm64.sh"
on_arm64 guest/peers-are-predicted-on-a-stock-kernel.t debian:7.3
