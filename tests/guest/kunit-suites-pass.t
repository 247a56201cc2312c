#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: the KUnit suites of p2pmem pass, every case of them.
# Requires: p2pmem series with PCI_P2PMEM_KUNIT_TEST=m, the kernel's build directory.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=plain
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"

kunit=$LAB_KERNEL_BUILD/lib/kunit/kunit.ko
suites=$LAB_KERNEL_BUILD/drivers/pci/p2pmem_kunit.ko
[ -e "$suites" ] || skip_all "there is no $suites"

plan 7

ok 'KUnit can be loaded' insmod "$kunit"
dmesg --clear
# Loading it runs it
ok 'the suites can be loaded' insmod "$suites"
dmesg --notime >/tmp/ktap

# What the log has of them: "# SUITE: pass:N fail:N skip:N total:N", then a line
# that says "ok" or "not ok" for the suite, and these for each case, indented
grep -E '^ *(# .*(seed|pass:|Totals)|not ok)' /tmp/ktap | sed 's/^/# /'
total=$(grep -oE '# [a-z0-9_-]+: pass:[0-9]+ fail:[0-9]+ skip:[0-9]+ total:[0-9]+' /tmp/ktap)
count() { grep -oE "$1:[0-9]+" <<<"$total" | awk -F : '{ n += $2 } END { print n + 0 }'; }
ok 'there are suites' [ "$(wc -l <<<"$total")" -ge 2 ]
ok 'with cases' [ "$(count pass)" -ge 20 ]
is 'all passed' "$(count pass)" "$(count total)"
is 'none failed or was skipped' "$(count fail) $(count skip)" '0 0'
is 'nothing is reported as failed' "$(grep -E '^ *not ok' /tmp/ktap)" ''
