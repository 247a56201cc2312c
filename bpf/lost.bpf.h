/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many events a program could not account for.
 */
#ifndef LOST_BPF_H
#define LOST_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost_per_cpu SEC(".maps");

static __always_inline void count_lost(void)
{
	__u32 zero = 0;
	__u64 *lost = bpf_map_lookup_elem(&lost_per_cpu, &zero);

	/* Atomic: in the midst of it, an interrupt may run another of our programs on this very CPU. */
	if (lost)
		__sync_fetch_and_add(lost, 1);
}

#endif /* LOST_BPF_H */
