#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: libFuzzer finds no input that makes a parser of outside data crash, hang, leak, or
# return what it must not. One point per target in tests/fuzz/target/.
# Requires: the targets, built by "make check-fuzz". Each runs for FUZZ_SECONDS, from FUZZ_SEED.
# Inputs that it finds interesting stay in build/fuzz/TARGET, for the next run to start from.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

build=${BUILD:-$top/build}
seconds=${FUZZ_SECONDS:-10}
seed=${FUZZ_SEED:-1}

targets=("$top"/tests/fuzz/target/*.c)
plan ${#targets[@]}
diag "FUZZ_SECONDS=$seconds FUZZ_SEED=$seed"

for source in "${targets[@]}"; do
	name=${source##*/}
	name=${name%.c}
	found=$build/fuzz/$name
	mkdir -p "$found"
	# What the tool itself prints is left out: the mask closes its standard output and error
	"$build/obj/fuzz/$name" -seed="$seed" -max_total_time="$seconds" -timeout=10 \
		-rss_limit_mb=2048 -close_fd_mask=3 -print_final_stats=1 \
		-artifact_prefix="$build/fuzz/$name-" \
		"$found" "$top/tests/fuzz/corpus/$name" >"$found.log" 2>&1
	is "$name" $? 0 || tap_why "$(tail -n 40 "$found.log")" "see also $found.log"
	diag "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$found.log") inputs"
done

exit $((tap_failed > 0))
