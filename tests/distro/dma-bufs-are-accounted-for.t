#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on Debian's kernel, p2ptrace leaks lists the dma-bufs that exist, also those from before it
# started, with the devices that are attached, have mapped or pinned them. An attachment inherits
# nothing from one that ended with mappings. p2ptrace lifetimes measures how long dma-bufs existed,
# how long they were mapped, and how long a client kept a revocation waiting. p2ptrace stat counts
# the dma-bufs that exist.
# Requires: Debian's kernel 7.3 and its source, p2ptrace, a compiler.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=dmabuf CPU=EPYC KERNEL=debian:7.3 MODULE=1 TIMEOUT=900
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/dmabuf.sh
. "${BASH_SOURCE[0]%/*}/../lib/dmabuf.sh"
require_p2ptrace

plan 25

started() { grep -qs 'mode stock' /tmp/err; }
# start COMMAND [OPTION]...: start p2ptrace, with the output in /tmp/COMMAND
start() {
	: >/tmp/err
	env --default-signal=INT "$P2PTRACE" "$@" >"/tmp/$1" 2>/tmp/err &
	pid=$!
	wait_for 240 started
}
stop() { kill -INT "$1"; wait "$1"; }
revoked() { grep -q "^$1 mapped=[0-9]* revoked=$2\$" $importer; }
cycle() { import map "$1" && import unmap "$1"; }
again() { import map early && import detach early; }
detach_all() {
	local name
	for name in near sys dyn early; do
		import detach $name || return
	done
}
# in_use FILE: each dma-buf, and each attachment with its pins and its number of mappings
in_use() {
	jq -c '.dmabufs[] | [.exporter, .size, .before, .comm, (.attached[] |
		[.client, .dynamic, .pins, (.mappings | length)])]' "$1"
}

dmabuf_setup
is 'the system heap exports memory' "$(dmabuf ram mem 131072)" ok
is 'a device attaches' "$(dmabuf attach sys "$far" static mem)" ok
ok 'leaks starts' start leaks --json --older-than 0
leaks=$pid
ok 'lifetimes starts' start lifetimes --json
lifetimes=$pid
ok 'stat starts' start stat --json
stat=$pid

is 'vfio-pci exports a BAR' "$(dmabuf vfio bar "$cmb" 2 65536)" ok
is 'a device attaches to it' "$(dmabuf attach near "$near" p2p bar)" ok
ok 'it maps the BAR' import map near 5
ok 'most of these mappings end' import unmap near 2
is 'another device attaches to the memory' "$(dmabuf attach dyn "$near" p2p mem)" ok
ok 'and pins it' import pin dyn 2
ok 'the first one maps and unmaps it' cycle sys
is 'one attaches' "$(dmabuf attach early "$near" p2p mem)" ok
ok 'and detaches while it has a mapping' again
is 'and attaches again' "$(dmabuf attach early "$near" p2p mem)" ok
stop "$leaks"
is 'leaks shows what exists and who uses it' "$? $(in_use /tmp/leaks)" "0 \
[\"system\",131072,true,null,[\"$far\",false,0,0],[\"$near\",true,2,0],[\"$near\",true,0,0]]
[\"vfio_pci_core\",65536,false,\"dmabuf\",[\"$near\",true,0,3]]"
is 'and what the mappings are' "$(jq -c '[.dmabufs_from_before, .lost, ([.dmabufs[].attached[] |
	.mappings[] | [.provider, .dir, .map, .where, .times]] | unique)]' /tmp/leaks)" \
	"[true,0,[[\"$cmb\",\"bidirectional\",\"bus_addr\",\"bar\",1]]]"
"$P2PTRACE" leaks --older-than 0 --duration 0.1 >/tmp/leaks 2>/dev/null
is 'leaks sees attachments from before' \
	"$(sed 's/ id=[0-9]*//' /tmp/leaks | grep -v '^# .* buffer')" "\
dma-buf exporter=system size=131072 age=-
        attached $near age=- dynamic=yes revocable=yes p2p=yes pins=0
        attached $near age=- dynamic=yes revocable=yes p2p=yes pins=0
        attached $far age=- dynamic=no revocable=no p2p=no pins=0
dma-buf exporter=vfio_pci_core size=65536 age=-
        attached $near age=- dynamic=yes revocable=yes p2p=yes pins=0
# 2 dma-bufs, 196608 bytes, exported 0 s ago or earlier; 2 of them before p2ptrace started"

is 'the device is reset' "$(dmabuf reset)" ok
ok 'the exporter revokes the mappings' wait_for 30 revoked near 1
ok 'the device unmaps' import unmap near 3
is 'the reset ends' "$(dmabuf wait)" ok
stop "$stat"
is 'stat counts the dma-bufs that exist' "$? $(jq -c 'select(.event == "total") | .metrics |
	[.dmabufs, .dmabuf_bytes, .dmabuf_exports]' /tmp/stat)" '0 [2,196608,1]'
detach_all && dmabuf close bar >/dev/null && dmabuf close mem >/dev/null
stop "$lifetimes"
is 'lifetimes measures dma-bufs, mappings and revocations' "$? $(jq -c '.lifetimes[] |
	select(.exporter) | [.exporter, .kind, .client, .count, .max_ns > 0]' /tmp/lifetimes)" "0 \
[\"system\",\"mapped\",\"$far\",1,true]
[\"vfio_pci_core\",\"held\",null,1,true]
[\"vfio_pci_core\",\"mapped\",\"$near\",5,true]
[\"vfio_pci_core\",\"revoked\",\"$near\",1,true]"
is 'but not those from before' "$(jq -c '[.unknown, .lost]' /tmp/lifetimes)" '[1,0]'
