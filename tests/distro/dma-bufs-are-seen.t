#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on Debian's kernel, p2ptrace sees each dma-buf, attachment, mapping, pin and revocation, as
# often as ftrace sees the kernel's functions. It tells whether an importer got the BAR or system
# memory, the map type, and for whom a revocation waited how long. check fails if a revocation waits
# too long, even if it never ends. No module is pinned meanwhile.
# Requires: Debian's kernel 7.3 and its source, p2ptrace, a compiler.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=dmabuf CPU=EPYC KERNEL=debian:7.3 MODULE=1 TIMEOUT=900
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/dmabuf.sh
. "${BASH_SOURCE[0]%/*}/../lib/dmabuf.sh"
# shellcheck source=tests/lib/start.sh
. "${BASH_SOURCE[0]%/*}/../lib/start.sh"
require_p2ptrace

plan 54

# The system heap has one table for an attachment, which can be mapped once at a time
cycle() {
	local i
	for ((i = 0; i < $2; i++)); do
		import map "$1" && import unmap "$1" || return
	done
}
unmap_most() { import unmap near 34 && import unmap far 10; }
detach_all() {
	local name
	for name in near far sys dyn; do
		import detach $name || return
	done
}
unload() { dmabuf_end && rmmod dmabuf_importer vfio-pci vfio-pci-core; }
# revoked NAME TIMES: the exporter has told that importer
revoked() { grep -q "^$1 mapped=[0-9]* revoked=$2\$" $importer; }
now_ns() { awk '{ printf "%d", $1 * 1e9 }' /proc/uptime; }

functions=(dma_buf_export dma_buf_file_release dma_buf_dynamic_attach dma_buf_detach
	dma_buf_map_attachment dma_buf_unmap_attachment dma_buf_pin dma_buf_unpin
	dma_buf_invalidate_mappings dma_buf_phys_vec_to_sgt dma_buf_free_sgt)
events=(dma_buf_export dma_buf_release dma_buf_attach dma_buf_detach
	dma_buf_map dma_buf_unmap dma_buf_pin dma_buf_unpin
	dma_buf_revoke p2pdma_map p2pdma_unmap)

dmabuf_setup
count_calls "${functions[@]}"
ok 'trace starts' start trace --json
trace=$pid
ok 'stat starts' start_stat

is 'vfio-pci exports a BAR' "$(dmabuf vfio bar "$cmb" 2 65536)" ok
is 'the system heap exports memory' "$(dmabuf ram mem 131072)" ok
is 'a device in the switch attaches' "$(dmabuf attach near "$near" p2p bar)" ok
is 'a device elsewhere attaches' "$(dmabuf attach far "$far" p2p bar)" ok
is 'an importer without peer-to-peer is refused' "$(dmabuf attach no "$far" local bar)" EOPNOTSUPP
is 'a static importer is refused' "$(dmabuf attach no "$far" static bar)" EOPNOTSUPP
is 'a static importer gets system memory' "$(dmabuf attach sys "$far" static mem)" ok
is 'a dynamic importer, too' "$(dmabuf attach dyn "$near" p2p mem)" ok
ok 'near maps the BAR' import map near 37
ok 'far maps the BAR' import map far 11
is 'so does one that will detach too early' "$(dmabuf attach early "$near" p2p mem)" ok
"$P2PTRACE" check --json --expect 'dmabuf_maps.ram == 8' --expect 'dmabuf_maps.bar == 0' \
	--output /tmp/check -- bash -c "
		for i in {1..7}; do echo map sys >$importer; echo unmap sys >$importer; done
		echo map early >$importer; echo detach early >$importer" 2>$err.check
is 'sys and early map system memory, and check names the device that detaches too early' \
	"$? $(jq -c '[.failed, .violations, .first.mapped_at_detach.client]' /tmp/check)" \
	"1 [1,{\"mapped_at_detach\":1},\"$near\"]"
ok 'dyn maps system memory' cycle dyn 5
ok 'dyn pins it' import pin dyn 3
ok 'all but a few mappings end' unmap_most
ok 'dyn unpins it' import unpin dyn 3

is 'the device is reset' "$(dmabuf reset)" ok
ok 'the exporter revokes the mappings' wait_for 30 revoked far 1
from=$(now_ns)
import map near 2>/tmp/refused
is 'a new mapping is refused meanwhile' "$? $(grep -c 'No such device' /tmp/refused)" '1 1'
ok 'near unmaps' import unmap near 3
to=$(now_ns)
ok 'far unmaps last' import unmap far
is 'the reset ends' "$(dmabuf wait)" ok
ok 'far maps it again' import map far 2
ok 'it will unmap on demand' import obey far
is 'the device is reset again' "$(dmabuf reset) $(dmabuf wait)" 'ok ok'
"$P2PTRACE" check --json --older-than 0.1 --settle 0 --allow mapped --output /tmp/check -- bash -c "
	echo map near >$importer; echo reset >&5 && read -r -t 60 answer <&6
	until grep -q '^near mapped=1 revoked=5' $importer; do sleep 0.1; done
	sleep 0.3" 2>$err.check
is 'check names the device that keeps a revocation waiting' \
	"$? $(jq -c '[.failed, .violations, (.first.revoke_too_long |
		[.client, .held_ns > 100000000, .comm])]' /tmp/check)" \
	"1 [1,{\"revoke_too_long\":1,\"mapped\":1},[\"$near\",true,null]]"
ok 'which unmaps at last' import unmap near
is 'this reset ends, too' "$(dmabuf wait)" ok
ok 'all devices detach' detach_all
is 'the dma-bufs are released' "$(dmabuf close bar) $(dmabuf close mem)" 'ok ok'
ok 'modules can be unloaded while p2ptrace is attached' unload
ok 'trace ends with status 0' stop "$trace"
ok 'stat ends with status 0' stop "$pid"

for i in "${!functions[@]}"; do
	is "${events[i]} is seen as often as ${functions[i]}" \
		"$(count ".event == \"${events[i]}\"") of $(calls "${functions[i]}")" \
		"$(calls "${functions[i]}") of $(calls "${functions[i]}")"
done
is 'each mapping shows who got what, and the map type' "$(jq -r 'select(.event == "dma_buf_map") |
	[.provider // "-", .client, .size, .dir, .map // "-", .where] | join(" ")' $out |
	sort | uniq -c | sed 's/^ *//' | sort -n)" "\
6 - $near 131072 bidirectional - ram
7 - $far 131072 bidirectional - ram
13 $cmb $far 65536 bidirectional thru_host_bridge bar
38 $cmb $near 65536 bidirectional bus_addr bar"
is 'so do P2P mappings, which are those of the BAR' "$(jq -r 'select(.event == "p2pdma_map") |
	[.provider, .client, .kind, .size, .map] | join(" ")' $out |
	sort | uniq -c | sed 's/^ *//' | sort -n)" "\
13 $cmb $far dmabuf 65536 thru_host_bridge
38 $cmb $near dmabuf 65536 bus_addr"
# vfio-pci tells importers before and after each reset
is 'each revocation shows for whom it waited' \
	"$(jq -c 'select(.event == "dma_buf_revoke") | [.client, .waited_ns != null]' $out)" "\
[\"$far\",true]
[null,false]
[\"$far\",true]
[null,false]
[\"$near\",true]
[null,false]"
waited=$(jq 'select(.event == "dma_buf_revoke") | .waited_ns' $out | head -n 1)
# The clock of the test has steps of 10 ms
ok 'and how long' [ "$waited" -gt $((to - from - 20000000)) ]
is 'what importers can do is shown' "$(jq -c 'select(.event == "dma_buf_attach") |
	[.client, .dynamic, .revocable, .p2p]' $out)" "\
[\"$near\",true,true,true]
[\"$far\",true,true,true]
[\"$far\",false,false,false]
[\"$near\",true,true,true]
[\"$near\",true,true,true]"
is 'exporters are named' "$(jq -c 'select(.event == "dma_buf_export") | [.exporter, .size]' $out)" \
	'["vfio_pci_core",65536]
["system",131072]'
is 'no event was lost' "$(jq -c 'select(.event == "end") | .lost' $out)" 0
is 'stat counts the same' "$(jq -c 'select(.event == "total") | .metrics |
	[.dmabuf_exports, .dmabuf_attaches, .dmabuf_maps, ."dmabuf_maps.bus_addr",
	."dmabuf_maps.bar", ."dmabuf_maps.ram", .dmabuf_unmaps, .dmabuf_pins, .dmabuf_revokes,
	."maps.kind_dmabuf", .lost]' /tmp/stat)" '[2,5,64,38,51,13,63,3,6,51,0]'
