#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: p2pmem.user_mmap=1 on the kernel command line allows processes to map peer memory, also
# that of a provider that is added later.
# Requires: p2pmem series, p2ptrace, cc.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch APPEND=p2pmem.user_mmap=1 NEEDS=user_mmap
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
# shellcheck source=tests/lib/mapping.sh
. "${BASH_SOURCE[0]%/*}/../lib/mapping.sh"

plan 6

is 'user_mmap is on' "$(<"$p2pmem/user_mmap")" 1
trace_start
ok 'a mapping is allowed' mapped 8192
exec 3>&-
ok 'the process ends with status 0' wait "$map_pid"
trace_stop
is 'p2pmem_mmap' \
	"$(jq -c 'select(.event == "p2pmem_mmap") | [.size, .allowed]' $trace_json)" '[8192,true]'
provider_unbind "$provider"
provider_bind "$provider"
provides() { p2pmem=$(p2pmem_of "$provider"); }
ok 'another provider provides memory' wait_for 20 provides
is 'user_mmap is on for that one, too' "$(<"$p2pmem/user_mmap")" 1
