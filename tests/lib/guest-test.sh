# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# guest-test.sh - both sides of a guest test in one file.
#
# A test says what it wants of the lab and sources this file.  On the host that
# runs the same file again in the guest, and exits; what stands below it runs in
# the guest, with the functions of guest.sh and tap.sh:
#
#	# shellcheck disable=SC2034 # read by guest-test.sh
#	TOPOLOGY=switch
#	# shellcheck source=tests/lib/guest-test.sh
#	. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
#
#	plan 1
#	ok 'the lab has a drive' test -e "$(drive plain0)"
#
# Variables: TOPOLOGY, CPU, APPEND and TIMEOUT, as the runner's options;
# RUN_OPTIONS, an array of others; ALLOW_WARNING, an extended regular expression
# for the lines in the console log that the test provokes on purpose; MODULE=1,
# if the test wants core(), see guest.sh; QMP=1, if it wants qmp(), see there;
# BASE=1, if it wants the base kernel, which is without the series.
#
# LAB_LOG in the environment names the console log, LAB_RUN another runner,
# LAB_KERNEL another kernel, which may be one for debugging and has four times as
# long; it is none for a test with BASE=1.

lab_lib=$(cd -- "${BASH_SOURCE[0]%/*}" && pwd -P)
lab_top=${lab_lib%/tests/lib}

# A line like this in the console log fails the test
readonly KERNEL_WARNING='WARNING:|BUG:|Call Trace|Oops|general protection|Unable to handle
refcount_t:|UBSAN|KASAN|KCSAN|KFENCE|DMA-API:|Bad page|list_(add|del) corruption
kmemleak: [0-9]+ new|unreferenced object|sleeping function called|scheduling while atomic
possible (circular|recursive) locking|inconsistent lock state|suspicious RCU usage
rcu.*(stall|detected)|blocked for more than|soft lockup|hard LOCKUP'

kernel_warnings() {
	grep -aE "$KERNEL_WARNING" "$1" | tr -d '\r' |
		grep -vE 'DMA-API: (preallocated|debugging enabled)' |
		if [ -n "${ALLOW_WARNING:-}" ]; then grep -vE "$ALLOW_WARNING"; else cat; fi
}

# guest_test [RUNNER OPTION]... -- CMD...
# Run CMD in the guest and relay its TAP as it comes, then add points for what
# TAP by itself would not tell.  The plan comes last, as these count too.
guest_test() (
	set -o pipefail
	# shellcheck source=tests/lib/tap.sh
	. "$lab_lib/tap.sh"
	log=${LAB_LOG:-$lab_top/build/vm/$(basename -- "$0" .t).$$.log}
	scratch=$(mktemp -d) || exit
	trap 'rm -rf "$scratch"' EXIT
	tap=$scratch/tap
	relay=(cat)
	options=()
	if [ -n "${QMP:-}" ]; then
		options=(--qmp "$scratch/qmp")
		relay=("$lab_lib/qmp" "$scratch/qmp")
	fi

	"${LAB_RUN:-$lab_top/tests/vm/run}" --log "$log" "${options[@]}" "$@" |
		"${relay[@]}" | tee "$tap" |
		grep -av --line-buffered '^1\.\.'
	status=${PIPESTATUS[0]}
	[ -z "$(tail -c 1 "$tap")" ] || echo

	planned=$(sed -n 's/^1\.\.\([0-9][0-9]*\).*/\1/p' "$tap")
	tap_points=$(grep -acE '^(not )?ok ' "$tap")
	tap_failed=$(grep -ac '^not ok ' "$tap")
	warnings=$(kernel_warnings "$log")
	why=$(sed -n 's/^1\.\.0 # SKIP *//p' "$tap")

	if [ "$planned$tap_points$status$warnings" = 000 ] && [ -n "$why" ]; then
		echo "1..0 # SKIP $why"
		exit 0
	fi

	[ "$planned" != 0 ] || planned=''
	# A guest script ends with 1 if it has a failed point and nothing else is wrong
	is 'the guest ran all it had planned, and lost no event' \
		"$tap_points of ${planned:-no plan}, status $status" \
		"$tap_points of $tap_points, status $((tap_failed > 0))"
	is 'a skip says why' "$(grep -aE '# SKIP *$' "$tap")" ''
	is 'no kernel warning in the console log' "$warnings" '' ||
		diag "console log: $log"
	plan "$tap_points"
	[ "$tap_failed" = 0 ]
)

lab_kernel() {
	if [ "${BASE:-}" = 1 ]; then
		echo "$lab_top/build/base/kernel/arch/x86/boot/bzImage"
	else
		echo "${LAB_KERNEL:-$lab_top/build/kernel/arch/x86/boot/bzImage}"
	fi
}

# The kernel's build directory: modules are made against it, and some are there
lab_kernel_build() {
	local image
	image=$(lab_kernel)
	echo "${image%/arch/x86/boot/bzImage}"
}

# build_module KERNEL_BUILD: make p2pmem_test for that kernel, unless it is there
# already, and say where.  Not in the source directory: a kernel's objects are
# of no use to the next one.
build_module() (
	dir=$lab_top/build/tests/module$1
	module=$dir/p2pmem_test.ko
	mkdir -p "$dir" || exit
	exec 9>"$dir/lock"
	flock 9
	if [ -z "$(find "$lab_top/tests/module" "$1/arch/x86/boot/bzImage" -newer "$module" 2>&1)" ]; then
		echo "$module"
		exit
	fi
	rm -f "$module"
	cp "$lab_top"/tests/module/* "$dir"
	if ! make -C "$1" M="$dir" modules >"$dir/make.log" 2>&1 ||
	   grep -q 'warning:' "$dir/make.log"; then
		sed 's/^/# /' "$dir/make.log" >&2
		rm -f "$module"
		exit 1
	fi
	echo "$module"
)

if [ -z "${LAB_GUEST:-}" ]; then
	self=$(cd -- "$(dirname -- "$0")" && pwd -P)/$(basename -- "$0")
	environment=(env LAB_KERNEL_BUILD="$(lab_kernel_build)")
	if [ "${BASE:-}" = 1 ]; then
		[ -r "$(lab_kernel)" ] || {
			echo "# no kernel at '$(lab_kernel)': run 'make kernel-base'" >&2
			exit 1
		}
		RUN_OPTIONS+=(--kernel "$(lab_kernel)")
	fi
	if [ -n "${MODULE:-}" ]; then
		module=$(build_module "$(lab_kernel_build)") || exit
		environment+=(LAB_MODULE="$module")
	fi
	patience=${LAB_KERNEL:+4}
	guest_test --topology "${TOPOLOGY:-switch}" --cpu "${CPU:-max}" \
		--append "${APPEND:-}" --timeout $((${TIMEOUT:-300} * ${patience:-1})) "${RUN_OPTIONS[@]}" \
		-- "${environment[@]}" "$self" "$@"
	exit
fi

# shellcheck source=tests/lib/guest.sh
. "$lab_lib/guest.sh"
