#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on Debian's kernel 7.3 for arm64, p2ptrace sees the requests of nvmet, which is a module,
# by probes that read registers, whenever nvmet is loaded.
# Requires: Debian's archive, p2ptrace for arm64, QEMU for Arm.

# shellcheck source=tests/arm64/arm64.sh
. "${BASH_SOURCE[0]%/*}/arm64.sh"
on_arm64 distro/nvmet-is-seen-whenever-it-is-loaded.t debian:7.3
