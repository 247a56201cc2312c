#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a guest that panics, hangs or powers off early is reported at once, with an exit status
# that tells which.  Output that the command had written by then is not lost.
# Requires: a kernel; 3 boots.

# shellcheck source=tests/lib/runner-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/runner-test.sh"

# dies 'what' STATUS REGEX SECONDS OPTION... -- CMD...
dies() {
	local what=$1 expected=$2 regex=$3 limit=$4 start=$SECONDS
	shift 4
	lab --topology plain "$@"
	is "$what: status" "$status" "$expected"
	like "$what: the message says so" "$(tail -n 1 "$scratch/err")" "$regex"
	like "$what: the message names the log" \
		"$(tail -n 1 "$scratch/err")" "console log: $scratch/log"
	is "$what: the earlier output is there" "$(<"$scratch/out")" 'written before'
	ok "$what: reported within $limit s" [ $((SECONDS - start)) -le "$limit" ]
}

plan 15

dies 'panic' 250 'panicked: Kernel panic - not syncing: sysrq triggered crash' 60 \
	--timeout 200 -- \
	sh -c 'echo written before; sleep 0.5; echo c >/proc/sysrq-trigger; sleep 1000'
# On a busy machine, the guest boots in half a minute
dies 'hang' 251 'still running after 45 s' 65 \
	--timeout 45 -- sh -c 'echo written before; sleep 1000'
dies 'early power-off' 252 'powered off before the command ended' 60 \
	--timeout 200 -- \
	sh -c 'echo written before; sleep 0.5; echo o >/proc/sysrq-trigger; sleep 1000'
