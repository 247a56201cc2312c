#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the unit tests notice when one line of p2ptrace is broken. Each mutant in the file
# mutants is one test point: it compiles, and a test that it names fails.
# Requires: what check-unit requires. MUTANTS=REGEX tries only mutants of files that match.
#
# The mutants are made in a copy of the tree, which stays in build/mutation for the next run.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

list=$top/tests/mutation/mutants
copy=${BUILD:-$top/build}/mutation
tree=$copy/tree
units=$copy/build/tests/unit
limit=60	# seconds for one test, and for each build

# A mutant may leave a variable unused; that is no reason not to compile it
cc="${CC:-gcc} -w"
! command -v ccache >/dev/null || cc="ccache $cc"

mutants=() tests=()

# read_list: one mutant per element: FILE, TESTS, OLD and NEW, a line each
read_list()
{
	local line file test old n=0
	while IFS= read -r line; do
		n=$((n + 1))
		case $line in
		'#'* | '') ;;
		'file '*) file=tools/p2ptrace/${line#file } ;;
		'test '*) test=${line#test } ;;
		'- '*) old=${line#- } ;;
		'+'*)
			if [ -z "$file" ] || [ -z "$test" ] || [ -z "$old" ]; then
				bail "$list:$n: file, test or - is missing"
			fi
			[[ $file =~ ${MUTANTS:-} ]] || continue
			line=${line#+}
			mutants+=("$file"$'\n'"$test"$'\n'"$old"$'\n'"${line# }")
			# shellcheck disable=SC2206 # a word each
			tests+=($test)
			;;
		*) bail "$list:$n: begins with none of: file, test, -, +" ;;
		esac
	done <"$list"
}

# What differs gets a new time, so that make notices
copy_tree()
{
	local file
	while IFS= read -r file; do
		cmp -s "$top/$file" "$tree/$file" && continue
		mkdir -p "$(dirname -- "$tree/$file")"
		cp "$top/$file" "$tree/$file"
	done < <(cd "$top" && find Makefile bpf kernel-config/bases tests/*/*.mk tests/unit \
		tests/field tools -type f)
}

build()	# TEST...
{
	env -u MAKEFLAGS timeout $limit make -C "$tree" -s BUILD="$copy/build" CC="$cc" \
		"${@/#/$units/}" >"$copy/log" 2>&1
}

try()	# TEST...
{
	(cd "$tree" && CMOCKA_MESSAGE_OUTPUT=TAP P2PTRACE=$copy/build/obj/unit/p2ptrace \
		timeout $limit prove -Q "${@/#/$units/}") >"$copy/log" 2>&1
}

# Prints how often a string occurs in another
occurrences()	# STRING IN
{
	local without=${2//"$1"/}
	echo $(((${#2} - ${#without}) / ${#1}))
}

# Prints what became of it: killed, or why not
fate()	# FILE OLD NEW TEST...
{
	local file=$tree/$1 old=$2 new=$3 text n
	shift 3
	text=$(<"$file")
	n=$(occurrences "$old" "$text")
	if [ "$n" != 1 ]; then
		echo "found $n times"
		return
	fi
	printf '%s\n' "${text/"$old"/"$new"}" >"$file"
	if ! build "$@"; then
		echo 'does not compile'
	elif try "$@"; then
		echo survived
	else
		echo killed
	fi
	printf '%s\n' "$text" >"$file"
}

mkdir -p "$tree"
read_list
[ ${#mutants[@]} -gt 0 ] || bail "no mutant is of a file that matches '$MUTANTS'"
mapfile -t tests < <(printf '%s.t\n' "${tests[@]}" | sort -u)
copy_tree
# One that was being tried when this was interrupted is put back
trap copy_tree EXIT

plan $((${#mutants[@]} + 1))
limit=600
# shellcheck disable=SC2317 # called by ok
whole() { build "${tests[@]}" && try "${tests[@]}"; }
ok 'their tests pass as long as nothing is broken' whole || {
	tap_why "$(tail -n 20 "$copy/log")"
	exit 1
}
limit=60

for mutant in "${mutants[@]}"; do
	mapfile -t part <<<"$mutant"
	read -ra names <<<"${part[1]}"
	is "${part[0]#tools/p2ptrace/}: ${part[2]} => ${part[3]:-nothing}" \
		"$(fate "${part[0]}" "${part[2]}" "${part[3]}" "${names[@]/%/.t}")" killed ||
		tap_why "$(tail -n 10 "$copy/log")"
done

exit $((tap_failed > 0))
