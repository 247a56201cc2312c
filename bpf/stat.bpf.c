// SPDX-License-Identifier: GPL-2.0
/*
 * "p2ptrace stat" and "p2ptrace check": counts events in the kernel. No event crosses to user
 * space.
 *
 * Names are read only if there is a filter; without one, the verifier removes the code.
 */
#include "kernel_types.h"
#include "compat.bpf.h"
#include "dmabuf.bpf.h"
#include "filter.bpf.h"
#include "lost.bpf.h"
#include "nested.bpf.h"
#include "resource.bpf.h"
#include "stock.bpf.h"
#include "views.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct p2ptrace_counts);
} counts_per_cpu SEC(".maps");

/*
 * Whether to follow each buffer and mapping, for "p2ptrace check". Differences of counts are not
 * enough: one violation could hide another.
 */
const volatile bool follow = false;
/*
 * A stock kernel does not show which buffers were allocated before the check, or which freed
 * buffers are still mapped.
 */
const volatile bool stock = false;
const volatile __u64 older_than_ns = 0;	/* 0: no limit */

/*
 * Set when all programs are attached and live_buffers has the buffers that were allocated before
 * the check.
 */
volatile bool armed SEC(".data.armed");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, P2PTRACE_MAX_LIVE);	/* 1 without follow */
	__type(key, __u64);
	__type(value, struct p2ptrace_live);
} live_buffers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, P2PTRACE_MAX_LIVE);
	__type(key, struct p2ptrace_mapping);
	__type(value, struct p2ptrace_mapped);
} live_mappings SEC(".maps");

/*
 * A buffer or mapping could not be recorded. From then on, an end without a known beginning is not
 * reported as a violation.
 */
static volatile bool incomplete;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, P2PTRACE_NR_VIOLATIONS);
	__type(key, __u32);
	__type(value, struct p2ptrace_first);
} firsts SEC(".maps");

/* Whether to count by pair, which takes names. */
const volatile bool by_pair = false;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);	/* few entries, but one for each CPU */
	__uint(max_entries, P2PTRACE_MAX_PAIRS);
	__type(key, struct p2ptrace_pair);
	__type(value, struct p2ptrace_pair_sum);
} pairs SEC(".maps");

static struct p2ptrace_pair_sum no_sum;

static __always_inline struct p2ptrace_counts *counts_of_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counts_per_cpu, &zero);
}

/* Atomic, because an interrupt may run another program on this CPU. */
static __always_inline void add(__u64 *to, __u64 n)
{
	__sync_fetch_and_add(to, n);
}

static __always_inline void add_by(__u64 *to, __u32 value, __u64 n)
{
	__u64 i = value;

	/* Compare and use one copy: the verifier does not know that two copies are equal */
	barrier_var(i);
	if (i >= P2PTRACE_NR_VALUES)
		i = P2PTRACE_NR_VALUES - 1;
	add(&to[i], n);
}

/* Counts an enum field by its value. */
#define COUNT_VALUE(counts, event, field, value) \
	add_by((counts)->values[P2PTRACE_ENUM_##event##_##field], value, 1)

/* @client is NULL if the violation is not about a client. Writes all of @first. */
static __always_inline void first_read(struct p2ptrace_first *first, const struct buffer *buf,
				       const char *client)
{
	__builtin_memset(first, 0, sizeof(*first));
	first->id = buf->id;
	first->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(first->comm, sizeof(first->comm));
	dev_read(&first->dev, &buf->provider);
	if (client)
		name_read(&first->client, client);
}

static __always_inline void violation_held(enum p2ptrace_violation kind, const struct buffer *buf,
					   const char *client, __u64 held_ns)
{
	struct p2ptrace_counts *c = counts_of_cpu();
	struct p2ptrace_first first;
	__u32 key = kind;

	if (!armed || !c)
		return;
	add(&c->violations[kind], 1);
	first_read(&first, buf, client);
	first.held_ns = held_ns;
	/* Fails for all but the first */
	bpf_map_update_elem(&firsts, &key, &first, BPF_NOEXIST);
}

static __always_inline void violation(enum p2ptrace_violation kind, const struct buffer *buf,
				      const char *client)
{
	violation_held(kind, buf, client, 0);
}

static __always_inline void not_followed(void)
{
	incomplete = true;
	count_lost();
}

/*
 * A new buffer has a new id, unless user space has just added the same buffer as allocated before
 * the check. In that case, the entry of user space stays. A stock kernel reuses ids: there, an
 * entry that exists already belongs to an older buffer whose free was missed.
 */
static __always_inline void buffer_begins(const struct buffer *buf)
{
	struct p2ptrace_live live;
	__u64 id = buf->id;
	long err;

	if (!follow)
		return;
	live.before = !armed;
	live.freed = 0;
	first_read(&live.first, buf, NULL);
	live.since_ns = bpf_ktime_get_ns();
	err = bpf_map_update_elem(&live_buffers, &id, &live, stock ? BPF_ANY : BPF_NOEXIST);
	if (err && err != -EEXIST)
		not_followed();
}

/* Whether every buffer and mapping that began during the check is recorded. */
static __always_inline bool beginnings_known(void)
{
	return !stock && !incomplete;
}

/*
 * A buffer with pins, which only the series reports. The kernel drops the reference of the owner
 * after this event, so the buffer is not reclaimed, and its entry not reused, meanwhile.
 */
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
	__u64 id = buf->id, since_ns, held_ns;
	struct p2ptrace_live *live;
	bool before;

	if (!follow)
		return;
	live = bpf_map_lookup_elem(&live_buffers, &id);
	if (!live)
		return;
	since_ns = live->since_ns;
	before = live->before;
	if (!deleted(bpf_map_delete_elem(&live_buffers, &id)))
		return;
	held_ns = bpf_ktime_get_ns() - since_ns;
	if (older_than_ns && !before && held_ns > older_than_ns)
		violation_held(P2PTRACE_HELD_TOO_LONG, buf, NULL, held_ns);
}

/*
 * The client has mapped the buffer at this address already. A mapping that was made
 * before the check may have ended unseen; replace it with this one.
 */
static __always_inline void mapping_again(const struct buffer *buf, const struct dma *dma,
					  const struct p2ptrace_mapping *key,
					  const struct p2ptrace_mapped *one)
{
	struct p2ptrace_mapped *mapped = bpf_map_lookup_elem(&live_mappings, key);

	if (mapped && mapped->before) {
		if (bpf_map_update_elem(&live_mappings, key, one, BPF_ANY))
			not_followed();
	} else if (mapped && __sync_fetch_and_add(&mapped->times, 1) > 0) {
		violation(P2PTRACE_DOUBLE_MAP, buf, dma->client);
	} else {
		/* Another CPU is unmapping the last mapping and is about to delete the entry */
		not_followed();
	}
}

/*
 * Whether it is a mapping of a buffer. The series also shows mappings of memory that p2pmem has not
 * allocated, and those of a dma-buf have its id.
 */
static __always_inline bool mapping_known(const struct buffer *buf, const struct dma *dma)
{
	return stock || (buf->id && dma->kind != P2PTRACE_KIND_DMABUF);
}

static __always_inline void mapping_begins(const struct buffer *buf, const struct dma *dma)
{
	struct p2ptrace_mapping key = {
		.id = buf->id, .dma_addr = dma_key(dma), .client = dma->client_id,
	};
	struct p2ptrace_live *live;
	struct p2ptrace_mapped one;
	__u64 id = buf->id;
	long err;

	if (!follow || !mapping_known(buf, dma))
		return;
	one.times = 1;
	one.before = !armed;
	one.since_ns = bpf_ktime_get_ns();
	first_read(&one.first, buf, dma->client);
	live = bpf_map_lookup_elem(&live_buffers, &id);
	one.allocated = live && !live->before && !live->freed;
	if (live ? live->freed : beginnings_known())
		violation(P2PTRACE_MAP_AFTER_FREE, buf, dma->client);
	err = bpf_map_update_elem(&live_mappings, &key, &one, BPF_NOEXIST);
	if (err == -EEXIST)
		mapping_again(buf, dma, &key, &one);
	else if (err)
		not_followed();
}

/*
 * Whether the buffer was freed before the mapping ends. With pins, it is still there. Without, it
 * is gone, or its memory is a buffer of somebody else: a stock kernel uses its id again.
 */
static __always_inline bool ends_late(const struct p2ptrace_live *live,
				      const struct p2ptrace_mapped *mapped)
{
	if (live && (live->before || live->freed))
		return !live->before;
	return mapped && mapped->allocated && (!live || live->since_ns > mapped->since_ns);
}

static __always_inline void mapping_ends(const struct buffer *buf, const struct dma *dma)
{
	struct p2ptrace_mapping key = {
		.id = buf->id, .dma_addr = dma_key(dma), .client = dma->client_id,
	};
	struct p2ptrace_mapped *mapped;
	struct p2ptrace_live *live;
	__s32 times = 0;
	__u64 id = buf->id;

	if (!follow || !mapping_known(buf, dma))
		return;
	live = bpf_map_lookup_elem(&live_buffers, &id);
	mapped = bpf_map_lookup_elem(&live_mappings, &key);
	if (ends_late(live, mapped))
		violation(P2PTRACE_LATE_UNMAP, buf, dma->client);
	/* The old value decides: two CPUs that unmap at once must not both see the last mapping */
	if (mapped)
		times = __sync_fetch_and_add(&mapped->times, -1);
	if (times == 1)
		deleted(bpf_map_delete_elem(&live_mappings, &key));
	else if (times < 1 && beginnings_known() && !(live && live->before))
		/* A mapping of a buffer from before the check may have been made before it, too */
		violation(P2PTRACE_UNMAP_WITHOUT_MAP, buf, dma->client);
}

/* Counts the event if it is wanted. Returns where to count more about it, or NULL. */
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
	struct p2ptrace_counts *c =
		COUNT(p2pmem_dev_add, size_wanted(size) && dev_wanted(&PROVIDER(p2pmem)));

	if (c)
		add(&c->bytes[P2PTRACE_p2pmem_dev_add], size);
	return 0;
}

EVENT_PROG(p2pmem_dev_del, const struct p2pmem_device *p2pmem, __u64 buffers, __u64 bytes,
	   __u64 pins)
{
	COUNT(p2pmem_dev_del, dev_wanted(&PROVIDER(p2pmem)));
	return 0;
}

EVENT_PROG(p2pmem_dev_drained, const struct p2pmem_device *p2pmem, __u64 waited_ns)
{
	COUNT(p2pmem_dev_drained, dev_wanted(&PROVIDER(p2pmem)));
	return 0;
}

EVENT_PROG(p2pmem_drain_stall, const struct p2pmem_device *p2pmem, __u64 buffers, __u64 pins,
	   __u64 oldest_id)
{
	COUNT(p2pmem_drain_stall, dev_wanted(&PROVIDER(p2pmem)));
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_alloc, const struct buffer *buf)
{
	struct p2ptrace_counts *c =
		COUNT(p2pmem_alloc, size_wanted(buf->size) && dev_wanted(&buf->provider));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_alloc], buf->size);
		buffer_begins(buf);
	}
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_alloc_fail, const struct provider_view *provider, __u64 size,
		      __u32 reason)
{
	struct p2ptrace_counts *c =
		COUNT(p2pmem_alloc_fail, size_wanted(size) && dev_wanted(provider));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_alloc_fail], size);
		COUNT_VALUE(c, p2pmem_alloc_fail, reason, reason);
	}
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_free, const struct buffer *buf, __u32 pins)
{
	struct p2ptrace_counts *c =
		COUNT(p2pmem_free, size_wanted(buf->size) && dev_wanted(&buf->provider));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_free], buf->size);
		/* A buffer that is still mapped ends with p2pmem_reclaim */
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
	struct p2ptrace_counts *c =
		COUNT(p2pmem_reclaim, size_wanted(view.size) && dev_wanted(&view.provider));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_reclaim], view.size);
		buffer_ends(&view);
	}
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pdma_decide, const struct decision *decision)
{
	struct p2ptrace_counts *c =
		COUNT(p2pdma_decide, provider_wanted(decision->provider) &&
				     client_wanted(decision->client));

	if (c) {
		COUNT_VALUE(c, p2pdma_decide, map, decision->map);
		COUNT_VALUE(c, p2pdma_decide, reason, decision->reason);
		if (decision->cached)
			add(&c->failures[P2PTRACE_p2pdma_decide], 1);
	}
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_find, const struct provider_view *provider, __u32 clients,
		      __u32 candidates, int distance, int err)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_find, dev_wanted(provider));

	if (c && err)
		add(&c->failures[P2PTRACE_p2pmem_find], 1);
	return 0;
}

static __always_inline bool dma_wanted(const struct buffer *buf, const struct dma *dma)
{
	return size_wanted(dma->size) && dev_wanted(&buf->provider) &&
	       client_wanted(dma->client);
}

static __always_inline void pair_add(const struct buffer *buf, const struct dma *dma, __u32 map)
{
	struct p2ptrace_pair pair = { .map = map };
	struct p2ptrace_pair_sum *sum;

	if (!by_pair)
		return;
	provider_read(&pair.provider, &buf->provider);
	name_read(&pair.client, dma->client);
	sum = bpf_map_lookup_elem(&pairs, &pair);
	if (!sum) {
		/* Fails if another CPU was faster, which does not matter */
		bpf_map_update_elem(&pairs, &pair, &no_sum, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&pairs, &pair);
	}
	if (!sum) {
		count_lost();
		return;
	}
	add(&sum->maps, 1);
	add(&sum->bytes, dma->size);
}

EVENT_PROG_MAPPING(p2pdma_map, const struct buffer *buf, const struct dma *dma, __u32 map)
{
	struct p2ptrace_counts *c = COUNT(p2pdma_map, dma_wanted(buf, dma));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pdma_map], dma->size);
		COUNT_VALUE(c, p2pdma_map, kind, dma->kind);
		COUNT_VALUE(c, p2pdma_map, map, map);
		COUNT_VALUE(c, p2pdma_map, dir, dma->dir);
		add_by(c->map_bytes, map, dma->size);
		pair_add(buf, dma, map);
		mapping_begins(buf, dma);
	}
	return 0;
}

EVENT_PROG_MAPPING(p2pdma_unmap, const struct buffer *buf, const struct dma *dma)
{
	struct p2ptrace_counts *c = COUNT(p2pdma_unmap, dma_wanted(buf, dma));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pdma_unmap], dma->size);
		COUNT_VALUE(c, p2pdma_unmap, kind, dma->kind);
		COUNT_VALUE(c, p2pdma_unmap, dir, dma->dir);
		mapping_ends(buf, dma);
	}
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_mmap, const struct provider_view *provider, __u64 size, bool allowed)
{
	struct p2ptrace_counts *c = COUNT(p2pmem_mmap, size_wanted(size) && dev_wanted(provider));

	if (c) {
		add(&c->bytes[P2PTRACE_p2pmem_mmap], size);
		if (!allowed)
			add(&c->failures[P2PTRACE_p2pmem_mmap], 1);
	}
	return 0;
}

/* dma-bufs. Revocations come first: the end of a mapping may complete a revocation. */

EVENT_PROG_FUNCTION(dma_buf_revoke, const struct dmabuf_revoke *revoke)
{
	struct p2ptrace_counts *c = COUNT(dma_buf_revoke, client_wanted(revoke->client));
	struct buffer buf = { .provider = { .kind = VIEW_PCI }, .id = revoke->id };

	if (c && follow && older_than_ns && revoke->waited_ns > older_than_ns)
		violation_held(P2PTRACE_REVOKE_TOO_LONG, &buf, revoke->client, revoke->waited_ns);
	return 0;
}

static __always_inline bool dmabuf_wanted(const struct dmabuf *dmabuf)
{
	return all_devs_wanted() && size_wanted(dmabuf->size);
}

EVENT_PROG_FUNCTION(dma_buf_export, const struct dmabuf *dmabuf)
{
	struct p2ptrace_counts *c = COUNT(dma_buf_export, dmabuf_wanted(dmabuf));

	if (c)
		add(&c->bytes[P2PTRACE_dma_buf_export], dmabuf->size);
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_release, const struct dmabuf *dmabuf)
{
	struct p2ptrace_counts *c = COUNT(dma_buf_release, dmabuf_wanted(dmabuf));

	if (c)
		add(&c->bytes[P2PTRACE_dma_buf_release], dmabuf->size);
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_attach, const struct attachment *attachment)
{
	COUNT(dma_buf_attach, client_wanted(attachment->client));
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_detach, const struct attachment *attachment)
{
	struct p2ptrace_counts *c = COUNT(dma_buf_detach, client_wanted(attachment->client));
	struct buffer buf = { .provider = { .kind = VIEW_PCI }, .id = attachment->id };

	if (c && follow && attachment->mapped)
		violation(P2PTRACE_MAPPED_AT_DETACH, &buf, attachment->client);
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_map, const struct p2ptrace_dmabuf_mapping *mapping)
{
	struct p2ptrace_counts *c = COUNT(dma_buf_map, dmabuf_mapping_wanted(mapping));

	if (c) {
		add(&c->bytes[P2PTRACE_dma_buf_map], mapping->size);
		COUNT_VALUE(c, dma_buf_map, dir, mapping->dir);
		COUNT_VALUE(c, dma_buf_map, map, mapping->map);
		COUNT_VALUE(c, dma_buf_map, where, mapping->where);
	}
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_unmap, const struct p2ptrace_dmabuf_mapping *mapping)
{
	struct p2ptrace_counts *c = COUNT(dma_buf_unmap, dmabuf_mapping_wanted(mapping));

	if (c) {
		add(&c->bytes[P2PTRACE_dma_buf_unmap], mapping->size);
		COUNT_VALUE(c, dma_buf_unmap, dir, mapping->dir);
		COUNT_VALUE(c, dma_buf_unmap, map, mapping->map);
		COUNT_VALUE(c, dma_buf_unmap, where, mapping->where);
	}
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_pin, const struct attachment *attachment)
{
	COUNT(dma_buf_pin, client_wanted(attachment->client));
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_unpin, const struct attachment *attachment)
{
	COUNT(dma_buf_unpin, client_wanted(attachment->client));
	return 0;
}

/* User space sets it to 0, lets the program below run for each dma-buf, and reads the result. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct p2ptrace_dmabuf_sum);
} dmabuf_sum SEC(".maps");

SEC(P2PTRACE_STOCK_DMABUF_ITER)
int stock_dmabuf_iter(struct bpf_iter__dmabuf *ctx)
{
	const struct dma_buf *dmabuf = ctx->dmabuf;
	struct p2ptrace_dmabuf_sum *sum;
	__u32 zero = 0;

	sum = bpf_map_lookup_elem(&dmabuf_sum, &zero);
	if (!dmabuf || !sum || !size_wanted(BPF_CORE_READ(dmabuf, size)))
		return 0;
	sum->nr++;
	sum->bytes += BPF_CORE_READ(dmabuf, size);
	return 0;
}

EVENT_PROG(nvmet_p2pmem_bind, const struct nvmet_ctrl *ctrl, const struct nvmet_ns *ns,
	   const struct p2pmem_device *p2pmem, int distance, int err)
{
	struct p2ptrace_counts *c =
		COUNT(nvmet_p2pmem_bind, dev_wanted(&PROVIDER_OR_NULL(p2pmem)));

	if (c && err)
		add(&c->failures[P2PTRACE_nvmet_p2pmem_bind], 1);
	return 0;
}

EVENT_PROG(nvmet_p2pmem_unbind, const char *subsys, __u16 cntlid, __u32 nsid,
	   const struct p2pmem_device *p2pmem, __u32 reason)
{
	struct p2ptrace_counts *c =
		COUNT(nvmet_p2pmem_unbind, dev_wanted(&PROVIDER_OR_NULL(p2pmem)));

	if (c)
		COUNT_VALUE(c, nvmet_p2pmem_unbind, reason, reason);
	return 0;
}

EVENT_PROG_EVERYWHERE(nvmet_p2pmem_use, const struct target_request *req, __u32 size, __u64 id)
{
	struct p2ptrace_counts *c = COUNT(nvmet_p2pmem_use, size_wanted(size));

	if (c)
		add(&c->bytes[P2PTRACE_nvmet_p2pmem_use], size);
	return 0;
}

EVENT_PROG_EVERYWHERE(nvmet_p2pmem_fallback, const struct target_request *req, __u32 size,
		      __u32 reason)
{
	struct p2ptrace_counts *c = COUNT(nvmet_p2pmem_fallback, size_wanted(size));

	if (c) {
		add(&c->bytes[P2PTRACE_nvmet_p2pmem_fallback], size);
		COUNT_VALUE(c, nvmet_p2pmem_fallback, reason, reason);
	}
	return 0;
}
