#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the last commit of the series builds without a warning in each of these configurations, and
# uses no symbol that the configuration does not have.
#
# The test builds only the directories that the series touches and does not link a kernel.  Instead,
# it looks for symbols of p2pdma and p2pmem that are used and not defined, or that a module uses and
# that are not exported.
#
# Requires: build/BASE/linux (make kernel-tree).

# shellcheck source=tests/series/series.sh
. "${BASH_SOURCE[0]%/*}/../series.sh"

fragments=("$top"/kernel-config/{base,p2pmem,"$BASE/series",commits}.config)

# The targets, and the option that each of them depends on
declare -A needs=(
	[drivers/pci/]=CONFIG_PCI
	[kernel/dma/]=CONFIG_HAS_DMA
	[drivers/nvme/]=CONFIG_BLOCK
	[drivers/infiniband/core/]=CONFIG_INFINIBAND
	[drivers/infiniband/sw/rxe/]=CONFIG_RDMA_RXE
	[drivers/iommu/dma-iommu.o]=CONFIG_IOMMU_DMA
	[mm/memremap.o]=CONFIG_ZONE_DEVICE
)

work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT

# Options that have to be off together with another one
no_p2pmem=(PCI_P2PMEM=n PCI_P2PMEM_USER_MMAP=n PCI_P2PMEM_KUNIT_TEST=n FAIL_P2PMEM=n
	RDMA_RXE_P2PDMA_TEST=n)
no_p2pdma=(PCI_P2PDMA=n "${no_p2pmem[@]}")
no_ftrace=(FTRACE=n TRACING=n TRACEPOINTS=n ENABLE_DEFAULT_TRACERS=n)
no_infiniband=(INFINIBAND=n INFINIBAND_USER_ACCESS=n INFINIBAND_ADDR_TRANS=n RDMA_RXE=n
	RDMA_RXE_P2PDMA_TEST=n NVME_RDMA=n NVME_TARGET_RDMA=n)
no_debugfs=(DEBUG_FS=n FAULT_INJECTION_DEBUG_FS=n)

combinations=(
	"PCI_P2PDMA=n: ${no_p2pdma[*]}"
	"PCI_P2PMEM=n: ${no_p2pmem[*]}"
	"FTRACE=n: ${no_ftrace[*]}"
	"FTRACE=n PCI_P2PMEM=n: ${no_ftrace[*]} ${no_p2pmem[*]}"
	"KUNIT=y: KUNIT=y PCI_P2PMEM_KUNIT_TEST=y"
	"KUNIT=y, test as a module: KUNIT=y PCI_P2PMEM_KUNIT_TEST=m"
	"KUNIT=m: KUNIT=m PCI_P2PMEM_KUNIT_TEST=m"
	"KUNIT=n: KUNIT=n KUNIT_DEFAULT_ENABLED=n PCI_P2PMEM_KUNIT_TEST=n"
	"KUNIT=y PCI_P2PMEM=n: KUNIT=y ${no_p2pmem[*]}"
	"DEBUG_FS=n: ${no_debugfs[*]} FAIL_P2PMEM=y"
	"INFINIBAND=n: ${no_infiniband[*]}"
	"NVME_TARGET=m: NVME_TARGET=m NVME_TARGET_LOOP=m NVME_TARGET_RDMA=m"
	"NVME_TARGET=y: NVME_TARGET=y NVME_TARGET_LOOP=y NVME_TARGET_RDMA=y"
	"FAIL_P2PMEM=y: FAULT_INJECTION=y FAIL_P2PMEM=y"
	"FAULT_INJECTION=n: FAULT_INJECTION=n FAULT_INJECTION_DEBUG_FS=n FAIL_P2PMEM=n"
	"USER_MMAP=y: PCI_P2PMEM_USER_MMAP=y"
	"USER_MMAP=n: PCI_P2PMEM_USER_MMAP=n"
	"JUMP_LABEL=y: JUMP_LABEL=y"
	"PROVE_LOCKING=y: PROVE_LOCKING=y PROVE_RCU=y"
	"SMP=n: SMP=n"
)
# Arguments select configurations by name, as in "configurations.t SMP=n"
if [ $# -gt 0 ]; then
	chosen=()
	for combination in "${combinations[@]}"; do
		for name; do
			[ "$name" != "${combination%%:*}" ] || chosen+=("$combination")
		done
	done
	combinations=("${chosen[@]}")
fi
plan $((2 * ${#combinations[@]} + 2))

# fragment NAME=VALUE...
fragment() {
	local option
	for option; do
		case $option in
		*=n) echo "# CONFIG_${option%=n} is not set" ;;
		*) echo "CONFIG_$option" ;;
		esac
	done
}

# targets: the targets that the configuration has
targets() {
	local target
	for target in "${!needs[@]}"; do
		! grep -q "^${needs[$target]}=" "$built/configurations/.config" || echo "$target"
	done | sort
}

# symbols FILE...: the symbols of p2pdma and p2pmem, as TYPE NAME
symbols() { nm -P "$@" 2>/dev/null | awk '$1 ~ /p2p(mem|dma)/ { print $2, $1 }' | sort -u; }

# missing TARGET...: symbols that are used and not defined or not exported
missing() {
	local target list=() modules=() module

	cd "$built/configurations" || return
	for target; do
		case $target in
		*.o) list+=("$target") ;;
		*)
			list+=("${target}built-in.a")
			mapfile -t -O ${#modules[@]} modules <"${target}modules.order"
			;;
		esac
	done
	symbols "${list[@]}" >"$work/symbols"
	sed -n 's/^U //p' "$work/symbols" | sort -u >"$work/needed"
	sed -n 's/^[^Uw] //p' "$work/symbols" | sort -u >"$work/had"
	comm -23 "$work/needed" "$work/had"

	symbols "${list[@]}" "${modules[@]}" |
		sed -n 's/^. __export_symbol_//p' | sort -u >"$work/exported"
	for module in "${modules[@]}"; do
		symbols "$module" >"$work/symbols"
		sed -n 's/^U //p' "$work/symbols" | sort -u >"$work/needed"
		sed -n 's/^[^Uw] //p' "$work/symbols" | sort -u >"$work/had"
		comm -23 <(comm -23 "$work/needed" "$work/had") "$work/exported" |
			sed "s,^,$module: ,"
	done
}

last_words() { grep -nE 'error:|\*\*\*' "$built/configurations.log" | head -n 20; }

checkout "$tip"
for combination in "${combinations[@]}"; do
	name=${combination%%:*}
	read -ra asked <<<"${combination#*:}"
	fragment "${asked[@]}" >"$work/config"

	# Fails if an option does not get its value
	if ! configure configurations "${fragments[@]}" "$work/config"; then
		tap_fail "$name: builds without a warning"
		tap_fail "$name: all symbols exist"
		continue
	fi
	unknown=$(sed -n 's/=[ym]$//p' "$work/config" | grep -xF "${absent:-no such option}")
	if [ -n "$unknown" ]; then
		skip 2 "$name: the series has no ${unknown//$'\n'/, }"
		continue
	fi

	mapfile -t list < <(targets)
	kmake configurations "${list[@]}"
	is "$name: builds without a warning" \
		"status $? $(last_words)$(warnings configurations)" 'status 0 '
	is "$name: all symbols exist" "$(missing "${list[@]}")" ''
done

is 'all options exist' "$(comm -13 <(options "$tip") \
	<(grep -oE '[A-Z0-9_]+=[ymn]\b' <<<"${combinations[*]#*:}" |
		sed 's/=.*//; s/^/CONFIG_/' | sort -u))" ''

is 'all files that the series touches were built' "$(changed '*.c' | while read -r file; do
	for target in "${!needs[@]}"; do
		[[ $file == "${target%.o}"?* ]] && continue 2
	done
	echo "$file"
done)" ''

exit $((tap_failed > 0))
