#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the runner refuses bad usage with status 253 and one line that names the mistake, and
# --help lists all options, topologies and statuses and ends with examples.
# Requires: nothing; boots no guest.

# shellcheck source=tests/lib/runner-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/runner-test.sh"

# refused 'what' REGEX [RUNNER ARGUMENT]...
refused() {
	local what=$1 regex=$2
	shift 2
	lab "$@"
	is "$what: status" "$status" 253
	is "$what: nothing on standard output" "$(<"$scratch/out")" ''
	is "$what: one line" "$(wc -l <"$scratch/err")" 1
	like "$what: the line names the mistake" "$(<"$scratch/err")" "$regex"
}

plan 59

refused 'unknown option' "unknown option '--nonsense'" --nonsense -- true
refused 'option without its value' '--cpu needs a value' --cpu
refused 'command without --' "'true' is not an option; write --" true
refused 'no command and no terminal' 'a shell needs a terminal' </dev/null
refused 'missing kernel' "no kernel at '/no/such kernel': run 'make kernel'" \
	--kernel '/no/such kernel' -- true
refused 'unknown architecture' "no architecture 'mips': amd64, or arm64" --arch mips -- true
refused 'a kernel of our own on arm64' 'boots kernels of Debian only' \
	--arch arm64 --kernel "$scratch" -- true

touch "$scratch/kernel"
with=(--kernel "$scratch/kernel")
refused 'unknown topology' "no topology 'nonsense'; there are: .*switch" \
	"${with[@]}" --topology nonsense -- true
refused 'topology that is a path' "no topology '../run'" "${with[@]}" --topology ../run -- true
refused 'timeout' "--timeout '10s'" "${with[@]}" --timeout 10s -- true
refused 'port' "--forward 'http'" "${with[@]}" --forward http -- true
refused 'memory' "--mem 'much'" "${with[@]}" --mem much -- true
refused 'log that cannot be written' "cannot write the console log '/proc/no/log'" \
	"${with[@]}" --log /proc/no/log -- true

lab "${with[@]}" --cpu nonsense -- true
is 'QEMU cannot start: status' "$status" 253
like 'QEMU cannot start: its message is shown' "$(<"$scratch/err")" \
	"unable to find CPU model 'nonsense'"

lab --help
is 'help: status' "$status" 0
missing=$(grep -oE '^	--[a-z-]+( \| --[a-z-]+)*' "$top/tests/vm/run" | grep -oE '[-]-[a-z-]+' |
	while read -r option; do grep -q -- "$option" "$scratch/out" || echo "$option"; done)
is 'help names every option' "$missing" ''
like 'help names the topologies' "$(<"$scratch/out")" 'Topologies:.*acs.*switch'
like 'help names the statuses' "$(tr '\n' ' ' <"$scratch/out")" '250 .*251 .*252 .*253 '
examples=$(sed -n '/^Examples:/,$p' "$scratch/out" | grep -c '^  tests/vm/run')
is 'help ends with examples' "$(tail -n "$examples" "$scratch/out" | grep -c '^  tests/vm/run')" 6
