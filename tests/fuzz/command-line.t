#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: no command line makes p2ptrace crash, hang, end with a status that is not documented, or
# fail with more or less than one line on standard error.
# Requires: P2PTRACE, built with sanitizers. Tries random command lines for FUZZ_SECONDS, from
# FUZZ_SEED, or exactly FUZZ_RUNS of them.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

P2PTRACE=${P2PTRACE:-$top/build/obj/unit/p2ptrace}
seconds=${FUZZ_SECONDS:-10}
seed=${FUZZ_SEED:-1}
runs=${FUZZ_RUNS:-1000000}
crashed=99
# Bytes are not characters here
export LC_ALL=C

# A file that --output names is written there.
dir=$(mktemp -d) || exit
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit

mapfile -t commands < <("$P2PTRACE" --help | grep -oE '^  [a-z]+ ' | tr -d ' ')
declare -A own
for command in "${commands[@]}"; do
	own[.$command]=$("$P2PTRACE" "$command" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u)
done
mapfile -t options < <(printf '%s\n' --version "${own[@]}" | sort -u)
mapfile -t events < <("$P2PTRACE" trace --list-events | cut -d ' ' -f 1)

# No path but these, so that "check" runs no other program.
values=(
	0 1 7 -1 +1 00 64 4096 65536 18446744073709551615 18446744073709551616 0x10 1e3
	1.5 .5 5. . 0.0000000001
	4K 64k 8M 1G 17179869184G 4T 1s 10abc ' 1' ''
	p2pmem0 p2pmem p2pmem18446744073709551616 nvme0 eth0 lo no/where ..
	0000:01:00.0 1:0.0 ffffffff:ff:1f.7 1:20.0 :
	'fallbacks == 0' 'maps.bus_addr>=64K' 'x' '==' 'events.p2pmem_alloc != 99999999999999999999'
	leak double_map lost p2pmem_ 'p2pmem_alloc,p2pmem_free' ',' 'p2pmem_alloc,'
	/dev/null /dev/full /nowhere/file /bin/true /bin/false
	-v -h -x -vh - -- --help --version --json
	$'\e[2J' $'\xff\xfe' $'\n' $'a\nb' %s%n $'\xc2\x9b'
)
values+=("${events[@]}")

pick() { picked=${*:RANDOM % $# + 1:1}; }

# Any bytes but a slash, up to 20 of them, or one letter very often.
garbage()
{
	local i byte
	picked=
	if ((RANDOM % 8 == 0)); then
		printf -v picked '%*s' $((RANDOM % 3000)) ''
		picked=${picked// /a}
		return
	fi
	for ((i = RANDOM % 20; i > 0; i--)); do
		printf -v byte '\\x%02x' $((RANDOM % 255 + 1))
		printf -v byte '%b' "$byte"
		[ "$byte" = / ] || picked+=$byte
	done
}

value()
{
	if ((RANDOM % 5 == 0)); then garbage; else pick "${values[@]}"; fi
}

# Sets words
command_line()
{
	local n
	words=()
	if ((RANDOM % 16)); then pick "${commands[@]}"; else value; fi
	words+=("$picked")
	for ((n = RANDOM % 7; n > 0; n--)); do
		if ((RANDOM % 4 == 0)); then
			value
			words+=("$picked")
			continue
		fi
		# Mostly one that the command has
		if ((RANDOM % 8)); then
			# shellcheck disable=SC2086 # a word each
			pick ${own[.${words[0]}]:---help}
		else
			pick "${options[@]}"
		fi
		# An abbreviation now and then
		((RANDOM % 6)) || picked=${picked:0:RANDOM % ${#picked} + 1}
		words+=("$picked")
		case $((RANDOM % 3)) in
		0) value; words[-1]+="=$picked" ;;
		1) value; words+=("$picked") ;;
		esac
	done
}

# Sets wrong to what is wrong with the last run, if anything is
judge()	# STATUS
{
	local lines line verbose
	mapfile -t lines <err
	# libbpf prints what it likes
	[[ " ${words[*]}" =~ ' '(-[a-zA-Z]*v|--v) ]] && verbose=1
	wrong=
	[ "$1" -le 4 ] || wrong="status $1"
	for line in "${lines[@]}"; do
		[[ $line != *Sanitizer* && $line != *'runtime error'* ]] ||
			wrong='a report of a sanitizer'
		[[ $line = 'p2ptrace: '* || $verbose ]] ||
			wrong=${wrong:-'a line that does not begin with p2ptrace:'}
	done
	[ "$1" -lt 2 ] || [ ${#lines[@]} -eq 1 ] || [ "$verbose" ] ||
		wrong=${wrong:-"status $1 and ${#lines[@]} lines on standard error"}
}

plan 3
ok 'there are commands, options and events to try' \
	[ $((${#commands[@]} > 3 && ${#options[@]} > 15 && ${#events[@]} > 10)) = 1 ]

RANDOM=$seed
SECONDS=0
n=0 wrong=
while [ -z "$wrong" ] && [ $SECONDS -lt "$seconds" ] && [ "$n" -lt "$runs" ]; do
	command_line
	# A command line that is accepted may trace until it is told to end
	PATH=/nowhere ASAN_OPTIONS=exitcode=$crashed UBSAN_OPTIONS=exitcode=$crashed \
		/usr/bin/timeout --preserve-status -k 10 3 \
		"$P2PTRACE" "${words[@]}" >out 2>err </dev/null
	judge $?
	n=$((n + 1))
done
diag "$n command lines, FUZZ_SEED=$seed"
ok 'some were tried' [ "$n" -gt 0 ]
is 'each ends with a documented status, and says why in one line' "$wrong" '' || {
	printf -v line ' %q' "${words[@]}"
	tap_why "p2ptrace$line"
	tap_why "$(head -n 20 err)"
}

exit $((tap_failed > 0))
