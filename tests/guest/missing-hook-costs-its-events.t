#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on the base kernel, a hook that cannot be attached costs p2ptrace exactly the
# events that it serves.  All other events are recorded.  A note and the answer name those that
# are not seen.  A command that needs the event fails and says so, and so does check, unless
# --allow-blind is given.
# Requires: the base kernel, p2ptrace, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch STOCK=1 MODULE=1 TIMEOUT=900
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2ptrace
# shellcheck source=tests/lib/churn.sh
. "${BASH_SOURCE[0]%/*}/../lib/churn.sh"

pages=$(grep -owE -m 1 'pci_p2pdma_map_segment|__pci_p2pdma_update_state' /proc/kallsyms)
# Each hook of a stock kernel, and its events; in brackets if another hook shows a part of them
hooks="pci_alloc_p2pmem p2pmem_alloc p2pmem_alloc_fail
calc_map_type_and_dist p2pdma_decide
pci_p2pmem_find_many p2pmem_find
dma_map_sg [p2pdma_map]
dma_unmap_sg [p2pdma_unmap]
$pages [p2pdma_map p2pdma_unmap]
p2pmem_alloc_mmap p2pmem_mmap
nvmet_req_alloc_sgls nvmet_p2pmem_use nvmet_p2pmem_fallback"

plan $((4 * $(wc -l <<<"$hooks") + 25))

n=61
churn_load "$(pci_of cmb0)" client="$(pci_of plain0)"
selected() { sed -nE 's/.*tracing ([0-9]+) event.*/\1/p' $watch_err; }

# counted: how often each event occurred that the module causes
counted() {
	local event
	for event in p2pmem_alloc p2pdma_map p2pdma_unmap p2pmem_free; do
		echo "$event=$(grep -c "\"event\":\"$event\"" $watch_out)"
	done | paste -sd ' '
}

# wanted HOOK EVENT...: the same if these are left out
wanted() {
	local event
	for event in p2pmem_alloc p2pdma_map p2pdma_unmap p2pmem_free; do
		case " $* " in
		*" $event "*) echo "$event=0" ;;
		*) echo "$event=$n" ;;
		esac
	done | paste -sd ' '
}

# without HOOK: trace without it
without() {
	P2PTRACE_NO_HOOKS=$1 watch trace --json
	pairs 0 $n
	watch_end || diag "$(cat $watch_err)"
}

# blind: the events that the answer says it did not see
blind() { jq -cs '.[-1].blind' $watch_out; }

without ''
all=$(selected)
is 'with all hooks, each event is recorded' "$(counted)" "$(wanted)"
is 'and the answer says that nothing was missed' "$(blind)" '[]'

while read -r hook events; do
	without "$hook"
	left=0 verb='leaving out (%s): '
	if [[ $events = \[* ]]; then
		events=${events#[} events=${events%]}
		left=$(wc -w <<<"$events") verb='(%s) is seen only in part, without scatterlists: '
	fi
	# shellcheck disable=SC2086 # each is a word
	is "without $hook: its events are not recorded, all others are" \
		"$(counted)" "$(wanted $events)"
	is "without $hook: as many events are selected" \
		"$(selected)" $((all - $(wc -w <<<"$events") + left))
	# shellcheck disable=SC2059 # it has one %s
	notes=$(printf "$verb" "${events// /|}")$hook:
	is "without $hook: a note says so" "$(grep -cE "$notes" $watch_err)" \
		"$(wc -w <<<"$events")"
	is "without $hook: so does the answer" "$(blind)" "[\"${events// /\",\"}\"]"
done <<<"$hooks"

# Either of these serves a part of p2pmem_free
without pci_free_p2pmem
is 'without pci_free_p2pmem: frees of single buffers are not recorded' \
	"$(counted) $(selected)" "$(wanted p2pmem_free) $all"
is 'and a note says so' \
	"$(grep -c 'p2pmem_free is .* without single buffers: pci_free_p2pmem: ' $watch_err)" 1
without pci_p2pmem_free_sgl
is 'without pci_p2pmem_free_sgl: they are' "$(counted) $(selected)" "$(wanted) $all"
is 'and a note says that those of lists are not' \
	"$(grep -c 'p2pmem_free is .* without lists: pci_p2pmem_free_sgl: ' $watch_err)" 1
is 'so does the answer' "$(blind)" '["p2pmem_free"]'

without dma_map_resource
is 'without dma_map_resource: other mappings are recorded' "$(counted) $(selected)" "$(wanted) $all"
is 'and the answer says so' "$(blind)" '["p2pdma_map","p2pdma_unmap"]'
without vm_insert_page
is 'without vm_insert_page: buffers of drivers are recorded' \
	"$(counted) $(selected)" "$(wanted) $all"
is 'and the answer names what is not' "$(blind)" '["p2pmem_alloc","p2pmem_free"]'

# answer HOOK COMMAND [OPTION]...: exit status, and the events that were not seen
answer() {
	local hook=$1
	shift
	P2PTRACE_NO_HOOKS=$hook "$P2PTRACE" "$@" >$watch_out 2>$watch_err
	echo "$? $(blind)"
}
is 'stat names what it does not count' \
	"$(answer pci_p2pmem_find_many stat --json --duration 0.1)" '0 ["p2pmem_find"]'
is 'and has no metric for it' \
	"$(jq -c 'select(.event == "total") | .metrics |
		[has("finds"), has("allocs")]' $watch_out)" \
	'[false,true]'
is 'leaks names what it does not see' \
	"$(answer pci_p2pmem_free_sgl leaks --json --duration 0.1)" '0 ["p2pmem_free"]'
P2PTRACE_NO_HOOKS=dma_unmap_sg watch lifetimes --json
pairs 0 $n
watch_end
is 'lifetimes shows how long buffers are held if it cannot see the ends of mappings' \
	"$(jq -c '[.lifetimes[] | [.kind, .count]]' $watch_out)" "[[\"held\",$n]]"
is 'and names the mappings' "$(blind)" '["p2pdma_map","p2pdma_unmap"]'
is 'check fails if it is blind' "$(answer dma_unmap_sg check --json -- true)" \
	'3 ["p2pdma_map","p2pdma_unmap"]'
is 'and says which hook is missing, and what to do' \
	"$(jq -r .blind_why.p2pdma_unmap $watch_out | grep -c 'scatterlists: dma_unmap_sg: ') \
$(grep -c 'use --allow-blind' $watch_err)" '1 1'
is '--allow-blind makes it pass' "$(answer dma_unmap_sg check --json --allow-blind -- true)" \
	'0 ["p2pdma_map","p2pdma_unmap"]'
is 'check is not blind for what it does not need' \
	"$(answer pci_p2pmem_find_many check --json -- true)" '0 []'
P2PTRACE_NO_HOOKS=dma_unmap_sg "$P2PTRACE" trace --list-events >$watch_out
is 'the list of events names the hook' "$? $(sed -n '/^p2pdma_unmap/,/^[^ ]/p' $watch_out |
	grep -c 'not seen: scatterlists: dma_unmap_sg: ')" '0 1'

P2PTRACE_NO_HOOKS=pci_p2pmem_find_many "$P2PTRACE" trace --event p2pmem_find \
	>/dev/null 2>$watch_err
is 'an event that is asked for by name is an error' \
	"$? $(grep -c pci_p2pmem_find_many $watch_err)" '3 1'
P2PTRACE_NO_HOOKS=pci_alloc_p2pmem "$P2PTRACE" leaks --duration 0.1 >/dev/null 2>$watch_err
is 'leaks needs to see allocations' $? 3
like 'and says so' "$(tail -n 1 $watch_err)" 'alloc'
all_hooks=$(awk '{ print $1 }' <<<"$hooks" | paste -sd ,),pci_free_p2pmem,pci_p2pmem_free_sgl
all_hooks+=,p2pdma_page_free,p2pdma_folio_free,dma_map_resource,blk_rq_dma_map_iter_start,dmabuf
for function in export file_release dynamic_attach detach map_attachment unmap_attachment pin \
	unpin invalidate_mappings move_notify phys_vec_to_sgt; do
	all_hooks+=,dma_buf_$function
done
P2PTRACE_NO_HOOKS=$all_hooks "$P2PTRACE" trace --duration 0.1 >/dev/null 2>$watch_err
is 'without any hook, trace is an error' $? 3
churn_unload
