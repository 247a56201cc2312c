#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the runner works from a checkout whose path needs quoting and is below a directory that
# the guest hides, as an ordinary user, and several times at once.
# Requires: a kernel; 3 boots, 2 of them at once.  The test has to be started by root to try the
# runner as another user.

# shellcheck source=tests/lib/runner-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/runner-test.sh"

plan 8

# In /tmp, where the guest mounts a tmpfs
rm -r "$scratch"
scratch=$(mktemp -d)

elsewhere="$scratch/a checkout, & @ \$'s/main"
mkdir -p "$elsewhere/tests"
cp -r "$top/kernel-config" "$elsewhere/"
cp -r "$top/tests/vm" "$elsewhere/tests/"
echo here >"$elsewhere/mark"
kernel=${LAB_KERNEL:-$top/build/$BASE/kernel/arch/x86/boot/bzImage}
chmod -R a+rX "$scratch"

# The guests wait for each other.  The root of a guest remembers that a file did not exist.
# shellcheck disable=SC2016 # for the guest
meet='until [ -e go ]; do echo 2 >/proc/sys/vm/drop_caches; sleep 0.1; done'
TMPDIR=$elsewhere/tests "$elsewhere/tests/vm/run" --kernel "$kernel" --log "$scratch/one" \
	-- sh -c "pwd; cat mark; $meet" >"$scratch/one.out" &
one=$!
"$elsewhere/tests/vm/run" --kernel "$kernel" --log "$scratch/two" --smp 1 \
	-- sh -c "nproc; $meet" >"$scratch/two.out" &
two=$!
both_up() { [ -s "$scratch/one.out" ] && [ -s "$scratch/two.out" ]; }
ok 'two at once: both run' wait_for 300 both_up
touch "$elsewhere/go"
wait $one
is 'elsewhere: status' $? 0
is 'elsewhere: the command starts there' "$(<"$scratch/one.out")" "$elsewhere
here"
wait $two
is 'two at once: status' $? 0
is 'two at once: each has its own options' "$(<"$scratch/two.out")" 1
is 'nothing is left behind' "$(find "$elsewhere" -name 'lab.*')" ''

if [ "$(id -u)" = 0 ]; then
	mkdir -m 777 "$scratch/nobody"
	install -m 644 "$kernel" "$scratch/bzImage"
	TMPDIR=$scratch/nobody setpriv --reuid nobody --regid nogroup --clear-groups \
		"$elsewhere/tests/vm/run" --kernel "$scratch/bzImage" --log "$scratch/nobody/log" \
		-- sh -c 'cat mark; id -u; exit 5' >"$scratch/nobody.out"
	is 'not root: status' $? 5
	is 'not root: output' "$(<"$scratch/nobody.out")" "here
0"
else
	skip 2 'only root can start the runner as another user'
fi
