#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: each user of a p2pmem device is notified of its removal exactly once, and may free its
# buffers then. A user that has unbound is not notified, a later bind fails, and users of the old
# device are not notified when its successor is removed.
# Requires: p2pmem series, p2ptrace, the build directory of the kernel.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=switch MODULE=1
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"
require_p2pmem
require_p2ptrace

provider=$(pci_of cmb0)
core_load

# notified USER...: the number of notifications of each
notified() {
	local user counts=''
	for user; do
		core notified "$user"
		counts+=" $(field notified)"
	done
	echo "${counts# }"
}

plan 19

trace_start
core keep "$provider"
ok 'a buffer is allocated' core alloc 4 "$provider" 65536
ok 'another buffer is allocated' core alloc 5 "$provider" 4096
for user in 1 2 3; do
	ok "user $user binds" core bind $user "$provider"
done
ok 'user 4 binds, with a buffer' core bind 4 "$provider" 4
ok 'user 5 binds, with another buffer' core bind 5 "$provider" 5
is 'no user was notified' "$(notified 1 2 3 4 5)" '0 0 0 0 0'
core unbind 2
is 'user 2 unbinds and was not notified' "$(field notified)" 0

ok 'the provider can be unbound' provider_unbind "$provider"
is 'all others were notified once' "$(notified 1 3 4 5)" '1 1 1 1'
is 'user 4 freed its buffer' "$(core_says free 4)" -ENOENT
is 'a bind fails' "$(core_says bind 6 "$provider")" -ENODEV
core unbind 1
is 'user 1 unbinds and was notified once' "$(field notified)" 1
core drop "$provider"

ok 'the provider can be bound again' provider_bind "$provider"
provides() { p2pmem_of "$provider" >/dev/null; }
ok 'it provides memory again' wait_for 20 provides
core bind 7 "$provider"
provider_unbind "$provider"
is 'only the new user is notified of the next removal' "$(notified 3 4 5 7)" '1 1 1 1'
trace_stop
is 'both removals ended' "$(trace_count '.event == "p2pmem_dev_drained"')" 2
is 'neither removal took long' \
	"$(trace_count '.event == "p2pmem_dev_drained" and .waited_ns > 5e9')" 0
