# SPDX-License-Identifier: GPL-2.0
#
# Format nvmet.json as a table

include "text";

def target:
	if . == null then "none"
	elif . == 0 then "<= base"
	else "<= base + \(.) %" end;

def met($limit):
	if .base == null or .ours == null then "NOT MEASURED"
	elif .met == null then "NOISE \(.noise * 1000 | round / 1000) % > \($limit) %"
	elif .percent == null then "-"
	elif .met then "yes"
	else "MISSED" end;

def size: if . < 1024 then "\(.) B" else "\(. / 1024) KiB" end;

def memory:
	if .memory == "peer" then "peer memory"
	else {none: "nothing attached", idle: "idle provider",
		used: "not used, with provider"}[.provider] end;

def line($f): ($f[0] | left(6)) + ($f[1] | left(27)) + ($f[2] | left(7)) +
	($f[3] | right(8)) + ($f[4] | right(12)) + ($f[5] | right(12)) + ($f[6] | right(9)) +
	($f[7] | right(9)) + "   " + ($f[8] | left(15)) + $f[9];

def more($this; $that):
	if $this and $that then
		($this - $that) | if . < 0 then "-" + (-. | cost) else "+" + cost end
	else "-" end;

def size_line($f): ($f[0] | left(9)) + ($f[1] | left(7)) +
	([$f[2:][] | right(13)] | add);

.noise_limit as $limit |
"",
"Costs of a request in guest instructions, host and soft-RoCE included",
"base: \(.base); over soft-RoCE and with a provider, plus tests/bench/base-rxe.patch",
"ours: \(.ours)",
"",
line(["OVER", "MEMORY", "", "SIZE", "BASE", "OURS", "MORE", "RATIO", "TARGET", "MET"]),
(.rows[] | select(.percent != null) | line([.pattern, memory, .direction, (.size | size),
	(.base | cost), (.ours | cost), more(.ours; .base), (.ratio | ratio), (.percent | target),
	met($limit)])),
"",
"System memory or peer memory, over soft-RoCE; no target",
size_line(["SIZE", "", "OURS system", "OURS peer", "peer costs",
	"BASE system", "BASE peer", "peer costs"]),
(.sizes[] | size_line([(.size | size), .direction,
	(.ours.system | cost), (.ours.peer | cost), more(.ours.peer; .ours.system),
	(.base.system | cost), (.base.peer | cost), more(.base.peer; .base.system)])
	+ if .measured then "" else "   NOT MEASURED" end),
"",
(if all(.sizes[]; .measured) then
	if .peer_from then
		"On ours, peer memory costs no more than system memory from \(.peer_from | size) on"
	else "On ours, peer memory costs more than system memory at the largest size" end
else empty end),
"\(.rows | length) figures: \(.missed) targets missed, \(.not_measured) not measured",
""
