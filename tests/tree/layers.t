#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: each folder of tools/p2ptrace/ includes only headers of its own and of the folders below
# it, lib/ includes nothing that knows about P2P, only cmd/ has messages with names of options, and
# tests/unit/ has the same folders.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
cd "$top" || exit

layers=(cmd session event machine lib)
source=tools/p2ptrace

# foreign FOLDER ALLOWED...: the includes of FOLDER from other folders, as FILE:LINE:INCLUDE
foreign() {
	local folder=$1 allowed

	shift
	allowed=$(IFS='|'; echo "$*")
	grep -nE '^#include "[a-z]+/' "$source/$folder"/*.[ch] | grep -vE "#include \"($allowed)/"
}

plan $((${#layers[@]} + 4))

for i in "${!layers[@]}"; do
	is "${layers[i]}/ includes only ${layers[*]:i}" \
		"$(foreign "${layers[i]}" "${layers[@]:i}")" ''
done
is 'lib/ knows nothing about P2P' \
	"$(grep -nE '#include "p2ptrace|#include <bpf/|p2pmem|P2PTRACE_' "$source"/lib/*.[ch])" ''
# lib/args.c builds the names, and each command has --help; grubby is another program
is 'only cmd/ knows the names of options' \
	"$(grep -nE '"[^"]*--[a-z]' "$source"/{session,event,machine,lib}/*.c |
		sed 's/ --help//; /grubby --/d; /:\/\*/d' | grep -E '"[^"]*--[a-z]')" ''
is 'all code is in one of these folders' \
	"$(find "$source" -mindepth 2 -name '*.[ch]' | cut -d/ -f3 | sort -u | xargs)" \
	"$(printf '%s\n' "${layers[@]}" | sort | xargs)"
is 'tests/unit/ has the same folders' \
	"$(find tests/unit -mindepth 1 -maxdepth 1 -type d -printf '%f\n' |
		grep -vx bpf | sort | xargs)" \
	"$(printf '%s\n' "${layers[@]}" | sort | xargs)"

exit $((tap_failed > 0))
