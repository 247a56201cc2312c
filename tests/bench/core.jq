# SPDX-License-Identifier: GPL-2.0
#
# The figures of both kernels, $base and $ours, side by side.  The rows are fixed: a row without
# figures was not measured.

# The series for 6.12 only gets bug fixes, so only the targets that it was made for hold
def now($target): if $series == "6.12" then null else $target end;
def old($target): if $series == "6.12" then $target else null end;

def row($boot; $pattern; $about; $target): {boot: $boot, pattern: $pattern} + $about +
	{target: $target};

def pair: {most: 250};
def worst: now({most: 500}) // {most: 2000};

def expected:
	(["64M", "1G", "8G"][] as $bar | [0, 30, 60, 90][] as $fill |
		{layout: "holes", fill: $fill, bar: $bar} as $holes |
		{layout: "solid", fill: $fill, bar: $bar} as $solid |
		row("pool"; "steady"; $holes; pair),
		row("pool"; "alternating"; $holes; pair),
		row("pool"; "random"; $holes; pair),
		row("pool"; "mixed"; $holes; now(pair)),
		(["cpus-2", "cpus-4"][] as $cpus |
			row($cpus; "all-cpus"; $holes; pair),
			row($cpus; "handover"; $holes; now(pair))),
		row("pool"; "worst-first"; $holes; worst),
		row("pool"; "worst-random"; $holes; worst),
		(old(0) // empty | row("pool"; "worst-recall"; $holes; null)),
		(select($fill > 0) |
			row("pool"; "steady"; $solid; pair),
			row("pool"; "alternating"; $solid; pair),
			row("pool"; "worst-first"; $solid; worst))),
	# Without peer memory, only branches that are patched out: a NOP each.  In dma_map_sg() and
	# in dma_unmap_sg() for an event and for pins, else for an event.
	([1, 16][] as $entries |
		row("plain"; "dma_map_sg"; {entries: $entries}; now({more: 4}) // {more: 2}),
		row("idle"; "dma_map_sg"; {entries: $entries}; now({more: (5 * $entries)}))),
	(now("hmm_dma_map") // empty, "request" |
		row("plain"; .; {}; now({more: 2})), row("idle"; .; {}; now({more: 5}))),
	# What the series changes in a request of the target: bench-nvmet cannot see a few
	# instructions
	(["plain", "idle"][] as $boot | row($boot; "sgls"; {}; now({more: 0})));

def key: [.boot, .pattern, .layout, .fill, .bar, .entries];

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
	(if .target.most then .target.most
		elif .target and $base then $base + .target.more
		else null end) as $limit |
	. + {base: $base, ours: $ours,
		ratio: (if $base and $ours and $base > 0 then $ours / $base else null end),
		limit: $limit,
		met: (if $base == null or $ours == null then null
			elif .target == null then true
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
