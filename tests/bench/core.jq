# SPDX-License-Identifier: GPL-2.0
#
# The figures of both kernels, $base and $ours, side by side.  The rows are fixed: a row without
# figures was not measured.

def row($test; $pattern; $about; $target):
	{test: $test, pattern: $pattern} + $about + {target: $target};

def pair: {most: 250};
def worst: {most: 2000};

def expected:
	(["64M", "1G", "8G"][] as $bar | [0, 30, 60, 90][] as $fill |
		{layout: "holes", fill: $fill, bar: $bar} as $holes |
		{layout: "solid", fill: $fill, bar: $bar} as $solid |
		row("pool"; "steady"; $holes; pair),
		row("pool"; "alternating"; $holes; pair),
		row("pool"; "random"; $holes; pair),
		row("pool"; "mixed"; $holes; null),
		row("cpus"; "all-cpus"; $holes; pair),
		row("cpus"; "handover"; $holes; null),
		row("pool"; "worst-first"; $holes; worst),
		row("pool"; "worst-random"; $holes; worst),
		row("pool"; "worst-recall"; $holes; null),
		(select($fill > 0) |
			row("pool"; "steady"; $solid; pair),
			row("pool"; "alternating"; $solid; pair),
			row("pool"; "worst-first"; $solid; worst))),
	# A patched-out branch is one nop in each of the two functions
	([1, 16][] as $entries | row("dma"; "dma_map_sg"; {entries: $entries}; {more: 2})),
	(["read", "write"][] as $direction |
		row("request"; "loop"; {direction: $direction}; {percent: 1})),
	# The loop transport does not use these functions: one percent of a request over it
	row("sgls"; "sgls"; {}; {request_percent: 1}),
	(["read", "write"][] as $direction |
		row("request"; "rdma"; {direction: $direction}; null));

def key: [.test, .pattern, .layout, .fill, .bar, .entries, .direction];

def limit($base; $request):
	if .target == null then null
	elif .target.most then .target.most
	elif .target.more then $base + .target.more
	elif .target.percent then $base * (1 + .target.percent / 100)
	elif $request then $base + $request * .target.request_percent / 100
	else null end;

def cost: if . then .cost / 100 else null end;

# A figure is noisy if the smallest batch is well below the median.  Ticks and CPU switches only add
# to some batches, which does not change the median.
def noisy: . != null and .min != null and (.cost - .min) > .cost / 400;

($base[0] | map({(key | tojson): .}) | add // {}) as $b |
($ours[0] | map({(key | tojson): .}) | add // {}) as $o |
def history($of; $row):
	if ["random", "worst-random", "worst-recall"] | index($row.pattern) then
		{history: $of[$row | .pattern = "mixed" | key | tojson].ops}
	else {} end;
[expected | (key | tojson) as $key | ($b[$key] | cost) as $base | ($o[$key] | cost) as $ours |
	({test: "request", pattern: "loop", direction: "read"} | key | tojson) as $loop |
	limit($base // 0; $b[$loop] | cost) as $limit |
	. + {base: $base, ours: $ours,
		ratio: (if $base and $ours and $base > 0 then $ours / $base else null end),
		limit: (if $base then $limit else null end),
		met: (if $base == null or $ours == null then null
			elif .target == null then true
			elif $limit == null then null
			else $ours <= $limit end),
		noisy: (($b[$key] | noisy) or ($o[$key] | noisy)),
		details: {base: ($b[$key] + history($b; .)),
			ours: ($o[$key] + history($o; .))}}] as $rows |
{
	unit: "guest instructions",
	base: $base_commit, ours: $ours_commit, seed: $seed,
	rows: $rows,
	missed: ($rows | map(select(.met == false)) | length),
	not_measured: ($rows | map(select(.met == null)) | length)
} | . + {status: (if .not_measured > 0 then 4 elif .missed > 0 then 1 else 0 end)}
