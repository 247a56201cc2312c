#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: a guest test fails if its guest stops before the end of its plan, numbers its points out of
# order, dies, or logs a kernel warning, even if all points passed; a skip without a reason fails,
# too.  A test that needs a part of the series that the kernel does not have is skipped.  With
# STOCK=1, a kernel without p2pmem boots; the test is skipped if there is none.
# Requires: a kernel; 5 boots, for the cases that only a kernel can show.

# shellcheck source=tests/lib/runner-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/runner-test.sh"

# judge OPTION... <<'END': run a guest test whose guest side is on standard input.  Sets $status
# and leaves $scratch/out.
judge() {
	{
		printf '#!/bin/bash\nTOPOLOGY=plain\n%s\n' "$*"
		echo ". '$lib/guest-test.sh'"
		cat
	} >"$scratch/judged.t"
	chmod +x "$scratch/judged.t"
	LAB_LOG=$scratch/log prove -v "$scratch/judged.t" >"$scratch/out" 2>&1
	status=$?
}

# judge_here: the same without a boot, for the cases that depend on the TAP output only
judge_here() {
	LAB_RUN=$scratch/run judge "$@"
}

cat >"$scratch/run" <<'END'
#!/bin/bash
echo "# runner: $*"
until [ "$1" = -- ]; do
	if [ "$1" = --log ]; then : >"$2"; fi
	shift
done
shift
LAB_GUEST=1 exec "$@"
END
chmod +x "$scratch/run"

failed() {
	is "$1: the test fails" "$status" 1
	like "$1: the output says why" "$(<"$scratch/out")" "$2"
}

plan 37

judge <<'END'
plan 2
ok 'one' true
diag 'in the guest'
ok 'two' true
END
is 'no failure: the test passes' "$status" 0
like 'no failure: the points are passed on' "$(<"$scratch/out")" 'ok 1 - one
# in the guest
ok 2 - two
.*ok 6 - .*
1..6'

judge <<'END'
plan 3
ok 'one' true
ok 'two' true
exit 0
END
failed 'the plan ends early' 'got:  2 of 3, status 0'

judge <<'END'
plan 1
ok 'one' true
echo 'WARNING: CPU: 0 PID: 1 at nowhere.c:1' >/dev/kmsg
END
failed 'a kernel warning' 'got: .*WARNING: CPU: 0 PID: 1 at nowhere.c:1'

judge "ALLOW_WARNING='at nowhere.c:1'" <<'END'
plan 1
ok 'one' true
echo 'WARNING: CPU: 0 PID: 1 at nowhere.c:1' >/dev/kmsg
END
is 'an expected kernel warning: the test passes' "$status" 0

judge <<'END'
plan 2
ok 'one' true
sleep 0.5
echo c >/proc/sysrq-trigger
sleep 1000
END
failed 'a panic' "the kernel of the guest panicked.*got:  1 of 2, status 250"

judge_here <<'END'
plan 2
ok 'one' true
ok 'two' false
END
failed 'a failed point' 'Failed 1/6 subtests'

judge_here <<'END'
plan 1
ok 'one' true
guest_trouble='an event was lost'
END
failed 'trouble outside of the points' 'got:  1 of 1, status 3'

judge_here <<'END'
plan 2
ok 'one' true
echo 'ok, says a program'
END
failed 'a point that a program printed' 'got:  ok, says a program'

judge_here <<'END'
ok 'one' true
END
failed 'no plan' 'got:  1 of no plan, status 0'

judge_here <<'END'
P2PTRACE=/nowhere/p2ptrace
require_p2ptrace
plan 1
ok 'one' true
END
failed 'no p2ptrace' "given up: .*run 'make p2ptrace'"

judge_here <<'END'
plan 1
skip 1 'there is no such hardware'
END
is 'a skip with a reason: the test passes' "$status" 0

judge_here <<'END'
plan 1
skip 1 ''
END
failed 'a skip without a reason' 'not ok .* every skip has a reason'

judge_here <<'END'
skip_all 'the kernel lacks it'
END
is 'a file skipped with a reason: the test passes' "$status" 0
like 'a file skipped with a reason: the reason is shown' "$(<"$scratch/out")" \
	'skipped: the kernel lacks it'

judge_here <<'END'
skip_all ''
END
failed 'a file skipped without a reason' 'not ok .* every skip has a reason'

# A checkout of its own, first without a kernel
mkdir -p "$scratch/tests"
cp -r "$lib" "$scratch/tests/lib"
cp -r "$top/kernel-config" "$scratch/"
kernel=$scratch/build/$BASE/kernel base=$scratch/build/$BASE/base/kernel
judge_there() {
	lib=$scratch/tests/lib judge_here "$@" <<<'plan 1; ok one true'
}
# made BUILD [OPTION]: there is a kernel, with that option
made() {
	mkdir -p "$1/arch/x86/boot"
	touch "$1/arch/x86/boot/bzImage"
	echo "${2:-}" >"$1/.config"
}

made "$kernel" CONFIG_PCI_P2PMEM_KUNIT_TEST=m
judge_there STOCK=1
is 'no base kernel: the test passes' "$status" 0
like 'no base kernel: it is skipped' "$(<"$scratch/out")" \
	"skipped: no kernel without p2pmem for BASE=$BASE: run 'make kernel-base'"

lib=$scratch/tests/lib judge_here <<<require_p2pmem
failed 'a kernel with the series has no p2pmem' 'given up: .* is without the p2pmem series'
LAB_KERNEL=/other/bzImage lib=$scratch/tests/lib judge_here <<<require_p2pmem
like 'a kernel that is not known: the test is skipped' "$(<"$scratch/out")" \
	'skipped: .* is without the p2pmem series'

made "$base"
LAB_KERNEL=/other/arch/x86/boot/bzImage judge_there STOCK=1
is 'a base kernel: the test passes' "$status" 0
like 'a base kernel: it is booted, whatever LAB_KERNEL says' "$(<"$scratch/out")" \
	"--kernel $base/arch/x86/boot/bzImage .*LAB_KERNEL_BUILD=$base "

made "$kernel" CONFIG_OTHER=y
judge_there
is 'a series without p2pmem: the test passes' "$status" 0
like 'a series without p2pmem: it is skipped' "$(<"$scratch/out")" \
	"skipped: the series for BASE=$BASE does not have PCI_P2PMEM_KUNIT_TEST"
judge_there NEEDS=OTHER
like 'the series has what the test needs: it runs' "$(<"$scratch/out")" 'ok 1 - one'
judge_there STOCK=1
like 'a series without p2pmem is a kernel without it' "$(<"$scratch/out")" \
	"--kernel $kernel/arch/x86/boot/bzImage "
