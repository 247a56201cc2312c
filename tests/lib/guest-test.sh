# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# guest-test.sh - the host side of a guest test.
#
# A test sets variables that describe the lab and sources this file.  On the host, this file boots
# the lab, runs the same test in the guest, and exits.  The rest of the test therefore runs in the
# guest only, with the functions of guest.sh and tap.sh:
#
#	# shellcheck disable=SC2034 # read by guest-test.sh
#	TOPOLOGY=switch
#	# shellcheck source=tests/lib/guest-test.sh
#	. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
#
#	plan 1
#	ok 'the lab has a drive' test -e "$(drive plain0)"
#
# Variables that a test may set:
#   TOPOLOGY, CPU, APPEND, TIMEOUT  options of the runner with that name
#   RUN_OPTIONS                     array of other options of the runner
#   ALLOW_WARNING                   extended regular expression for the kernel warnings that the
#                                   test provokes
#   MODULE=1                        the test uses core(), see guest.sh, or churn.sh; with KERNEL:
#                                   the test uses dmabuf_importer
#   QMP=1                           the test uses qmp(), see guest.sh
#   NEEDS=PART                      the part of the series that the test needs. PART is a name of
#                                   Kconfig without CONFIG_ (default: PCI_P2PMEM_KUNIT_TEST, which
#                                   every series with p2pmem has), '' for none, "pins", or words
#                                   for a part that only the series for 6.12 has. The test is
#                                   skipped if the series of this base lacks it.
#   STOCK=1                         the test needs a kernel without p2pmem: that of "make kernel" if
#                                   the series does not have it yet, otherwise the base kernel; it
#                                   is skipped if there is none
#   KERNEL=debian:VERSION           the test runs on that kernel of Debian, see "tests/vm/run
#                                   --help"; it is skipped if the kernel cannot be fetched
#
# Variables in the environment:
#   LAB_LOG                         the console log
#   LAB_RUN                         a program to use instead of the runner
#   LAB_KERNEL                      the kernel to boot, which may be a debug kernel: the time limit
#                                   is four times as long.  Tests with STOCK=1 or KERNEL
#                                   ignore it.
#   DEBIAN_KERNEL                   debian:VERSION: tests with STOCK=1 run on that kernel of Debian,
#                                   with its modules for RDMA loaded, and so do tests that set
#                                   KERNEL to it
#   LAB_ARCH                        arm64: the test runs in a guest with that CPU, on a kernel of
#                                   Debian (see "tests/vm/run --help"), without CPU, and with three
#                                   times the time limit
#   BASE                            the base, see kernel-config/base.sh

lab_lib=$(cd -- "${BASH_SOURCE[0]%/*}" && pwd -P)
lab_top=${lab_lib%/tests/lib}

# A line of the console log that matches one of these fails the test
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
# Run CMD in the guest and relay its TAP as it comes.  Then add points for failures that the TAP of
# the guest does not show.  The plan comes last because it counts these points.
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
	tap_points=$(grep -acE '^(not )?ok\b' "$tap")
	tap_failed=$(grep -ac '^not ok ' "$tap")
	warnings=$(kernel_warnings "$log")
	why=$(sed -n 's/^1\.\.0 # SKIP *//p' "$tap")

	if [ "$planned$tap_points$status$warnings" = 000 ] && [ -n "$why" ]; then
		echo "1..0 # SKIP $why"
		exit 0
	fi

	[ "$planned" != 0 ] || planned=''
	# A guest script exits with 1 if its only problem is a failed point
	is 'the guest ran every point of its plan, and lost no event' \
		"$tap_points of ${planned:-no plan}, status $status" \
		"$tap_points of $tap_points, status $((tap_failed > 0))"
	is 'the points are numbered in order' \
		"$(sed -nE 's/^(not )?ok\b/ok/p' "$tap" | awk '$2 != NR' | head -n 1)" ''
	is 'every skip has a reason' "$(grep -aE '# SKIP *$' "$tap")" ''
	is 'no kernel warning in the console log' "$warnings" '' ||
		diag "console log: $log"
	plan "$tap_points"
	[ "$tap_failed" = 0 ]
)

# has PART KERNEL_BUILD: the kernel there has the part, see NEEDS, or it is not known.  Only the
# series for 6.12 has PCI_P2PMEM, and always pins.
has() {
	local option=$1
	case $1 in
	pins) option='PCI_P2PMEM(_DMA_PINS)?' ;;
	[a-z]*) option=PCI_P2PMEM ;;
	esac
	! [ -e "$2/.config" ] || grep -qE "^CONFIG_$option=" "$2/.config"
}

lab_kernel() {
	local build=$lab_top/build/$BASE kernel

	kernel=$build/kernel/arch/x86/boot/bzImage
	if [ "${STOCK:-}" != 1 ]; then
		kernel=${LAB_KERNEL:-$kernel}
	elif has PCI_P2PMEM_KUNIT_TEST "$build/kernel"; then
		kernel=$build/base/kernel/arch/x86/boot/bzImage
	fi
	echo "$kernel"
}

# The build directory of the kernel: it has built modules, and others are built against it
lab_kernel_build() {
	local image
	image=$(lab_kernel)
	echo "${image%/arch/x86/boot/bzImage}"
}

# build_module KERNEL_BUILD: build the modules of tests/module for that kernel if they are not up to
# date, and print the path of p2pmem_test, which only the series has.  Each kernel has an output
# directory of its own.  The source of a kernel of Debian was not compiled and does not know the
# symbols of the kernel, which only costs warnings.
build_module() (
	dir=$lab_top/build/tests/module$1
	built=$dir/built
	mkdir -p "$dir" || exit
	exec 9>"$dir/lock"
	flock 9
	image=$1/arch/x86/boot/bzImage
	[ -e "$image" ] || image=$1/.config
	if [ -z "$(find "$lab_top/tests/module" "$image" -newer "$built" 2>&1)" ]; then
		echo "$dir/p2pmem_test.ko"
		exit
	fi
	rm -f "$built"
	cp "$lab_top"/tests/module/* "$dir"
	warn=
	[ -e "$1/Module.symvers" ] || warn=KBUILD_MODPOST_WARN=1
	if ! make -C "$1" M="$dir" $warn modules >"$dir/make.log" 2>&1 ||
	   grep -q 'warning:' "$dir/make.log"; then
		sed 's/^/# /' "$dir/make.log" >&2
		exit 1
	fi
	touch "$built"
	echo "$dir/p2pmem_test.ko"
)

if [ -z "${LAB_GUEST:-}" ]; then
	self=$(cd -- "$(dirname -- "$0")" && pwd -P)/$(basename -- "$0")
	# shellcheck source=kernel-config/base.sh
	. "$lab_top/kernel-config/base.sh" || exit
	environment=(env BASE="$BASE" LAB_KERNEL_BUILD="$(lab_kernel_build)")
	if [ "${STOCK:-}" = 1 ] && [ -n "${DEBIAN_KERNEL:-}" ]; then
		STOCK='' KERNEL=$DEBIAN_KERNEL
	fi
	if [ "${STOCK:-}" = 1 ]; then
		[ -r "$(lab_kernel)" ] || {
			echo "1..0 # SKIP no kernel without p2pmem for BASE=$BASE:" \
				"run 'make kernel-base'"
			exit
		}
		RUN_OPTIONS+=(--kernel "$(lab_kernel)")
	elif [ -z "${KERNEL:-}" ] && [ -n "${NEEDS=PCI_P2PMEM_KUNIT_TEST}" ] &&
	     ! has "$NEEDS" "$(lab_kernel_build)"; then
		echo "1..0 # SKIP the series for BASE=$BASE does not have $NEEDS"
		exit
	fi
	if [ -n "${KERNEL:-}" ]; then
		if ! out=$("$lab_top/tests/vm/debian-kernel" ${MODULE:+--build} \
			"${KERNEL#debian:}" 2>&1); then
			# The reason follows the steps that were done
			echo "1..0 # SKIP no kernel $KERNEL: ${out##*$'\n'}"
			exit
		fi
		RUN_OPTIONS+=(--kernel "$KERNEL")
	fi
	if [ -n "${MODULE:-}" ]; then
		kernel_build=$(lab_kernel_build)
		[ -z "${KERNEL:-}" ] || kernel_build=${out##*$'\n'}
		module=$(build_module "$kernel_build") || exit
		environment+=(LAB_MODULE="$module")
	fi
	patience=${LAB_KERNEL:+4}
	if [ "${LAB_ARCH:-amd64}" = amd64 ]; then
		RUN_OPTIONS+=(--cpu "${CPU:-max}")
	else
		patience=3
	fi
	guest_test --topology "${TOPOLOGY:-switch}" \
		--append "${APPEND:-}" --timeout $((${TIMEOUT:-300} * ${patience:-1})) \
			"${RUN_OPTIONS[@]}" \
		-- "${environment[@]}" "$self" "$@"
	exit
fi

# A kernel of Debian has as modules what the base kernel has built in
if [ "${STOCK:-}" = 1 ] && [ -d "/lib/modules/$(uname -r)" ]; then
	modprobe -a rdma_rxe nvmet_rdma nvme_rdma
fi

# shellcheck source=tests/lib/guest.sh
. "$lab_lib/guest.sh"
