#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Source, help, man pages and completion have the same commands and options. Every help text ends
# with examples.
# P2PTRACE names the program; RST2MAN, the program that formats man pages.

P2PTRACE=${P2PTRACE:-$(dirname "$0")/../../../obj/unit/p2ptrace}
source=tools/p2ptrace
rst2man=${RST2MAN:-$(command -v rst2man rst2man.py rst2man-3 | head -n 1)}
rst2man=${rst2man:-rst2man}
n=0

is()	# NAME GOT WANTED
{
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		diff <(echo "$2") <(echo "$3") | sed 's/^/# /'
	fi
}

commands() { "$P2PTRACE" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' | sort; }
options_of_help()
{
	"$P2PTRACE" "$@" --help | grep -oE '^ +(-., |    )--[a-z-]+' | grep -oE -- '--[a-z-]+' |
		sort
}
examples() { "$P2PTRACE" "$@" --help | sed '1,/^Examples:$/d' | grep . || echo none; }
options_of_examples() { examples "$@" | grep -oE -- ' --[a-z-]+' | tr -d ' ' | sort -u; }
page_options()
{
	sed -n '/^OPTIONS$/,$p' "$source/man/$1.8.rst" | grep -E '^(-., )?--' |
		grep -oE -- '--[a-z-]+' | sort -u
}
# The subcommands that have a man page
pages()
{
	local page
	for page in "$source"/man/p2ptrace-*.8.rst; do
		page=${page##*/p2ptrace-}
		echo "${page%.8.rst}"
	done | sort
}
# The subcommands that p2ptrace(8) lists
described()
{
	sed -n '/^DESCRIPTION$/,/^OPTIONS$/p' "$source/man/p2ptrace.8.rst" | grep -E '^[a-z]+$' |
		sort
}
violations()
{
	"$P2PTRACE" check --allow nothing -- true 2>&1 | sed 's/.*violations are //' | tr -d ' ' |
		tr , '\n' | sort
}
in_one_line() { paste -sd ' '; }

is 'the program has the commands of its source' "$(commands)" \
	"$(cd "$source/cmd" && printf '%s\n' *.c | grep -vE '^options.c|_' |
		sed 's/\.c$//' | sort)"
is 'each command has a man page' \
	"$(pages)" "$(commands)"
is 'p2ptrace(8) names each command' "$(described)" "$(commands)"
is 'p2ptrace(8) refers to the page of each command' \
	"$(sed -n '/^SEE ALSO$/,$p' "$source/man/p2ptrace.8.rst" |
		grep -oE 'p2ptrace-[a-z]+' | sed 's/p2ptrace-//' | sort)" "$(commands)"
is 'the README refers to the page of each command' \
	"$(grep -oE 'p2ptrace-[a-z]+\(8\)' README.md | sed 's/p2ptrace-//; s/(8)//' | sort -u)" \
	"$(commands)"
is 'docs/events.md explains each event' \
	"$(sed -n '/^| event | /,/^$/p' docs/events.md | cut -d '|' -f 2 |
		grep -oE '[a-z0-9]+(_[a-z0-9]+)+' | sort)" \
	"$("$P2PTRACE" trace --list-events 2>/dev/null | grep -oE '^[a-z0-9_]+' | sort)"
for command in $(commands); do
	is "$command: man page and help have the same options" \
		"$(page_options "p2ptrace-$command")" "$(options_of_help "$command")"
	is "$command: help names the exit statuses" \
		"$("$P2PTRACE" "$command" --help | grep -c '^Exit status: 0 ')" 1
	is "$command: the man page names the exit statuses" \
		"$(grep -c '^EXIT STATUS$' "$source/man/p2ptrace-$command.8.rst")" 1
	is "$command: help ends with examples" \
		"$(examples "$command" | grep -vE "^  (  |p2ptrace $command( |\$))")" ''
	is "$command: its examples use its options only" \
		"$(comm -23 <(options_of_examples "$command") <(options_of_help "$command"))" ''
	is "$command: no line of its help is wider than 80 columns" \
		"$("$P2PTRACE" "$command" --help | grep -E '^.{81}')" ''
done
# The list has the hooks of all kernels, because the program does not find one
hooks=$("$P2PTRACE" trace --list-events 2>/dev/null |
	sed -n 's/^    stock kernels: //p' | grep -oE 'tracepoint [a-z_]+|[a-z0-9_]+\(\)' | sort -u)
is 'p2ptrace(8) names each hook of stock kernels' \
	"$(while read -r hook; do
		grep -qF "$hook" "$source/man/p2ptrace.8.rst" || echo "$hook"
	done <<<"$hooks")" ''
is 'there are hooks' "$(grep -c pci_alloc_p2pmem <<<"$hooks")" 1
fields=$("$P2PTRACE" trace --list-events 2>/dev/null |
	sed -n 's/^    stock kernels do not know: //p' | tr -d ' ' | tr , '\n' | sort -u)
is 'p2ptrace(8) names each field that no stock kernel shows' \
	"$(sed -n '/^No stock kernel shows/,/^$/p' "$source/man/p2ptrace.8.rst" |
		grep -oE '[`]{2}[a-z]+' | tr -d '`' | sort -u)" "$fields"
is 'p2ptrace(8) has the options of its help' "$(page_options p2ptrace)" \
	"$("$P2PTRACE" --help | grep -oE -- '^ .*--(help|version) ' |
		grep -oE -- '--[a-z]+' | sort)"
for page in "$source"/man/*.8.rst; do
	is "${page##*/}: rst2man reports nothing" \
		"$($rst2man --report=1 "$page" 2>&1 >/dev/null)" ''
done

# shellcheck source=tools/p2ptrace/p2ptrace.bash-completion
. "$source/p2ptrace.bash-completion"
complete_at()	# WORD...: what the last one may become
{
	COMP_LINE="$P2PTRACE $*"
	COMP_POINT=${#COMP_LINE}
	COMP_WORDBREAKS=' :='
	COMPREPLY=()
	_p2ptrace
	printf '%s\n' "${COMPREPLY[@]}" | sort
}
is 'completion has the commands' "$(complete_at '')" \
	"$({ commands; echo --help; echo --version; } | sort)"
is 'completion ends the name of a command' "$(complete_at tr)" trace
for command in $(commands); do
	is "$command: completion has its options" \
		"$(complete_at "$command" --)" "$(options_of_help "$command")"
done
is 'completion has the events' "$(complete_at trace --event nvmet_p2pmem_b)" nvmet_p2pmem_bind
is 'completion ends the name of a violation' "$(complete_at check --allow double)" double_map
is 'completion has all violations' "$(complete_at check --allow '' | in_one_line)" \
	"$(violations | in_one_line)"
# Devices that do not depend on this machine
# shellcheck disable=SC2016 # the shell must not expand it
_p2ptrace_functions() { printf '%s\n' 0000:03:00.0 0000:04:00.0 nvme0 eth0 '$(echo>&2)' '*'; }
is 'completion has functions by the names of their devices' "$(complete_at stat --client nv)" nvme0
is 'completion has the orders of top' "$(complete_at top --sort '' | in_one_line)" \
	"$("$P2PTRACE" top --sort nope 2>&1 | sed 's/.*orders are //' | tr -d ' ' | tr , '\n' |
		sort | in_one_line)"
is 'completion has the classes of peers' "$(complete_at peers --class '' | in_one_line)" \
	"$("$P2PTRACE" peers --class nope 2>&1 | sed 's/.*classes are //' | tr -d ' ' |
		tr , '\n' | sort | in_one_line)"
is 'completion has the map types that peers --expect takes' \
	"$(complete_at peers --expect '' | in_one_line)" \
	"$("$P2PTRACE" peers --expect 'a>b=nope' 2>&1 | sed 's/.*those are //; s/,\| and/ /g' |
		tr -s ' ' '\n' | sort | in_one_line)"
is 'completion works after an equals sign' "$(complete_at stat --client=nv)" nvme0
is 'completion continues a PCI name after its last colon' \
	"$(complete_at trace --dev 0000:0 | in_one_line)" '03:00.0 04:00.0'
is 'completion has the second function of a pair' "$(complete_at peers --why 0000:03:00.0 e)" eth0
is 'completion omits names that the shell would expand' \
	"$(complete_at stat --client '' 2>&1 | in_one_line)" \
	'0000:03:00.0 0000:04:00.0 eth0 nvme0'
echo "1..$n"
