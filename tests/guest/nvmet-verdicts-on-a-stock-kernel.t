#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on a kernel without the series, p2ptrace nvmet names drives and cards, says whether a drive
# can reach the memory, as the kernel decides when the namespace is enabled, and that soft-RoCE does
# no DMA, as its requests show. Without permission to read config space, the verdict is unknown, and
# no error.
# Requires: the base kernel, p2ptrace, fio, jq, nvme, rdma, setpriv.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch CPU=max STOCK=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/stock.sh
. "${BASH_SOURCE[0]%/*}/../lib/stock.sh"
require_p2ptrace
require_stock

cmb=$(pci_of cmb0)
# verdict NSID: of a namespace of lab, as "MEMORY CAUSE"
verdict() {
	"$P2PTRACE" nvmet --json | jq -r --arg nsid "$1" '.subsystems[].namespaces[] |
		select(.nsid == $nsid).verdicts[] | "\(.memory) \(.cause)"'
}
as=()
said() {
	"${as[@]}" "$P2PTRACE" nvmet 2>&1 |
		awk -v nsid="$1" '/^ *[0-9]+ +[0-9-]+ / { on = $1 == nsid } on' |
		tr -s ' \n' ' '
}
available() { cat "/sys/bus/pci/devices/$cmb/p2pmem/available"; }

plan 15

"$P2PTRACE" nvmet >/tmp/out 2>/tmp/err
is 'an empty target is no error' "$? $(paste -sd, /tmp/out) $(</tmp/err)" \
	'0 no ports,no subsystems '
rxe_up
nvmet_export lab plain0 "$cmb" || bail 'cannot export plain0'
is 'soft-RoCE uses system memory' "$(verdict 1)" 'system nic'
like 'the table has what it asks for, and what it has' "$(said 1)" \
	"^ 1 1 $cmb - rxe0 - $(basename "$(drive plain0)") $(pci_of plain0) system memory: rxe0 is"
before=$(available)
nvmet_connect lab
ok 'the data is right' fio_verify "$(remote_drive lab)" 16k 61
is 'no request took peer memory, as it says' "$(available)" "$before"
nvmet_disconnect lab

ns=$nvmet/subsystems/lab/namespaces
mkdir $ns/2 $ns/3
drive far0 | tr -d '\n' >$ns/2/device_path
printf 1 >$ns/2/p2pmem
is 'a drive that cannot reach the memory is known before the card is' "$(verdict 2)" \
	'none not_supported'
rm $nvmet/ports/1/subsystems/lab
is 'a subsystem that no port exports is not in use' "$(verdict 1)" 'none not_exported'
like 'it says so' "$(said 1)" 'not in use: no port exports the subsystem\.'
truncate -s 32M /tmp/file
printf /tmp/file >$ns/3/device_path
printf 1 >$ns/3/p2pmem
is 'a file cannot be enabled' "$(verdict 3)" 'none drive'
like 'it says so' "$(said 3)" 'cannot be enabled unless p2pmem is 0: the drive is a file\.'
is 'the kernel refuses to enable it, as it says' \
	"$({ echo 1 >$ns/3/enable; } 2>&1 | grep -o 'Invalid argument')" 'Invalid argument'
sh -c "$("$P2PTRACE" nvmet --json |
	jq -r '.subsystems[].namespaces[] | select(.nsid == "3").verdicts[].next')"
is 'the next step can be pasted' "$(<$ns/3/p2pmem)" 0

# Without CAP_SYS_ADMIN, the kernel shows only the first 64 bytes of config space
mkdir $ns/4
drive plain0 | tr -d '\n' >$ns/4/device_path
printf 1 >$ns/4/p2pmem
like 'root knows that the drive reaches the memory' "$(said 4)" \
	'the namespace is disabled\. No port exports the subsystem'
as=(setpriv --bounding-set=-sys_admin)
"${as[@]}" "$P2PTRACE" nvmet >/tmp/out 2>/tmp/err
is 'without access to config space, it is no error' "$? $(wc -l </tmp/err)" '0 0'
like 'the verdict is unknown, and has the remedy' "$(said 4)" \
	'unknown: it is not known whether the drive can reach .* to find out, run it as root'
