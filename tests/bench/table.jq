# SPDX-License-Identifier: GPL-2.0
#
# Format core.json as a table

include "text";

def target:
	if . == null then "none"
	elif .most then "<= \(.most | thousands)"
	else "<= base + \(.more)" end;

def met:
	if .met == null then "NOT MEASURED"
	elif .target == null then "-"
	elif .met then "yes"
	else "MISSED" end;

def line($f): ($f[0] | left(14)) + ($f[1] | left(8)) + ($f[2] | right(6)) + ($f[3] | right(6)) +
	($f[4] | right(14)) + ($f[5] | right(14)) + ($f[6] | right(12)) + "   " +
	($f[7] | left(16)) + $f[8];

"",
"Costs in guest instructions; seed \(.seed)",
"base: \(.base)",
"ours: \(.ours)",
"",
line(["PATTERN", "LAYOUT", "FILL", "BAR", "BASE", "OURS", "RATIO", "TARGET", "MET"]),
(.rows[] | line([.pattern + (.boot | if startswith("cpus") then .[4:] else "" end),
	(.layout // if .entries then "\(.entries) page\(if .entries > 1 then "s" else "" end)"
		else "" end),
	(if .fill == null then "" else "\(.fill) %" end), (.bar // .boot),
	(.base | cost), (.ours | cost) + (if .noisy then "~" else "" end), (.ratio | ratio),
	(.target | target), met])),
"",
(.rows[] | select(.bar == null and .met != null) |
	"\(.pattern)\(if .entries then ", entries: \(.entries)" else "" end), \(.boot): " +
	"\(.ours - .base | . * 100 | round / 100) more than base"),
(.rows | map(select(.details.base.history != .details.ours.history and .met != null)) | .[] |
	"\(.pattern), \(.fill) %, \(.bar): after \(.details.base.history) allocations and frees " +
	"on base, \(.details.ours.history) on ours"),
"\(.rows | length) figures: \(.missed) targets missed, \(.not_measured) not measured",
""
