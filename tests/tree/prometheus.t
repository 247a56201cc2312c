#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: promtool accepts the alert rules, and each of them fires and stays silent as its tests say;
# a rule without a test is found.  The dashboard is JSON.  systemd accepts the unit.
# Requires: promtool, jq, systemd-analyze; what is missing is skipped.

top=$(cd -- "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
cd "$top/tools/p2ptrace/export" || exit

# shellcheck disable=SC2317 # called by ok
quietly() { "$@" >/dev/null 2>&1; }

plan 6

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if command -v promtool >/dev/null; then
	ok 'promtool accepts the rules' quietly promtool check rules alerts.yml
	ok 'the tests of the rules pass' quietly promtool test rules alerts-test.yml
else
	skip 2 'promtool is not installed'
fi
is 'each rule has a test' "$(sed -n 's/^ *- alert: //p' alerts.yml | sort)" \
	"$(sed -n 's/^ *- alertname: //p' alerts-test.yml | sort -u)"

if command -v jq >/dev/null; then
	is 'the dashboard has panels, and each has an expression' \
		"$(jq -c '[.panels[] | .targets | length > 0] | [length > 10, all]' \
			dashboard.json)" '[true,true]'
else
	skip 1 'jq is not installed'
fi

if command -v systemd-analyze >/dev/null; then
	sed "s,@SBINDIR@/p2ptrace,$(command -v true)," p2ptrace-export.service \
		>"$scratch/p2ptrace-export.service"
	# The man page is not installed here
	is 'systemd accepts the unit' "$(systemd-analyze verify --man=no \
		"$scratch/p2ptrace-export.service" 2>&1)" ''
	# 10 is a service without any protection, which systemd calls unsafe
	ok 'systemd finds it well protected' quietly systemd-analyze security --offline=true \
		--threshold=35 "$scratch/p2ptrace-export.service"
else
	skip 2 'systemd-analyze is not installed'
fi

exit $((tap_failed > 0))
