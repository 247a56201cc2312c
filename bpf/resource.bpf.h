/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Drivers that map a BAR of another device themselves, by its physical address. Only the address
 * tells that it is a BAR, and whose: user space has put those of all functions into a map.
 *
 * What the block layer and dma_buf_phys_vec_to_sgt() map does not come here: they call
 * dma_map_phys().
 */
#ifndef RESOURCE_BPF_H
#define RESOURCE_BPF_H

#include "filter.bpf.h"
#include "kernel_types.h"
#include "lost.bpf.h"
#include "stock.bpf.h"
#include "views.bpf.h"
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, P2PTRACE_MAX_BARS);
	__type(key, struct p2ptrace_bar_key);
	__type(value, struct p2ptrace_bar);
} bars SEC(".maps");

static __always_inline const struct p2ptrace_bar *bar_of(__u64 phys)
{
	struct p2ptrace_bar_key key = { .bits = 64 };
	__u64 address = bpf_cpu_to_be64(phys);

	__builtin_memcpy(key.address, &address, sizeof(key.address));
	return bpf_map_lookup_elem(&bars, &key);
}

/* The dma-buf that a task is mapping, and for which attachment. */
struct dmabuf_call {
	__u64 id;
	__u64 attach;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, P2PTRACE_MAX_CALLS);
	__type(key, __u64);
	__type(value, struct dmabuf_call);
} dmabuf_call_by_task SEC(".maps");

static __always_inline int dmabuf_call_begins(__u64 attach)
{
	struct dmabuf_call call = {
		.id = dmabuf_id(BPF_CORE_READ((const struct dma_buf_attachment *)attach, dmabuf)),
		.attach = attach,
	};
	__u64 task = bpf_get_current_task();

	if (bpf_map_update_elem(&dmabuf_call_by_task, &task, &call, BPF_ANY))
		count_lost();
	return 0;
}

static __always_inline int dmabuf_call_ends(void)
{
	__u64 task = bpf_get_current_task();

	deleted(bpf_map_delete_elem(&dmabuf_call_by_task, &task));
	return 0;
}

/* A client may map the same address several times. Its mappings differ by their number only. */
struct resource_key {
	__u64 client;
	__u64 dma_addr;
};

struct resource_mapping {
	struct peer_mapping m;
	__u64 id;
	__u64 times;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, P2PTRACE_MAX_LIVE);
	__type(key, struct resource_key);
	__type(value, struct resource_mapping);
} resource_mappings SEC(".maps");

static __always_inline void resource_is_of_dmabuf(struct resource_mapping *r)
{
	__u64 task = bpf_get_current_task();
	struct dmabuf_call *call = bpf_map_lookup_elem(&dmabuf_call_by_task, &task);
	struct dmabuf_ranges ranges = {
		.provider = r->m.provider, .map = MAP_TYPE(THRU_HOST_BRIDGE),
	};
	__u64 attach;

	if (!call)
		return;
	r->id = call->id;
	r->m.kind = P2PTRACE_KIND_DMABUF;
	attach = call->attach;
	if (bpf_map_update_elem(&dmabuf_ranges_by_attachment, &attach, &ranges, BPF_ANY))
		count_lost();
}

/* Whether it is a mapping of another device's BAR, and all of @r was read and recorded. */
static __always_inline bool resource_begins(unsigned long long *ctx, struct resource_mapping *r)
{
	const struct device *client = ARG(ctx, 0, const struct device *);
	struct resource_key key = { .client = ctx[0], .dma_addr = ctx[5] };
	struct resource_mapping *again;
	const struct p2ptrace_bar *bar;

	if (key.dma_addr == DMA_MAPPING_ERROR)
		return false;
	bar = bar_of(ctx[1]);
	if (!bar || name_matches(client->kobj.name, &bar->name))
		return false;
	*r = (struct resource_mapping){
		.m = {
			.provider = (const char *)number_of(bar->name.s),
			.client = client->kobj.name, .client_id = number_of(client), 
			.dma_addr = key.dma_addr, .size = ctx[2], .dir = ctx[3],
			.kind = P2PTRACE_KIND_SG,
			.bus_addr = bar->bus ? bar->bus + ctx[1] - bar->phys : 0,
		},
		.times = 1,
	};
	r->id = r->m.bus_addr;
	resource_is_of_dmabuf(r);
	again = bpf_map_lookup_elem(&resource_mappings, &key);
	if (again) {
		r->m.client_id += __sync_fetch_and_add(&again->times, 1);
		return true;
	}
	if (!bpf_map_update_elem(&resource_mappings, &key, r, BPF_NOEXIST))
		return true;
	count_lost();
	return false;
}

static __always_inline void resource_views(const struct resource_mapping *r, struct buffer *buf,
					   struct dma *dma)
{
	mapping_views(&r->m, buf, dma);
	buf->id = r->id;
}

/*
 * dma_addr_t dma_map_resource(struct device *, phys_addr_t, size_t, enum dma_data_direction,
 *			       unsigned long attrs)
 */
#define from_resource_map(ctx, on)							\
({											\
	struct resource_mapping __r;							\
	struct buffer __b;								\
	struct dma __d;									\
	int __rc = 0;									\
											\
	if (resource_begins(ctx, &__r)) {						\
		resource_views(&__r, &__b, &__d);					\
		__rc = task_wanted() ? on(ctx, &__b, &__d, MAP_TYPE(THRU_HOST_BRIDGE)) : 0;	\
	}										\
	__rc;										\
})

/* Whether the mapping was known. Writes all of @r then. */
static __always_inline bool resource_ends(unsigned long long *ctx, struct resource_mapping *r)
{
	struct resource_key key = { .client = ctx[0], .dma_addr = ctx[1] };
	struct resource_mapping *found = bpf_map_lookup_elem(&resource_mappings, &key);
	__s64 times;

	if (!found)
		return false;
	*r = *found;
	times = __sync_fetch_and_add(&found->times, -1);
	if (times == 1)
		deleted(bpf_map_delete_elem(&resource_mappings, &key));
	r->m.client_id += times - 1;
	return times > 0;
}

/* void dma_unmap_resource(struct device *, dma_addr_t, size_t, enum dma_data_direction, ...) */
#define from_resource_unmap(ctx, on)							\
({											\
	struct resource_mapping __r;							\
	struct buffer __b;								\
	struct dma __d;									\
	int __rc = 0;									\
											\
	if (resource_ends(ctx, &__r)) {							\
		resource_views(&__r, &__b, &__d);					\
		__rc = task_wanted() ? on(ctx, &__b, &__d) : 0;				\
	}										\
	__rc;										\
})

#endif /* RESOURCE_BPF_H */
