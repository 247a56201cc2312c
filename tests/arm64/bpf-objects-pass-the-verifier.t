#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: every program of every BPF object of p2ptrace passes the verifier of Debian's newest
# kernel for arm64.
# Requires: Debian's archive, p2ptrace for arm64, QEMU for Arm.

# shellcheck source=tests/arm64/arm64.sh
. "${BASH_SOURCE[0]%/*}/arm64.sh"
on_arm64 guest/bpf-objects-pass-the-verifier-of-the-base.t
