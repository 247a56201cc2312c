#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: without a command, the runner starts a shell on this terminal. The shell knows the size
# of the terminal, Ctrl-C and job control work, and Ctrl-D ends it.
# Requires: a kernel, script; 1 boot.

# shellcheck source=tests/lib/runner-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/runner-test.sh"

plan 6

mkfifo "$scratch/keys"
script -qec "stty rows 31 cols 97; '$top/tests/vm/run' --topology plain --log '$scratch/log'" \
	/dev/null <"$scratch/keys" >"$scratch/out" &
shell=$!
exec 3>"$scratch/keys"

screen() { sed 's/\x1b\[[?0-9;]*[A-Za-z]//g; s/\r//g' "$scratch/out"; }
shown() { screen | grep -q -- "$1"; }
prompts() { screen | grep -c '^lab:.*# '; }
prompts_above() { [ "$(prompts)" -gt "$1" ]; }
keys() { printf %b "$1" >&3; }

# enter KEYS: type them and wait for the next prompt.  Only there does Ctrl-D reach the shell:
# while a command runs, the terminal takes it as the end of the command's input, and the shell
# later reads a NUL in its place.
enter() {
	local before
	before=$(prompts)
	keys "$1"
	wait_for 60 prompts_above "$before"
}

ok 'there is a prompt' wait_for 60 shown '^.*lab:.*# $'
enter 'stty size\n'
ok 'the size of the terminal is right' shown '^31 97$'
# Ctrl-C is for the process group in the foreground.  This command is there once it prints.
keys 'sh -c "echo ready; exec sleep 1000"\n'
wait_for 60 shown '^ready'
enter '\003'
enter 'echo "interrupted: $?"\n'
ok 'Ctrl-C ends the command and not the shell' shown '^interrupted: 130'
enter 'sleep 1000 & jobs\n'
ok 'there is job control' shown '^\[1\]+ *Running *sleep 1000'
enter '(exit 9)\n'
keys '\004'
ended() { ! kill -0 $shell 2>/dev/null; }
ok 'Ctrl-D ends the shell' wait_for 60 ended || kill $shell
exec 3>&-
wait $shell
is 'the runner exits with the status of the shell' $? 9
