#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace leaks lists each buffer that is held exactly once, and p2ptrace check
# counts it once, while a thread on another CPU allocates and frees at a high rate.
# Both walk a map that changes under them.
# Requires: the base kernel (where p2ptrace leaks has only that map), p2ptrace, the test
# module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch STOCK=1 MODULE=1 TIMEOUT=600
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2ptrace
# shellcheck source=tests/lib/churn.sh
. "${BASH_SOURCE[0]%/*}/../lib/churn.sh"

plan 4

walks=7 held=1009
provider=$(pci_of cmb0)
churn_load "$provider" window=31
churn_on 1

# The buffers that are held are of two pages, those of the thread of one
wrong=0
for ((i = 0; i < walks; i++)); do
	watch leaks --json --older-than 0
	echo $held >$churn/held
	watch_end
	got=$(jq -c '[.held[].id] as $all | [.held[] | select(.size == 8192) | .id] as $held |
		[($held | length), ($held | unique | length),
			($all | length) - ($all | unique | length)]' $watch_out)
	[ "$got" = "[$held,$held,0]" ] || { wrong=$((wrong + 1)); diag "leaks $i: $got"; }
	echo 0 >$churn/held
done
is "leaks: each of $walks walks lists $held buffers once" $wrong 0

wrong=0
for ((i = 0; i < walks; i++)); do
	"$P2PTRACE" check --json --settle 0.2 --output $watch_out -- \
		sh -c "echo $held >$churn/held" 2>$watch_err
	got="$? $(jq -c .violations $watch_out)"
	[ "$got" = "1 {\"leak\":$held}" ] || { wrong=$((wrong + 1)); diag "check $i: $got"; }
	echo 0 >$churn/held
done
is "check: each of $walks walks counts $held buffers once" $wrong 0
ok 'buffers were in flight' [ "$(<$churn/churn)" = 1 ]
ok 'the thread has allocated throughout' [ "$(<$churn/churned)" -gt 10000 ]
churn_off
churn_unload
