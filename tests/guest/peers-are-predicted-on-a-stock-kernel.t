#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on a kernel without the series, p2ptrace peers predicts for every endpoint the decision of
# a kernel with the series. It says that this is a prediction, and the prediction matches the
# decisions of this kernel. Without permission to read config space it fails with the remedy.
# Requires: the base kernel, p2ptrace, setpriv.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch CPU=max STOCK=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/stock.sh
. "${BASH_SOURCE[0]%/*}/../lib/stock.sh"
require_p2ptrace
require_stock

cmb=$(pci_of cmb0) plain=$(pci_of plain0) far=$(pci_of far0)
far_name=$(controller far0)

plan 23

is 'the provider has its PCI name, and its size' \
	"$("$P2PTRACE" peers --json |
		jq -r '.functions[] | select(.pool) |
		"\(.p2pmem) \(.name) \(.pool.size)"')" \
	"null $cmb $(printf 0x%x "$(<"/sys/bus/pci/devices/$cmb/p2pmem/size")")"
is 'everything is predicted' \
	"$("$P2PTRACE" peers --json --all | jq -r '.pairs[].source' | sort -u)" predicted
# The same as in peers-names-every-endpoint.t for a kernel with the series
is 'the provider itself' "$(predicted "$cmb" "$cmb")" 'bus_addr 0 same_function -'
is 'the drive beside it' "$(predicted "$cmb" "$plain")" 'bus_addr 4 same_bridge -'
is 'the network card beside it' "$(predicted "$cmb" "$(nic_pci)")" 'bus_addr 4 same_bridge -'
is 'the drive under another root port' \
	"$(predicted "$cmb" "$far")" 'not_supported 6 host_bridge_unknown -'
is 'a drive that provides no memory can be asked about as well' \
	"$(predicted "$plain" "$(nic_pci)")" 'bus_addr 4 same_bridge -'
is 'all other endpoints are refused' \
	"$(predicted "$cmb" | grep -F "$(endpoints)" |
		grep -vE "^($cmb|$plain|$(nic_pci)) " | awk '{ print $2, $4, $5 }' | sort -u)" \
	'not_supported host_bridge_unknown -'
for serial in cmb0 plain0 far0; do
	is "$serial: this kernel decides the same" \
		"$(decided "$serial" "$cmb")" "$(predicted_distance "$cmb" "$(pci_of "$serial")")"
done

"$P2PTRACE" peers >/tmp/matrix
like 'the matrix says that it is a prediction' \
	"$(head -n 1 /tmp/matrix)" "^Predicted by the rules of Linux $BASE"
like 'it has the drive beside the provider' \
	"$(</tmp/matrix)" "$plain +nvme +$(controller plain0) .* bus PIX"
like 'it has the drive under another root port' "$(</tmp/matrix)" "$far +nvme +$far_name .* no PHB"

"$P2PTRACE" peers --why "$cmb" "$far" >/tmp/why
is 'the explanation names the pair' "$(sed -n 1p /tmp/why)" \
	"client $far ($far_name) -> provider $cmb ($(controller cmb0)): not_supported (refused), \
6 hops, PHB (a host bridge between them)"
like 'it has the reason' "$(sed -n 2p /tmp/why)" '^host_bridge_unknown: they share no PCI bridge'
like 'it says that it is a prediction' "$(sed -n 3p /tmp/why)" \
	"predicted by the rules of Linux $BASE"
like 'it draws the path' \
	"$(</tmp/why)" "host bridge pci0000:00.*└─ $cmb  provider, nvme.*└─ $far  client, nvme"
first=$(cat /sys/bus/pci/devices/0000:00:00.0/{vendor,device} | sed 's/^0x//' | paste -sd :)
like 'it names the host bridge' "$(</tmp/why)" \
	"host bridge of pci0000:00 by the first.* 0000:00:00.0,.*$first"
is 'as JSON, too' \
	"$("$P2PTRACE" peers --why "$cmb" "$far" --json |
		jq -r '"\(.source) \(.map) \(.reason)"')" \
	'predicted not_supported host_bridge_unknown'

# Without CAP_SYS_ADMIN, the kernel shows only the first 64 bytes of config space
setpriv --bounding-set=-sys_admin "$P2PTRACE" peers --why "$cmb" "$plain" >/tmp/out
like 'without access to all of config space, the answer is unknown' \
	"$? $(</tmp/out)" "^0 client $plain .*: unknown \\(a fact is missing\\), 4 hops"
like 'it says how to find out' "$(</tmp/out)" 'To find out: .*root'

provider_unbind "$cmb"
is 'a function without a driver can be asked about' \
	"$(predicted "$cmb" "$plain")" 'bus_addr 4 same_bridge -'
