#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# p2ptrace report, from a recording that is kept in the corpus of the fuzzer: the page, JSON, lives,
# verdicts, a trace of Perfetto and a web page. Depends on no kernel.
# P2PTRACE names the program. If PERFETTO_PROTO names perfetto_trace.proto as Perfetto publishes it,
# and there is protoc, the trace is validated by it. If there is Chromium, it opens the web page.

P2PTRACE=${P2PTRACE:-$(dirname "$0")/../../../obj/unit/p2ptrace}
corpus=${P2PTRACE_CORPUS:-tests/fuzz/corpus/recording}
file=$corpus/with-a-machine
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
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
skip() { n=$((n + 1)); echo "ok $n - $1 # skip $2"; }
report() { "$P2PTRACE" report "$@" 2>"$dir/err"; }
# has NAME TEXT... : each text is in what was printed, or in the file $out
has()
{
	local name=$1 text missing=
	shift
	for text; do
		grep -qF -- "$text" "$dir/out" || missing+="$text"$'\n'
	done
	is "$name" "$missing" ''
}

report "$file" >"$dir/out"
is 'a page: status' "$? $(cat "$dir/err")" '0 '
has 'the page has what happened' 'Linux 6.12.95 x86_64' '64 events; ended: the command ended' \
	'Command: fio job.fio (exit status 0)' 'LOST: 3 events (cpu1 2, cpu3 1)' \
	'bus_addr          sg' '0000:04:00.0' 'not_supported' 'host_bridge_unknown: they share' \
	'Still held at the end: 2 buffers' 'id=12' 'freed and still mapped'
is 'no line is wider than 140 columns' "$(grep -E '^.{141}' "$dir/out")" ''
report - <"$file" | sed 's/standard input/FILE/' >"$dir/stdin"
is 'standard input is the same' "$(cat "$dir/stdin")" "$(sed "s,$file,FILE," "$dir/out")"

report --json "$file" >"$dir/out"
is 'JSON has a line for each event, and the end' "$(wc -l <"$dir/out")" 65
is 'the last line is that of trace' "$(tail -n 1 "$dir/out")" \
	'{"event":"end","events":64,"lost":3,"blind":[]}'
report --lives "$file" >"$dir/out"
is 'lives: one for each buffer that was freed' "$(grep -c ' held=' "$dir/out")" 7
report --lives --json "$file" >"$dir/out"
is 'lives, as JSON' "$(grep -c '"event":"life"' "$dir/out")" 7

report --check "$file" >"$dir/out"
is 'a check fails with 1' $? 1
is 'the check names what is wrong' \
	"$(sed -n 's/^FAILED \([a-z_]*\):.*/\1/p' "$dir/out" | paste -sd ' ')" 'leak mapped lost'
report --check --allow leak --allow mapped --allow lost --expect 'maps.bus_addr > 10' "$file" \
	>"$dir/out"
is 'a check succeeds if all of that is allowed' $? 0
report --check --allow leak --allow mapped --allow lost --expect 'maps == 0' "$file" >"$dir/out"
is 'a check fails for an expectation' $? 1

head -c -50 "$file" >"$dir/cut"
report "$dir/cut" >"$dir/out"
has 'the page of a cut file says so' 'NOT WHOLE: it is cut within the chunk at byte'
report --json "$dir/cut" >"$dir/out"
is 'JSON of a cut file says so in its last line and on standard error' \
	"$? $(wc -l <"$dir/out") $(grep -c 'cut is not whole' "$dir/err") $(tail -n 1 "$dir/out" |
		grep -c '"blind":\[\],"cut":"it is cut within')" '0 65 1 1'
report --check --allow leak --allow mapped --allow lost "$dir/cut" >"$dir/out"
is 'a cut file fails the check' "$? $(grep -c '^FAILED recording: it is cut' "$dir/out")" '1 1'

refused()	# NAME STATUS TEXT ARG...
{
	local name=$1 status=$2 text=$3 got
	shift 3
	report "$@" >"$dir/out"
	got=$?
	is "$name" "$got $(wc -l <"$dir/err") $(grep -cF -- "$text" "$dir/err")" "$status 1 1"
	[ "$got" = "$status" ] || cat "$dir/err"
}
refused 'no file' 2 'no file given'
refused 'two files' 2 'there are two files' a b
refused 'a file that is not there' 2 'No such file' "$dir/none"
refused 'a folder' 4 'cannot read' "$dir"
refused 'another file' 4 'not a recording' "$corpus/other"
refused 'an empty file' 4 'not a recording' "$corpus/empty"
refused '--expect alone' 2 'needs --check' --expect 'maps > 1' "$file"
refused 'two reports' 2 'different reports' --lives --check "$file"
refused 'JSON and HTML' 2 'cannot be combined' --json --html "$dir/x" "$file"
refused 'an unknown metric' 2 "no count 'x'" --check --expect 'x > 1' "$file"
refused 'a folder that is not there' 2 'folder does not exist' --html "$dir/no/x" "$file"
refused 'a trace that cannot be written' 4 'cannot write /dev/full' --perfetto /dev/full "$file"

cp "$file" "$dir/same"
refused 'a trace in place of the recording' 2 'is the recording itself' \
	--perfetto "$dir/same" "$dir/same"
refused 'a web page in place of it' 2 'is the recording itself' --html "$dir/same" "$dir/same"
is 'the recording is still there' "$(cmp "$file" "$dir/same")" ''

report --perfetto "$dir/trace" "$file"
is 'a trace of Perfetto: status' "$? $(cat "$dir/err")" '0 '
gzip -dc "$dir/trace" >"$dir/raw"
is 'it is compressed with gzip' $? 0
if [ -n "$PERFETTO_PROTO" ] && command -v protoc >/dev/null; then
	protoc --decode=perfetto.protos.Trace -I "$(dirname "$PERFETTO_PROTO")" \
		"$PERFETTO_PROTO" <"$dir/raw" >"$dir/out" 2>"$dir/err"
	is "the trace is valid by Perfetto's schema" "$? $(cat "$dir/err")" '0 '
	# protoc prints the number of a field that the schema does not have
	is 'the schema has all of its fields' "$(grep -E '^ *[0-9]+[: ]' "$dir/out")" ''
	has 'it has slices, arrows and counters' 'type: TYPE_SLICE_BEGIN' 'type: TYPE_SLICE_END' \
		'flow_ids: 12' 'unit: UNIT_SIZE_BYTES' 'name: "bytes held"' 'name: "lost events"'
else
	skip "the trace is valid by Perfetto's schema" 'no PERFETTO_PROTO, or no protoc'
fi

report --html "$dir/page.html" "$file"
is 'a web page: status' "$? $(cat "$dir/err")" '0 '
cp "$dir/page.html" "$dir/out"
has 'the web page has what happened' '<title>Peer-to-peer DMA: ' '3 events were lost' \
	'class="pair s-bus"' 'class="pair s-no"' 'Still held at the end' '</html>'
elements='section|table|tr|td|th|ul|li|svg|div|main|h2|h3|pre|details'
is 'each element is closed' \
	"$(grep -oE "<($elements)[ >]" "$dir/out" | tr -d '<> ' | sort | uniq -c)" \
	"$(grep -oE "</($elements)>" "$dir/out" | tr -d '</>' | sort | uniq -c)"

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
# Chromium needs a home for its profile, and as root it has no sandbox
browse()
{
	HOME=$dir timeout 120 "$browser" --headless --no-sandbox --disable-gpu \
		--enable-logging=stderr --user-data-dir="$dir/profile" "$@" \
		"file://$dir/page.html" 2>"$dir/err"
}
if [ -n "$browser" ]; then
	browse --dump-dom >"$dir/out"
	is 'Chromium opens the web page' $? 0
	has 'and shows what it has' 'What went between whom' 'class="pair s-bus"' \
		'Still held at the end'
	is 'without an error' "$(grep -E 'CONSOLE' "$dir/err")" ''
	browse --window-size=1000,2400 --screenshot="$dir/page.png" >/dev/null
	is 'it can be drawn' "$(head -c 4 "$dir/page.png" | tail -c 3)" PNG
else
	skip 'Chromium opens the web page' 'there is no Chromium'
fi
echo "1..$n"
