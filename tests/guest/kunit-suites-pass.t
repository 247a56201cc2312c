#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows: every case of the KUnit suites of the series passes.
# Requires: a series with its KUnit tests as modules, the build directory of the kernel.

# shellcheck disable=SC2034 # read by guest-test.sh
TOPOLOGY=plain NEEDS=''
# shellcheck source=tests/lib/guest-test.sh
. "${BASH_SOURCE[0]%/*}/../lib/guest-test.sh"

kunit=$LAB_KERNEL_BUILD/lib/kunit/kunit.ko
suites=("$LAB_KERNEL_BUILD"/drivers/pci/*_kunit.ko)
[ -e "${suites[0]}" ] || lacks_series "there is no ${suites[0]}"

plan $((6 + ${#suites[@]}))

ok 'KUnit can be loaded' insmod "$kunit"
dmesg --clear
# Loading the module runs the suites
for suite in "${suites[@]}"; do
	ok "${suite##*/} can be loaded" insmod "$suite"
done
dmesg --notime >/tmp/ktap

# The log has a line "# SUITE: pass:N fail:N skip:N total:N" and a line "ok" or "not ok" for each
# suite, and the same for each case, indented
grep -E '^ *(# .*(seed|pass:|Totals)|not ok)' /tmp/ktap | sed 's/^/# /'
total=$(grep -oE '# [a-z0-9_-]+: pass:[0-9]+ fail:[0-9]+ skip:[0-9]+ total:[0-9]+' /tmp/ktap)
count() { grep -oE "$1:[0-9]+" <<<"$total" | awk -F : '{ n += $2 } END { print n + 0 }'; }
ok 'there are suites' [ "$(wc -l <<<"$total")" -ge ${#suites[@]} ]
ok 'the suites have cases' [ "$(count pass)" -ge 16 ]
is 'all passed' "$(count pass)" "$(count total)"
is 'none failed or was skipped' "$(count fail) $(count skip)" '0 0'
is 'nothing is reported as failed' "$(grep -E '^ *not ok' /tmp/ktap)" ''
