#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2ptrace record --ring runs for ten minutes beside threads that allocate, map, unmap and
# free without a pause. Its memory does not grow once the ring is full, and the file that it writes
# has the last events.
# Requires: p2pmem series, p2ptrace, the test module.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1 TIMEOUT=1800 RUN_OPTIONS=(--smp 2)
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/record.sh
. "${BASH_SOURCE[0]%/*}/../lib/record.sh"
require_p2pmem
require_p2ptrace

readonly MINUTES=10
kib() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$record_pid/status"; }
written() { grep -q 'wrote [0-9]* events' $rec.err; }

plan 6

core_load
provider=$(pci_of cmb0)
record_start --ring 8M
stress_start "$provider" "$(pci_of plain0)" "$(nic_pci)"
sleep 60 # until the ring is full
early=$(kib VmRSS)
for ((minute = 1; minute < MINUTES; minute++)); do
	sleep 60
	diag "minute $minute: $(kib VmRSS) KiB"
done
late=$(kib VmRSS)
ok "it does not grow: $early KiB after a minute, $late after $MINUTES" \
	[ "$late" -le $((early + 256)) ]
# libbpf maps the ring buffer between the kernel and p2ptrace, of 4 MiB, twice in a row
ok "at most 16 MiB beside the ring: $(kib VmHWM) KiB with one buffer counted twice" \
	[ "$(kib VmHWM)" -le $(((16 + 8 + 4) * 1024)) ]
ok 'nothing was written' [ ! -e $rec ]
# Uptime, which is the clock of the events
now=$(cut -d. -f1 /proc/uptime)
kill -USR1 "$record_pid"
ok 'SIGUSR1 writes the file' wait_for 60 written
stress_stop
record_stop
report --json $rec >/tmp/report.json
first=$(jq -n 'first(inputs | .ts_ns // empty) / 1e9 | floor' /tmp/report.json)
ok "its first event is of the last minutes: $first s of $now s" [ "$first" -gt $((now - 300)) ]
ok "there are many: $(wc -l </tmp/report.json)" [ "$(wc -l </tmp/report.json)" -gt 10000 ]
diag "$(tail -n 1 /tmp/report.json)"
