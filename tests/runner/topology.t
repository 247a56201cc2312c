#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: topology.awk turns a drawing of a PCI tree, in Unicode or in ASCII, into the QEMU devices
# that it shows, and reports a mistake in a drawing with file and line.
# Requires: nothing; boots no guest.

# shellcheck source=tests/lib/runner-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/runner-test.sh"

# draw: convert the drawing on standard input; leaves $scratch/out and err
draw() {
	cat >"$scratch/drawing"
	awk -f "$top/tests/vm/topology.awk" "$scratch/drawing" >"$scratch/out" 2>"$scratch/err"
}

# wrong 'what' LINE REGEX: the drawing on standard input is refused, with an error in that line
wrong() {
	if draw; then tap_fail "$1: refused"; else tap_pass "$1: refused"; fi
	like "$1: names the place and the reason" "$(<"$scratch/err")" "^$scratch/drawing:$2: $3"
}

drawings=("$top"/tests/vm/topology/*)

plan $((28 + ${#drawings[@]}))

draw <<'END'
# a comment, and an empty line

host-bridge
├── root-port
│   └── upstream
│       ├── downstream
│       │   └── nvme mem cmb=64M size=1G   # another comment
│       └── downstream
│           └── nic net
└── root-port
    ├── nvme one
    └── nvme two
END
is 'a tree: no complaint' "$(<"$scratch/err")" ''
cp "$scratch/out" "$scratch/unicode"
is 'a tree: its devices' "$(grep -A1 -x -e -device "$scratch/out" | grep '=')" \
	'pcie-root-port,id=root-port1,bus=pcie.0,chassis=1,slot=1
x3130-upstream,id=upstream2,bus=root-port1,addr=0.0,multifunction=on
xio3130-downstream,id=downstream3,bus=upstream2,chassis=2,slot=2
nvme,id=mem,bus=downstream3,addr=0.0,multifunction=on,serial=mem,drive=mem-store,cmb_size_mb=64
xio3130-downstream,id=downstream4,bus=upstream2,chassis=3,slot=3
e1000e,id=net,bus=downstream4,addr=0.0,multifunction=on,netdev=net-net,mac=52:54:00:00:35:3d
pcie-root-port,id=root-port5,bus=pcie.0,chassis=4,slot=4
nvme,id=one,bus=root-port5,addr=0.0,multifunction=on,serial=one,drive=one-store
nvme,id=two,bus=root-port5,addr=0.1,multifunction=on,serial=two,drive=two-store'
is 'a tree: its backing files' "$(grep store= "$scratch/out")" \
	'store=mem 1024M
store=one 256M
store=two 256M'

draw <<'END'
host-bridge
+-- root-port
|   `-- upstream
|       +-- downstream
|       |   `-- nvme mem cmb=64M size=1G
|       `-- downstream
|           `-- nic net
`-- root-port
    +-- nvme one
    `-- nvme two
END
is 'the same tree in ASCII' "$(<"$scratch/out")" "$(<"$scratch/unicode")"

for drawing in "${drawings[@]}"; do
	draw <"$drawing"
	is "topology ${drawing##*/}: no complaint" "$(<"$scratch/err")" ''
done

wrong 'empty' 0 'the drawing has no host-bridge' </dev/null
wrong 'no root' 1 "a drawing has one host-bridge, in its first line; found 'root-port'" \
	<<<'root-port'
wrong 'two roots' 2 'a drawing has one host-bridge' <<<$'host-bridge\nhost-bridge'
wrong 'unknown kind' 3 "unknown kind 'gpu'" <<<$'host-bridge\n\n└── gpu one'
wrong 'too deep' 2 "'nvme' has no parent" <<<$'host-bridge\n        └── nvme one'
wrong 'odd indent' 2 'indented by 3 columns' <<<$'host-bridge\n└─ nvme one'
wrong 'tab' 2 'the line has a tab' <<<$'host-bridge\n\t└── nvme one'
wrong 'wrong parent' 2 "'downstream' cannot be below 'host-bridge'" \
	<<<$'host-bridge\n└── downstream'
wrong 'child of a drive' 3 "'nvme' cannot be below 'nvme'" \
	<<<$'host-bridge\n└── nvme one\n    └── nvme two'
wrong 'no name' 2 "'nvme' needs a name" <<<$'host-bridge\n└── nvme'
wrong 'same name twice' 3 "'one' is used twice, first in line 2" \
	<<<$'host-bridge\n├── nvme one\n└── nvme one'
wrong 'bad size' 2 "'64' is not a size" <<<$'host-bridge\n└── nvme one cmb=64'
