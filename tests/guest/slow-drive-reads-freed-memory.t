#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: on the base kernel, an owner frees memory that a slow drive is still reading, and the drive
# gets data of the next owner. p2ptrace check names the violation, and so does report --check. With
# pins, see slow-drive-keeps-freed-memory.t.
# Requires: the base kernel and its build directory, p2ptrace.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch STOCK=1 MODULE=1 QMP=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/early-free.sh
. "${BASH_SOURCE[0]%/*}/../lib/early-free.sh"
# shellcheck source=tests/lib/record.sh
. "${BASH_SOURCE[0]%/*}/../lib/record.sh"
require_p2ptrace

plan 6

early_free_load || bail 'cannot load early_free'
ok 'the drive is slow' slow_down

export early_free
export -f early_free_write
record_start
"$P2PTRACE" check --json --expect 'maps.bus_addr == 1' -- \
	bash -c 'early_free_write 65536' >/tmp/check.json
is 'check finds that the mapping ended after the free, and nothing else' \
	"$? $(jq -c .violations /tmp/check.json)" '1 {"late_unmap":1}'
like 'and says when' "$(jq -r '.first.late_unmap | tostring' /tmp/check.json)" "$(pci_of plain0)"
is 'the next owner got the same memory' "$(<$early_free/again)" Y
ok 'the drive has some of its data' [ "$(on_drive n)" -gt 0 ]
record_stop
is 'the recording shows it, too' \
	"$(report --check --json $rec | jq -c .violations)" '{"late_unmap":1}'
