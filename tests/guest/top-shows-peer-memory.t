#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace top counts the mappings of each pair, the fallbacks and the refusals that p2ptrace
# trace sees in the same run, and knows the oldest buffer. On a terminal, its screen shows the pairs
# while they do DMA.
# Requires: p2pmem series with RDMA_RXE_P2PDMA_TEST, the build directory of the kernel, p2ptrace
# built with ncurses, fio, nvme, rdma, tmux.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 TIMEOUT=900
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace
command -v tmux >/dev/null || skip_all 'tmux is not installed'

plan 12

out=/tmp/top.json
provider=$(pci_of cmb0) client=$(pci_of plain0)
core_load
core alloc 1 "$provider" 4096
sleep 1
watching() { grep -qs watching /tmp/top.err; }
env --default-signal=INT "$P2PTRACE" top --json 0.3 >$out 2>/tmp/top.err &
top_pid=$!
wait_for 300 watching || bail "p2ptrace top: $(cat /tmp/top.err)"
screen() { tmux -S /tmp/socket capture-pane -p; }
shows() { screen | grep -qF -- "$1"; }
tmux -S /tmp/socket -f /dev/null new-session -d -x 80 -y 24 \
	"$P2PTRACE top 0.3; echo \"status \$?\" >/tmp/status; sleep 1000"
ok 'it starts on a terminal' wait_for 300 shows PROVIDER

rxe_up
trace_start
nvmet_export lab plain0 1 || bail 'cannot export plain0'
nvmet_connect lab
ok 'fio wrote and verified' fio_verify "$(remote_drive lab)" 16k 251 --rate_iops=100
# The data of this command comes with it
blkdiscard -o 1048576 -l 1048576 "$(remote_drive lab)" || bail 'cannot discard a range'
reason=$(reason_of_inline_data lab)
named() { echo "$1 ($(basename /sys/bus/pci/devices/"$1"/nvme/nvme*))"; }
pair() { shows "$(named "$provider") $(named "$client") bus_addr"; }
ok 'the screen shows the pair' wait_for 10 pair
diag "$(screen)"
ok 'and fallbacks by reason' wait_for 10 shows "$reason"
ok 'and the oldest buffer' shows 'p2pmem0, pid'
tmux -S /tmp/socket send-keys q
ended() { [ -s /tmp/status ]; }
wait_for 30 ended
is 'q ends it' "$(cat /tmp/status)" 'status 0'
nvmet_disconnect lab
trace_stop

seen=$(wc -l <$out)
two_more() { [ "$(wc -l <$out)" -ge $((seen + 2)) ]; }
wait_for 30 two_more
kill -INT $top_pid
wait $top_pid
is 'it ends with status 0' $? 0
total() { jq -n --arg client "$1" "[inputs | .pairs[]? | select(.client == \$client) | .$2] |
	add // 0" $out; }
is 'the mappings of the intervals add up' "$(total "$client" maps)" \
	"$(trace_count ".event == \"p2pdma_map\" and .client == \"$client\"")"
is 'and those of the network card' "$(total "$(nic_pci)" maps)" \
	"$(trace_count ".event == \"p2pdma_map\" and .client == \"$(nic_pci)\"")"
# last_is EXPRESSION: of the last interval
last_is() { jq -n "[inputs | select(.event == \"top\")] | last | $1" $out; }
is 'fallbacks by reason' "$(last_is ".fallbacks_by_reason.$reason")" \
	"$(trace_count ".event == \"nvmet_p2pmem_fallback\" and .reason == \"$reason\"")"
is 'refused pairs' "$(last_is .refused_pairs)" \
	"$(trace_count '.event == "p2pdma_decide" and .map == "not_supported"')"
is 'the oldest buffer is the one from before the start, a second old or more' \
	"$(last_is '.oldest | .age_ns >= 1000000000 and .dev == "p2pmem0"')" true
