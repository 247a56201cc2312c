#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the kernel-doc comments of new files are complete, and those of changed files have no new
# problem. Every function that the series exports has one, with a "Context:" section.
# Requires: build/BASE/linux (make kernel-tree).

# shellcheck source=tests/series/series.sh
. "${BASH_SOURCE[0]%/*}/series.sh"

mapfile -t files < <(changed '*.c' '*.h')
plan $((${#files[@]} + 2))

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
mkdir "$work/old" "$work/new"

for file in "${files[@]}"; do
	mkdir -p "$work"/{old,new}/"${file%/*}"
	# A file that the base does not have is empty
	lgit show "$base:$file" >"$work/old/$file" 2>/dev/null
	lgit show "$tip:$file" >"$work/new/$file" || bail "no $file"
done
# Since 6.16, scripts/kernel-doc is a link to a program in Python
mapfile -t program < <(lgit ls-tree -r --name-only "$tip" scripts/kernel-doc tools/docs/kernel-doc \
	tools/lib/python)
lgit archive "$tip" "${program[@]}" | tar -x -C "$work" || bail "no scripts/kernel-doc"

# complaints FILE: the messages of kernel-doc, without line numbers
complaints() {
	[ ! -s "$1" ] ||
		(cd "${1%/"$file"}" && "$work/scripts/kernel-doc" -none -Wreturn "$file" 2>&1) |
		sed -E 's/^(Warning: )?[^ ]*:[0-9]+:? //' | sort
}

for file in "${files[@]}"; do
	is "kernel-doc of $file" \
		"$(comm -13 <(complaints "$work/old/$file") <(complaints "$work/new/$file"))" ''
done

# exports DIR: the functions that the files in DIR export, as FILE NAME
exports() {
	(cd "$work/$1" && grep -roP '^EXPORT_SYMBOL(_GPL)?\(\K\w+' . | sed 's/:/ /' | sort)
}

# description FILE NAME: its kernel-doc comment
description() {
	awk -v name="$2" '
		/^\/\*\*/ { text = ""; on = 1 }
		on { text = text $0 "\n" }
		/^ \*\// {
			if (on && text ~ "\n \\* " name "(\\(\\))? - ")
				printf "%s", text
			on = 0
		}' "$1"
}

undocumented='' contextless=''
while read -r file name; do
	# Parts of p2pmem_dma_map() and p2pmem_dma_unmap(), which have the description
	[[ $name =~ ^(__p2pmem_dma_(un)?map|p2pmem_in_use)$ ]] && continue
	text=$(description "$work/new/$file" "$name")
	if [ -z "$text" ]; then
		undocumented+="$name "
	elif [[ $text != *$'\n * Context: '* ]]; then
		contextless+="$name "
	fi
done < <(comm -13 <(exports old) <(exports new))
is 'every function that the series exports is described' "$undocumented" ''
is 'every description has the context of calls' "$contextless" ''

exit $((tap_failed > 0))
