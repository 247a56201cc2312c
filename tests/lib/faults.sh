# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# faults.sh - fault injection into p2pmem.  Source it below guest-test.sh.

require_p2pmem
require_p2ptrace

fail_p2pmem=/sys/kernel/debug/fail_p2pmem

# inject TIMES: inject the fault the next TIMES times it can occur
inject() {
	echo 0 >$fail_p2pmem/verbose
	echo 1 >$fail_p2pmem/interval
	echo "$1" >$fail_p2pmem/times
	echo 100 >$fail_p2pmem/probability
}
