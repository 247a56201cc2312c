#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace peers --predict gives the decision of this kernel for each pair of provider and
# client. This holds in each PCI tree of tests/vm/topology, with and without ACS redirect in each
# port that has it, and on a CPU that routes peer-to-peer requests.
# Requires: p2pmem series, p2ptrace, setpci; 9 boots.

# On the host, run this file once for each tree.  Each run is one test point, which passes if the
# run passes.
if [ -z "${LAB_GUEST:-}" ] && [ -z "${TOPOLOGY:-}" ]; then
	# shellcheck source=tests/lib/tap.sh
	. "${BASH_SOURCE[0]%/*}/../lib/tap.sh"
	# shellcheck disable=SC2317 # called by ok
	in_tree() {
		local out
		out=$(TOPOLOGY=$1 CPU=$2 "$0" 2>&1) && return
		tap_why "$out"
		return 1
	}
	runs=('switch EPYC' 'acs EPYC')
	for drawing in "${BASH_SOURCE[0]%/*}"/../vm/topology/*; do
		runs+=("${drawing##*/} max")
	done
	plan ${#runs[@]}
	for run in "${runs[@]}"; do
		read -r topology cpu <<<"$run"
		ok "in $topology, with CPU $cpu" in_tree "$topology" "$cpu"
	done
	exit $((tap_failed > 0))
fi

# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

ports=()
for dir in /sys/bus/pci/devices/*; do
	setpci -s "${dir##*/}" ECAP_ACS+6.w >/dev/null 2>&1 && ports+=("${dir##*/}")
done
redirect() { setpci -s "$1" "ECAP_ACS+6.w=$2:4"; }
# The decisions for all clients of functions that provide peer memory
provider_options=() peers=()
for dir in /sys/bus/pci/devices/*/p2pmem; do
	dir=${dir%/p2pmem}
	provider_options+=(--dev "${dir##*/}")
	peers+=("$(peers_of "${dir##*/}")")
done
pairs() {
	"$P2PTRACE" peers --json --class gpu,accel,nvme,nic,memory,other,bridge \
		"${provider_options[@]}" "$@" |
		jq -c '.pairs[] | [.provider, .client, .map, .distance, .reason, .blocker, .source]'
}
# Bridges are no clients for the kernel
reported() { pairs | grep '"kernel"]$' | sed 's/,"kernel"]//'; }
predictions() {
	local reported
	reported=$(reported | cut -d, -f1,2)
	pairs --predict | sed -n 's/,"predicted"]//p' | grep -F "$reported"
}

plan $((3 + 2 * ${#ports[@]}))

is 'QEMU has ACS in its root ports' \
	"${#ports[@]}" "$(grep -c '[─-] root-port' "tests/vm/topology/$LAB_TOPOLOGY")"
is 'the kernel reports all pairs of its own' \
	"$(reported | wc -l)" "$(cat "${peers[@]}" | grep -vc '^client ')"
is 'the predictions are the decisions' "$(predictions)" "$(reported)"
# Switch on redirect in one port after the other, until all redirect
for port in "${ports[@]}"; do
	ok "$port can redirect" redirect "$port" 4
	is 'the predictions are the new decisions' "$(predictions)" "$(reported)"
done
