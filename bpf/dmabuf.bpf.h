/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dma-bufs, by the functions of drivers/dma-buf, which every kernel has.
 *
 * Since 6.2 the kernel holds the lock of a dma-buf while it maps, unmaps or invalidates it. Before,
 * static importers map and unmap without it. So the counts below are changed by atomic operations,
 * and the value that such an operation returns decides.
 */
#ifndef DMABUF_BPF_H
#define DMABUF_BPF_H

#include "compat.bpf.h"
#include "filter.bpf.h"
#include "kernel_types.h"
#include "lost.bpf.h"
#include "stock.bpf.h"
#include <linux/bpf.h>
#include <linux/errno.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

struct dmabuf {
	__u64 id;
	const char *exporter;
	__u64 size;
};

struct attachment {
	__u64 address;
	__u64 id;		/* of the dma-buf */
	const char *client;
	bool dynamic;
	bool revocable;
	bool p2p;
	bool mapped;		/* at detach */
};

struct dmabuf_revoke {
	__u64 id;
	const char *exporter;
	const char *client;	/* NULL if unknown */
	__u64 waited_ns;	/* 0 if unknown */
};

#define MAX_MAPPINGS	65536

/* Whether to follow attachments from their beginning, and to read all names. */
const volatile bool dmabuf_live = false;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_MAPPINGS);
	__type(key, struct p2ptrace_dmabuf_table);
	__type(value, struct p2ptrace_dmabuf_mapping);
} dmabuf_mappings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_MAPPINGS);
	__type(key, __u64);	/* address of the dma-buf */
	__type(value, struct p2ptrace_dmabuf_state);
} dmabuf_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_MAPPINGS);
	__type(key, __u64);	/* address of the attachment */
	__type(value, struct p2ptrace_attached);
} dmabuf_attached SEC(".maps");

/* What dma_buf_phys_vec_to_sgt() has just mapped for an attachment. */
struct dmabuf_ranges {
	const char *provider;
	__u64 map;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_MAPPINGS);
	__type(key, __u64);	/* address of the attachment */
	__type(value, struct dmabuf_ranges);
} dmabuf_ranges_by_attachment SEC(".maps");

/* include/linux/err.h; an exporter may return NULL as well */
static __always_inline bool is_err_or_null(__u64 pointer)
{
	return !pointer || pointer >= -4095ull;
}

static __always_inline __u64 dmabuf_id(const struct dma_buf *dmabuf)
{
	return BPF_CORE_READ(dmabuf, file, f_inode, i_ino);
}

static __always_inline struct dmabuf dmabuf_of(const struct dma_buf *dmabuf)
{
	return (struct dmabuf){
		.id = dmabuf_id(dmabuf),
		.exporter = BPF_CORE_READ(dmabuf, exp_name),
		.size = BPF_CORE_READ(dmabuf, size),
	};
}

/* Importers that exporters can make unmap. The member has had two names. */
static __always_inline bool ops_revoke(const struct dma_buf_attach_ops *ops)
{
	return bpf_core_field_exists(ops->invalidate_mappings) ?
	       BPF_CORE_READ(ops, invalidate_mappings) : BPF_CORE_READ(ops, move_notify);
}

static __always_inline struct attachment attachment_of(const struct dma_buf_attachment *attach)
{
	const struct dma_buf_attach_ops *ops = BPF_CORE_READ(attach, importer_ops);

	return (struct attachment){
		.address = (__u64)attach,
		.id = dmabuf_id(BPF_CORE_READ(attach, dmabuf)),
		.client = BPF_CORE_READ(attach, dev, kobj.name),
		.dynamic = ops,
		.revocable = ops && ops_revoke(ops),
		.p2p = BPF_CORE_READ(attach, peer2peer),
	};
}

/* struct dma_buf *dma_buf_export(const struct dma_buf_export_info *) */
#define from_stock_dma_buf_export(ctx, on)						\
({											\
	int __rc = 0;									\
											\
	if (!is_err_or_null((ctx)[1])) {						\
		struct dmabuf __b = dmabuf_of(ARG(ctx, 1, const struct dma_buf *));	\
											\
		__rc = on(ctx, &__b);							\
	}										\
	__rc;										\
})

/*
 * What ends with a dma-buf or with an attachment. Mappings and attachments are left only if the
 * importer has a bug. Their addresses may be those of others afterwards.
 */
struct dmabuf_ends {
	__u64 id;	/* 0: only of the attachment */
	__u64 attach;
};

static long mapping_ends_with(void *map, const void *key, void *value, void *ctx)
{
	const struct p2ptrace_dmabuf_mapping *m = value;
	const struct dmabuf_ends *ends = ctx;

	if (ends->id ? m->id == ends->id : m->key.attach == ends->attach)
		deleted(bpf_map_delete_elem(map, key));
	return 0;
}

static long attached_ends_with(void *map, const void *key, void *value, void *ctx)
{
	const struct p2ptrace_attached *attached = value;
	const struct dmabuf_ends *ends = ctx;

	if (attached->id == ends->id)
		deleted(bpf_map_delete_elem(map, key));
	return 0;
}

static __always_inline bool any_mapped(const __s64 *mapped)
{
	return mapped[0] > 0 || mapped[1] > 0;
}

static __always_inline void dmabuf_released(const struct dma_buf *dmabuf)
{
	struct dmabuf_ends ends = {};
	__u64 key = (__u64)dmabuf;
	struct p2ptrace_dmabuf_state *state = bpf_map_lookup_elem(&dmabuf_states, &key);

	if (!state)
		return;
	if (any_mapped(state->mapped)) {
		ends.id = state->id;
		bpf_for_each_map_elem(&dmabuf_mappings, mapping_ends_with, &ends, 0);
		bpf_for_each_map_elem(&dmabuf_attached, attached_ends_with, &ends, 0);
	}
	deleted(bpf_map_delete_elem(&dmabuf_states, &key));
}

/* int dma_buf_file_release(struct inode *, struct file *) */
#define from_stock_dma_buf_release(ctx, on)						\
({											\
	const struct dma_buf *__dmabuf =						\
		BPF_CORE_READ(ARG(ctx, 1, const struct file *), private_data);		\
	struct dmabuf __b = dmabuf_of(__dmabuf);					\
											\
	dmabuf_released(__dmabuf);							\
	task_wanted() ? on(ctx, &__b) : 0;						\
})

/* @since_ns is 0 if the attachment began before. */
static __always_inline int attached_add(const struct attachment *a, __u64 since_ns, __u64 flags)
{
	struct p2ptrace_attached attached = {
		.id = a->id, .since_ns = since_ns, .dynamic = a->dynamic,
		.revocable = a->revocable, .p2p = a->p2p,
	};
	__u64 key = a->address;

	name_read(&attached.client, a->client);
	return bpf_map_update_elem(&dmabuf_attached, &key, &attached, flags);
}

/* struct dma_buf_attachment *dma_buf_dynamic_attach(struct dma_buf *, struct device *, ...) */
#define from_stock_dma_buf_attach(ctx, on)						\
({											\
	int __rc = 0;									\
											\
	if (!is_err_or_null((ctx)[4])) {						\
		struct attachment __a =							\
			attachment_of(ARG(ctx, 4, const struct dma_buf_attachment *));	\
											\
		if (dmabuf_live && attached_add(&__a, bpf_ktime_get_ns(), BPF_ANY))	\
			count_lost();							\
		__rc = on(ctx, &__a);							\
	}										\
	__rc;										\
})

/*
 * Removes mappings from the count of the dma-buf. Returns whether a revocation waited for the last
 * one of them, and since when.
 */
static __always_inline bool state_remove(struct p2ptrace_dmabuf_state *state, __u32 generation,
					 __s64 nr, __u64 *began_ns)
{
	if (nr <= 0 || __sync_fetch_and_add(&state->mapped[generation & 1], -nr) != nr ||
	    (state->generation & 1) == (generation & 1))
		return false;
	/* Another CPU may report the same end, too: see revoke_waits() */
	*began_ns = __sync_lock_test_and_set(&state->revoke_ns, 0);
	return *began_ns;
}

/* The mappings that an attachment still has end with it. The results are those for a revocation. */
static __always_inline bool attachment_ends(const struct dma_buf_attachment *attach,
					    const struct p2ptrace_attached *attached,
					    __u64 *began_ns)
{
	__u64 dmabuf = (__u64)BPF_CORE_READ(attach, dmabuf);
	struct dmabuf_ends ends = { .attach = (__u64)attach };
	struct p2ptrace_dmabuf_state *state = bpf_map_lookup_elem(&dmabuf_states, &dmabuf);
	bool last;

	bpf_for_each_map_elem(&dmabuf_mappings, mapping_ends_with, &ends, 0);
	if (!state)
		return false;
	/* At most one of the two is of the generation that a revocation ended */
	last = state_remove(state, 0, attached->mapped[0], began_ns);
	return state_remove(state, 1, attached->mapped[1], began_ns) || last;
}

/* Completes @a. Returns whether the attachment was the last one that a revocation waited for. */
static __always_inline bool attachment_forgotten(unsigned long long *ctx, struct attachment *a,
						 struct dmabuf_revoke *revoke)
{
	struct p2ptrace_attached *attached;
	__u64 key = a->address, began_ns = 0;
	bool last = false;

	/* Left behind if the mapping failed */
	deleted(bpf_map_delete_elem(&dmabuf_ranges_by_attachment, &key));
	attached = bpf_map_lookup_elem(&dmabuf_attached, &key);
	if (!attached)
		return false;
	a->mapped = any_mapped(attached->mapped);
	if (a->mapped)
		last = attachment_ends(ARG(ctx, 1, const struct dma_buf_attachment *), attached,
				       &began_ns);
	deleted(bpf_map_delete_elem(&dmabuf_attached, &key));
	revoke->id = a->id;
	revoke->client = a->client;
	revoke->exporter = BPF_CORE_READ(ARG(ctx, 0, const struct dma_buf *), exp_name);
	revoke->waited_ns = bpf_ktime_get_ns() - began_ns;
	return last;
}

/* void dma_buf_detach(struct dma_buf *, struct dma_buf_attachment *) */
#define from_stock_dma_buf_detach(ctx, on)						\
({											\
	struct attachment __a = attachment_of(ARG(ctx, 1, const struct dma_buf_attachment *));	\
	struct dmabuf_revoke __v = {};							\
	bool __last = attachment_forgotten(ctx, &__a, &__v);				\
											\
	if (task_wanted()) {								\
		on(ctx, &__a);								\
		if (__last)								\
			on_dma_buf_revoke(ctx, &__v);					\
	}										\
	0;										\
})

/* int dma_buf_pin(struct dma_buf_attachment *) */
#define from_stock_dma_buf_pin(ctx, on)							\
({											\
	struct attachment __a = attachment_of(ARG(ctx, 0, const struct dma_buf_attachment *));	\
											\
	(int)(ctx)[1] ? 0 : on(ctx, &__a);						\
})

/* void dma_buf_unpin(struct dma_buf_attachment *) */
#define from_stock_dma_buf_unpin(ctx, on)						\
({											\
	struct attachment __a = attachment_of(ARG(ctx, 0, const struct dma_buf_attachment *));	\
											\
	on(ctx, &__a);									\
})

/*
 * The page of the first entry of a table. Until 6.18, kernels with CONFIG_DMABUF_DEBUG invert all
 * but the lowest byte of the word.
 */
static __always_inline struct page *table_page(const struct scatterlist *sg)
{
	__u64 link = BPF_CORE_READ(sg, page_link) & ~(SG_CHAIN | SG_END);

	if ((link && !(link >> 63)) || link >= ~0xffull)
		link ^= ~0xffull;
	return (void *)(link & ~0x3full);
}

/* A kernel without P2PDMA may lack the map types, and has no mapping of them. */
#define MAP_TYPE_OR_NONE(name)								\
	(bpf_core_enum_value_exists(enum pci_p2pdma_map_type, PCI_P2PDMA_MAP_##name) ?	\
	 MAP_TYPE(name) : 0)

/*
 * Whether the page is memory of a BAR. Then it points to a dev_pagemap that says so. Other pages
 * have something else in that word: what it points to, if anything, has no such type and range.
 */
static __always_inline bool page_of_bar(struct page *page)
{
	const struct dev_pagemap *pagemap;
	struct folio *folio = (void *)page;
	__u64 start, end;

	if (!bpf_core_type_exists(struct dev_pagemap) ||
	    !bpf_core_enum_value_exists(enum memory_type, MEMORY_DEVICE_PCI_P2PDMA) ||
	    (!bpf_core_field_exists(page->pgmap) && !bpf_core_field_exists(folio->pgmap)))
		return false;
	pagemap = (void *)pagemap_of(page);
	start = BPF_CORE_READ(pagemap, range.start);
	end = BPF_CORE_READ(pagemap, range.end);
	return BPF_CORE_READ(pagemap, type) ==
	       bpf_core_enum_value(enum memory_type, MEMORY_DEVICE_PCI_P2PDMA) &&
	       start && start < end && !((start | (end + 1)) & (PAGE_SIZE - 1));
}

/*
 * The importer got a BAR if the table has bus addresses, pages of peer memory, or no pages at all.
 * A table without lengths says nothing: since 6.19, kernels with CONFIG_DMABUF_DEBUG hand out a
 * copy that has only the addresses.
 */
static __always_inline enum p2ptrace_where table_where(const struct scatterlist *sg, __u32 *map)
{
	struct page *page = table_page(sg);

	if (bpf_core_field_exists(sg->dma_flags) &&
	    BPF_CORE_READ(sg, dma_flags) & SG_DMA_BUS_ADDRESS) {
		*map = MAP_TYPE_OR_NONE(BUS_ADDR);
		return P2PTRACE_WHERE_BAR;
	}
	if (!page)
		return BPF_CORE_READ(sg, length) ? P2PTRACE_WHERE_BAR : P2PTRACE_WHERE_UNKNOWN;
	if (!page_of_bar(page))
		return P2PTRACE_WHERE_RAM;
	*map = MAP_TYPE_OR_NONE(THRU_HOST_BRIDGE);
	return P2PTRACE_WHERE_BAR;
}

/* @m is all 0. */
static __always_inline void mapping_read(struct p2ptrace_dmabuf_mapping *m, __u64 attach,
					 __u64 sgt, __u32 dir)
{
	const struct dma_buf_attachment *attachment = (void *)attach;
	const struct dma_buf *dmabuf = BPF_CORE_READ(attachment, dmabuf);

	m->key.attach = attach;
	m->key.sgt = sgt;
	m->id = dmabuf_id(dmabuf);
	m->exporter = (__u64)BPF_CORE_READ(dmabuf, exp_name);
	m->client = (__u64)BPF_CORE_READ(attachment, dev, kobj.name);
	m->size = BPF_CORE_READ(dmabuf, size);
	m->times = 1;
	m->dir = dir;
	m->where = table_where(BPF_CORE_READ((const struct sg_table *)sgt, sgl), &m->map);
}

/*
 * struct sg_table *dma_buf_phys_vec_to_sgt(struct dma_buf_attachment *, struct p2pdma_provider *,
 *					    struct phys_vec *, size_t nr_ranges, size_t size,
 *					    enum dma_data_direction)
 * is called by exporters, within dma_buf_map_attachment().
 */
#define RANGES_ATTACH(ctx)	ARG(ctx, 0, const struct dma_buf_attachment *)
#define RANGES_PROVIDER(ctx)	ARG(ctx, 1, const struct p2pdma_provider *)
#define RANGES_RESULT(ctx)	((ctx)[6])

static __always_inline bool ranges_on_bus(__u64 sgt)
{
	const struct dma_buf_dma *dma =
		(void *)sgt - bpf_core_field_offset(struct dma_buf_dma, sgt);

	return !BPF_CORE_READ(dma, state);
}

static __always_inline int ranges_remember(unsigned long long *ctx)
{
	__u64 key = (ctx)[0];
	struct dmabuf_ranges ranges = {
		.provider = BPF_CORE_READ(RANGES_PROVIDER(ctx), owner, kobj.name),
	};

	if (is_err_or_null(RANGES_RESULT(ctx)))
		return 0;
	ranges.map = ranges_on_bus(RANGES_RESULT(ctx)) ? MAP_TYPE(BUS_ADDR) :
							 MAP_TYPE(THRU_HOST_BRIDGE);
	if (bpf_map_update_elem(&dmabuf_ranges_by_attachment, &key, &ranges, BPF_ANY))
		count_lost();
	return 0;
}

static __always_inline struct p2ptrace_dmabuf_state *state_of(const struct dma_buf *dmabuf,
							      __u64 id)
{
	struct p2ptrace_dmabuf_state new = { .id = id }, *state;
	__u64 key = (__u64)dmabuf;

	state = bpf_map_lookup_elem(&dmabuf_states, &key);
	if (state && state->id == id)
		return state;
	/* Its release was missed, and its address is that of another one now */
	if (state)
		deleted(bpf_map_delete_elem(&dmabuf_states, &key));
	/* Fails if another CPU was faster, which does not matter */
	bpf_map_update_elem(&dmabuf_states, &key, &new, BPF_NOEXIST);
	return bpf_map_lookup_elem(&dmabuf_states, &key);
}

static __always_inline struct p2ptrace_attached *
attached_of(const struct dma_buf_attachment *attach, __u64 id)
{
	struct p2ptrace_attached *attached;
	__u64 key = (__u64)attach;
	struct attachment a;

	attached = bpf_map_lookup_elem(&dmabuf_attached, &key);
	if (attached && attached->id == id)
		return attached;
	if (attached)
		deleted(bpf_map_delete_elem(&dmabuf_attached, &key));
	a = attachment_of(attach);
	attached_add(&a, 0, BPF_NOEXIST);
	return bpf_map_lookup_elem(&dmabuf_attached, &key);
}

/* False if the mapping could not be recorded. Then its end is not known to be one, either. */
static __always_inline bool mapping_add(struct p2ptrace_dmabuf_mapping *m)
{
	struct p2ptrace_dmabuf_mapping *again;
	long err = bpf_map_update_elem(&dmabuf_mappings, &m->key, m, BPF_NOEXIST);

	if (err != -EEXIST)
		return !err;
	again = bpf_map_lookup_elem(&dmabuf_mappings, &m->key);
	if (again && again->id == m->id) {
		m->generation = again->generation;
		/* Another CPU may be ending the last mapping and about to delete the entry */
		return __sync_fetch_and_add(&again->times, 1) > 0;
	}
	/* The addresses are those of a mapping whose end was missed */
	return !bpf_map_update_elem(&dmabuf_mappings, &m->key, m, BPF_ANY);
}

static __always_inline void mapping_count(struct p2ptrace_dmabuf_mapping *m)
{
	const struct dma_buf_attachment *attach = (void *)m->key.attach;
	struct p2ptrace_dmabuf_state *state = state_of(BPF_CORE_READ(attach, dmabuf), m->id);
	struct p2ptrace_attached *attached = attached_of(attach, m->id);

	if (!state || !attached) {
		count_lost();
		return;
	}
	m->generation = state->generation & 1;
	if (!mapping_add(m)) {
		count_lost();
		return;
	}
	__sync_fetch_and_add(&state->mapped[m->generation & 1], 1);
	__sync_fetch_and_add(&attached->mapped[m->generation & 1], 1);
}

/* What an exporter mapped for a mapping that failed afterwards must not count for the next one. */
static __always_inline struct dmabuf_ranges ranges_take(__u64 attach)
{
	struct dmabuf_ranges *found =
		bpf_map_lookup_elem(&dmabuf_ranges_by_attachment, &attach), ranges = {};

	if (found) {
		ranges = *found;
		deleted(bpf_map_delete_elem(&dmabuf_ranges_by_attachment, &attach));
	}
	return ranges;
}

/* @m is all 0. Returns false if nothing was mapped. */
static __always_inline bool mapping_recorded(unsigned long long *ctx,
					     struct p2ptrace_dmabuf_mapping *m)
{
	struct dmabuf_ranges ranges = ranges_take(ctx[0]);

	if (is_err_or_null(ctx[2]))
		return false;
	mapping_read(m, ctx[0], ctx[2], ctx[1]);
	m->since_ns = bpf_ktime_get_ns();
	if (ranges.provider) {
		m->provider = (__u64)ranges.provider;
		m->map = ranges.map;
		m->where = P2PTRACE_WHERE_BAR;
		if (dmabuf_live)
			name_read(&m->provider_name, (const char *)m->provider);
	}
	mapping_count(m);
	return true;
}

/*
 * struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *, enum dma_data_direction)
 *
 * The programs of a mapping see those of all tasks: another task may end it.
 */
#define from_stock_dma_buf_map(ctx, on)							\
({											\
	struct p2ptrace_dmabuf_mapping __m = {};					\
											\
	mapping_recorded(ctx, &__m) && task_wanted() ? on(ctx, &__m) : 0;		\
})

/*
 * Writes all of @m. Returns whether this was the last mapping that a revocation waited for, and
 * completes @revoke if so. m->times is the number of mappings before.
 */
static __always_inline bool mapping_forgotten(unsigned long long *ctx,
					      struct p2ptrace_dmabuf_mapping *m,
					      struct dmabuf_revoke *revoke)
{
	const struct dma_buf_attachment *attach = ARG(ctx, 0, const struct dma_buf_attachment *);
	struct p2ptrace_dmabuf_table key = { .attach = ctx[0], .sgt = ctx[1] };
	struct p2ptrace_dmabuf_mapping *found = bpf_map_lookup_elem(&dmabuf_mappings, &key);
	__u64 dmabuf = (__u64)BPF_CORE_READ(attach, dmabuf), began_ns;
	struct p2ptrace_dmabuf_state *state;
	struct p2ptrace_attached *attached;

	if (found) {
		*m = *found;
		m->times = __sync_fetch_and_add(&found->times, -1);
	}
	if (!found || m->times < 1) {
		/* From before the programs were attached: its provider is unknown */
		__builtin_memset(m, 0, sizeof(*m));
		mapping_read(m, ctx[0], ctx[1], ctx[2]);
		return false;
	}
	if (m->times == 1)
		deleted(bpf_map_delete_elem(&dmabuf_mappings, &key));
	attached = bpf_map_lookup_elem(&dmabuf_attached, &key.attach);
	if (attached)
		__sync_fetch_and_add(&attached->mapped[m->generation & 1], -1);
	state = bpf_map_lookup_elem(&dmabuf_states, &dmabuf);
	if (!state || !state_remove(state, m->generation, 1, &began_ns))
		return false;
	revoke->id = m->id;
	revoke->exporter = (const char *)m->exporter;
	revoke->client = (const char *)m->client;
	revoke->waited_ns = bpf_ktime_get_ns() - began_ns;
	return true;
}

/*
 * void dma_buf_unmap_attachment(struct dma_buf_attachment *, struct sg_table *,
 *				 enum dma_data_direction)
 *
 * The last mapping that a revocation waited for ends the revocation.
 */
#define from_stock_dma_buf_unmap(ctx, on)						\
({											\
	struct p2ptrace_dmabuf_mapping __m;						\
	struct dmabuf_revoke __v = {};							\
	bool __last = mapping_forgotten(ctx, &__m, &__v);				\
											\
	if (task_wanted()) {								\
		on(ctx, &__m);								\
		if (__last)								\
			on_dma_buf_revoke(ctx, &__v);					\
	}										\
	0;										\
})

/*
 * void dma_buf_invalidate_mappings(struct dma_buf *)
 *
 * Importers may unmap at once or later. A revocation that begins while another one waits is a part
 * of that one. If no mapping is known, there is nothing to wait for.
 *
 * The last mapping may end on another CPU while the revocation begins. The CPU that resets
 * revoke_ns reports that the revocation has ended.
 */
static __always_inline bool revoke_waits(__u64 dmabuf)
{
	struct p2ptrace_dmabuf_state *state = bpf_map_lookup_elem(&dmabuf_states, &dmabuf);
	__u64 ended;

	if (!state)
		return false;
	if (__sync_val_compare_and_swap(&state->revoke_ns, 0, bpf_ktime_get_ns()))
		return true;
	ended = __sync_fetch_and_add(&state->generation, 1);
	return *(volatile __s64 *)&state->mapped[ended & 1] > 0 ||
	       !__sync_lock_test_and_set(&state->revoke_ns, 0);
}

#define from_stock_dma_buf_revoke(ctx, on)						\
({											\
	const struct dma_buf *__dmabuf = ARG(ctx, 0, const struct dma_buf *);		\
	struct dmabuf_revoke __v = {							\
		.id = dmabuf_id(__dmabuf), .exporter = BPF_CORE_READ(__dmabuf, exp_name),	\
	};										\
											\
	!revoke_waits((ctx)[0]) && task_wanted() ? on(ctx, &__v) : 0;			\
})

/*
 * p2pdma_map and p2pdma_unmap of kind dmabuf. The id is that of the dma-buf. The address of the
 * table stands for the client, where clients are only compared: a client may map a dma-buf again at
 * the same bus addresses.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_MAPPINGS);
	__type(key, __u64);	/* address of the table */
	__type(value, struct peer_mapping);
} dmabuf_dma_by_table SEC(".maps");

static __always_inline void dmabuf_views(const struct peer_mapping *m, __u64 id,
					 struct buffer *buf, struct dma *dma)
{
	mapping_views(m, buf, dma);
	buf->id = id;
}

static __always_inline bool ranges_begin(unsigned long long *ctx, struct peer_mapping *m,
					 __u32 *map)
{
	const struct p2pdma_provider *provider = RANGES_PROVIDER(ctx);
	const struct sg_table *sgt = ARG(ctx, 6, const struct sg_table *);
	__u64 key = RANGES_RESULT(ctx);

	if (is_err_or_null(key))
		return false;
	*map = ranges_on_bus(key) ? MAP_TYPE(BUS_ADDR) : MAP_TYPE(THRU_HOST_BRIDGE);
	*m = (struct peer_mapping){
		.provider = BPF_CORE_READ(provider, owner, kobj.name),
		.client = BPF_CORE_READ(RANGES_ATTACH(ctx), dev, kobj.name), .client_id = key,
		.bus_addr = BPF_CORE_READ(ARG(ctx, 2, const struct phys_vec *), paddr) +
			    BPF_CORE_READ(provider, bus_offset),
		.dma_addr = BPF_CORE_READ(sgt, sgl, dma_address), .size = ctx[4], .dir = ctx[5],
		.kind = P2PTRACE_KIND_DMABUF,
	};
	if (!bpf_map_update_elem(&dmabuf_dma_by_table, &key, m, BPF_ANY))
		return true;
	count_lost();
	return false;
}

#define from_dmabuf_ranges(ctx, on)							\
({											\
	struct peer_mapping __m;							\
	struct buffer __b;								\
	struct dma __d;									\
	__u32 __map;									\
	int __rc = 0;									\
											\
	if (ranges_begin(ctx, &__m, &__map)) {						\
		dmabuf_views(&__m, dmabuf_id(BPF_CORE_READ(RANGES_ATTACH(ctx), dmabuf)),	\
			     &__b, &__d);						\
		__rc = task_wanted() ? on(ctx, &__b, &__d, __map) : 0;			\
	}										\
	__rc;										\
})

/* void dma_buf_free_sgt(struct dma_buf_attachment *, struct sg_table *, enum ...) */
#define from_dmabuf_free(ctx, on)							\
({											\
	__u64 __key = (ctx)[1];								\
	struct peer_mapping *__found =							\
		bpf_map_lookup_elem(&dmabuf_dma_by_table, &__key), __m;			\
	struct buffer __b;								\
	struct dma __d;									\
	int __rc = 0;									\
											\
	if (__found) {									\
		__m = *__found;								\
		if (deleted(bpf_map_delete_elem(&dmabuf_dma_by_table, &__key))) {	\
			dmabuf_views(&__m, dmabuf_id(BPF_CORE_READ(RANGES_ATTACH(ctx),	\
								   dmabuf)), &__b, &__d);	\
			__rc = task_wanted() ? on(ctx, &__b, &__d) : 0;			\
		}									\
	}										\
	__rc;										\
})

static __always_inline bool dmabuf_mapping_wanted(const struct p2ptrace_dmabuf_mapping *m)
{
	return size_wanted(m->size) && provider_wanted((const char *)m->provider) &&
	       client_wanted((const char *)m->client);
}

/* These programs see all tasks: see from_stock_dma_buf_map(). */
#define DMABUF_PROG(name)								\
SEC(P2PTRACE_STOCK_##name)								\
int stock_##name(unsigned long long *ctx)						\
{											\
	return from_stock_##name(ctx, on_##name);					\
}

#define STOCK_PROGS_dma_buf_export	STOCK_FUNCTION_PROG(dma_buf_export)
#define STOCK_PROGS_dma_buf_release	DMABUF_PROG(dma_buf_release)
#define STOCK_PROGS_dma_buf_attach	STOCK_FUNCTION_PROG(dma_buf_attach)
#define STOCK_PROGS_dma_buf_detach	DMABUF_PROG(dma_buf_detach)
#define STOCK_PROGS_dma_buf_pin		STOCK_FUNCTION_PROG(dma_buf_pin)
#define STOCK_PROGS_dma_buf_unpin	STOCK_FUNCTION_PROG(dma_buf_unpin)
#define STOCK_PROGS_dma_buf_unmap	DMABUF_PROG(dma_buf_unmap)
#define STOCK_PROGS_dma_buf_map								\
	DMABUF_PROG(dma_buf_map)							\
	SEC(P2PTRACE_STOCK_DMABUF_RANGES)						\
	int stock_dmabuf_ranges(unsigned long long *ctx)				\
	{										\
		return ranges_remember(ctx);						\
	}
#define STOCK_PROGS_dma_buf_revoke							\
	DMABUF_PROG(dma_buf_revoke)							\
	SEC(P2PTRACE_STOCK_DMABUF_MOVE)							\
	int stock_dmabuf_move(unsigned long long *ctx)					\
	{										\
		return from_stock_dma_buf_revoke(ctx, on_dma_buf_revoke);		\
	}

/* The programs of an event that every kernel shows by a function. */
#define EVENT_PROG_FUNCTION(name, args...)						\
static __always_inline int on_##name(unsigned long long *ctx, ##args);			\
STOCK_PROGS_##name									\
static __always_inline int on_##name(unsigned long long *ctx, ##args)

#endif /* DMABUF_BPF_H */
