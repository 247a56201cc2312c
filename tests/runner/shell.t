#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: without a command there is a shell on this terminal: its size is known,
# Ctrl-C and job control work, and Ctrl-D ends it with the shell's status.
# Requires: a kernel, script; 1 boot.

# shellcheck source=tests/lib/runner-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/runner-test.sh"

plan 6

mkfifo "$scratch/keys"
script -qec "stty rows 31 cols 97; '$top/tests/vm/run' --topology plain --log '$scratch/log'" \
	/dev/null <"$scratch/keys" >"$scratch/out" &
shell=$!
exec 3>"$scratch/keys"

shown() { sed 's/\x1b\[[?0-9;]*[A-Za-z]//g; s/\r//g' "$scratch/out" | grep -q -- "$1"; }
keys() { printf %b "$1" >&3; }

ok 'there is a prompt' wait_for 60 shown '^.*lab:.*# $'
keys 'stty size\n'
ok 'the size of the terminal is right' wait_for 20 shown '^31 97$'
keys 'echo ready; sleep 1000\n'
wait_for 20 shown '^ready'
keys '\003'
keys 'echo "interrupted: $?"\n'
ok 'Ctrl-C ends what runs, not the shell' wait_for 20 shown '^interrupted: 130'
keys 'sleep 1000 & jobs\n'
ok 'there is job control' wait_for 20 shown '^\[1\]+ *Running *sleep 1000'
keys '(exit 9)\n'
keys '\004'
ended() { ! kill -0 $shell 2>/dev/null; }
ok 'Ctrl-D ends it' wait_for 60 ended
exec 3>&-
wait $shell
is 'its status is the status of the shell' $? 9
