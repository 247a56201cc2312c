// SPDX-License-Identifier: GPL-2.0
/*
 * "p2ptrace lifetimes": how long buffers are held and mapped, as histograms. No event crosses to user space.
 */
#include "kernel_types.h"
#include "compat.bpf.h"
#include "filter.bpf.h"
#include "hist_types.h"
#include "lost.bpf.h"
#include "nested.bpf.h"
#include "stock.bpf.h"
#include "views.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define MAX_LIVES	1024	/* devices, and clients of each */

const volatile bool stock = false;

/* When a buffer was allocated, by its id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, P2PTRACE_MAX_LIVE);
	__type(key, __u64);
	__type(value, __u64);
} allocated SEC(".maps");

/* When it was mapped. The client is only compared. */
struct mapping {
	__u64 id;
	__u64 dma_addr;
	__u64 client;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, P2PTRACE_MAX_LIVE);
	__type(key, struct mapping);
	__type(value, __u64);
} mapped SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);	/* there are a few, on machines of many CPUs */
	__uint(max_entries, MAX_LIVES);
	__type(key, struct p2ptrace_lifetime);
	__type(value, struct hist);
} lives SEC(".maps");

/* Ends of what began before we looked */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} unknown_per_cpu SEC(".maps");

static struct hist none;

static __always_inline void count_unknown(void)
{
	__u32 zero = 0;
	__u64 *unknown = bpf_map_lookup_elem(&unknown_per_cpu, &zero);

	if (unknown)
		__sync_fetch_and_add(unknown, 1);
}

/* The number of the highest bit that is set; 0 for 0 as for 1. */
static __always_inline __u32 slot_of(__u64 ns)
{
	__u32 slot = 0;

	for (int shift = 32; shift; shift /= 2) {
		if (ns >> shift) {
			ns >>= shift;
			slot += shift;
		}
	}
	return slot < HIST_NR_SLOTS ? slot : HIST_NR_SLOTS - 1;
}

static __always_inline void life_add(const struct p2ptrace_lifetime *life, __u64 ns)
{
	struct hist *hist = bpf_map_lookup_elem(&lives, life);
	__u32 slot = slot_of(ns);

	if (!hist) {
		/* Another CPU may be faster, which is as good */
		bpf_map_update_elem(&lives, life, &none, BPF_NOEXIST);
		hist = bpf_map_lookup_elem(&lives, life);
	}
	if (!hist) {
		count_lost();
		return;
	}
	/* Atomic: in the midst of it, an interrupt may run another of our programs on this very CPU. */
	__sync_fetch_and_add(&hist->slots[slot], 1);
	__sync_fetch_and_add(&hist->count, 1);
	__sync_fetch_and_add(&hist->total_ns, ns);
	/* An interrupt in between may be overwritten: the longest is as good as that */
	if (ns > hist->max_ns)
		hist->max_ns = ns;
}

static __always_inline void buffer_ends(const struct buffer *buf)
{
	struct p2ptrace_lifetime life = {};
	__u64 id = buf->id, *since;

	if (!lender_wanted(&buf->lender))
		return;
	since = bpf_map_lookup_elem(&allocated, &id);
	if (!since) {
		count_unknown();
		return;
	}
	lender_read(&life.dev, &buf->lender);
	life_add(&life, bpf_ktime_get_ns() - *since);
	bpf_map_delete_elem(&allocated, &id);
}

EVENT_PROG_EVERYWHERE(p2pmem_alloc, const struct buffer *buf)
{
	__u64 id = buf->id, now = bpf_ktime_get_ns();

	if (!lender_wanted(&buf->lender))
		return 0;
	if (bpf_map_update_elem(&allocated, &id, &now, BPF_ANY))
		count_lost();
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_free, const struct buffer *buf, __u32 pins)
{
	/* What is still mapped is held until its memory comes back */
	if (!pins)
		buffer_ends(buf);
	return 0;
}

EVENT_PROG(p2pmem_reclaim, const struct p2pmem_buf *buf)
{
	const struct buffer view = BUFFER(buf);

	buffer_ends(&view);
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_dma_map, const struct buffer *buf, const struct dma *dma, __u32 map)
{
	struct mapping mapping = { .id = buf->id, .dma_addr = dma->addr, .client = (__u64)dma->client };
	__u64 now = bpf_ktime_get_ns();

	if (!lender_wanted(&buf->lender) || !client_wanted(dma->client->kobj.name))
		return 0;
	/*
	 * Also if the client has mapped the buffer twice: the two cannot be told apart. On a stock kernel, whose ids come
	 * again, it is rather one that has ended unseen, while we were attached.
	 */
	if (bpf_map_update_elem(&mapped, &mapping, &now, stock ? BPF_ANY : BPF_NOEXIST))
		count_lost();
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_dma_unmap, const struct buffer *buf, const struct dma *dma)
{
	struct mapping mapping = { .id = buf->id, .dma_addr = dma->addr, .client = (__u64)dma->client };
	struct p2ptrace_lifetime life = {};
	__u64 *since;

	if (!lender_wanted(&buf->lender) || !client_wanted(dma->client->kobj.name))
		return 0;
	since = bpf_map_lookup_elem(&mapped, &mapping);
	if (!since) {
		count_unknown();
		return 0;
	}
	lender_read(&life.dev, &buf->lender);
	name_read(&life.client, dma->client->kobj.name);
	life_add(&life, bpf_ktime_get_ns() - *since);
	bpf_map_delete_elem(&mapped, &mapping);
	return 0;
}
