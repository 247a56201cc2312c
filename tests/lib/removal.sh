# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# removal.sh - a provider goes away and comes back while it is used as hard as it
# can be: by hosts that write through an exported drive and verify what they read,
# and, until it is gone, by threads on every CPU that allocate, map, free, find and
# bind.
#
# A test sources this below guest-test.sh, defines take_away, which is to have
# the provider gone for good when it returns, and bring_back, after which a
# function at the same address lends memory, and calls removal_under_load, which
# has REMOVAL_POINTS points, with the PCI address of the provider.

# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/load.sh"
require_p2pmem
require_p2ptrace

# shellcheck disable=SC2034 # for the test
readonly REMOVAL_POINTS=28

# of_bindings EXPRESSION: of each time that something was bound or unbound, in order
of_bindings() {
	jq -r "select((.event == \"nvmet_p2pmem_bind\" and .err == 0) or .event == \"nvmet_p2pmem_unbind\") | $1" \
		"$trace_json" | paste -sd ' '
}

# used_since_rebind: how many requests used peer memory after the last binding
used_since_rebind() {
	jq -n 'reduce inputs as $e (0;
		if $e.event == "nvmet_p2pmem_bind" then 0
		elif $e.event == "nvmet_p2pmem_use" then . + 1
		else . end)' "$trace_json"
}

# removal_lends: it does
removal_lends() { p2pmem_of "$provider" >/dev/null; }

removal_under_load() {
	local provider=$1 remote start buffers used

	trace_start --event p2pmem_dev_add,p2pmem_dev_del,p2pmem_dev_drained,p2pmem_drain_stall,nvmet_p2pmem_bind,nvmet_p2pmem_unbind,nvmet_p2pmem_use,nvmet_p2pmem_fallback
	buffers=$(buffers_held)
	rxe_up
	nvmet_export lab plain0 1 || bail 'cannot export plain0'
	nvmet_connect lab
	remote=$(host_drive 1)
	ok 'I/O is under way' load_start "$remote"
	stress_start "$provider" "$(pci_of plain0)" "$(nic_pci)"
	ok 'and still is, with the stress' goes_on "$remote"

	start=$SECONDS
	ok 'the provider can be taken away' take_away
	diag "that took $((SECONDS - start)) s"
	ok 'it lends nothing any more' eval '! removal_lends'
	ok 'I/O goes on' goes_on "$remote"
	is 'in system memory' "$(bindings)" 0

	stress_stop
	ok 'the stress has allocated and mapped' \
		[ "$(($(field allocs "$stress") > 100 && $(field maps "$stress") > 100))" = 1 ]
	ok 'its threads were told of the removal' [ "$(field told "$stress")" -gt 0 ]
	is 'no page was ever handed out twice' "$(field overlaps "$stress")" 0
	is 'nor changed by somebody else' "$(field corrupted "$stress")" 0
	is 'and nothing else was wrong' "$(field errors "$stress")" 0

	used=$(counted used)
	ok 'the provider can be brought back' bring_back
	ok 'it lends memory again' wait_for 30 removal_lends
	ok 'requests use peer memory again, without a new connection' \
		wait_for 30 used_above $((used + 100))
	ok 'I/O still goes on' goes_on "$remote"
	ok 'fio can be ended' load_stop
	is 'it has seen no error' "$(load_error)" 0
	ok 'it has read and verified' [ "$(load_verified)" -gt 500 ]
	nvmet_disconnect lab
	ok 'no more is held than before' wait_for 20 held_is "$buffers"
	trace_stop

	is 'the removal began once' "$(trace_values .provider '.event == "p2pmem_dev_del"')" "$provider"
	is 'and ended' "$(trace_count '.event == "p2pmem_dev_drained"')" 1
	diag "drained in $(trace_values '.waited_ns / 1e6' '.event == "p2pmem_dev_drained"') ms"
	is 'within a second' \
		"$(trace_count '.event == "p2pmem_dev_drained" and .waited_ns < 1e9')" 1
	is 'without a stall' "$(trace_count '.event == "p2pmem_drain_stall"')" 0
	like 'requests fell back meanwhile' \
		"$(trace_values .reason '.event == "nvmet_p2pmem_fallback" and .qid > 0')" '^(no_binding|removed| )+$'
	is 'the target was bound, no more, and bound again' \
		"$(of_bindings '.reason // "bound"')" 'bound removed bound teardown'
	is 'to what there was, and to what came back' "$(of_bindings 'select(.event == "nvmet_p2pmem_bind") | .dev')" \
		"$(jq -r 'select(.event == "p2pmem_dev_del" or .event == "p2pmem_dev_add") | .dev' "$trace_json" | paste -sd ' ')"
	is 'for one and the same controller' "$(of_bindings .cntlid | tr ' ' '\n' | sort -u | wc -l)" 1
	ok 'whose requests used it after that' [ "$(used_since_rebind)" -ge 100 ]
}
