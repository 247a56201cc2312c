# SPDX-License-Identifier: GPL-2.0
#
# topology.awk - turn a drawing of a PCI tree into QEMU arguments.
#
# A drawing has one function a line, indented by four columns for each bus it is
# away from the host bridge, with the lines of the tree in Unicode or in ASCII
# (| + ` -).  '#' starts a comment.  A line is KIND [NAME] [KEY=VALUE]...:
#
#   host-bridge                     the root, first line
#   root-port [NAME]                below host-bridge
#   upstream [NAME]                 below root-port or downstream: a switch ...
#   downstream [NAME]               below upstream:  ... and its ports
#   nvme NAME [size=256M] [cmb=0M]  a drive with serial number NAME, and with
#                                   that much controller memory to lend
#   nic NAME                        an e1000e, its link up on a net of its own
#
# Several functions below one port are the functions of one device.
#
# Output: one QEMU argument a line, where '@' is the directory of the backing
# files, and for each of these a line 'store=NAME SIZE' before it is used.

function fail(why) {
	printf "%s:%d: %s\n", FILENAME, FNR, why > "/dev/stderr"
	failed = 1
	exit 1
}

# Megabytes of a size such as 64M or 8G
function megabytes(size) {
	if (size !~ /^[0-9]+[MG]$/)
		fail("'" size "' is not a size such as 64M or 8G")
	return size * (size ~ /G$/ ? 1024 : 1)
}

# A stable address from a name
function mac(name,    i, hash) {
	for (i = 1; i <= length(name); i++)
		hash = (hash * 31 + index(alphabet, substr(name, i, 1))) % 16777216
	return sprintf("52:54:00:%02x:%02x:%02x", int(hash / 65536),
		       int(hash / 256) % 256, hash % 256)
}

function device(args) { printf "-device\n%s\n", args }

function option(key, fallback,    value) {
	value = key in options ? options[key] : fallback
	delete options[key]
	return value
}

BEGIN {
	parents["root-port"] = " host-bridge "
	parents["upstream"] = " root-port downstream "
	parents["downstream"] = " upstream "
	parents["nvme"] = parents["nic"] = " host-bridge root-port downstream "
	alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-_"
	ports = nics = 0
}

{
	sub(/#.*/, "")
	gsub(/│/, "|")
	gsub(/├/, "+")
	gsub(/└/, "`")
	gsub(/─/, "-")
	sub(/[ \t]+$/, "")
}

/^[ |]*$/ { next }

{
	match($0, /^[ |+`-]*/)
	column = RLENGTH
	if ($0 ~ /\t/)
		fail("a tab; indent with spaces")
	if (column % 4)
		fail("indented by " column " columns, which is no multiple of 4")
	depth = column / 4
	n = split(substr($0, column + 1), word, / +/)
	kind = word[1]

	name = ""
	split("", options)
	for (i = 2; i <= n; i++) {
		if (word[i] ~ /=/) {
			key = value = word[i]
			sub(/=.*/, "", key)
			sub(/^[^=]*=/, "", value)
			options[key] = value
		} else if (i == 2) {
			name = word[i]
		} else {
			fail("'" word[i] "' is not KEY=VALUE")
		}
	}

	if (depth == 0) {
		if (kind != "host-bridge" || 0 in kinds)
			fail("a drawing starts with one host-bridge, found '" kind "'")
		kinds[0] = kind
		bus[0] = "pcie.0"
		last = 0
		next
	}
	if (!(kind in parents))
		fail("unknown kind '" kind "'; there are host-bridge, root-port, " \
		     "upstream, downstream, nvme, nic")
	if (depth > last + 1)
		fail("'" kind "' hangs from nothing: one step too deep")
	if (!index(parents[kind], " " kinds[depth - 1] " "))
		fail("'" kind "' cannot be below '" kinds[depth - 1] "'")

	if (name == "" && (kind == "nvme" || kind == "nic"))
		fail("'" kind "' wants a name")
	if (name == "")
		name = kind (++ports)
	if (name !~ /^[a-z][a-z0-9_-]*$/ || length(name) > 20)
		fail("'" name "' is not a name: up to 20 of a-z, 0-9, - and _")
	if (name in seen)
		fail("'" name "' is there twice, first in line " seen[name])
	seen[name] = FNR

	# Every port has one slot, so what hangs below it are that slot's functions
	where = "id=" name ",bus=" bus[depth - 1]
	if (kind == "nvme" || kind == "nic" || kind == "upstream") {
		fn = functions[bus[depth - 1]]++
		if (kinds[depth - 1] != "host-bridge") {
			if (fn > 7)
				fail("'" name "' is the ninth function below one port")
			where = where ",addr=0." fn ",multifunction=on"
		}
	}

	if (kind == "root-port") {
		device("pcie-root-port," where ",chassis=" (++chassis) ",slot=" chassis)
	} else if (kind == "upstream") {
		device("x3130-upstream," where)
	} else if (kind == "downstream") {
		device("xio3130-downstream," where ",chassis=" (++chassis) ",slot=" chassis)
	} else if (kind == "nvme") {
		size = megabytes(option("size", "256M"))
		cmb = megabytes(option("cmb", "0M"))
		printf "store=%s %dM\n", name, size
		printf "-drive\nif=none,id=%s-store,file=@/%s,format=raw,cache=unsafe\n", name, name
		device("nvme," where ",serial=" name ",drive=" name "-store" \
		       (cmb ? ",cmb_size_mb=" cmb : ""))
	} else if (kind == "nic") {
		printf "-netdev\nhubport,id=%s-net,hubid=%d\n", name, nics++
		device("e1000e," where ",netdev=" name "-net,mac=" mac(name))
	}
	for (key in options)
		fail("'" kind "' has no option '" key "'")

	kinds[depth] = kind
	bus[depth] = name
	last = depth
}

END {
	if (!failed && !(0 in kinds)) {
		printf "%s:%d: no host-bridge in it\n", FILENAME, FNR > "/dev/stderr"
		exit 1
	}
}
