#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace peers --from a snapshot prints the same bytes as on the machine: the matrix, its
# JSON, and the explanation of each pair. From lspci, each answer is the same or unknown.
# Requires: p2pmem series or the base kernel, p2ptrace, lspci; 6 boots.
#
# The topologies small and large are not among the machines: they differ from a switch and from bars
# in the size of a BAR only. dmabuf has an IOMMU, which only Debian's kernels drive: to compare on
# it, run this file with TOPOLOGY=dmabuf CPU=max KERNEL=debian:7.3.

# On the host, run this file once for each machine.  Each run is one test point, which passes if the
# run passes.
if [ -z "${LAB_GUEST:-}" ] && [ -z "${TOPOLOGY:-}" ]; then
	# shellcheck source=tests/lib/tap.sh
	. "${BASH_SOURCE[0]%/*}/../lib/tap.sh"
	# shellcheck disable=SC2317 # called by ok
	on_machine() {
		local out
		out=$(TOPOLOGY=$1 CPU=$2 NEEDS='' STOCK=$3 "$0" 2>&1) && return
		tap_why "$out"
		return 1
	}
	plan 6
	ok 'a switch, the series' on_machine switch EPYC ''
	ok 'ACS, the series' on_machine acs max ''
	ok 'a switch, a stock kernel' on_machine switch max 1
	ok 'two switches, the series' on_machine two max ''
	ok 'BARs up to 8 GiB, the series' on_machine bars EPYC ''
	ok 'no provider, a stock kernel' on_machine plain EPYC 1
	exit $((tap_failed > 0))
fi

# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2ptrace

peers() { "$P2PTRACE" peers "$@"; }
mapfile -t functions < <(peers --json | jq -r '.functions[].name')

plan 12

ok 'a snapshot is written' "$P2PTRACE" snapshot -o /tmp/snapshot
ok 'it is JSON' jq -e '.p2ptrace_snapshot == 1' /tmp/snapshot
is 'there are functions to ask about' "$((${#functions[@]} >= 2))" 1
for options in '' --all --json '--all --json' '--kernel 5.4' '--predict --all'; do
	# shellcheck disable=SC2086 # several words
	is "the same matrix: ${options:-without options}" \
		"$(peers --from /tmp/snapshot $options)" "$(peers $options)"
done
answers() {
	local a b
	for a in "${functions[@]}"; do
		for b in "${functions[@]}"; do
			peers "$@" --why "$a" "$b"
			peers "$@" --why "$a" "$b" --json
		done
	done
}
is 'the same explanation of each pair' "$(answers --from /tmp/snapshot)" "$(answers)"

lspci -D -xxxx >/tmp/lspci
maps() { peers --json --all "$@" | jq -r '.pairs[] | "\(.client) \(.provider) \(.map)"' | sort; }
maps --predict >/tmp/here
maps --kernel "$(uname -r)" --from /tmp/lspci >/tmp/there
is 'from lspci, each answer is the same or unknown' \
	"$(grep -v ' unknown$' /tmp/there | diff - /tmp/here | grep -c '^<')" 0
is 'all that are bus_addr are known' \
	"$(grep -c ' bus_addr$' /tmp/there)" "$(grep -c ' bus_addr$' /tmp/here)"
