#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: every program of every BPF object of p2ptrace passes the verifier of
# the base kernel.
# Programs whose tracepoint or function the kernel lacks are named.
# Requires: the base kernel, p2ptrace, bpftool, readelf.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch STOCK=1 TIMEOUT=900
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2ptrace
# shellcheck source=tests/lib/verifier.sh
. "${BASH_SOURCE[0]%/*}/../lib/verifier.sh"

verifier_test stock "$(pci_of cmb0)" "$(pci_of plain0)"
