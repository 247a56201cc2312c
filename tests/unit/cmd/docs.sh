#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Source, help, man pages and completion have the same commands and options. Every help text ends
# with examples.
# P2PTRACE names the program; P2PTRACE_SOURCE, the directory of its source.

P2PTRACE=${P2PTRACE:-$(dirname "$0")/../../../obj/unit/p2ptrace}
source=${P2PTRACE_SOURCE:-tools/p2ptrace}
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
	"$P2PTRACE" "$@" --help | grep -oE '^ +(-., |    )--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort
}
examples() { "$P2PTRACE" "$@" --help | sed '1,/^Examples:$/d' | grep . || echo none; }
options_of_examples() { examples "$@" | grep -oE -- ' --[a-z-]+' | tr -d ' ' | sort -u; }
page_options()
{
	sed -n '/^OPTIONS$/,$p' "$source/man/$1.8.rst" | grep -E '^(-., )?--' | grep -oE -- '--[a-z-]+' | sort -u
}

is 'the program has the commands of its source' "$(commands)" \
	"$(cd "$source/cmd" && printf '%s\n' *.c | grep -vx 'options\.c' | sed 's/\.c$//' | sort)"
is 'each has a man page' \
	"$(cd "$source/man" && printf '%s\n' p2ptrace-*.8.rst | sed 's/^p2ptrace-//; s/\.8\.rst$//' | sort)" \
	"$(commands)"
is 'p2ptrace(8) names each of them' \
	"$(sed -n '/^DESCRIPTION$/,/^OPTIONS$/p' "$source/man/p2ptrace.8.rst" | grep -E '^[a-z]+$' | sort)" \
	"$(commands)"
for command in $(commands); do
	is "$command: man page and help have the same options" \
		"$(page_options "p2ptrace-$command")" "$(options_of_help "$command")"
	is "$command: help names the exit statuses" "$("$P2PTRACE" "$command" --help | grep -c '^Exit status: 0 ')" 1
	is "$command: so does the man page" "$(grep -c '^EXIT STATUS$' "$source/man/p2ptrace-$command.8.rst")" 1
	is "$command: help ends with examples" "$(examples "$command" | grep -vE "^  (  |p2ptrace $command( |\$))")" ''
	is "$command: its examples use its options only" \
		"$(comm -23 <(options_of_examples "$command") <(options_of_help "$command"))" ''
	is "$command: no line of its help is wider than 80 columns" \
		"$("$P2PTRACE" "$command" --help | grep -E '^.{81}')" ''
done
is 'p2ptrace(8) has the options of its help' "$(page_options p2ptrace)" \
	"$("$P2PTRACE" --help | grep -oE -- '^ .*--(help|version) ' | grep -oE -- '--[a-z]+' | sort)"
for page in "$source"/man/*.8.rst; do
	is "${page##*/}: rst2man reports nothing" "$(rst2man --report=1 "$page" 2>&1 >/dev/null)" ''
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
is 'completion has the commands' "$(complete_at '')" "$({ commands; echo --help; echo --version; } | sort)"
is 'and the rest of one' "$(complete_at tr)" trace
for command in $(commands); do
	is "$command: completion has its options" "$(complete_at "$command" --)" "$(options_of_help "$command")"
done
is 'and the events' "$(complete_at trace --event nvmet_p2pmem_b)" nvmet_p2pmem_bind
is 'and the violations' "$(complete_at check --allow double)" double_map
is 'all of them' "$(complete_at check --allow '' | paste -sd ' ')" \
	"$("$P2PTRACE" check --allow nothing -- true 2>&1 | sed 's/.*could be //' | tr -d ' ' | tr , '\n' | sort | paste -sd ' ')"
# Devices that do not depend on this machine
# shellcheck disable=SC2016 # the shell must not expand it
_p2ptrace_functions() { printf '%s\n' 0000:03:00.0 0000:04:00.0 nvme0 eth0 '$(echo>&2)' '*'; }
is 'and functions by what they are known by' "$(complete_at stat --client nv)" nvme0
is 'behind an equals sign, too' "$(complete_at stat --client=nv)" nvme0
is 'and by their PCI names, behind the last colon' "$(complete_at trace --dev 0000:0 | paste -sd ' ')" '03:00.0 04:00.0'
is 'for the second of a pair, too' "$(complete_at peers --why 0000:03:00.0 e)" eth0
is 'and none that the shell would run' "$(complete_at stat --client '' 2>&1 | paste -sd ' ')" \
	'0000:03:00.0 0000:04:00.0 eth0 nvme0'
echo "1..$n"
