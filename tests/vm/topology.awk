# SPDX-License-Identifier: GPL-2.0
#
# topology.awk - turn a drawing of a PCI tree into QEMU arguments.
#
# A drawing has one PCI function per line.  Each bus between it and the host bridge indents it by
# four columns.  The lines of the tree are drawn in Unicode or in ASCII (| + ` -).  '#' starts a
# comment.  A line is KIND [NAME] [KEY=VALUE]...:
#
#   host-bridge [iommu=intel]       the root; it is the first line
#   root-port [NAME]                below host-bridge
#   upstream [NAME]                 below root-port or downstream: the upstream port of a switch
#   downstream [NAME]               below upstream: a downstream port of that switch
#   nvme NAME [size=256M] [cmb=0M]  a drive with serial number NAME, SIZE of storage and a
#                                   controller memory buffer (CMB) of CMB
#   nic NAME                        an e1000e network card, with its link up and no peer
#
# Several functions below one port are the functions of one device.
#
# Output: one QEMU argument per line.  '@' in it stands for the directory of the backing files.
# A line 'store=NAME SIZE' precedes the first use of each backing file.

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

function no_other_options(    key) {
	for (key in options)
		fail("'" kind "' has no option '" key "'")
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
		fail("the line has a tab; indent with spaces")
	if (column % 4)
		fail("indented by " column " columns, which is not a multiple of 4")
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
			fail("a drawing has one host-bridge, in its first line; found '" kind "'")
		kinds[0] = kind
		bus[0] = "pcie.0"
		last = 0
		iommu = option("iommu", "none")
		if (iommu != "none" && iommu != "intel")
			fail("'" iommu "' is not an IOMMU: intel, or none")
		if (iommu == "intel")
			device("intel-iommu,intremap=off")
		no_other_options()
		next
	}
	if (!(kind in parents))
		fail("unknown kind '" kind "'; use host-bridge, root-port, upstream, " \
		     "downstream, nvme or nic")
	if (depth > last + 1)
		fail("'" kind "' has no parent: it is indented one step too far")
	if (!index(parents[kind], " " kinds[depth - 1] " "))
		fail("'" kind "' cannot be below '" kinds[depth - 1] "'")

	if (name == "" && (kind == "nvme" || kind == "nic"))
		fail("'" kind "' needs a name")
	if (name == "")
		name = kind (++ports)
	if (name !~ /^[a-z][a-z0-9_-]*$/ || length(name) > 20)
		fail("'" name "' is not a name: up to 20 of a-z, 0-9, - and _")
	if (name in seen)
		fail("'" name "' is used twice, first in line " seen[name])
	seen[name] = FNR

	# A port has one slot.  All children of the port are functions of the device in that slot.
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
	no_other_options()

	kinds[depth] = kind
	bus[depth] = name
	last = depth
}

END {
	if (!failed && !(0 in kinds)) {
		printf "%s:%d: the drawing has no host-bridge\n", FILENAME, FNR > "/dev/stderr"
		exit 1
	}
}
