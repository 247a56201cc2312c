# SPDX-License-Identifier: GPL-2.0
#
# The figures of all tools side by side.  The rows are fixed: a row without a figure was not
# measured.

# The maximum difference between most of the rounds, in percent
def noise_limit: 2;
def events_each: 16;	# events per write of the command

def row($class; $tool; $name; $target): {class: $class, tool: $tool, name: $name} + $target;

# Targets: more: the figure must be more than ours; twice: at least twice ours; below, most: an
# upper limit
def more: {target: {more: true}};
def twice: {target: {twice: true}};
def none: {target: null};

def expected:
	row("counting"; "stat"; "p2ptrace stat"; none),
	row("counting"; "perf_stat"; "perf stat"; more),
	row("counting"; "bpftrace_count"; "bpftrace"; more),
	row("recording"; "trace"; "p2ptrace trace --json"; none),
	row("recording"; "trace_file"; "the same, to a file"; none),
	row("recording"; "trace_cmd"; "trace-cmd record"; more),
	row("recording"; "trace_cmd_plain"; "trace-cmd, uncompressed"; more),
	row("recording"; "perf_record"; "perf record"; more),
	row("recording"; "bpftrace_record"; "bpftrace"; more),
	row("in a file"; "record"; "p2ptrace record"; {target: {most: 500}}),
	row("in a file"; "record_packed"; "the same, --compress"; none),
	row("in a file"; "trace_cmd"; "trace-cmd record"; twice),
	row("in a file"; "trace_cmd_plain"; "trace-cmd, uncompressed"; twice),
	row("in a file"; "perf_record"; "perf record"; twice),
	row("in a file"; "bpftrace_record"; "bpftrace"; twice),
	row("readable"; "trace_file"; "p2ptrace trace --json"; none),
	row("readable"; "trace_cmd"; "trace-cmd record, report"; more),
	row("readable"; "perf_record"; "perf record, script"; more),
	row("readable"; "bpftrace_record"; "bpftrace"; more),
	row("first"; "trace"; "p2ptrace trace --json"; none),
	row("first"; "trace_cmd"; "trace-cmd stream"; more),
	row("first"; "bpftrace_record"; "bpftrace"; more),
	row("resident"; "stat"; "p2ptrace stat"; {target: {below: 16384}}),
	row("resident"; "trace"; "p2ptrace trace --json"; {target: {below: 16384}}),
	row("resident"; "record"; "p2ptrace record"; {target: {below: 16384}}),
	row("resident"; "perf_stat"; "perf stat"; none),
	row("resident"; "perf_record"; "perf record"; none),
	row("resident"; "trace_cmd"; "trace-cmd record"; none),
	row("resident"; "bpftrace_count"; "bpftrace, counting"; none),
	row("resident"; "bpftrace_record"; "bpftrace, recording"; none),
	row("lost"; "load"; "p2ptrace trace, load"; {target: {most: 0}}),
	row("lost"; "storm"; "p2ptrace trace, storm"; {target: {most: 0}});

def unit: {counting: "instructions an event", recording: "instructions an event",
	"in a file": "instructions an event", readable: "instructions an event", first: "ms",
	resident: "KiB", lost: "events"}[.class];

def median: sort | .[length / 2 | floor];

# The smallest range that contains more than half of the values, in percent of the median
def noise: median as $median | sort | (length / 2 | floor) as $others |
	[range(length - $others) as $i | .[$i + $others] - .[$i]] | min / $median * 100;

def of($test; $tool): [$figures[0][] | select(.test == $test and .tool == $tool)];

# The cost of one more event, for each round that has both measurements
def slopes($tool): [of("cost"; $tool) | group_by(.round)[] | sort_by(.times) | select(length == 2) |
	(.[1].busy - .[0].busy) / ((.[1].times - .[0].times) * events_each)];

def added($tool):
	(slopes("none") | select(length > 0) | median) as $none | slopes($tool) | map(. - $none);

# Tools that convert their data do so after the last event
def read($tool): if $tool == "trace_cmd" or $tool == "perf_record" then slopes("\($tool)_read")
	else [range($rounds) | 0] end;

# The figure, noise and details of a row, if no round is missing
def measured:
	if .class == "lost" then
		.tool as $boot |
		([$figures[0][] | select(.test == "requests") | .requests][0]) as $requests |
		of($boot; "trace")[0] | select(. != null) |
		{figure: (if .idle <= .ticks * 0.05 and .lines == .events and .events > 0 and
				($boot != "load" or ($requests > 0 and .allocs >= $requests))
			then .lost else null end), noise: 0, details: .}
	elif .class == "first" then
		of("first"; .tool) | map(.ns / 1e6) | select(length == $rounds) |
		{figure: median, noise: noise, details: .}
	elif .class == "resident" then
		of("cost"; .tool) | map(.resident) | select(length == 2 * $rounds and min > 0) |
		{figure: max, noise: 0, details: .}
	else
		(if .class == "readable" then [added(.tool), read(.tool)] | transpose | map(add)
			else added(.tool) end) |
		select(length == $rounds) | {figure: median, noise: noise, details: .}
	end;

([expected | . + {unit: unit} + ([measured][0] // {figure: null})]) as $all |
[$all[] | . as $row |
	([$all[] | select(.class == $row.class)][0].figure) as $ours |
	. + {ours: $ours, met: (
		if .figure == null or .noise > noise_limit then null
		elif .target == null then true
		elif .target.more then (if $ours == null then null else .figure > $ours end)
		elif .target.twice then (if $ours == null then null else .figure >= 2 * $ours end)
		elif .target.below then .figure < .target.below
		else .figure <= .target.most end)}] as $rows |
{
	kernel: $commit, p2ptrace: $p2ptrace, rounds: $rounds, noise_limit: noise_limit,
	rows: $rows,
	missed: ($rows | map(select(.met == false)) | length),
	not_measured: ($rows | map(select(.met == null)) | length)
} | . + {status: (if .not_measured > 0 then 4 elif .missed > 0 then 1 else 0 end)}
