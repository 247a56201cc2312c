# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the benchmarks share: kernels, each in a folder of $out, to compare the
# unpatched base with ours; a guest that measures; what it says, as JSON.

# shellcheck disable=SC2034 # some is for those who source this

. "${BASH_SOURCE[0]%/*}/../../kernel-config/lib.sh"

out=$build/bench
ours=${BENCH_OURS:-p2pmem}

# As kernel-config/build has them: "make modules" links the kernel anew for others
export KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab

config=("$top"/kernel-config/{base,p2pmem,bench}.config)

# For the command line: a drive that moves no data and completes at once
null_drive='null_blk.queue_mode=0 null_blk.irqmode=0 null_blk.gb=1'

# bench_lock: one benchmark at a time, for they build and measure in the same place
bench_lock() {
	mkdir -p "$out"
	exec {bench_lock_fd}>"$out/lock"
	if ! flock -n "$bench_lock_fd"; then
		say BENCH "waits for another benchmark, which holds ${out#"$top/"}/lock"
		flock "$bench_lock_fd"
	fi
}

bench_git() { git -C "$out/$1/linux" -c safe.directory='*' "${@:2}"; }

# check_out NAME COMMIT [PATCH]: a work tree of its own in $out/NAME/linux, with
# nothing on top of the commit but that patch
check_out() {
	local dir=$out/$1/linux patch=${3:-/dev/null}

	# What the patch has changed would be in the way of another commit.  Without a
	# work tree there, git would look for one further up, and find that of the project
	if [ $# -gt 2 ] && [ -e "$dir/.git" ] && [ "$(bench_git "$1" rev-parse -q HEAD 2>/dev/null)" != "$(kgit rev-parse "$2^{commit}")" ]; then
		bench_git "$1" reset -q --hard 2>/dev/null || :
	fi
	"$top/kernel-config/worktree" "$2" "$dir"

	# Files that are right already are not written again: make goes by their time
	if [ $# -gt 2 ] && bench_git "$1" diff --quiet HEAD; then
		bench_git "$1" apply "$patch" ||
			fail "$patch does not apply to '$2': make it anew for this base"
	fi
	[ "$(bench_git "$1" diff HEAD | patch_id)" = "$(patch_id <"$patch")" ] ||
		fail "$dir has changes of its own, and is to be '$2' and nothing else: save them, then remove it"
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

# build_modules NAME: those of tests/bench, for that kernel, in $out/NAME/module
build_modules() {
	local name=$1 module=$out/$1/module
	mkdir -p "$module"
	cp -u "$top"/tests/bench/{Kbuild,p2pmem_bench.c,peer_drive.c} "$module/"
	if ! { kmake "$name" modules && kmake "$name" M="$module" modules; } >"$module.log" 2>&1; then
		tail -n 20 "$module.log" >&2
		fail "the modules for the $name kernel did not build; everything make said is in $module.log"
	fi
}

# build_test_module: that of the guest tests, for the lab's kernel, in $out/lab/module
build_test_module() {
	local module=$out/lab/module image=$build/kernel/arch/x86/boot/bzImage
	mkdir -p "$module"
	[ -n "$(find "$top/tests/module" "$image" -newer "$module/p2pmem_test.ko" 2>&1)" ] || return 0
	cp -u "$top"/tests/module/* "$module/"
	if ! make -s -C "$build/kernel" M="$module" modules >"$module.log" 2>&1; then
		tail -n 20 "$module.log" >&2
		fail "the module for the lab's kernel did not build; everything make said is in $module.log"
	fi
}

# build_program NAME: one that measures, in $out/NAME
build_program() {
	gcc -O2 -Wall -Wextra -Werror -o "$out/$1" "$top/tests/bench/$1.c"
}

# boot KERNEL FILE OPTION... -- CMD...: measure in a guest of the lab where time counts
# instructions, with what CMD says in $out/KERNEL/FILE.out.  What goes wrong shows as
# figures that are missing.
boot() { boot_in_time "$1" "$2" --icount "${@:3}"; }

# boot_in_time: the same where time is that of the host
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

# figures FILE...: lines of KEY=VALUE, as an array
figures() {
	local file
	for file; do
		[ ! -e "$file" ] || cat "$file"
	done | jq -nR '[inputs | split(" ") | map(split("=") | {(.[0]): (.[1] as $v | $v | tonumber? // $v)}) | add]'
}

describe() { bench_git "$1" log -1 --format='%h %s'; }
