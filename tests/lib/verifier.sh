# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# verifier.sh - the programs in p2ptrace's BPF objects, and those that are loaded.

# shellcheck disable=SC2154 # guest.sh sets it
objects=$lab_build/obj/bpf

# in_object OBJECT: "PROGRAM SECTION" for each program; functions that programs call
# are in .text
in_object() {
	readelf --wide --section-headers --symbols "$objects/$1.bpf.o" | awk '
		/^ *\[ *[0-9]+\]/ { sub(/^ *\[ */, ""); sub(/\]/, ""); section[$1] = $2 }
		$4 == "FUNC" && section[$7] ~ "/" { print $8, section[$7] }' | sort
}

# kernel_has SECTION: whether the kernel has the tracepoint or the function.  Reading its
# BTF takes long in the lab, so it is read once, for the sections of all objects.
declare -A hooks=()
hooks_read() {
	local name object wanted=/tmp/wanted
	{
		for object in trace stat leaks lifetimes; do
			in_object $object
		done
		echo pci_p2pdma_mapping
	} | sed 's,.* tp_btf/,btf_trace_,; s,.* iter/,bpf_iter_,; s,.*/,,' | sort -u >$wanted
	while read -r name; do
		hooks[$name]=1
	done < <({
		bpftool btf dump file /sys/kernel/btf/vmlinux
		[ ! -e /sys/kernel/btf/nvmet ] || bpftool btf dump file /sys/kernel/btf/nvmet
	} 2>/dev/null | LC_ALL=C awk -v wanted=$wanted -F "'" '
		BEGIN { while ((getline name <wanted) > 0) want[name] }
		/ (TYPEDEF|FUNC|STRUCT) / && $2 in want { print $2 }')
}
kernel_has() {
	local name=${1#*/}
	[[ $1 != tp_btf/* ]] || name=btf_trace_$name
	[[ $1 != iter/* ]] || name=bpf_iter_$name
	[ -n "${hooks[$name]:-}" ]
}

# expected OBJECT MODE: those of its programs that p2ptrace loads on such a kernel
expected() {
	local name section
	in_object "$1" | while read -r name section; do
		[[ $2 = stock ]] && [[ $name != stock_* ]] && continue
		# dma-bufs are shown by functions on every kernel
		[[ $2 = tracepoint ]] && [[ $name = stock_* ]] &&
			[[ ! $name =~ ^stock_(dma_buf_|dmabuf_(iter|move|ranges)) ]] && continue
		# With the series for 7.3, the events of mappings have one argument, a structure
		if kernel_has pci_p2pdma_mapping; then
			[[ $name = p2pdma_@(map|unmap)?(_nested) ]] && continue
		else
			[[ $name = mapping_* ]] && continue
		fi
		# Probes with registers serve nvmet as a module, other programs if it is built in
		if [ -e /sys/module/nvmet/initstate ]; then
			[[ $name = stock_nvmet_p2pmem_* ]] && continue
		else
			[[ $name = stock_nvmet_@(call|return) ]] && continue
		fi
		# The end of a request is of interest only where its beginning is seen
		[[ $name = stock_block_* ]] && ! kernel_has fexit/blk_rq_dma_map_iter_start &&
			continue
		if kernel_has "$section"; then
			echo "$name"
		else
			echo "$1: $name is not loaded: the kernel has no $section" >&2
		fi
	done
}

loaded() {
	bpftool --json prog show | jq -r '.[].name' |
		grep -E '^(stock_|mapping_|p2pmem_|p2pdma_|nvmet_p2pmem_)' | sort
}

# passes OBJECT MODE REGEX COMMAND [OPTION]...: while p2ptrace runs the command, exactly
# the expected programs of the object are loaded, of those that match
passes() {
	local object=$1 mode=$2 line pid
	expected "$object" "$mode" 2>/tmp/missing | grep -E "$3" >/tmp/expected
	shift 3
	while read -r line; do diag "$line"; done </tmp/missing
	rm -f /tmp/checked
	: >/tmp/err
	env --default-signal=INT "$P2PTRACE" "$@" >/tmp/out 2>/tmp/err &
	pid=$!
	# shellcheck disable=SC2317 # wait_for runs it
	attached() {
		grep -qsE 'tracing|counting|measuring|watching' /tmp/err || [ -e /tmp/checked ] ||
			! kill -0 "$pid" 2>/dev/null
	}
	# Each program takes a second to attach if there is no KVM, and more on a busy machine
	wait_for 300 attached
	# The kernel drops the programs of the run before some time after its end
	# shellcheck disable=SC2317
	exactly_those() { loaded | cmp -s - /tmp/expected; }
	wait_for 30 exactly_those
	is "$*: programs of $object.bpf.o" "$(loaded | paste -sd ' ')" \
		"$(paste -sd ' ' /tmp/expected)" || diag "$(cat /tmp/err)"
	kill -INT $pid
	wait $pid
}

# verifier_test MODE PROVIDER CLIENT: each command loads the programs of its object.  The
# options are constants to the verifier, which sees other programs with a filter.
verifier_test() {
	local mode=$1 provider=$2 client=$3 object
	# The ends of a dma-buf and of an attachment are those of its mappings, too
	local of_client='dmabuf_(move|map|free|ranges|enter|leave)|dma_buf_[^e]'
	plan 15
	hooks_read
	for object in trace stat leaks lifetimes; do
		ok "$object.bpf.o has programs" [ "$(in_object $object | wc -l)" -ge 8 ]
	done
	passes trace "$mode" . trace
	# The other two events of nvmet have no device
	local of_dmabuf='dma_buf_(map|unmap|detach|release)|dmabuf_(map|free|ranges|enter|leave)'
	local of_dev="^(stock_|mapping_)?(p2p|free|block|page|hmm|map_|resource|$of_dmabuf)|bind"
	passes trace "$mode" "$of_dev" trace --dev "$provider" --pid 1 --comm fio
	of_client="p2pdma|block|pages|hmm|map_type|resource|$of_client"
	passes trace "$mode" "$of_client" trace --client "$client"
	passes stat "$mode" . stat
	passes stat "$mode" "$of_client" stat --client "$client" --comm fio
	passes stat "$mode" . check -- sh -c 'touch /tmp/checked; sleep 1000'
	# On a stock kernel, top follows buffers and counts by pair at once
	passes stat "$mode" . top --batch
	passes leaks "$mode" 'p2pmem|free|page_|dma_?buf' leaks
	passes leaks "$mode" 'p2pmem|free|page_|dma_?buf' leaks --dev "$provider"
	passes lifetimes "$mode" . lifetimes
	passes lifetimes "$mode" "p2pdma|block|pages|hmm|resource|$of_dmabuf" \
		lifetimes --dev "$provider" --client "$client"
}
