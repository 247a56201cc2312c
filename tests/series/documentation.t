#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the documentation of the series is complete. Its .rst files are in a table of contents and
# include kernel-doc from existing files. Its ABI files can be parsed and do not describe what other
# files describe. MAINTAINERS covers all new files.
# Requires: build/BASE/linux (make kernel-tree).

# shellcheck source=tests/series/series.sh
. "${BASH_SOURCE[0]%/*}/series.sh"

mapfile -t texts < <(added 'Documentation/*.rst')
mapfile -t abi < <(changed 'Documentation/ABI/')
mapfile -t files < <(added)
mapfile -t documents < <(changed 'Documentation/*.rst')

plan $((${#texts[@]} + 2 + (${#abi[@]} > 0) + 1))

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# entries FILE: the documents in its tables of contents, as paths without .rst
entries() {
	lgit show "$tip:$1" | awk -v dir="${1%/*}" '
		/^\.\. toctree::/ { on = 1; next }
		on && /^[^ \t]/ { on = 0 }
		on && NF && $1 !~ /^:/ {
			sub(/^[ \t]*/, "")
			sub(/^.*</, ""); sub(/>.*/, "")
			print dir "/" $0
		}'
}

listed=$(for file in $(changed 'Documentation/*.rst'); do entries "$file"; done |
	xargs -r realpath -m --relative-to=.)
for file in "${texts[@]}"; do
	ok "$file is in a table of contents" grep -qxF "${file%.rst}" <<<"$listed"
done

missing=$(for file in "${documents[@]}"; do
	lgit show "$tip:$file" | sed -n 's/^\.\. kernel-doc:: *//p' | while read -r source; do
		lgit cat-file -e "$tip:$source" 2>/dev/null || echo "$file: $source"
	done
done)
is 'all kernel-doc that they include exists' "$missing" ''

# References to functions that do not exist
stale=$(for file in "${documents[@]}"; do
	lgit show "$tip:$file" | grep -oE '\b(pci_)?p2p(mem|dma)_[a-z0-9_]+\(\)' | sort -u |
	while read -r name; do
		lgit grep -qwF "${name%()}" "$tip" -- include/linux drivers/pci ||
			echo "$file: $name"
	done
done)
is 'all functions that they mention exist' "$stale" ''

if [ ${#abi[@]} -gt 0 ]; then
	# The latter since 6.16
	mapfile -t program < <(lgit ls-tree -r --name-only "$tip" scripts/get_abi.pl \
		tools/docs/get_abi.py tools/lib/python)
	mkdir "$work/old" "$work/new"
	lgit archive "$base" Documentation/ABI "${program[@]}" | tar -x -C "$work/old"
	lgit archive "$tip" Documentation/ABI "${program[@]}" | tar -x -C "$work/new"
	validate() {
		if [ -e "$work/$1/scripts/get_abi.pl" ]; then
			set -- "$1" perl scripts/get_abi.pl validate --dir Documentation/ABI
		else
			set -- "$1" tools/docs/get_abi.py -D Documentation/ABI validate
		fi
		(cd "$work/$1" && "${@:2}" 2>&1 || echo "status $?")
	}
	is "get_abi validate reports nothing about ${abi[*]##*/}" \
		"$(comm -13 <(validate old | sort) <(validate new | sort))" ''
fi

# patterns: the file patterns in MAINTAINERS
patterns() { lgit show "$tip:MAINTAINERS" | sed -n 's/^F:[ \t]*//p' | grep -vx '\*/\?'; }
orphans=$(mapfile -t covered < <(patterns); for file in "${files[@]}"; do
	for pattern in "${covered[@]}"; do
		[[ $pattern != */ ]] || pattern+='*'
		# shellcheck disable=SC2053 # it is a pattern
		[[ $file == $pattern ]] && continue 2
	done
	echo "$file"
done)
is 'MAINTAINERS covers every file that the series adds' "$orphans" ''

exit $((tap_failed > 0))
