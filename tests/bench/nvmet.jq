# SPDX-License-Identifier: GPL-2.0
#
# The figures of both kernels, $base and $ours, side by side.  The rows are fixed: a row without
# figures was not measured.

# The maximum difference between most of the rounds, in percent
def noise_limit: 0.2;

def row($pattern; $provider; $memory; $size; $percent):
	["read", "write"][] | {pattern: $pattern, provider: $provider, memory: $memory,
		direction: ., size: $size, percent: $percent};

# percent: the allowed difference to the base kernel; null for no target
def expected:
	(if $series == "6.12" then 1 else 0.2 end) as $system |
	row("loop"; "none"; "system"; 16384; $system),
	row("rdma"; "none"; "system"; 16384; $system),
	row("loop"; "idle"; "system"; 16384; $system),
	row("rdma"; "used"; "system"; 16384; $system),
	row("rdma"; "used"; "peer"; 16384; 0),
	([512, 4096, 8192, 65536, 131072][] as $size | ["system", "peer"][] as $memory |
		row("rdma"; "used"; $memory; $size; null));

def key: [.pattern, .provider, .memory, .direction, .size];

def median: sort | .[length / 2 | floor];

# The smallest range that contains more than half of the values
def spread: sort | (length / 2 | floor) as $others |
	[range(length - $others) as $i | .[$i + $others] - .[$i]] | min;

# One figure from all rounds, if no round is missing
def figures($of):
	$of[0] | group_by(key) | map(
		map(.mean / 100) as $means | select(($means | length) == $rounds) |
		{(.[0] | key | tojson): {cost: ($means | median), details: .,
			noise: ($means | spread / median * 100)}}) | add // {};

figures($base) as $b | figures($ours) as $o |
[expected | (key | tojson) as $key | $b[$key] as $base | $o[$key] as $ours |
	(if $base and .percent != null then $base.cost * (1 + .percent / 100)
		else null end) as $limit |
	. + {base: $base.cost, ours: $ours.cost,
		ratio: (if $base and $ours then $ours.cost / $base.cost else null end),
		limit: $limit, noise: ([$base.noise, $ours.noise] | max),
		met: (if $base == null or $ours == null or
				([$base.noise, $ours.noise] | max) > noise_limit then null
			elif .percent == null then true
			else $ours.cost <= $limit end),
		details: {base: $base.details, ours: $ours.details}}] as $rows |
[$rows[] | select(.provider == "used")] | group_by(.size, .direction) | map(
	(map({(.memory): .}) | add) as {$system, $peer} |
	{size: $peer.size, direction: $peer.direction,
		measured: ($peer.met != null and $system.met != null),
		base: {system: $system.base, peer: $peer.base},
		ours: {system: $system.ours, peer: $peer.ours}}) as $sizes |
{
	unit: "guest instructions",
	base: $base_commit, ours: $ours_commit, rounds: $rounds, noise_limit: noise_limit,
	rows: $rows,
	sizes: $sizes,
	# The smallest size from which peer memory never costs more
	peer_from: (if $sizes | all(.measured) then
		[$sizes[] | select(.ours.peer > .ours.system) | .size] | max as $worse |
		[$sizes[] | .size | select($worse == null or . > $worse)] | min
		else null end),
	missed: ($rows | map(select(.met == false)) | length),
	not_measured: ($rows | map(select(.met == null)) | length)
} | . + {status: (if .not_measured > 0 then 4 elif .missed > 0 then 1 else 0 end)}
