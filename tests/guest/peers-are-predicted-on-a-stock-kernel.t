#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on a kernel without the series, p2ptrace peers predicts for every endpoint
# what a kernel with it decides, says that it does, and agrees with what this kernel
# decides itself; who may not read config space is told so.
# Requires: the base kernel, p2ptrace, setpriv.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch CPU=max BASE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/stock.sh
. "${BASH_SOURCE[0]%/*}/../lib/stock.sh"
require_p2ptrace
require_stock

cmb=$(pci_of cmb0) plain=$(pci_of plain0) far=$(pci_of far0)
said='predicted from sysfs and PCI config space, because this kernel does not show its decisions'

plan 22

is 'it is predicted, for the provider by its own name' \
	"$("$P2PTRACE" peers --json | jq -r '.mode, (.providers[] | "\(.dev) \(.provider) \(.size)")' | paste -sd ' ')" \
	"predicted $cmb $cmb $(<"/sys/bus/pci/devices/$cmb/p2pmem/size")"
is 'every endpoint is there, once, and nothing else' "$(predicted | awk '{ print $1 }' | sort | paste -sd ' ')" \
	"$(endpoints | sort | paste -sd ' ')"
# What peers-names-every-endpoint.t has of a kernel with the series
is 'the provider itself' "$(predicted "$cmb")" 'bus_addr 0 same_function -'
is 'the drive beside it' "$(predicted "$plain")" 'bus_addr 4 same_bridge -'
is 'the network card beside it' "$(predicted "$(nic_pci)")" 'bus_addr 4 same_bridge -'
is 'the drive under another root port' "$(predicted "$far")" 'not_supported 6 host_bridge_unknown -'
is 'everything else is as far from it' \
	"$(predicted | grep -vE "^($cmb|$plain|$(nic_pci)) " | awk '{ print $2, $4, $5 }' | sort -u)" \
	'not_supported host_bridge_unknown -'
for serial in cmb0 plain0 far0; do
	is "$serial: so does this kernel" "$(decided "$serial" "$cmb")" "$(predicted_distance "$(pci_of "$serial")")"
done

"$P2PTRACE" peers >/tmp/matrix
is 'the matrix says what it is' "$(head -n 1 /tmp/matrix)" "$said"
is 'and has the name of the provider once' "$(grep -c " $cmb\$" /tmp/matrix)" 1
like 'and the drive beside it' "$(</tmp/matrix)" "$plain +nvme +$(controller plain0) +bus_addr 4"

"$P2PTRACE" peers --why "$cmb" "$far" >/tmp/why
is 'so does the explanation' "$(head -n 1 /tmp/why)" "$said"
is 'of which pair' "$(sed -n 3p /tmp/why)" "$far -> $cmb: not_supported"
like 'where they are' "$(</tmp/why)" "host bridge pci0000:00.*└─ $cmb  provider, nvme.*└─ $far  client, nvme"
like 'and why' "$(</tmp/why)" 'host_bridge_unknown: they share no bridge'
is 'as JSON, too' "$("$P2PTRACE" peers --why "$cmb" "$far" --json | jq -r '"\(.mode) \(.map) \(.reason)"')" \
	'predicted not_supported host_bridge_unknown'

# The kernel shows no more than 64 bytes of config space without CAP_SYS_ADMIN
setpriv --bounding-set=-sys_admin "$P2PTRACE" peers >/tmp/out 2>/tmp/err
is 'who may not read all of config space gets no prediction' "$? $(wc -c </tmp/out) $(wc -l </tmp/err)" '3 0 1'
like 'but the next step' "$(</tmp/err)" 'run p2ptrace peers as root'

provider_unbind "$cmb"
is 'nobody lends any more' "$("$P2PTRACE" peers; echo $?)" 'no device provides peer memory
0'
is 'as JSON, too' "$("$P2PTRACE" peers --json | jq -c .)" '{"mode":"predicted","providers":[]}'
