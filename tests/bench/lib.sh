# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# lib.sh - functions that the benchmarks share: build kernels, each in a folder of $out, boot them,
# and convert the output of the guest to JSON.

# shellcheck disable=SC2034 # read by the scripts that source this file

. "${BASH_SOURCE[0]%/*}/../../kernel-config/lib.sh"

out=$base_build/bench
ours=${BENCH_OURS:-p2pmem}

# As in kernel-config/build: with other values, "make modules" would link the kernel again
export KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab

config=("$top"/kernel-config/{base,p2pmem,bench}.config)

# Kernel command line for a drive that moves no data and completes at once
null_drive='null_blk.queue_mode=0 null_blk.irqmode=0 null_blk.gb=1'

# bench_lock: wait for other benchmarks, which use the same folders
bench_lock() {
	mkdir -p "$out"
	exec {bench_lock_fd}>"$out/lock"
	if ! flock -n "$bench_lock_fd"; then
		say BENCH "waiting for another benchmark, which holds ${out#"$top/"}/lock"
		flock "$bench_lock_fd"
	fi
}

bench_git() { git -C "$out/$1/linux" -c safe.directory='*' "${@:2}"; }

# check_out NAME COMMIT [PATCH]: make a work tree in $out/NAME/linux with COMMIT and PATCH
check_out() {
	local dir=$out/$1/linux patch=${3:-/dev/null}

	# Remove the changes of the patch before another commit is checked out.  Without a work tree
	# in that folder, git would use the one of this project.
	if [ $# -gt 2 ] && [ -e "$dir/.git" ] &&
	   [ "$(bench_git "$1" rev-parse -q HEAD 2>/dev/null)" != \
	     "$(kgit rev-parse "$2^{commit}")" ]; then
		bench_git "$1" reset -q --hard 2>/dev/null || :
	fi
	"$top/kernel-config/worktree" "$2" "$dir"

	# Files that do not change keep their time stamps, so that make does not rebuild
	if [ $# -gt 2 ] && bench_git "$1" diff --quiet HEAD; then
		bench_git "$1" apply "$patch" ||
			fail "$patch does not apply to '$2': port it to this base"
	fi
	[ "$(bench_git "$1" diff HEAD | patch_id)" = "$(patch_id <"$patch")" ] ||
		fail "$dir has changes on top of '$2': save them, then remove the folder"
}

patch_id() { git patch-id --stable | cut -d' ' -f1; }

kmake() { make -s -C "$out/$1/linux" O="$out/$1/kernel" LOCALVERSION= "${@:2}"; }

# build_kernel NAME FRAGMENT...
build_kernel() {
	local name=$1
	shift
	KERNEL_TREE=$out/$name/linux "$top/kernel-config/configure" "$out/$name/kernel" "$@"
	KERNEL_TREE=$out/$name/linux "$top/kernel-config/build" "$out/$name/kernel"
}

# build_modules NAME: build the modules of tests/bench for that kernel, in $out/NAME/module
build_modules() {
	local name=$1 module=$out/$1/module
	mkdir -p "$module"
	cp -u "$top"/tests/bench/{Kbuild,p2pmem_bench.c,peer_drive.c} "$module/"
	if ! { kmake "$name" modules && kmake "$name" M="$module" modules; } \
		>"$module.log" 2>&1; then
		tail -n 20 "$module.log" >&2
		fail "the modules for the $name kernel did not build; see $module.log"
	fi
}

# build_test_module: build p2pmem_test for the kernel of the lab, in $out/lab/module
build_test_module() {
	local module=$out/lab/module image=$base_build/kernel/arch/x86/boot/bzImage
	mkdir -p "$module"
	[ -n "$(find "$top/tests/module" "$image" -newer "$module/p2pmem_test.ko" 2>&1)" ] ||
		return 0
	cp -u "$top"/tests/module/* "$module/"
	if ! make -s -C "$base_build/kernel" M="$module" modules >"$module.log" 2>&1; then
		tail -n 20 "$module.log" >&2
		fail "p2pmem_test did not build; see $module.log"
	fi
}

# build_program NAME: compile tests/bench/NAME.c to $out/NAME
build_program() {
	gcc -O2 -Wall -Wextra -Werror -o "$out/$1" "$top/tests/bench/$1.c"
}

# boot KERNEL FILE OPTION... -- CMD...: run CMD in a guest where time counts instructions, with its
# output in $out/KERNEL/FILE.out.  After a failure, figures are missing there.
boot() { boot_in_time "$1" "$2" --icount "${@:3}"; }

# boot_in_time: the same, but with the time of the host
boot_in_time() {
	local kernel=$1 name=$2 file=$out/$1/$2 start=$SECONDS status=0
	shift 2
	say BENCH "$kernel kernel, $name ..."
	"$top/tests/vm/run" --timeout 3000 --log "$file.log" \
		--kernel "$out/$kernel/kernel/arch/x86/boot/bzImage" "$@" \
		>"$file.out" 2>"$file.err" || status=$?
	if [ $status -ne 0 ] || grep -aqE 'WARNING:|BUG:|Oops' "$file.log"; then
		say FAILED "$kernel kernel, $name, status $status: $file.err and .log"
		tail -n 5 "$file.err" >&2
	else
		say BENCH "$kernel kernel, $name: done in $((SECONDS - start)) s"
	fi
}

# figures FILE...: convert lines of KEY=VALUE pairs to a JSON array
figures() {
	local file
	for file; do
		[ ! -e "$file" ] || cat "$file"
	done | jq -nR '[inputs | split(" ") |
		map(split("=") | {(.[0]): (.[1] as $v | $v | tonumber? // $v)}) | add]'
}

describe() { bench_git "$1" log -1 --format='%h %s'; }
