# SPDX-License-Identifier: GPL-2.0
#
# Format trace.json as a table

include "text";

def target:
	if .target == null then "none"
	elif .target.more then "> p2ptrace"
	elif .target.twice then ">= 2 x ours"
	elif .target.below then "< \(.target.below | thousands)"
	else "<= \(.target.most)" end;

def met($limit):
	if .figure == null then "NOT MEASURED"
	elif .noise > $limit then "NOISE \(.noise * 100 | round / 100) % > \($limit) %"
	elif .met == null then "NOT MEASURED"
	elif .target == null then "-"
	elif .met then "yes"
	else "MISSED" end;

def line($f): ($f[0] | left(12)) + ($f[1] | left(26)) + ($f[2] | right(12)) + " " +
	($f[3] | left(24)) +
	($f[4] | right(9)) + "   " + ($f[5] | left(14)) + $f[6];

.noise_limit as $limit |
"",
"Costs of tracing peer memory; instructions are the cost of one more event",
"kernel: \(.kernel)",
"\(.p2ptrace); \(.rounds) rounds",
"",
line(["", "TOOL", "FIGURE", "", "RATIO", "TARGET", "MET"]),
(.rows[] | line([.class, .name, (.figure | cost), .unit,
	(if (.target.more or .target.twice) and .ours and .figure then
		.figure / .ours | ratio | .[:-2] else "-" end),
	target, met($limit)])),
"",
(.rows[] | select(.class == "lost" and .details) |
	"\(.name): \(.details.events) events in \(.details.seconds) s; the CPUs were idle for " +
	"\(.details.idle * 1000 / .details.ticks | round / 10) % of that"),
"\(.rows | length) figures: \(.missed) targets missed, \(.not_measured) not measured",
""
