#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: each user of a p2pmem device is told of its removal exactly once, and
# may free its buffers then; one that has left before is not told, one that
# comes later is refused, and the next removal is not theirs.
# Requires: p2pmem series, p2ptrace, the kernel's build directory.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
core_load

# told USER...: how often each was
told() {
	local user said=''
	for user; do
		core told "$user"
		said+=" $(field told)"
	done
	echo "${said# }"
}

plan 19

trace_start
core keep "$provider"
ok 'a buffer' core alloc 4 "$provider" 65536
ok 'another' core alloc 5 "$provider" 4096
for user in 1 2 3; do
	ok "user $user" core bind $user "$provider"
done
ok 'user 4, who holds a buffer' core bind 4 "$provider" 4
ok 'user 5, who holds another' core bind 5 "$provider" 5
is 'nobody was told of anything' "$(told 1 2 3 4 5)" '0 0 0 0 0'
core unbind 2
is 'user 2 leaves, and was told of nothing' "$(field told)" 0

ok 'the provider can be unbound' provider_unbind "$provider"
is 'all others were told once' "$(told 1 3 4 5)" '1 1 1 1'
is 'user 4 has freed its buffer' "$(core_says free 4)" -ENOENT
is 'it is too late to become a user' "$(core_says bind 6 "$provider")" -ENODEV
core unbind 1
is 'user 1 leaves, and still was told once' "$(field told)" 1
core drop "$provider"

ok 'the provider can be bound again' provider_bind "$provider"
lends() { p2pmem_of "$provider" >/dev/null; }
ok 'it lends memory again' wait_for 20 lends
core bind 7 "$provider"
provider_unbind "$provider"
is 'only its new user is told of the next removal' "$(told 3 4 5 7)" '1 1 1 1'
trace_stop
is 'both removals ended' "$(trace_count '.event == "p2pmem_dev_drained"')" 2
is 'at once' "$(trace_count '.event == "p2pmem_dev_drained" and .waited_ns > 5e9')" 0
