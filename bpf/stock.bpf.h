/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The same events on a kernel without the series, from its functions and tracepoints. A field that
 * such a kernel cannot provide stays 0, and user space does not show it (the SERIES fields in
 * p2ptrace.h). Nothing is guessed.
 *
 * Buffers have no id there. The id is the bus address, which a later buffer may have again.
 */
#ifndef STOCK_BPF_H
#define STOCK_BPF_H

#include "kernel_types.h"
#include "views.bpf.h"
#include <linux/bpf.h>
#include <linux/errno.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* A chunk for each BAR that provides memory */
#define MAX_CHUNKS	8

/* The bus address of memory in a provider's pool, as gen_pool_virt_to_phys() finds it, or 0. */
static __always_inline __u64 pool_bus_addr(const struct pci_dev *provider, __u64 addr)
{
	struct gen_pool *pool = BPF_CORE_READ(provider, p2pdma, pool);
	struct list_head *next = BPF_CORE_READ(pool, chunks.next);

	for (int i = 0; i < MAX_CHUNKS; i++) {
		struct gen_pool_chunk *chunk =
			(void *)next - bpf_core_field_offset(struct gen_pool_chunk, next_chunk);
		__u64 start = BPF_CORE_READ(chunk, start_addr);

		/*
		 * The list ends at its head, which is in the pool. The words there are no range
		 * that contains @addr.
		 */
		if (addr >= start && addr <= BPF_CORE_READ(chunk, end_addr))
			return BPF_CORE_READ(chunk, phys_addr) + addr - start;
		next = BPF_CORE_READ(next, next);
	}
	return 0;
}

static __always_inline struct buffer stock_buffer(const struct pci_dev *provider, __u64 addr,
						  __u64 size)
{
	__u64 bus_addr = pool_bus_addr(provider, addr);

	return (struct buffer){
		.provider = { .kind = VIEW_PCI, .pci = provider->dev.kobj.name },
		.id = bus_addr, .bus_addr = bus_addr, .size = size, .nents = 1,
	};
}

/* void *pci_alloc_p2pmem(struct pci_dev *pdev, size_t size) */
#define from_stock_p2pmem_alloc(ctx, on)						\
({											\
	const struct pci_dev *__p = ARG(ctx, 0, const struct pci_dev *);		\
	int __rc = 0;									\
											\
	if ((ctx)[2]) {									\
		struct buffer __b = stock_buffer(__p, (ctx)[2], (ctx)[1]);		\
											\
		__rc = on(ctx, &__b);							\
	}										\
	__rc;										\
})

#define from_stock_p2pmem_alloc_fail(ctx, on)						\
({											\
	const struct pci_dev *__p = ARG(ctx, 0, const struct pci_dev *);		\
	struct provider_view __l = { .kind = VIEW_PCI, .pci = __p->dev.kobj.name };		\
											\
	(ctx)[2] ? 0 : on(ctx, &__l, (ctx)[1], 0);					\
})

/* void pci_free_p2pmem(struct pci_dev *pdev, void *addr, size_t size) */
#define from_stock_p2pmem_free(ctx, on)							\
({											\
	const struct pci_dev *__p = ARG(ctx, 0, const struct pci_dev *);		\
	struct buffer __b = stock_buffer(__p, (ctx)[1], (ctx)[2]);			\
											\
	on(ctx, &__b, 0);								\
})

/*
 * enum pci_p2pdma_map_type calc_map_type_and_dist(struct pci_dev *provider, struct pci_dev *client,
 *						   int *dist, bool verbose)
 */
#define from_stock_p2pmem_decide(ctx, on)						\
({											\
	struct decision __d = {								\
		.provider = ARG(ctx, 0, const struct pci_dev *)->dev.kobj.name,		\
		.client = ARG(ctx, 1, const struct pci_dev *)->dev.kobj.name,		\
		.map = (ctx)[4],							\
	};										\
											\
	bpf_probe_read_kernel(&__d.distance, sizeof(__d.distance),			\
			      ARG(ctx, 2, void *));					\
	on(ctx, &__d);									\
})

/* struct pci_dev *pci_p2pmem_find_many(struct device **clients, int num_clients) */
#define from_stock_p2pmem_find(ctx, on)							\
({											\
	const struct pci_dev *__p = ARG(ctx, 2, const struct pci_dev *);		\
	struct provider_view __l = {							\
		.kind = VIEW_PCI, .pci = __p ? BPF_CORE_READ(__p, dev.kobj.name) : NULL,	\
	};										\
											\
	on(ctx, &__l, ARG(ctx, 1, __u32), 0, 0, __p ? 0 : -ENODEV);			\
})

/*
 * int p2pmem_alloc_mmap(struct file *, struct kobject *provider, struct bin_attribute *,
 *			 struct vm_area_struct *)
 */
#define from_stock_p2pmem_mmap(ctx, on)							\
({											\
	const struct vm_area_struct *__v = ARG(ctx, 3, const struct vm_area_struct *);	\
	struct provider_view __l = {							\
		.kind = VIEW_PCI, .pci = ARG(ctx, 1, const struct kobject *)->name,	\
	};										\
											\
	/* A stock kernel has no policy, and gives no reason for a failed mmap() */	\
	(int)(ctx)[4] ? 0 : on(ctx, &__l, __v->vm_end - __v->vm_start, true);		\
})

/*
 * A page of peer memory points to its dev_pagemap. Other pages have something else in that word. So
 * the programs remember the dev_pagemaps of pages that a driver has mapped as peer memory. A page
 * is peer memory if its word is one of them. A dev_pagemap is read again each time, because a new
 * one may have the address of an old one.
 */
#define MAX_PAGEMAPS	1024

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_PAGEMAPS);
	__type(key, __u64);
	__type(value, __u8);
} pagemaps SEC(".maps");

/* Keeps the cost of other I/O low until a driver maps peer memory for the first time */
static volatile __u32 nr_pagemaps;

/* include/linux/scatterlist.h */
#define SG_CHAIN	0x1ul
#define SG_END		0x2ul
#define SG_DMA_BUS_ADDRESS	(1 << 0)

static __always_inline __u64 pagemap_of(const struct scatterlist *sg)
{
	struct page *page = (void *)(BPF_CORE_READ(sg, page_link) & ~(SG_CHAIN | SG_END));
	struct folio *folio = (void *)page;

	/*
	 * "mm: Allow compound zone device pages" (6.15) moved the pointer to the folio. A page of
	 * peer memory is a folio of its own.
	 */
	return (__u64)(bpf_core_field_exists(page->pgmap) ? BPF_CORE_READ(page, pgmap) :
							    BPF_CORE_READ(folio, pgmap));
}

/*
 * enum pci_p2pdma_map_type pci_p2pdma_map_segment(struct pci_p2pdma_map_state *, struct device *,
 *						   struct scatterlist *)
 * is called before the event dma_map_sg, and only for peer memory.
 */
SEC(P2PTRACE_STOCK_PAGES)
int stock_pages(unsigned long long *ctx)
{
	__u64 key = pagemap_of(ARG(ctx, 2, const struct scatterlist *));
	__u8 known = 1;

	if (bpf_map_lookup_elem(&pagemaps, &key))
		return 0;
	if (bpf_map_update_elem(&pagemaps, &key, &known, BPF_ANY))
		count_lost();
	else
		nr_pagemaps = 1;
	return 0;
}

static __always_inline const struct scatterlist *segment_next(const struct scatterlist *sg)
{
	__u64 link = BPF_CORE_READ(sg, page_link);

	if (link & SG_END)
		return NULL;
	sg = (void *)sg + bpf_core_type_size(struct scatterlist);
	link = BPF_CORE_READ(sg, page_link);
	return link & SG_CHAIN ? (void *)(link & ~(SG_CHAIN | SG_END)) : sg;
}

/*
 * Reads one segment of a mapped list. Returns false if it is not peer memory. The bus address is
 * the DMA address, or is computed from it if that is a physical address. If an IOMMU translates the
 * address, the bus address is unknown.
 */
static __always_inline bool segment_read(const struct scatterlist *sg, struct buffer *buf,
					 struct dma *dma, __u32 *map)
{
	const struct pci_p2pdma_pagemap *p2p;
	__u64 key = pagemap_of(sg), start;
	bool bus;

	if (!bpf_map_lookup_elem(&pagemaps, &key))
		return false;
	p2p = (void *)key - bpf_core_field_offset(struct pci_p2pdma_pagemap, pgmap);
	bus = BPF_CORE_READ(sg, dma_flags) & SG_DMA_BUS_ADDRESS;
	dma->addr = BPF_CORE_READ(sg, dma_address);
	/* An IOMMU may have merged several segments */
	dma->size = bpf_core_field_exists(sg->dma_length) ? BPF_CORE_READ(sg, dma_length) :
							    BPF_CORE_READ(sg, length);
	*map = bus ? bpf_core_enum_value(enum pci_p2pdma_map_type, PCI_P2PDMA_MAP_BUS_ADDR) :
		     bpf_core_enum_value(enum pci_p2pdma_map_type,
					 PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);

	*buf = (struct buffer){
		.provider = {
			.kind = VIEW_PCI, .pci = BPF_CORE_READ(p2p, provider, dev.kobj.name),
		},
		.size = dma->size, .nents = 1,
	};
	start = BPF_CORE_READ(p2p, pgmap.range.start);
	if (bus)
		buf->id = dma->addr;
	else if (dma->addr >= start && dma->addr <= BPF_CORE_READ(p2p, pgmap.range.end))
		buf->id = dma->addr + BPF_CORE_READ(p2p, bus_offset);
	buf->bus_addr = buf->id;
	return true;
}

/* No driver has longer lists. A longer one counts as a loss. */
#define MAX_SEGMENTS	4096

struct walk {
	unsigned long long *ctx;
	const struct scatterlist *sg;
	struct dma dma;
};

/*
 * Calls a program's body for each segment of a list that is peer memory, by bpf_loop(). A list may
 * have other segments as well: the block layer merges requests.
 */
#define SEGMENT_CALLBACK(name, args...)							\
static long name##_segment(__u32 i, struct walk *w)					\
{											\
	/* A local variable lets the compiler drop the code that needs the series */	\
	struct buffer buf;								\
	__u32 map;									\
											\
	if (!w->sg)									\
		return 1;								\
	/* The size is 0 if an IOMMU has merged the segment with the one before */	\
	if (segment_read(w->sg, &buf, &w->dma, &map) && w->dma.size)			\
		on_##name(w->ctx, &buf, &w->dma, ##args);				\
	w->sg = segment_next(w->sg);							\
	return 0;									\
}

#define STOCK_PROGS_p2pmem_dma_map \
	SEGMENT_CALLBACK(p2pmem_dma_map, map) STOCK_TRACEPOINT_PROGS(p2pmem_dma_map)
#define STOCK_PROGS_p2pmem_dma_unmap \
	SEGMENT_CALLBACK(p2pmem_dma_unmap) STOCK_TRACEPOINT_PROGS(p2pmem_dma_unmap)
#define STOCK_PROGS_p2pmem_alloc		STOCK_FUNCTION_PROG(p2pmem_alloc)
#define STOCK_PROGS_p2pmem_alloc_fail		STOCK_FUNCTION_PROG(p2pmem_alloc_fail)
#define STOCK_PROGS_p2pmem_free			STOCK_FUNCTION_PROG(p2pmem_free)
#define STOCK_PROGS_p2pmem_decide		STOCK_FUNCTION_PROG(p2pmem_decide)
#define STOCK_PROGS_p2pmem_find			STOCK_FUNCTION_PROG(p2pmem_find)
#define STOCK_PROGS_p2pmem_mmap			STOCK_FUNCTION_PROG(p2pmem_mmap)
#define STOCK_PROGS_nvmet_p2pmem_use		STOCK_FUNCTION_PROG(nvmet_p2pmem_use)
#define STOCK_PROGS_nvmet_p2pmem_fallback	STOCK_FUNCTION_PROG(nvmet_p2pmem_fallback)

#define FOR_EACH_SEGMENT(context, direction, callback)					\
({											\
	struct walk __w = {								\
		.ctx = (context),							\
		.dma = {								\
			.client = ARG(context, 0, const struct device *), .dir = (direction),	\
		},									\
	};										\
	const struct scatterlist *__sgl = ARG(context, 1, const struct scatterlist *);	\
	int __nents = ARG(context, 2, int);						\
											\
	/* The verifier follows each step of a pointer, but not of a copy that is a number */	\
	bpf_probe_read_kernel(&__w.sg, sizeof(__w.sg), &__sgl);				\
	if (nr_pagemaps) {								\
		bpf_loop(__nents < MAX_SEGMENTS ? __nents : MAX_SEGMENTS, callback, &__w, 0);	\
		if (__nents > MAX_SEGMENTS && __w.sg)					\
			count_lost();							\
	}										\
	0;										\
})

/*
 * dma_map_sg(struct device *dev, struct scatterlist *sgl, int nents, int ents,
 *	      enum dma_data_direction dir, ...)
 */
#define from_stock_p2pmem_dma_map(ctx, on) \
	FOR_EACH_SEGMENT(ctx, (ctx)[4], p2pmem_dma_map_segment)
/*
 * dma_unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
 *		enum dma_data_direction dir, ...), which occurs before the list is unmapped
 */
#define from_stock_p2pmem_dma_unmap(ctx, on) \
	FOR_EACH_SEGMENT(ctx, (ctx)[3], p2pmem_dma_unmap_segment)

/*
 * int nvmet_req_alloc_sgls(struct nvmet_req *req) decides whether a request uses peer memory. Only
 * requests that could use it count; those on the admin queue cannot.
 */
static __always_inline bool request_may_use(const struct nvmet_req *req)
{
	return req->ns && req->sq->qid && req->ns->use_p2pmem;
}

#define FROM_SGLS(ctx, on, used)							\
({											\
	const struct nvmet_req *__q = ARG(ctx, 0, const struct nvmet_req *);		\
											\
	__q && !(ctx)[1] && request_may_use(__q) && !__q->p2p_dev == !(used) ?		\
		FROM_REQUEST(ctx, on, __q->transfer_len, 0) : 0;			\
})

#define from_stock_nvmet_p2pmem_use(ctx, on)		FROM_SGLS(ctx, on, true)
#define from_stock_nvmet_p2pmem_fallback(ctx, on)	FROM_SGLS(ctx, on, false)

#endif /* STOCK_BPF_H */
