#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# p2ptrace top on a terminal: 80x24, smaller and larger after a resize, without colours, on old
# terminals; keys, and the state of the terminal at the end. The counts are made up by the test of
# cmd/top.c, so this needs no kernel. Requires tmux.

top=$(dirname "$0")/top.t
n=0
starts=0
dir=$(mktemp -d) || exit 1
trap 't kill-server 2>/dev/null; rm -rf "$dir"' EXIT

for tool in tmux script "$top"; do
	command -v "$tool" >/dev/null || {
		echo "1..0 # SKIP $tool is missing"
		exit
	}
done
if "$top" --screen </dev/null 2>&1 | grep -q 'built without ncurses'; then
	echo '1..0 # SKIP it was built without ncurses'
	exit
fi

result()	# STATUS NAME
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		screen | sed 's/^/# /'
	fi
}

# A server for each start: one that ends may take a moment
t() { tmux -S "$dir/socket$starts" -f /dev/null "$@"; }
screen() { t capture-pane -p; }
styled() { t capture-pane -pe; }
# within CMD...: CMD succeeds within a minute
within()
{
	local end=$((SECONDS + 60))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
	return 0
}
shows() { screen | grep -qF -- "$1"; }
hides() { screen | grep -q . && ! shows "$1"; }
lines() { screen | grep -c .; }
is_ended() { [ -s "$dir/status" ]; }

# start WIDTH HEIGHT [VARIABLE=VALUE]... [ARG]...
start()
{
	local width=$1 height=$2
	shift 2
	t kill-server 2>/dev/null
	starts=$((starts + 1))
	rm -f "$dir/status"
	# shellcheck disable=SC2016 # expanded by the inner shell
	t new-session -d -x "$width" -y "$height" bash -c 'echo before; env "$@"
		echo "status $?" | tee "$0"; read -r' "$dir/status" "$@"
	within shows PROVIDER
}

start 80 24 "$top" --screen 0.2
result $? 'it starts on 80x24'
shows '0000:03:00.0 (nvme0) 0000:04:00.0         bus_addr' && shows 'Oldest    61.5s'
result $? 'it shows pairs and the oldest buffer'
first=$(screen)
changed() { [ "$(screen)" != "$first" ]; }
within changed
result $? 'the figures change'

t send-keys '?'
within shows 'PgUp PgDn Home'
result $? '? shows help'
t send-keys '?' /11 Enter
within hides '0000:04:00.0' && shows 'filter: 11'
result $? 'a filter hides rows'
t send-keys Escape
within shows '0000:04:00.0'
result $? 'Escape shows them again'
t send-keys Space
within shows PAUSED
first=$(screen)
sleep 0.5
[ "$(screen)" = "$first" ]
result $? 'a paused screen does not change'
t send-keys Space m
within shows 'by maps' && hides PAUSED
result $? 'it goes on, by mappings'

t resize-window -x 132 -y 40
within shows '0000:03:00.0 (nvme0)                           0000:04:00.0'
result $? 'a larger window has wider columns'
t resize-window -x 40 -y 9
narrow() { [ "$(screen | sed -n 2p | cut -c 1-9)" = 'Held     ' ] && shows 'PROVIDER     CLIENT'; }
within narrow && [ "$(lines)" -le 9 ]
result $? 'a smaller window has fewer lines'
t resize-window -x 10 -y 2
tiny() { [ "$(screen | head -n 1)" = 'p2ptrace t' ]; }
within tiny
result $? 'a tiny window has what fits'
t resize-window -x 80 -y 24
within shows '0000:04:00.0         bus_addr'
result $? 'and all comes back'

t send-keys q
within is_ended && [ "$(<"$dir/status")" = 'status 0' ]
result $? 'q ends it with status 0'
within shows before && hides PROVIDER
result $? 'the terminal shows what it showed before'
shows 'watching'
result $? 'and the messages'

start 80 24 TERM=xterm-256color "$top" --screen
colour=$'\e[32m'
styled | grep -qF "$colour"
result $? 'it has colours'
start 80 24 NO_COLOR=1 TERM=xterm-256color "$top" --screen
! styled | grep -qF "$colour"
result $? 'NO_COLOR turns them off'
for term in vt100 linux screen; do
	start 80 24 TERM=$term "$top" --screen
	result $? "it works with TERM=$term"
	t send-keys q
	within is_ended && [ "$(<"$dir/status")" = 'status 0' ]
	result $? 'and ends'
done

for term in '' nonsense; do
	# ncurses itself leaks here
	ASAN_OPTIONS=detect_leaks=0 TERM=$term script -qec "$top --screen" /dev/null \
		</dev/null >"$dir/out" 2>&1
	[ $? = 2 ] && grep -q 'add --batch' "$dir/out"
	result $? "TERM='$term' is refused with the next step"
done
echo "1..$n"
