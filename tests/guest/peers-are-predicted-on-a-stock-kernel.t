#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on a kernel without the series, p2ptrace peers predicts for every endpoint the decision of
# a kernel with the series. It says that this is a prediction, and the prediction matches the
# decisions of this kernel. Without permission to read config space it fails with the remedy.
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

is 'the mode is predicted, and the provider has its PCI name' \
	"$("$P2PTRACE" peers --json |
		jq -r '.mode, (.providers[] | "\(.dev) \(.provider) \(.size)")' | paste -sd ' ')" \
	"predicted $cmb $cmb $(<"/sys/bus/pci/devices/$cmb/p2pmem/size")"
is 'exactly the endpoints are listed' "$(predicted | awk '{ print $1 }' | sort | paste -sd ' ')" \
	"$(endpoints | sort | paste -sd ' ')"
# The same as in peers-names-every-endpoint.t for a kernel with the series
is 'the provider itself' "$(predicted "$cmb")" 'bus_addr 0 same_function -'
is 'the drive beside it' "$(predicted "$plain")" 'bus_addr 4 same_bridge -'
is 'the network card beside it' "$(predicted "$(nic_pci)")" 'bus_addr 4 same_bridge -'
is 'the drive under another root port' "$(predicted "$far")" 'not_supported 6 host_bridge_unknown -'
is 'all other endpoints are refused' \
	"$(predicted | grep -vE "^($cmb|$plain|$(nic_pci)) " | awk '{ print $2, $4, $5 }' |
		sort -u)" \
	'not_supported host_bridge_unknown -'
for serial in cmb0 plain0 far0; do
	is "$serial: this kernel decides the same" \
		"$(decided "$serial" "$cmb")" "$(predicted_distance "$(pci_of "$serial")")"
done

"$P2PTRACE" peers >/tmp/matrix
is 'the matrix says that it is a prediction' "$(head -n 1 /tmp/matrix)" "$said"
is 'it has the name of the provider once' "$(grep -c " $cmb\$" /tmp/matrix)" 1
like 'it has the drive beside the provider' \
	"$(</tmp/matrix)" "$plain +nvme +$(controller plain0) +bus_addr 4"

"$P2PTRACE" peers --why "$cmb" "$far" >/tmp/why
is 'the explanation says that it is a prediction' "$(head -n 1 /tmp/why)" "$said"
is 'it names the pair' "$(sed -n 3p /tmp/why)" "$far -> $cmb: not_supported"
like 'it draws the path' \
	"$(</tmp/why)" "host bridge pci0000:00.*└─ $cmb  provider, nvme.*└─ $far  client, nvme"
like 'it has the reason' "$(</tmp/why)" 'host_bridge_unknown: they share no bridge'
is 'as JSON, too' \
	"$("$P2PTRACE" peers --why "$cmb" "$far" --json | jq -r '"\(.mode) \(.map) \(.reason)"')" \
	'predicted not_supported host_bridge_unknown'

# Without CAP_SYS_ADMIN, the kernel shows only the first 64 bytes of config space
setpriv --bounding-set=-sys_admin "$P2PTRACE" peers >/tmp/out 2>/tmp/err
is 'there is no prediction without access to all of config space' \
	"$? $(wc -c </tmp/out) $(wc -l </tmp/err)" '3 0 1'
like 'the message has the remedy' "$(</tmp/err)" 'run p2ptrace peers as root'

provider_unbind "$cmb"
is 'no device provides memory after an unbind' \
	"$("$P2PTRACE" peers; echo $?)" 'no device provides peer memory
0'
is 'as JSON, too' "$("$P2PTRACE" peers --json | jq -c .)" '{"mode":"predicted","providers":[]}'
