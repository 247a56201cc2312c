/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A log2 histogram of times. BPF programs fill it, tools/p2ptrace/lib/hist.h reads it.
 */
#ifndef HIST_TYPES_H
#define HIST_TYPES_H

#include <linux/types.h>

/* A slot counts times from 2^slot up to, but not including, 2^(slot + 1) ns. */
#define HIST_NR_SLOTS	48

struct hist {
	__u64 slots[HIST_NR_SLOTS];
	__u64 count;
	__u64 total_ns;
	__u64 max_ns;
};

#endif /* HIST_TYPES_H */
