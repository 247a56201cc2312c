#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on Debian's newest kernel for arm64, trace, stat, lifetimes, leaks and check see each
# allocation, decision and mapping of peer memory.
# Requires: Debian's archive, p2ptrace for arm64, QEMU for Arm.

# shellcheck source=tests/arm64/arm64.sh
. "${BASH_SOURCE[0]%/*}/arm64.sh"
on_arm64 guest/stock-kernel-shows-peer-memory.t
