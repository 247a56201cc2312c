#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: each mutant of tests/mutation/mutants still applies: its text occurs exactly once in its
# file. (make check-mutation, which takes long, shows that tests notice them.)

# shellcheck source=tests/lib/tap.sh
. "${BASH_SOURCE[0]%/*}/../lib/tap.sh"
top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)

# stale LIST: the lines of LIST whose text does not occur exactly once
stale() {
	# shellcheck disable=SC2016 # Perl's variables
	perl -ne '
		if (/^file (.*)/) {
			open my $f, "<", "'"$top"'/tools/p2ptrace/$1" or die "$1: $!\n";
			local $/; $text = <$f>;
		} elsif (/^- (.*)/) {
			my $n = () = $text =~ /\Q$1/g;
			print "line $.: found $n times: $1\n" if $n != 1;
		}' "$1"
}

plan 3
list=$top/tests/mutation/mutants
is 'each mutant applies' "$(stale "$list")" ''
ok 'there are mutants' [ "$(grep -c '^- ' "$list")" -gt 300 ]
is 'one that does not is found' "$(stale <(printf 'file main.c\n- no such text\n'))" \
	'line 2: found 0 times: no such text'

exit $((tap_failed > 0))
