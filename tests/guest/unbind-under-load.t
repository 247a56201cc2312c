#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when the driver of the provider is unbound under full load, no I/O fails, no data is lost,
# and its memory is released within a second. When it is bound again, connected hosts use peer
# memory again.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, the build directory of the kernel,
# fio, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/removal.sh
. "${BASH_SOURCE[0]%/*}/../lib/removal.sh"

provider=$(pci_of cmb0)
take_away() { provider_unbind "$provider"; }
bring_back() { provider_bind "$provider"; }
core_load

plan $REMOVAL_POINTS

removal_under_load "$provider"
