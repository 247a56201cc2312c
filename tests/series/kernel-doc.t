#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel-doc comments of the files that are the series' own are complete, and
# those of files that it changes no less so than before; every function that is
# exported there has one.
#
# Requires build/linux (make kernel-tree).

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

cd "$top/build/linux" || exit

files=(drivers/pci/p2pdma.c drivers/pci/p2pdma.h drivers/pci/p2pmem.c
	include/linux/p2pmem.h include/linux/pci-p2pdma.h)
plan $((${#files[@]} + 1))

# complaints FILE: what kernel-doc has to say, without line numbers
complaints() { ./scripts/kernel-doc -none -Wreturn "$1" 2>&1 | sed 's/^[^ ]*:[0-9]*: //' | sort; }

old=$(mktemp) || exit
trap 'rm -f "$old"' EXIT

for file in "${files[@]}"; do
	git show "base:$file" >"$old" 2>/dev/null || : >"$old"
	is "kernel-doc of $file" \
		"$(comm -23 <(complaints "$file") <([ ! -s "$old" ] || complaints "$old"))" ''
done

# The halves of p2pmem_dma_map() and p2pmem_dma_unmap() are described there
undocumented=$(for file in drivers/pci/p2p*.c; do
	sed -n 's/^EXPORT_SYMBOL_GPL(\([a-z0-9_]*\));/\1/p' "$file" |
		while read -r name; do
			grep -q "^ \* $name - " "$file" || echo "$name"
		done
done)
is 'every export of p2pdma and p2pmem is described' \
	"$(grep -vxE '__p2pmem_dma_(un)?map|p2pmem_in_use' <<<"$undocumented")" ''

exit $((tap_failed > 0))
