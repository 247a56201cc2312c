#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel-doc comments of the files that the series adds are complete, and those
# of files that it changes no less so than before; every function that is exported
# there has one, which says in what context it may be called.
#
# Requires build/linux (make kernel-tree).

# shellcheck source=tests/series/series.sh
. "${BASH_SOURCE[0]%/*}/series.sh"

mapfile -t files < <(changed '*.c' '*.h')
plan $((${#files[@]} + 2))

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
mkdir "$work/old" "$work/new"

for file in "${files[@]}"; do
	mkdir -p "$work"/{old,new}/"${file%/*}"
	# Nothing, if it was not there
	lgit show "$base:$file" >"$work/old/$file" 2>/dev/null
	lgit show "$tip:$file" >"$work/new/$file" || bail "no $file"
done
lgit show "$tip:scripts/kernel-doc" >"$work/kernel-doc" || bail "no scripts/kernel-doc"

# complaints FILE: what kernel-doc has to say, without line numbers
complaints() {
	[ ! -s "$1" ] || (cd "${1%/"$file"}" && perl "$work/kernel-doc" -none -Wreturn "$file" 2>&1) |
		sed 's/^[^ ]*:[0-9]*: //' | sort
}

for file in "${files[@]}"; do
	is "kernel-doc of $file" \
		"$(comm -13 <(complaints "$work/old/$file") <(complaints "$work/new/$file"))" ''
done

# exports DIR: every function that the files there export, as FILE NAME
exports() { (cd "$work/$1" && grep -roP '^EXPORT_SYMBOL(_GPL)?\(\K\w+' . | sed 's/:/ /' | sort); }

# description FILE NAME: its kernel-doc comment
description() {
	awk -v name="$2" '
		/^\/\*\*/ { text = ""; on = 1 }
		on { text = text $0 "\n" }
		/^ \*\// { if (on && text ~ "\n \\* " name "(\\(\\))? - ") printf "%s", text; on = 0 }' "$1"
}

undocumented='' contextless=''
while read -r file name; do
	# The halves of p2pmem_dma_map() and p2pmem_dma_unmap() are described there
	[[ $name =~ ^(__p2pmem_dma_(un)?map|p2pmem_in_use)$ ]] && continue
	text=$(description "$work/new/$file" "$name")
	if [ -z "$text" ]; then
		undocumented+="$name "
	elif [[ $text != *$'\n * Context: '* ]]; then
		contextless+="$name "
	fi
done < <(comm -13 <(exports old) <(exports new))
is 'every function that the series exports is described' "$undocumented" ''
is 'with the context that it may be called in' "$contextless" ''

exit $((tap_failed > 0))
