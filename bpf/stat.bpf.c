// SPDX-License-Identifier: GPL-2.0
/*
 * "p2ptrace stat": counts, in the kernel. No event crosses to user space.
 *
 * Names are only read if there is a filter: without one, the verifier removes all of that.
 */
#include "kernel_types.h"
#include "compat.bpf.h"
#include "filter.bpf.h"
#include "lost.bpf.h"
#include "nested.bpf.h"
#include "stock.bpf.h"
#include "views.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct p2ptrace_counts);
} counts_per_cpu SEC(".maps");

/* Whether to follow each buffer and mapping, for "p2ptrace check": net counts would let one hide another. */
const volatile bool follow = false;
/* A stock kernel does not say what there was before, nor what is still mapped when it is freed */
const volatile bool stock = false;
const volatile __u64 older_than_ns = 0;	/* 0: however long */

/* All is attached, and what there was before is in live_buffers: only from here on, something may be wrong. */
volatile bool armed SEC(".data.armed");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, P2PTRACE_MAX_LIVE);	/* 1 if there is nothing to follow */
	__type(key, __u64);
	__type(value, struct p2ptrace_live);
} live_buffers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, P2PTRACE_MAX_LIVE);
	__type(key, struct p2ptrace_mapping);
	__type(value, struct p2ptrace_mapped);
} live_mappings SEC(".maps");

/* Something could not be followed: what has no beginning is no violation any more. */
static volatile bool incomplete;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, P2PTRACE_NR_VIOLATIONS);
	__type(key, __u32);
	__type(value, struct p2ptrace_first);
} firsts SEC(".maps");

static __always_inline struct p2ptrace_counts *counts_of_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counts_per_cpu, &zero);
}

/* Atomic: in the midst of it, an interrupt may run another of our programs on this very CPU. */
static __always_inline void add(__u64 *to, __u64 n)
{
	__sync_fetch_and_add(to, n);
}

static __always_inline void add_by(__u64 *to, __u32 value, __u64 n)
{
	__u64 i = value;

	/* So that what is compared is what is used: the verifier does not see that two copies are the same */
	barrier_var(i);
	if (i >= P2PTRACE_NR_VALUES)
		i = P2PTRACE_NR_VALUES - 1;
	add(&to[i], n);
}

/* @client is NULL if it is about none. All of @first is written. */
static __always_inline void first_read(struct p2ptrace_first *first, const struct buffer *buf, const struct device *client)
{
	__builtin_memset(first, 0, sizeof(*first));
	first->id = buf->id;
	first->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(first->comm, sizeof(first->comm));
	lender_read(&first->dev, &buf->lender);
	if (client)
		name_read(&first->client, client->kobj.name);
}

static __always_inline void violation_held(enum p2ptrace_violation kind, const struct buffer *buf,
					   const struct device *client, __u64 held_ns)
{
	struct p2ptrace_counts *c = counts_of_cpu();
	struct p2ptrace_first first;
	__u32 key = kind;

	if (!armed || !c)
		return;
	add(&c->violations[kind], 1);
	first_read(&first, buf, client);
	first.held_ns = held_ns;
	bpf_map_update_elem(&firsts, &key, &first, BPF_NOEXIST);
}

static __always_inline void violation(enum p2ptrace_violation kind, const struct buffer *buf, const struct device *client)
{
	violation_held(kind, buf, client, 0);
}

static __always_inline void buffer_begins(const struct buffer *buf)
{
	struct p2ptrace_live live;
	__u64 id = buf->id;

	if (!follow)
		return;
	live.before = !armed;
	live.freed = 0;
	first_read(&live.first, buf, NULL);
	live.since_ns = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&live_buffers, &id, &live, BPF_ANY)) {
		incomplete = true;
		count_lost();
	}
}

/* Whether all that began while we watched is known. */
static __always_inline bool beginnings_known(void)
{
	return !stock && !incomplete;
}

static __always_inline void buffer_freed(const struct buffer *buf)
{
	struct p2ptrace_live *live;
	__u64 id = buf->id;

	if (!follow)
		return;
	live = bpf_map_lookup_elem(&live_buffers, &id);
	if (live)
		live->freed = 1;
}

static __always_inline void buffer_ends(const struct buffer *buf)
{
	struct p2ptrace_live *live;
	__u64 id = buf->id, held_ns;

	if (!follow)
		return;
	live = bpf_map_lookup_elem(&live_buffers, &id);
	if (!live)
		return;
	held_ns = bpf_ktime_get_ns() - live->since_ns;
	if (older_than_ns && !live->before && held_ns > older_than_ns)
		violation_held(P2PTRACE_HELD_TOO_LONG, buf, NULL, held_ns);
	bpf_map_delete_elem(&live_buffers, &id);
}

static __always_inline void mapping_begins(const struct buffer *buf, const struct dma *dma)
{
	struct p2ptrace_mapping key = { .id = buf->id, .dma_addr = dma->addr, .client = (__u64)dma->client };
	struct p2ptrace_mapped one, *mapped;
	struct p2ptrace_live *live;
	__u64 id = buf->id;

	if (!follow)
		return;
	one.times = 1;
	one.before = !armed;
	one.since_ns = bpf_ktime_get_ns();
	first_read(&one.first, buf, dma->client);
	live = bpf_map_lookup_elem(&live_buffers, &id);
	if (live ? live->freed : beginnings_known())
		violation(P2PTRACE_MAP_AFTER_FREE, buf, dma->client);
	mapped = bpf_map_lookup_elem(&live_mappings, &key);
	/* One from before may have ended unseen, and then this is not the second */
	if (mapped && !mapped->before) {
		violation(P2PTRACE_DOUBLE_MAP, buf, dma->client);
		__sync_fetch_and_add(&mapped->times, 1);
	} else if (bpf_map_update_elem(&live_mappings, &key, &one, BPF_ANY)) {
		incomplete = true;
		count_lost();
	}
}

static __always_inline void mapping_ends(const struct buffer *buf, const struct dma *dma)
{
	struct p2ptrace_mapping key = { .id = buf->id, .dma_addr = dma->addr, .client = (__u64)dma->client };
	struct p2ptrace_mapped *mapped;
	struct p2ptrace_live *live;
	__u64 id = buf->id;

	if (!follow)
		return;
	live = bpf_map_lookup_elem(&live_buffers, &id);
	mapped = bpf_map_lookup_elem(&live_mappings, &key);
	if (live && live->freed && !live->before)
		violation(P2PTRACE_LATE_UNMAP, buf, dma->client);
	if (!mapped) {
		/* It may have been made before */
		if (beginnings_known() && !(live && live->before))
			violation(P2PTRACE_UNMAP_WITHOUT_MAP, buf, dma->client);
	} else if (mapped->times > 1) {
		__sync_fetch_and_add(&mapped->times, -1);
	} else {
		bpf_map_delete_elem(&live_mappings, &key);
	}
}

/* The event itself, and where to count more about it; NULL if it is not wanted. */
#define COUNT(name, wanted)						\
({									\
	struct p2ptrace_counts *__c = (wanted) ? counts_of_cpu() : NULL;	\
									\
	if (__c)							\
		add(&__c->events[P2PTRACE_##name], 1);			\
	__c;								\
})

EVENT_PROG(p2pmem_dev_add, const struct p2pmem_device *p2pmem, __u64 bus_addr, __u64 size)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_dev_add, size_wanted(size) && lender_wanted(&LENDER(p2pmem)));

	if (c)
		add(&c->bytes[P2PTRACE_p2pmem_dev_add], size);
	return 0;
}

EVENT_PROG(p2pmem_dev_del, const struct p2pmem_device *p2pmem, __u64 buffers, __u64 bytes, __u64 pins)
{
	COUNT(p2pmem_dev_del, lender_wanted(&LENDER(p2pmem)));
	return 0;
}

EVENT_PROG(p2pmem_dev_drained, const struct p2pmem_device *p2pmem, __u64 waited_ns)
{
	COUNT(p2pmem_dev_drained, lender_wanted(&LENDER(p2pmem)));
	return 0;
}

EVENT_PROG(p2pmem_drain_stall, const struct p2pmem_device *p2pmem, __u64 buffers, __u64 pins, __u64 oldest_id)
{
	COUNT(p2pmem_drain_stall, lender_wanted(&LENDER(p2pmem)));
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_alloc, const struct buffer *buf)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_alloc, size_wanted(buf->size) && lender_wanted(&buf->lender));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_alloc], buf->size);
		buffer_begins(buf);
	}
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_alloc_fail, const struct lender *lender, __u64 size, __u32 reason)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_alloc_fail, size_wanted(size) && lender_wanted(lender));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_alloc_fail], size);
		add_by(c->alloc_fails, reason, 1);
	}
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_free, const struct buffer *buf, __u32 pins)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_free, size_wanted(buf->size) && lender_wanted(&buf->lender));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_free], buf->size);
		/* What is still mapped has not come back */
		if (pins) {
			add(&c->deferred, 1);
			buffer_freed(buf);
		} else {
			buffer_ends(buf);
		}
	}
	return 0;
}

EVENT_PROG(p2pmem_reclaim, const struct p2pmem_buf *buf)
{
	const struct buffer view = BUFFER(buf);
	struct p2ptrace_counts *c = COUNT(p2pmem_reclaim, size_wanted(view.size) && lender_wanted(&view.lender));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_reclaim], view.size);
		buffer_ends(&view);
	}
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_decide, const struct decision *decision)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_decide, provider_wanted(decision->provider) && client_wanted(decision->client));

	if (c)
		add_by(c->decisions, decision->map, 1);
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_find, const struct lender *lender, __u32 clients, __u32 candidates, int distance, int err)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_find, lender_wanted(lender));

	if (c && err)
		add(&c->failures[P2PTRACE_p2pmem_find], 1);
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_dma_map, const struct buffer *buf, const struct dma *dma, __u32 map)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_dma_map, size_wanted(dma->size) && lender_wanted(&buf->lender) && client_wanted(dma->client->kobj.name));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_dma_map], dma->size);
		add_by(c->maps, map, 1);
		add_by(c->map_bytes, map, dma->size);
		mapping_begins(buf, dma);
	}
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_dma_unmap, const struct buffer *buf, const struct dma *dma)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_dma_unmap, size_wanted(dma->size) && lender_wanted(&buf->lender) && client_wanted(dma->client->kobj.name));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_dma_unmap], dma->size);
		mapping_ends(buf, dma);
	}
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_mmap, const struct lender *lender, __u64 size, bool allowed)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_mmap, size_wanted(size) && lender_wanted(lender));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_mmap], size);
		if (!allowed)
			add(&c->failures[P2PTRACE_p2pmem_mmap], 1);
	}
	return 0;
}

EVENT_PROG(nvmet_p2pmem_bind, const struct nvmet_ctrl *ctrl, const struct nvmet_ns *ns,
	   const struct p2pmem_device *p2pmem, int distance, int err)
{
	struct p2ptrace_counts *c = COUNT(nvmet_p2pmem_bind, lender_wanted(&LENDER_OR_NULL(p2pmem)));

	if (c && err)
		add(&c->failures[P2PTRACE_nvmet_p2pmem_bind], 1);
	return 0;
}

EVENT_PROG(nvmet_p2pmem_unbind, const char *subsys, __u16 cntlid, __u32 nsid,
	   const struct p2pmem_device *p2pmem, __u32 reason)
{
	COUNT(nvmet_p2pmem_unbind, lender_wanted(&LENDER_OR_NULL(p2pmem)));
	return 0;
}

EVENT_PROG_EVERYWHERE(nvmet_p2pmem_use, const struct request *req, __u32 size, __u64 id)
{
	struct p2ptrace_counts *c = COUNT(nvmet_p2pmem_use, size_wanted(size));

	if (c)
		add(&c->bytes[P2PTRACE_nvmet_p2pmem_use], size);
	return 0;
}

EVENT_PROG_EVERYWHERE(nvmet_p2pmem_fallback, const struct request *req, __u32 size, __u32 reason)
{
	struct p2ptrace_counts *c = COUNT(nvmet_p2pmem_fallback, size_wanted(size));

	if (c) {
		add(&c->bytes[P2PTRACE_nvmet_p2pmem_fallback], size);
		add_by(c->fallbacks, reason, 1);
	}
	return 0;
}
