# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# faults.sh - faults on demand, for the tests of that.  Sourced below
# guest-test.sh.

require_p2pmem
require_p2ptrace

fail_p2pmem=/sys/kernel/debug/fail_p2pmem
[ -d $fail_p2pmem ] || skip_all 'the kernel is without FAIL_P2PMEM'

# inject TIMES: from now on, the next TIMES times for sure
inject() {
	echo 0 >$fail_p2pmem/verbose
	echo 1 >$fail_p2pmem/interval
	echo "$1" >$fail_p2pmem/times
	echo 100 >$fail_p2pmem/probability
}
