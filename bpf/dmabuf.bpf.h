/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dma-bufs, by the functions of drivers/dma-buf, which every kernel has.
 *
 * The kernel holds the dma_resv lock of a dma-buf while it maps, unmaps or invalidates it. So the
 * programs of these functions never run at the same time for the same dma-buf, and the entries of
 * the maps below that belong to it need no atomic operations.
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
	__u64 id;		/* of the dma-buf */
	const char *client;
	bool dynamic;
	bool revocable;
	bool p2p;
	bool mapped;		/* at detach */
};

/* A mapping of a dma-buf. The names live as long as the mapping. */
struct dmabuf_mapping {
	__u64 id;
	const char *provider;	/* NULL if unknown */
	const char *client;
	__u64 size;
	__u64 since_ns;		/* CLOCK_MONOTONIC */
	__u64 times;		/* old kernels return the same table again */
	__u32 dir;
	__u32 map;
	__u32 where;		/* enum p2ptrace_where */
	__u32 pad;
};

struct dmabuf_revoke {
	__u64 id;
	const char *client;	/* NULL if unknown */
	__u64 waited_ns;	/* 0 if unknown */
};

#define MAX_MAPPINGS	65536

struct dmabuf_table {
	__u64 attach;
	__u64 sgt;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_MAPPINGS);
	__type(key, struct dmabuf_table);
	__type(value, struct dmabuf_mapping);
} dmabuf_mapping_by_table SEC(".maps");

/* How many mappings a dma-buf has, and how many of them a revocation waits for. */
struct dmabuf_state {
	__u64 mapped;
	__u64 revoke_ns;	/* when it began, CLOCK_MONOTONIC */
	__u64 left;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_MAPPINGS);
	__type(key, __u64);	/* address of the dma-buf */
	__type(value, struct dmabuf_state);
} dmabuf_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_MAPPINGS);
	__type(key, __u64);	/* address of the attachment */
	__type(value, __u64);	/* how many mappings it has */
} dmabuf_mapped_by_attachment SEC(".maps");

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

/* int dma_buf_file_release(struct inode *, struct file *) */
#define from_stock_dma_buf_release(ctx, on)						\
({											\
	struct dmabuf __b =								\
		dmabuf_of(BPF_CORE_READ(ARG(ctx, 1, const struct file *), private_data));	\
											\
	on(ctx, &__b);									\
})

/* struct dma_buf_attachment *dma_buf_dynamic_attach(struct dma_buf *, struct device *, ...) */
#define from_stock_dma_buf_attach(ctx, on)						\
({											\
	int __rc = 0;									\
											\
	if (!is_err_or_null((ctx)[4])) {						\
		struct attachment __a =							\
			attachment_of(ARG(ctx, 4, const struct dma_buf_attachment *));	\
											\
		__rc = on(ctx, &__a);							\
	}										\
	__rc;										\
})

/* Returns whether it still has mappings. Its address may be that of another one afterwards. */
static __always_inline bool attachment_ends(__u64 attach)
{
	return deleted(bpf_map_delete_elem(&dmabuf_mapped_by_attachment, &attach));
}

/* void dma_buf_detach(struct dma_buf *, struct dma_buf_attachment *) */
#define from_stock_dma_buf_detach(ctx, on)						\
({											\
	struct attachment __a = attachment_of(ARG(ctx, 1, const struct dma_buf_attachment *));	\
											\
	__a.mapped = attachment_ends((ctx)[1]);						\
	task_wanted() ? on(ctx, &__a) : 0;						\
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
	    (!bpf_core_field_exists(page->pgmap) && !bpf_core_field_exists(folio->pgmap)))
		return false;
	pagemap = (void *)pagemap_of(page);
	start = BPF_CORE_READ(pagemap, range.start);
	end = BPF_CORE_READ(pagemap, range.end);
	return BPF_CORE_READ(pagemap, type) ==
	       bpf_core_enum_value(enum memory_type, MEMORY_DEVICE_PCI_P2PDMA) &&
	       start && start < end && !((start | (end + 1)) & ((1 << PAGE_SHIFT) - 1));
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
		*map = MAP_TYPE(BUS_ADDR);
		return P2PTRACE_WHERE_BAR;
	}
	if (!page)
		return BPF_CORE_READ(sg, length) ? P2PTRACE_WHERE_BAR : P2PTRACE_WHERE_UNKNOWN;
	if (!page_of_bar(page))
		return P2PTRACE_WHERE_RAM;
	*map = MAP_TYPE(THRU_HOST_BRIDGE);
	return P2PTRACE_WHERE_BAR;
}

static __always_inline struct dmabuf_mapping mapping_of(const struct dma_buf_attachment *attach,
							const struct sg_table *sgt, __u32 dir)
{
	const struct dma_buf *dmabuf = BPF_CORE_READ(attach, dmabuf);
	struct dmabuf_mapping m = {
		.id = dmabuf_id(dmabuf), .client = BPF_CORE_READ(attach, dev, kobj.name),
		.size = BPF_CORE_READ(dmabuf, size), .times = 1, .dir = dir,
	};

	m.where = table_where(BPF_CORE_READ(sgt, sgl), &m.map);
	return m;
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

static __always_inline void attachment_mapped(__u64 attach)
{
	__u64 *mapped = bpf_map_lookup_elem(&dmabuf_mapped_by_attachment, &attach), one = 1;

	if (mapped)
		++*mapped;
	else if (bpf_map_update_elem(&dmabuf_mapped_by_attachment, &attach, &one, BPF_ANY))
		count_lost();
}

static __always_inline void attachment_unmapped(__u64 attach)
{
	__u64 *mapped = bpf_map_lookup_elem(&dmabuf_mapped_by_attachment, &attach);

	if (mapped && !--*mapped)
		deleted(bpf_map_delete_elem(&dmabuf_mapped_by_attachment, &attach));
}

static __always_inline void dmabuf_mapped(const struct dma_buf_attachment *attach)
{
	__u64 dmabuf = (__u64)BPF_CORE_READ(attach, dmabuf);
	struct dmabuf_state *state = bpf_map_lookup_elem(&dmabuf_states, &dmabuf), one = {};

	if (state) {
		state->mapped++;
		return;
	}
	one.mapped = 1;
	if (bpf_map_update_elem(&dmabuf_states, &dmabuf, &one, BPF_ANY))
		count_lost();
}

/* Returns whether this was the last mapping that a revocation waited for, and for how long. */
static __always_inline bool dmabuf_unmapped(const struct dma_buf_attachment *attach,
					    __u64 since_ns, __u64 *waited_ns)
{
	__u64 dmabuf = (__u64)BPF_CORE_READ(attach, dmabuf);
	struct dmabuf_state *state = bpf_map_lookup_elem(&dmabuf_states, &dmabuf);
	bool last;

	if (!state)
		return false;
	last = state->left && since_ns <= state->revoke_ns && !--state->left;
	*waited_ns = bpf_ktime_get_ns() - state->revoke_ns;
	if (!--state->mapped)
		deleted(bpf_map_delete_elem(&dmabuf_states, &dmabuf));
	return last;
}

/* Writes all of @m. Completes it, and remembers it for the unmap. */
static __always_inline void mapping_recorded(unsigned long long *ctx, __u64 sgt,
					     struct dmabuf_mapping *m)
{
	const struct dma_buf_attachment *attach = ARG(ctx, 0, const struct dma_buf_attachment *);
	struct dmabuf_table key = { .attach = ctx[0], .sgt = sgt };
	struct dmabuf_ranges *ranges;
	struct dmabuf_mapping *again;

	*m = mapping_of(attach, (const struct sg_table *)sgt, ctx[1]);
	m->since_ns = bpf_ktime_get_ns();
	ranges = bpf_map_lookup_elem(&dmabuf_ranges_by_attachment, &key.attach);
	if (ranges) {
		m->provider = ranges->provider;
		m->map = ranges->map;
		m->where = P2PTRACE_WHERE_BAR;
		deleted(bpf_map_delete_elem(&dmabuf_ranges_by_attachment, &key.attach));
	}
	dmabuf_mapped(attach);
	attachment_mapped(key.attach);
	again = bpf_map_lookup_elem(&dmabuf_mapping_by_table, &key);
	/* The addresses may be those of a mapping that never ended */
	if (again && again->id == m->id)
		again->times++;
	else if (bpf_map_update_elem(&dmabuf_mapping_by_table, &key, m, BPF_ANY))
		count_lost();
}

/*
 * struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *, enum dma_data_direction)
 *
 * The programs of a mapping see those of all tasks: another task may end it.
 */
#define from_stock_dma_buf_map(ctx, on)							\
({											\
	__u64 __sgt = (ctx)[2];								\
	struct dmabuf_mapping __m;							\
	int __rc = 0;									\
											\
	if (!is_err_or_null(__sgt)) {							\
		mapping_recorded(ctx, __sgt, &__m);					\
		__rc = task_wanted() ? on(ctx, &__m) : 0;				\
	}										\
	__rc;										\
})

/* Writes all of @m. Returns true if the mapping was known. */
static __always_inline bool mapping_forgotten(unsigned long long *ctx, struct dmabuf_mapping *m)
{
	struct dmabuf_table key = { .attach = ctx[0], .sgt = ctx[1] };
	struct dmabuf_mapping *found = bpf_map_lookup_elem(&dmabuf_mapping_by_table, &key);

	if (!found) {
		/* From before the programs were attached: its provider is unknown */
		*m = mapping_of(ARG(ctx, 0, const struct dma_buf_attachment *),
				ARG(ctx, 1, const struct sg_table *), ctx[2]);
		return false;
	}
	*m = *found;
	attachment_unmapped(key.attach);
	if (!--found->times)
		deleted(bpf_map_delete_elem(&dmabuf_mapping_by_table, &key));
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
	struct dmabuf_mapping __m;							\
	struct dmabuf_revoke __v = {};							\
	bool __known = mapping_forgotten(ctx, &__m);					\
	bool __last = __known &&							\
		      dmabuf_unmapped(ARG(ctx, 0, const struct dma_buf_attachment *),	\
				      __m.since_ns, &__v.waited_ns);			\
											\
	if (task_wanted()) {								\
		on(ctx, &__m);								\
		__v.id = __m.id;							\
		__v.client = __m.client;						\
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
 */
static __always_inline bool revoke_waits(__u64 dmabuf)
{
	struct dmabuf_state *state = bpf_map_lookup_elem(&dmabuf_states, &dmabuf);

	if (!state)
		return false;
	if (!state->left) {
		state->revoke_ns = bpf_ktime_get_ns();
		state->left = state->mapped;
	}
	return true;
}

#define from_stock_dma_buf_revoke(ctx, on)						\
({											\
	struct dmabuf_revoke __v = { .id = dmabuf_id(ARG(ctx, 0, const struct dma_buf *)) };	\
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

/* These programs see all tasks: see from_stock_dma_buf_map(). */
#define DMABUF_PROG(name)								\
SEC(P2PTRACE_STOCK_##name)								\
int stock_##name(unsigned long long *ctx)						\
{											\
	return from_stock_##name(ctx, on_##name);					\
}

#define STOCK_PROGS_dma_buf_export	STOCK_FUNCTION_PROG(dma_buf_export)
#define STOCK_PROGS_dma_buf_release	STOCK_FUNCTION_PROG(dma_buf_release)
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
