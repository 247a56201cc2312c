#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: when memory is published elsewhere, a namespace does not keep memory that its clients
# cannot reach any more. It uses system memory without an I/O error, and peer memory again when that
# can be reached. This is so for a namespace that uses any memory, and for one that names it. The
# kernel log has the reason once, not each time that memory is published.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, nvme, rdma, setpci.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=redirect CPU=max NEEDS='bindings that are decided again'
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/target.sh
. "${BASH_SOURCE[0]%/*}/../lib/target.sh"

provider=$(pci_of cmb0)
other=$(pci_of cmb1)
name=$(p2pmem_name "$provider")
# Request Redirect in the ACS control register of the root port applies to requests from one
# function below it to another
root_port=$(basename "$(readlink -f "/sys/bus/pci/devices/$provider/..")")
redirect() { setpci -s "$root_port" ECAP_ACS+6.w="$1":4; }

# Memory that nobody here can reach is published, and all bindings are looked at again
publish_elsewhere() { provider_unbind "$other" && provider_bind "$other"; }
bound_as_is() { [ "$(got)" = "$1" ]; }
refusals() { kernel_log 'no peer memory' | wc -l; }
reasons() { kernel_log 'ACS redirect is set' | wc -l; }

plan $((2 * 9 + 4))

rxe_up
for asked in 1 "$provider"; do
	if [ "$asked" = 1 ]; then
		error=-ENODEV
		nvmet_export lab plain0 1 || bail 'cannot export plain0'
	else
		error=-EREMOTEIO
		echo 0 >"$ns/enable"
		asked "$asked"
		echo 1 >"$ns/enable"
	fi
	nvmet_connect lab
	remote=$(remote_drive lab)
	is "p2pmem $asked: it is bound" "$(got)" "$name:4:0"
	ok 'redirect can be switched on' redirect 4
	ok 'memory is published elsewhere' publish_elsewhere
	ok 'it is not bound any more' wait_for 20 bound_as_is "-:-1:$error"
	used=$(counted used)
	ok 'blocks are right' fio_verify "$remote" 16k 31
	is 'none of them used peer memory' "$(counted used)" "$used"
	if [ "$asked" != 1 ]; then
		lines=$(refusals) said=$(reasons)
		ok 'the log has the reason' [ "$said" -gt 0 ]
		ok 'memory is published elsewhere again' publish_elsewhere
		ok 'and again' publish_elsewhere
		ok 'the log has no more lines' [ "$(refusals) $(reasons)" = "$lines $said" ]
	fi
	ok 'redirect can be switched off' redirect 0
	ok 'memory is published elsewhere' publish_elsewhere
	ok 'it is bound again' wait_for 20 bound_as_is "$name:4:0"
	nvmet_disconnect lab
done
