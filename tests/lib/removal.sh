# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# removal.sh - remove a provider and bring it back under full load.  The load is a host that writes
# through an exported drive and verifies what it reads.  Until the provider is gone, threads on
# every CPU also allocate, map, free, find and bind.
#
# A test sources this file below guest-test.sh and defines two functions: take_away, after which
# the provider is gone, and bring_back, after which a function at the same address provides memory.
# Then it calls removal_under_load with the PCI address of the provider, for REMOVAL_POINTS points.

# shellcheck source=tests/lib/load.sh
. "${BASH_SOURCE[0]%/*}/load.sh"
require_p2pmem
require_p2ptrace

# shellcheck disable=SC2034 # for the test
readonly REMOVAL_POINTS=28

# of_bindings EXPRESSION: the value of a jq expression for each bind and unbind, in order
of_bindings() {
	jq -r "select((.event == \"nvmet_p2pmem_bind\" and .err == 0) or
			.event == \"nvmet_p2pmem_unbind\") | $1" \
		"$trace_json" | paste -sd ' '
}

# used_since_rebind: the number of requests that used peer memory after the last bind
used_since_rebind() {
	jq -n 'reduce inputs as $e (0;
		if $e.event == "nvmet_p2pmem_bind" then 0
		elif $e.event == "nvmet_p2pmem_use" then . + 1
		else . end)' "$trace_json"
}

removal_provides() { p2pmem_of "$provider" >/dev/null; }

removal_under_load() {
	local provider=$1 remote start buffers used

	local events=p2pmem_dev_add,p2pmem_dev_del,p2pmem_dev_drained,p2pmem_drain_stall
	events+=,nvmet_p2pmem_bind,nvmet_p2pmem_unbind,nvmet_p2pmem_use,nvmet_p2pmem_fallback
	trace_start --event $events
	buffers=$(buffers_held)
	rxe_up
	nvmet_export lab plain0 1 || bail 'cannot export plain0'
	nvmet_connect lab
	remote=$(host_drive 1)
	ok 'I/O is under way' load_start "$remote"
	stress_start "$provider" "$(pci_of plain0)" "$(nic_pci)"
	ok 'it goes on beside the stress' goes_on "$remote"

	start=$SECONDS
	ok 'the provider can be taken away' take_away
	diag "that took $((SECONDS - start)) s"
	ok 'its p2pmem device is gone' eval '! removal_provides'
	ok 'I/O goes on' goes_on "$remote"
	is 'nothing is bound: it uses system memory' "$(bindings)" 0

	stress_stop
	ok 'the stress has allocated and mapped' \
		[ "$(($(field allocs "$stress") > 100 && $(field maps "$stress") > 100))" = 1 ]
	ok 'its threads were notified of the removal' [ "$(field notified "$stress")" -gt 0 ]
	is 'no page was in two buffers at once' "$(field overlaps "$stress")" 0
	is 'no page was changed by another user' "$(field corrupted "$stress")" 0
	is 'there were no other errors' "$(field errors "$stress")" 0

	used=$(counted used)
	ok 'the provider can be brought back' bring_back
	ok 'it provides memory again' wait_for 30 removal_provides
	ok 'requests use peer memory again, without a new connection' \
		wait_for 30 used_above $((used + 100))
	ok 'I/O still goes on' goes_on "$remote"
	ok 'fio can be ended' load_stop
	is 'fio saw no error' "$(load_error)" 0
	ok 'fio read and verified' [ "$(load_verified)" -gt 500 ]
	nvmet_disconnect lab
	ok 'as many buffers are allocated as before' wait_for 20 held_is "$buffers"
	trace_stop

	is 'the removal began once' \
		"$(trace_values .provider '.event == "p2pmem_dev_del"')" "$provider"
	is 'the removal ended' "$(trace_count '.event == "p2pmem_dev_drained"')" 1
	diag "drained in $(trace_values '.waited_ns / 1e6' '.event == "p2pmem_dev_drained"') ms"
	# Requests that are under way take longer on a kernel with KASAN
	if grep -q ' kasan_report$' /proc/kallsyms; then
		skip 1 'make check-debug: the kernel is several times slower'
	else
		is 'the removal took less than a second' \
			"$(trace_count '.event == "p2pmem_dev_drained" and .waited_ns < 1e9')" 1
	fi
	is 'the removal did not stall' "$(trace_count '.event == "p2pmem_drain_stall"')" 0
	like 'requests fell back meanwhile' \
		"$(trace_values .reason '.event == "nvmet_p2pmem_fallback" and .qid > 0')" \
		'^(no_binding|removed| )+$'
	is 'the target was bound, unbound, and bound again' \
		"$(of_bindings '.reason // "bound"')" 'bound removed bound teardown'
	is 'first to the device that went, then to the one that came' \
		"$(of_bindings 'select(.event == "nvmet_p2pmem_bind") | .dev')" \
		"$(jq -r 'select(.event == "p2pmem_dev_del" or .event == "p2pmem_dev_add") | .dev' \
			"$trace_json" | paste -sd ' ')"
	is 'both times for the same controller' \
		"$(of_bindings .cntlid | tr ' ' '\n' | sort -u | wc -l)" 1
	ok 'its requests used the new device' [ "$(used_since_rebind)" -ge 100 ]
}
