#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The command line on any host: what is refused, with which status, in how many words. Needs no special kernel.
# P2PTRACE names the program; without it, the one next to the tests.

P2PTRACE=${P2PTRACE:-$(dirname "$0")/../../obj/unit/p2ptrace}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

result()	# STATUS NAME
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
		return
	fi
	echo "not ok $n - $2"
	sed 's/^/# out: /' "$dir/out"
	sed 's/^/# err: /' "$dir/err"
	echo "# status: $status"
}

run()
{
	"$P2PTRACE" "$@" > "$dir/out" 2> "$dir/err"
	status=$?
}

# One line on stderr that has both words, nothing on stdout.
refused()	# STATUS THING NEXT-STEP ARG...
{
	expected=$1 thing=$2 next=$3
	shift 3
	run "$@"
	[ "$status" -eq "$expected" ] && [ ! -s "$dir/out" ] && [ "$(wc -l < "$dir/err")" -eq 1 ] &&
		grep -q '^p2ptrace: ' "$dir/err" && grep -qF -- "$thing" "$dir/err" && grep -qF -- "$next" "$dir/err"
	result $? "refused with $expected: p2ptrace $*"
}

# Status 0 and nothing on stderr.
prints()	# PATTERN ARG...
{
	pattern=$1
	shift
	run "$@"
	[ "$status" -eq 0 ] && [ ! -s "$dir/err" ] && grep -q -- "$pattern" "$dir/out"
	result $? "prints '$pattern': p2ptrace $*"
}

prints '^p2ptrace [0-9]' --version
prints '^  trace  ' --help
prints '^  trace  ' -h
prints '^      --event=NAME' trace --help
prints '^      --event=NAME' trace -h
prints '^nvmet_p2pmem_fallback .* reason$' trace --list-events

refused 2 'no command' --help
refused 2 "'frobnicate'" --help frobnicate
refused 2 "'--frobnicate'" --help --frobnicate
refused 2 "'--frobnicate'" 'p2ptrace trace --help' trace --frobnicate
refused 2 "'x'" --help trace -x
refused 2 "'--d'" 'trace --help' trace --d 1
refused 2 "'--dev'" 'trace --help' trace --dev
refused 2 "'--json'" 'trace --help' trace --json=1
refused 2 "'more'" 'trace --help' trace more
refused 2 "'nope'" --list-events trace --event nope
refused 2 "'p2pmem_dma'" p2pmem_dma_unmap trace --event p2pmem_dma
refused 2 empty --list-events trace --event ''
refused 2 "'10abc'" 'such as' trace --count 10abc
refused 2 "'0'" 'such as' trace --count 0
refused 2 "'-1'" 'such as' trace --count -1
refused 2 "'18446744073709551616'" 'such as' trace --count 18446744073709551616
refused 2 "'0'" 'such as' trace --duration 0
refused 2 "'0.0'" 'such as' trace --duration 0.0
refused 2 "'1s'" 'such as' trace --duration 1s
refused 2 "'2G'" 'such as' trace --buffer 2G
refused 2 "'0'" 'such as' trace --buffer 0
refused 2 "'nowhere'" '--dev takes' trace --dev nowhere
refused 2 "'ffff:ff:1f.7'" lspci trace --dev ffff:ff:1f.7
refused 2 "'ffff:ff:1f.7'" lspci trace --client ffff:ff:1f.7
refused 2 "'nowhere'" '--client takes' trace --client nowhere
refused 2 '--dev is given twice' 'give it once' trace --dev a --dev b
refused 2 'none of these events has a client' --list-events trace --event p2pmem_alloc --client 0:0.0
refused 2 '\x1b' --list-events trace --event "$(printf '\033[2J')"
# The first error counts, and only it is reported.
refused 2 "'nope'" --list-events trace --event nope --count x --frobnicate

"$P2PTRACE" trace --list-events > /dev/full 2> "$dir/err"
status=$?
[ $status -eq 4 ] && grep -q 'No space left on device' "$dir/err"
result $? 'a full disk is an error'

if [ -e /sys/class/p2pmem ]; then
	echo "ok $((n += 1)) - a kernel without the series is refused # SKIP this kernel has it"
else
	for args in '' '--json' '--dev p2pmem0' '--event p2pmem_alloc --duration 1'; do
		# shellcheck disable=SC2086
		refused 3 kernel 'boot a kernel' trace $args
	done
fi
echo "1..$n"
