#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace nvmet names the network card, the drive and the memory of each namespace, and says
# in a sentence whether peer memory is used, as the bindings and the requests of the kernel do: for
# a namespace that does not ask for it, for one that is bound, on a file, at a port of another
# transport, for a drive that cannot reach the memory, and after the provider is gone.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, p2ptrace, fio, jq, nvme, rdma.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch CPU=max
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/target.sh
. "${BASH_SOURCE[0]%/*}/../lib/target.sh"

provider=$(pci_of cmb0) nic=$(nic_pci)
name=$(p2pmem_name "$provider")
# verdict NSID [PORT]: of a namespace of lab, as "MEMORY CAUSE PROVIDER"
verdict() {
	"$P2PTRACE" nvmet --json | jq -r --arg nsid "$1" --arg port "${2:-1}" '.subsystems[] |
		select(.nqn == "lab").namespaces[] | select(.nsid == $nsid).verdicts[] |
		select(.port == $port) | "\(.memory) \(.cause) \(.provider // "-")"'
}
# said NSID: the lines about a namespace, without the wrapping
said() {
	"$P2PTRACE" nvmet | awk -v nsid="$1" '/^ *[0-9]+ +[0-9-]+ / { on = $1 == nsid } on' |
		tr -s ' \n' ' '
}

plan 25

"$P2PTRACE" nvmet >/tmp/out 2>/tmp/err
is 'an empty target is no error' "$? $(paste -sd, /tmp/out) $(</tmp/err)" \
	'0 no ports,no subsystems '

rxe_up
nvmet_export lab plain0 0 || bail 'cannot export plain0'
is 'a namespace that asks for 0 uses system memory' "$(verdict 1)" 'system not_asked -'
like 'its drive and the card are named' "$(said 1)" \
	"1 1 0 - rxe0 $nic +$(basename "$(drive plain0)") $(pci_of plain0) system memory: "
like 'it could use the memory' "$(said 1)" \
	"It could use peer memory of $provider [(]nvme[0-9]+[)]: NIC and drive reach it directly"
like 'it warns that hosts lose the namespace' "$(said 1)" 'Connected hosts lose it, and their I/O'
ok 'the next step can be pasted' \
	sh -c "$("$P2PTRACE" nvmet --json | jq -r '.subsystems[0].namespaces[0].verdicts[0].next')"
is 'after that, it uses the memory' "$(verdict 1)" "peer supported $provider"
like 'no host uses it yet' "$(said 1)" 'NIC and drive reach it directly; no host uses it yet\.'

nvmet_connect lab
is 'a host is bound to it' "$(verdict 1)" "peer bound $provider"
like 'the text has the p2pmem device' "$(said 1)" "^ 1 1 1 $name rxe0 "
like 'and the number of controllers' "$(said 1)" 'is used by 1 controller: NIC and drive reach it'
before=$(counted used)
ok 'the data is right' fio_verify "$(remote_drive lab)" 16k 61
is 'all requests used peer memory, as it says' \
	$(($(counted used) - before)) 122

truncate -s 32M /tmp/file
mkdir $lab/namespaces/2 $lab/namespaces/3
printf /tmp/file >$lab/namespaces/2/device_path
echo 1 >$lab/namespaces/2/enable
drive far0 | tr -d '\n' >$lab/namespaces/3/device_path
echo 1 >$lab/namespaces/3/p2pmem
is 'a file uses system memory' "$(verdict 2)" 'system not_asked -'
like 'because it is a file' "$(said 2)" '/tmp/file system memory: .* the drive is a file\.'
is 'a disabled namespace is not in use' "$(verdict 3)" 'none not_supported -'
like 'it says why it cannot be enabled' "$(said 3)" \
	'cannot be enabled .* the drive cannot reach the peer memory of .*they share no PCI bridge'
not_ok=$({ echo 1 >$lab/namespaces/3/enable; } 2>&1 | grep -o 'Invalid argument')
is 'the kernel refuses to enable it, as it says' "$not_ok" 'Invalid argument'

mkdir $nvmet/ports/2
echo loop >$nvmet/ports/2/addr_trtype
ln -s $lab $nvmet/ports/2/subsystems/
is 'a port of another transport uses system memory' "$(verdict 1 2)" 'system transport -'
is 'the port of RDMA still has the memory' "$(verdict 1 1)" "peer bound $provider"
"$P2PTRACE" nvmet >/tmp/out
is 'nothing is wider than 100 columns' "$(grep -cE '^.{101}' /tmp/out)" 0
is 'each port is listed' "$(grep -E '^port ' /tmp/out | paste -sd,)" \
	"port 1: rdma $RDMA_ADDRESS $RDMA_PORT,port 2: loop"

provider_unbind "$provider"
is 'after the provider is gone, it uses system memory' "$(verdict 1)" 'system no_provider -'
like 'and has nothing' "$(said 1)" '^ 1 1 1 - rxe0 .* no device provides peer memory\.'
nvmet_disconnect lab
is 'the exit status is 0 whatever the verdict' "$("$P2PTRACE" nvmet >/dev/null 2>&1; echo $?)" 0
