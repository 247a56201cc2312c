/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The number of events that the programs could not record or count.
 */
#ifndef LOST_BPF_H
#define LOST_BPF_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include <stdbool.h>
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

	/* Atomic, because an interrupt may run another program on this CPU */
	if (lost)
		__sync_fetch_and_add(lost, 1);
}

/*
 * Whether bpf_map_delete_elem() deleted the entry. If two programs end the same buffer or mapping,
 * only one of them deletes its entry. Any failure other than a missing entry leaves a stale entry
 * behind, so the event counts as lost.
 */
static __always_inline bool deleted(long err)
{
	if (err && err != -ENOENT)
		count_lost();
	return !err;
}

#endif /* LOST_BPF_H */
