// SPDX-License-Identifier: GPL-2.0
/*
 * "p2ptrace lifetimes": histograms of how long buffers and dma-bufs are held and mapped. No event
 * crosses to user space.
 */
#include "kernel_types.h"
#include "compat.bpf.h"
#include "dmabuf.bpf.h"
#include "filter.bpf.h"
#include "hist_types.h"
#include "lost.bpf.h"
#include "nested.bpf.h"
#include "resource.bpf.h"
#include "stock.bpf.h"
#include "views.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define MAX_LIVES	1024	/* devices, and clients of each */

const volatile bool stock = false;

/* The time of each allocation, by buffer id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, P2PTRACE_MAX_LIVE);
	__type(key, __u64);
	__type(value, __u64);
} allocated SEC(".maps");

/* The time of each mapping. The client is an address, only compared. */
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
	__uint(map_flags, BPF_F_NO_PREALLOC);	/* few entries, but one for each CPU */
	__uint(max_entries, MAX_LIVES);
	__type(key, struct p2ptrace_lifetime);
	__type(value, struct hist);
} lives SEC(".maps");

/* Ends of buffers and mappings that began before tracing. */
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

/* The number of the highest bit that is set. 0 and 1 both have the result 0. */
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
		/* Fails if another CPU was faster, which does not matter */
		bpf_map_update_elem(&lives, life, &none, BPF_NOEXIST);
		hist = bpf_map_lookup_elem(&lives, life);
	}
	if (!hist) {
		count_lost();
		return;
	}
	/* Atomic, because an interrupt may run another program on this CPU */
	__sync_fetch_and_add(&hist->slots[slot], 1);
	__sync_fetch_and_add(&hist->count, 1);
	__sync_fetch_and_add(&hist->total_ns, ns);
	/*
	 * An interrupt may store its value between the comparison and the store. The loss of that
	 * maximum is accepted.
	 */
	if (ns > hist->max_ns)
		hist->max_ns = ns;
}

static __always_inline void buffer_ends(const struct buffer *buf)
{
	struct p2ptrace_lifetime life = {};
	__u64 id = buf->id, from = 0, *since;

	if (!dev_wanted(&buf->provider))
		return;
	since = bpf_map_lookup_elem(&allocated, &id);
	if (since)
		from = *since;
	if (!since || !deleted(bpf_map_delete_elem(&allocated, &id))) {
		count_unknown();
		return;
	}
	dev_read(&life.dev, &buf->provider);
	life_add(&life, bpf_ktime_get_ns() - from);
}

EVENT_PROG_EVERYWHERE(p2pmem_alloc, const struct buffer *buf)
{
	__u64 id = buf->id, now = bpf_ktime_get_ns();

	if (!dev_wanted(&buf->provider))
		return 0;
	/*
	 * A stock kernel reuses ids: an entry that exists already belongs to an older buffer whose
	 * free was missed
	 */
	if (bpf_map_update_elem(&allocated, &id, &now, stock ? BPF_ANY : BPF_NOEXIST))
		count_lost();
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_free, const struct buffer *buf, __u32 pins)
{
	/* A buffer that is still mapped is held until p2pmem_reclaim */
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

EVENT_PROG_MAPPING(p2pdma_map, const struct buffer *buf, const struct dma *dma, __u32 map)
{
	struct mapping mapping = {
		.id = buf->id, .dma_addr = dma_key(dma), .client = dma->client_id,
	};
	__u64 now = bpf_ktime_get_ns();

	if (!dev_wanted(&buf->provider) || !client_wanted(dma->client))
		return 0;
	/*
	 * If the client maps a buffer twice, the two mappings cannot be distinguished, and the
	 * second one counts as lost. A stock kernel reuses ids: there, an entry that exists already
	 * belongs to an older mapping whose end was missed.
	 */
	if (bpf_map_update_elem(&mapped, &mapping, &now, stock ? BPF_ANY : BPF_NOEXIST))
		count_lost();
	return 0;
}

EVENT_PROG_MAPPING(p2pdma_unmap, const struct buffer *buf, const struct dma *dma)
{
	struct mapping mapping = {
		.id = buf->id, .dma_addr = dma_key(dma), .client = dma->client_id,
	};
	struct p2ptrace_lifetime life = {};
	__u64 from = 0, *since;

	if (!dev_wanted(&buf->provider) || !client_wanted(dma->client))
		return 0;
	since = bpf_map_lookup_elem(&mapped, &mapping);
	if (since)
		from = *since;
	if (!since || !deleted(bpf_map_delete_elem(&mapped, &mapping))) {
		count_unknown();
		return 0;
	}
	dev_read(&life.dev, &buf->provider);
	name_read(&life.client, dma->client);
	life_add(&life, bpf_ktime_get_ns() - from);
	return 0;
}

/* dma-bufs */

/* The time of each export, by id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, P2PTRACE_MAX_LIVE);
	__type(key, __u64);
	__type(value, __u64);
} exported SEC(".maps");

static __always_inline void dmabuf_life_add(enum p2ptrace_life kind, const char *exporter,
					    const char *client, __u64 ns)
{
	struct p2ptrace_lifetime life = { .kind = kind };

	name_read(&life.dev, exporter);
	if (client)
		name_read(&life.client, client);
	life_add(&life, ns);
}

EVENT_PROG_FUNCTION(dma_buf_revoke, const struct dmabuf_revoke *revoke)
{
	/* Without a client, it waited for nobody */
	if (revoke->client && client_wanted(revoke->client))
		dmabuf_life_add(P2PTRACE_LIFE_REVOKE, revoke->exporter, revoke->client,
				revoke->waited_ns);
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_export, const struct dmabuf *dmabuf)
{
	__u64 id = dmabuf->id, now = bpf_ktime_get_ns();

	if (bpf_map_update_elem(&exported, &id, &now, BPF_ANY))
		count_lost();
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_release, const struct dmabuf *dmabuf)
{
	__u64 id = dmabuf->id, from = 0, *since = bpf_map_lookup_elem(&exported, &id);

	if (since)
		from = *since;
	if (!since || !deleted(bpf_map_delete_elem(&exported, &id)))
		count_unknown();
	else
		dmabuf_life_add(P2PTRACE_LIFE_DMABUF, dmabuf->exporter, NULL,
				bpf_ktime_get_ns() - from);
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_detach, const struct attachment *attachment)
{
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_map, const struct p2ptrace_dmabuf_mapping *mapping)
{
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_unmap, const struct p2ptrace_dmabuf_mapping *mapping)
{
	if (!dmabuf_mapping_wanted(mapping))
		return 0;
	if (mapping->since_ns)
		dmabuf_life_add(P2PTRACE_LIFE_DMABUF, (const char *)mapping->exporter,
				(const char *)mapping->client,
				bpf_ktime_get_ns() - mapping->since_ns);
	else
		count_unknown();
	return 0;
}
