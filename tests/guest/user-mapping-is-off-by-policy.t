#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: in this configuration, a process may not map peer memory by default. The attempt fails, is
# traced, and allocates nothing. The attribute user_mmap of the device allows it and forbids it
# again; existing mappings stay.
# Requires: p2pmem series without PCI_P2PMEM_USER_MMAP, p2ptrace, cc.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch NEEDS=user_mmap
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/mapping.sh
. "${BASH_SOURCE[0]%/*}/../lib/mapping.sh"

set_policy() { echo "$1" >"$p2pmem/user_mmap"; }

plan 17

available=$(<"$p2pmem/available")
trace_start
is 'user_mmap is off' "$(<"$p2pmem/user_mmap")" 0
ok 'a mapping is refused' eval '! mapped 4096'
exec 3>&-
like 'with a permission error' "$(</tmp/said)" 'mmap: Operation not permitted'
is 'no memory is allocated' "$(<"$p2pmem/available")" "$available"
ok 'it can be switched on' set_policy 1
is 'user_mmap is on' "$(<"$p2pmem/user_mmap")" 1
ok 'a mapping is allowed' mapped 8192
is 'its memory is allocated' "$(<"$p2pmem/available")" $((available - 8192))
ok 'it can be switched off' set_policy 0
exec 4>&3
ok 'another mapping is refused' eval '! mapped 12288'
exec 3>&-
is 'the existing mapping stays' "$(<"$p2pmem/available")" $((available - 8192))
exec 4>&-
all_back() { [ "$(<"$p2pmem/available")" = "$available" ]; }
ok 'its memory returns when its process ends' wait_for 20 all_back
ok 'a value that is not a boolean is refused' eval '! set_policy perhaps 2>/dev/null'
ok 'an empty value is refused' eval '! set_policy "" 2>/dev/null'
is 'neither changes anything' "$(<"$p2pmem/user_mmap")" 0
trace_stop
is 'p2pmem_mmap' \
	"$(jq -c 'select(.event == "p2pmem_mmap") | [.size, .allowed]' $trace_json |
		paste -sd ' ')" \
	'[4096,false] [8192,true] [12288,false]'
is 'only the allowed mapping was allocated' "$(trace_values .size '.event == "p2pmem_alloc"')" 8192
