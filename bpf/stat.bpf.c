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

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct p2ptrace_counts);
} counts_per_cpu SEC(".maps");

/* Whether to follow each buffer and mapping, for "p2ptrace check": net counts would let one hide another. */
const volatile bool follow = false;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, P2PTRACE_MAX_LIVE);	/* 1 if there is nothing to follow */
	__type(key, __u64);
	__type(value, __u64);
} live_buffers SEC(".maps");

/* How often it was made: a client may map a buffer twice. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, P2PTRACE_MAX_LIVE);
	__type(key, struct p2ptrace_mapping);
	__type(value, __u64);
} live_mappings SEC(".maps");

static __always_inline void buffer_begins(const struct p2pmem_buf *buf)
{
	__u64 id = buf->id, one = 1;

	if (follow && bpf_map_update_elem(&live_buffers, &id, &one, BPF_ANY))
		count_lost();
}

static __always_inline void buffer_ends(const struct p2pmem_buf *buf)
{
	__u64 id = buf->id;

	if (follow)
		bpf_map_delete_elem(&live_buffers, &id);
}

static __always_inline void mapping_begins(const struct p2pmem_buf *buf, const struct device *client, __u64 dma_addr)
{
	struct p2ptrace_mapping key = { .id = buf->id, .dma_addr = dma_addr, .client = (__u64)client };
	__u64 one = 1, *times;

	if (!follow || !bpf_map_update_elem(&live_mappings, &key, &one, BPF_NOEXIST))
		return;
	times = bpf_map_lookup_elem(&live_mappings, &key);
	if (times)
		__sync_fetch_and_add(times, 1);
	else
		count_lost();
}

static __always_inline void mapping_ends(const struct p2pmem_buf *buf, const struct device *client, __u64 dma_addr)
{
	struct p2ptrace_mapping key = { .id = buf->id, .dma_addr = dma_addr, .client = (__u64)client };
	__u64 *times;

	if (!follow)
		return;
	times = bpf_map_lookup_elem(&live_mappings, &key);
	if (times && *times > 1)
		__sync_fetch_and_add(times, -1);
	else if (times)
		bpf_map_delete_elem(&live_mappings, &key);
}

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
	add(&to[value < P2PTRACE_NR_VALUES ? value : P2PTRACE_NR_VALUES - 1], n);
}

static __always_inline bool p2pmem_counts(const struct p2pmem_device *p2pmem)
{
	struct p2ptrace_name dev;

	if (!filter.dev.w[0] && !filter.provider.w[0])
		return true;
	name_read(&dev, device_name_or_null(p2pmem));
	return dev_wanted(&dev, provider_name_or_null(p2pmem));
}

static __always_inline bool client_counts(const struct device *client)
{
	struct p2ptrace_name name;

	if (!filter.client.w[0])
		return true;
	name_read(&name, client->kobj.name);
	return client_wanted(&name);
}

static __always_inline bool provider_counts(const struct pci_dev *provider)
{
	struct p2ptrace_name name;

	if (!filter.dev.w[0] && !filter.provider.w[0])
		return true;
	name_read(&name, provider->dev.kobj.name);
	return provider_wanted(&name);
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
	struct p2ptrace_counts *c = COUNT(p2pmem_dev_add, size_wanted(size) && p2pmem_counts(p2pmem));

	if (c)
		add(&c->bytes[P2PTRACE_p2pmem_dev_add], size);
	return 0;
}

EVENT_PROG(p2pmem_dev_del, const struct p2pmem_device *p2pmem, __u64 buffers, __u64 bytes, __u64 pins)
{
	COUNT(p2pmem_dev_del, p2pmem_counts(p2pmem));
	return 0;
}

EVENT_PROG(p2pmem_dev_drained, const struct p2pmem_device *p2pmem, __u64 waited_ns)
{
	COUNT(p2pmem_dev_drained, p2pmem_counts(p2pmem));
	return 0;
}

EVENT_PROG(p2pmem_drain_stall, const struct p2pmem_device *p2pmem, __u64 buffers, __u64 pins, __u64 oldest_id)
{
	COUNT(p2pmem_drain_stall, p2pmem_counts(p2pmem));
	return 0;
}

EVENT_PROG(p2pmem_alloc, const struct p2pmem_buf *buf)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_alloc, size_wanted(buf->size) && p2pmem_counts(buf->p2pmem));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_alloc], buf->size);
		buffer_begins(buf);
	}
	return 0;
}

EVENT_PROG(p2pmem_alloc_fail, const struct p2pmem_device *p2pmem, unsigned long size, __u32 reason)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_alloc_fail, size_wanted(size) && p2pmem_counts(p2pmem));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_alloc_fail], size);
		add_by(c->alloc_fails, reason, 1);
	}
	return 0;
}

EVENT_PROG(p2pmem_free, const struct p2pmem_buf *buf, __u32 pins)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_free, size_wanted(buf->size) && p2pmem_counts(buf->p2pmem));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_free], buf->size);
		/* What is still mapped has not come back */
		if (pins)
			add(&c->deferred, 1);
		else
			buffer_ends(buf);
	}
	return 0;
}

EVENT_PROG(p2pmem_reclaim, const struct p2pmem_buf *buf)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_reclaim, size_wanted(buf->size) && p2pmem_counts(buf->p2pmem));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_reclaim], buf->size);
		buffer_ends(buf);
	}
	return 0;
}

EVENT_PROG(p2pmem_decide, const struct pci_dev *provider, const struct device *client,
	   const struct pci_p2pdma_decision *decision)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_decide, provider_counts(provider) && client_counts(client));

	if (c)
		add_by(c->decisions, decision->map, 1);
	return 0;
}

/* p2pmem is NULL if none was found. */
EVENT_PROG(p2pmem_find, const struct p2pmem_device *p2pmem, __u32 clients, __u32 candidates, int distance, int err)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_find, p2pmem_counts(p2pmem));

	if (c && err)
		add(&c->failures[P2PTRACE_p2pmem_find], 1);
	return 0;
}

EVENT_PROG(p2pmem_dma_map, const struct p2pmem_buf *buf, const struct device *client, __u64 dma_addr,
	   unsigned long size, __u32 dir, __u32 map)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_dma_map, size_wanted(size) && p2pmem_counts(buf->p2pmem) && client_counts(client));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_dma_map], size);
		add_by(c->maps, map, 1);
		add_by(c->map_bytes, map, size);
		mapping_begins(buf, client, dma_addr);
	}
	return 0;
}

EVENT_PROG(p2pmem_dma_unmap, const struct p2pmem_buf *buf, const struct device *client, __u64 dma_addr,
	   unsigned long size, __u32 dir)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_dma_unmap, size_wanted(size) && p2pmem_counts(buf->p2pmem) && client_counts(client));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_dma_unmap], size);
		mapping_ends(buf, client, dma_addr);
	}
	return 0;
}

EVENT_PROG(p2pmem_mmap, const struct p2pmem_device *p2pmem, unsigned long size, bool allowed)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_mmap, size_wanted(size) && p2pmem_counts(p2pmem));

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
	struct p2ptrace_counts *c = COUNT(nvmet_p2pmem_bind, p2pmem_counts(p2pmem));

	if (c && err)
		add(&c->failures[P2PTRACE_nvmet_p2pmem_bind], 1);
	return 0;
}

EVENT_PROG(nvmet_p2pmem_unbind, const char *subsys, __u16 cntlid, __u32 nsid,
	   const struct p2pmem_device *p2pmem, __u32 reason)
{
	COUNT(nvmet_p2pmem_unbind, p2pmem_counts(p2pmem));
	return 0;
}

EVENT_PROG(nvmet_p2pmem_use, const struct nvmet_req *req, __u32 size, __u64 id)
{
	struct p2ptrace_counts *c = COUNT(nvmet_p2pmem_use, size_wanted(size));

	if (c)
		add(&c->bytes[P2PTRACE_nvmet_p2pmem_use], size);
	return 0;
}

EVENT_PROG(nvmet_p2pmem_fallback, const struct nvmet_req *req, __u32 size, __u32 reason)
{
	struct p2ptrace_counts *c = COUNT(nvmet_p2pmem_fallback, size_wanted(size));

	if (c) {
		add(&c->bytes[P2PTRACE_nvmet_p2pmem_fallback], size);
		add_by(c->fallbacks, reason, 1);
	}
	return 0;
}
