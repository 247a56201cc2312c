#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The command line: what is refused, with which status and message. Depends on no kernel: the
# program is built to read the BTF that P2PTRACE_TEST_BTF names. So peers and nvmet do not run here,
# which would read this machine's sysfs: tests/unit/cmd/peers.c and the guest tests do.
# P2PTRACE names the program; without it, the one next to the tests.

P2PTRACE=${P2PTRACE:-$(dirname "$0")/../../../obj/unit/p2ptrace}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

# A kernel without P2PDMA
export P2PTRACE_TEST_BTF="$dir/vmlinux"
echo 'int nothing;' | ${CLANG:-clang} -target bpf -g -x c -c -o "$P2PTRACE_TEST_BTF" - || exit 1

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

# One line on stderr that contains both texts, nothing on stdout.
refused()	# STATUS THING NEXT-STEP ARG...
{
	expected=$1 thing=$2 next=$3
	shift 3
	run "$@"
	[ "$status" -eq "$expected" ] && [ ! -s "$dir/out" ] && [ "$(wc -l < "$dir/err")" -eq 1 ] &&
		grep -q '^p2ptrace: ' "$dir/err" && grep -qF -- "$thing" "$dir/err" &&
		grep -qF -- "$next" "$dir/err"
	result $? "refused with $expected: p2ptrace $(printf '%.80s' "$*")"
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
prints '^  record  ' --help
prints '^      --ring=SIZE' record --help
prints '^  report  ' --help
prints '^      --html=OUT' report --help
prints '^  stat  ' --help
prints 'INTERVAL' stat --help
prints '^      --json' stat --help
prints '^  peers  ' --help
prints 'PROVIDER CLIENT' peers --help
prints '^  -o, --output=FILE ' snapshot --help
prints '^      --predict' peers --help
prints '^  lifetimes  ' --help
prints '^  export  ' --help
prints '^      --listen=ADDRESS:PORT' export --help
prints '^  top  ' --help
prints '^  -b, --batch' top --help
prints '^  leaks  ' --help
prints '^      --older-than' leaks --help
prints '^  nvmet  ' --help
prints '^      --json' nvmet --help
prints '^  leak  ' check --help
prints '^  check  ' --help
prints 'COMMAND' check --help
prints '^      --allow-blind' check --help

# The list is printed whatever the kernel is, but this one shows none of them
nr_events=$(sed -n '/^#define P2PTRACE_EVENTS/,/^$/p' bpf/p2ptrace.h | grep -c '^	X(')
run trace --list-events
[ "$status" -eq 3 ] && grep -q '^nvmet_p2pmem_fallback .* reason$' "$dir/out" &&
	[ "$(grep -c '^[a-z]' "$dir/out")" -eq "$nr_events" ] &&
	[ "$(wc -l < "$dir/err")" -eq 1 ] &&
	grep -q 'CONFIG_PCI_P2PDMA' "$dir/err" &&
	grep -q '^    stock kernels: by pci_alloc_p2pmem()$' "$dir/out"
result $? 'lists the events for a kernel that has none'
P2PTRACE_TEST_BTF=$dir/none
run trace --list-events
[ "$status" -eq 3 ] && [ "$(grep -c '^[a-z]' "$dir/out")" -eq 26 ] &&
	grep -q "$dir/none is missing" "$dir/err"
result $? 'lists the events for a kernel without BTF'
P2PTRACE_TEST_BTF=$dir/vmlinux

refused 2 'no command' --help
refused 2 "'frobnicate'" --help frobnicate
refused 2 "'--frobnicate'" --help --frobnicate
refused 2 "'--frobnicate'" 'p2ptrace trace --help' trace --frobnicate
refused 2 "'-x'" 'trace --help' trace -x
refused 2 "'-x'" 'trace --help' trace -vx
refused 2 "'--d' is ambiguous (--dev, --duration)" 'trace --help' trace --d 1
refused 2 "'--d=1' is ambiguous (--dev, --duration)" 'trace --help' trace --d=1
refused 2 "'10abc'" 'such as' trace --cou 10abc
refused 2 "'--dev' needs an argument" 'trace --help' trace --dev
refused 2 "'--json' takes no argument" 'trace --help' trace --json=1
refused 2 "unknown option '--'" --help -- trace
refused 2 "unknown option '--=1'" 'trace --help' trace --=1
refused 2 "'more'" 'trace --help' trace more
refused 2 "'nope'" --list-events trace --event nope
refused 2 "'p2pdma_'" p2pdma_unmap trace --event p2pdma_
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
refused 2 "'no/where'" 'name a p2pmem device' trace --dev no/where
refused 2 "'no/where'" 'name a device by PCI name' trace --client no/where
refused 2 '--dev is given twice' 'give it once' trace --dev a --dev b
refused 2 '--client is given twice' 'give it once' trace --client 1:0.0 --client 2:0.0
refused 2 '--count is given twice' 'give it once' trace --count 1 --count 2
refused 2 '--duration is given twice' 'give it once' trace --duration 1 --duration 2
refused 2 '--buffer is given twice' 'give it once' trace --buffer 8M --buffer 16M
refused 2 'p2pmem_alloc has no field client' 'leave out' trace --event p2pmem_alloc --client 0:0.0
refused 2 'nvmet_p2pmem_fallback has no field dev' 'leave out' \
	trace --dev p2pmem0 --event nvmet_p2pmem_fallback,p2pdma_decide
refused 2 '\x1b' --list-events trace --event "$(printf '\033[2J')"
# A long name does not push the next step out
long=$(printf '%05000d' 0)
refused 2 "unknown command '000" "see 'p2ptrace --help'" "$long"
refused 2 "unknown event '000" --list-events trace --event "$long"
refused 2 "'000" 'name a p2pmem device' trace --dev "$long:"
refused 2 "'--000" 'trace --help' trace "--$long"
refused 2 "'0'" 'such as 1' stat 0
refused 2 "'x'" 'such as 1' stat x
refused 2 "COUNT '0'" 'such as 10' stat 1 0
refused 2 "'more'" 'give only INTERVAL and COUNT' stat 1 1 more
refused 2 "'--event'" 'stat --help' stat --event p2pmem_alloc
refused 2 "'no/where'" 'name a p2pmem device' stat --dev no/where 1
refused 2 "'more'" 'snapshot --help' snapshot more
refused 2 '--output is given twice' 'give it once' snapshot --output a --output b
refused 2 "--output '' is empty" 'the name of a file' snapshot -o ''
refused 2 'a provider and a client' 'such as' peers --why p2pmem0
refused 2 "'more'" 'peers --help' peers more
refused 2 "'more'" 'peers --help' peers --why a b more
refused 2 '--why is given twice' 'give it once' peers --why a --why b c
refused 2 "--class 'gpu,x'" 'the classes are gpu, accel' peers --class gpu,x
refused 2 "--kernel '6'" 'such as 6.12' peers --kernel 6
refused 2 "--expect 'direct'" 'bus_addr' peers --why a b --expect direct
refused 2 '--expect is about one pair' 'add --why' peers --expect bus_addr
refused 2 '/nowhere/file' 'No such file' peers --from /nowhere/file
refused 2 "--from '' is empty" '- for standard input' peers --from ''
refused 2 "'more'" 'leaks --help' leaks more
refused 2 "'more'" 'nvmet --help' nvmet more
refused 2 "'--dev'" 'nvmet --help' nvmet --dev nvme0
refused 2 "'1h'" 'such as' leaks --older-than 1h
refused 2 '--older-than is given twice' 'give it once' leaks --older-than 1 --older-than 0
refused 2 '--older-than is given twice' 'give it once' leaks --older-than 0 --older-than 1
refused 2 "'--client=1:0.0'" 'leaks --help' leaks --client=1:0.0
refused 2 'no command' 'check --help' check
refused 2 'no command' 'check --help' check --expect 'held == 0'
refused 2 "'held'" 'such as' check --expect held -- true
refused 2 "'1h'" 'such as' check --settle 1h -- true
refused 2 '--settle is given twice' 'give it once' check --settle 0 --settle 1 -- true
refused 2 '--older-than is given twice' 'give it once' check --older-than 1 --older-than 2 -- true
refused 2 "--output is given twice ('a', 'b')" 'give it once' check --output a --output b -- true
refused 2 "'--duration=1'" 'check --help' check --duration=1 -- true
refused 2 'put -- in front' 'check --help' check true
refused 2 'put -- in front' 'check --help' check echo --json hello
refused 2 'put -- in front' 'check --help' check echo -- hello
refused 2 'put -- in front' 'check --help' check --output -- true
refused 2 'no command' 'check --help' check --json --
refused 2 "'--client=1:0.0'" 'check --help' check --client=1:0.0 -- true
refused 2 "'0'" 'such as 1234' trace --pid 0
refused 2 "'4294967296'" 'such as 1234' stat --pid 4294967296
refused 2 "'size' is not an order" 'bytes, maps, total, provider, client, map' top --sort size
refused 2 'is too long' 'at most 63' top --filter "$(printf '%064d' 0)"
refused 2 "'0'" 'such as 1' top 0
refused 2 "COUNT '0'" 'such as 10' top 1 0
refused 2 "'more'" 'give only INTERVAL and COUNT' top 1 1 more
refused 2 "'localhost:1'" '127.0.0.1:9737' export --listen localhost:1
refused 2 "'127.0.0.1:65536'" '[::1]:9737' export --listen 127.0.0.1:65536
refused 2 '--listen is given twice' 'give it once' export --listen 127.0.0.1:1 --listen 127.0.0.1:2
refused 2 "--textfile '' is empty" 'name of a file' export --textfile ''
refused 2 "'0'" 'such as 15' export --textfile a.prom --interval 0
refused 2 '--interval is about a file' scrape_interval export --interval 5
refused 2 "'1m'" 'such as 600' export --paths-interval 1m
refused 2 "'more'" 'export --help' export more
refused 2 "'--pid=1'" 'export --help' export --pid=1
refused 2 '1 to 15 bytes' '/proc/PID/comm' trace --comm 1234567890123456
refused 2 '1 to 15 bytes' '/proc/PID/comm' trace --comm ''
refused 2 "'0'" 'such as 4096' trace --min-size 0
refused 2 'p2pdma_decide has no field size' 'leave out' trace --min-size 4K --event p2pdma_decide
refused 2 "'--pid=1'" 'lifetimes --help' lifetimes --pid=1
refused 2 'needs all events of a buffer' 'leave one of them out' trace --lives --event p2pmem_alloc
refused 2 'needs all events of a buffer' --client trace --lives --client 1:0.0
refused 2 'an event has no duration' 'add --lives' trace --min-us 10
refused 2 "'0'" 'such as 1000' trace --lives --min-us 0
refused 2 "'18446744073709551615'" 'such as 1000' trace --lives --min-us 18446744073709551615
refused 2 "'0'" 'such as 10' check --older-than 0 -- true
refused 2 "'nonsense' is not a violation" 'double_map' check --allow nonsense -- true
refused 2 "'64K'" 'such as 8M' record --ring 64K
refused 2 "'2G'" 'such as 8M' record --ring 2G
refused 2 '--trigger needs --ring' 'add --ring' record --trigger 'fallbacks > 0'
refused 2 "'fallbacks'" 'such as' record --ring 8M --trigger fallbacks
refused 2 'standard output' '--output' record --ring 8M -o -
refused 2 "--output ''" 'name of a file' record --output ''
refused 2 'put -- in front' 'record --help' record true
refused 2 "'--json'" 'record --help' record --json
refused 2 "'0'" 'such as' record --duration 0
refused 2 'p2pdma_decide has no field size' 'leave out the event' \
	record --min-size 4K --event p2pdma_decide
# Only the first error is reported
refused 2 "'nope'" --list-events trace --event nope --count x --frobnicate

"$P2PTRACE" trace --help > /dev/full 2> "$dir/err"
status=$?
[ $status -eq 4 ] && grep -q 'No space left on device' "$dir/err"
result $? 'a full disk is an error'

mkfifo "$dir/fifo"
exec 3<> "$dir/fifo"
exec 4> "$dir/fifo"
exec 3>&-
"$P2PTRACE" trace --help >&4 2> "$dir/err"
status=$?
exec 4>&-
[ "$status" -eq 0 ] && [ ! -s "$dir/err" ]
result $? 'a reader that has gone is none'

"$P2PTRACE" --help >&- 2> "$dir/err"
status=$?
[ $status -eq 4 ] && grep -q 'standard output is closed' "$dir/err"
result $? 'a closed standard output is an error'

"$P2PTRACE" trace 1< /dev/null 2> "$dir/err"
status=$?
[ $status -eq 4 ] && grep -q 'not open for writing' "$dir/err"
result $? 'a standard output for reading is an error, from the start'

"$P2PTRACE" trace --help <&- > "$dir/out" 2>&-
status=$?
[ $status -eq 0 ] && grep -q '^Exit status' "$dir/out"
result $? 'the other two may be closed'

for args in '' '--json' '--dev p2pmem0' '--event p2pmem_alloc --duration 1' '--dev ffff:ff:1f.7' \
	'--client ffff:ff:1f.7' '--duration 5.' \
	'--dev p2pmem0 --dev p2pmem0 --client 1:0.0 --client 1:0.0' \
	'--count 7 --count 07' '--duration 5 --duration 5.0' '--buffer 8M --buffer 8192K'; do
	# shellcheck disable=SC2086
	refused 3 'CONFIG_PCI_P2PDMA' 'boot one' trace $args
done
for args in record 'record -- true' 'record --ring 8M' 'stat 1 1' 'stat --list-metrics' 'top -b' \
	export 'export --listen 127.0.0.1:1' leaks 'leaks --older-than 0 --older-than 0.0' \
	lifetimes 'check -- true' 'check --settle 0 --settle 0 -- true' \
	'check --output a --output a --older-than 1 --older-than 1.0 -- true'; do
	# shellcheck disable=SC2086
	refused 3 'CONFIG_PCI_P2PDMA' 'boot one' $args
done
P2PTRACE_TEST_BTF=$dir/none
for args in trace stat 'top --json' export leaks lifetimes 'check -- true' \
	'check --list-metrics'; do
	# shellcheck disable=SC2086
	refused 3 "$dir/none is missing" CONFIG_DEBUG_INFO_BTF=y $args
done
echo "1..$n"
