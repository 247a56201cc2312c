#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: every case of the KUnit suites of p2pmem passes.
# Requires: p2pmem series with PCI_P2PMEM_KUNIT_TEST=m, the build directory of the kernel.

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
# Loading the module runs the suites
ok 'the suites can be loaded' insmod "$suites"
dmesg --notime >/tmp/ktap

# The log has a line "# SUITE: pass:N fail:N skip:N total:N" and a line "ok" or "not ok" for each
# suite, and the same for each case, indented
grep -E '^ *(# .*(seed|pass:|Totals)|not ok)' /tmp/ktap | sed 's/^/# /'
total=$(grep -oE '# [a-z0-9_-]+: pass:[0-9]+ fail:[0-9]+ skip:[0-9]+ total:[0-9]+' /tmp/ktap)
count() { grep -oE "$1:[0-9]+" <<<"$total" | awk -F : '{ n += $2 } END { print n + 0 }'; }
ok 'there are suites' [ "$(wc -l <<<"$total")" -ge 2 ]
ok 'the suites have cases' [ "$(count pass)" -ge 20 ]
is 'all passed' "$(count pass)" "$(count total)"
is 'none failed or was skipped' "$(count fail) $(count skip)" '0 0'
is 'nothing is reported as failed' "$(grep -E '^ *not ok' /tmp/ktap)" ''
