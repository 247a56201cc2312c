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

/* The verifier follows each step of a pointer, but not of a copy that is a number. */
static __always_inline __u64 number_of(const volatile void *pointer)
{
	__u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &pointer);
	return number;
}

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

#define MAP_TYPE(name) bpf_core_enum_value(enum pci_p2pdma_map_type, PCI_P2PDMA_MAP_##name)

/*
 * The tasks whose last decision was a new refusal. Some of these decisions are not for a mapping:
 * so a mapping forgets them when it begins, and the entries of tasks that never map anything have
 * to be evicted. If an interrupt maps peer memory between the decision of a mapping and its end, or
 * if there is no memory for the entry, that refusal is shown twice.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, P2PTRACE_MAX_CALLS);
	__type(key, __u64);
	__type(value, __u8);
} new_refusals SEC(".maps");

static __always_inline void refusal_is_new(void)
{
	__u64 task = bpf_get_current_task();
	__u8 value = 1;

	bpf_map_update_elem(&new_refusals, &task, &value, BPF_ANY);
}

static __always_inline bool refusal_was_new(void)
{
	__u64 task = bpf_get_current_task();

	return !bpf_map_delete_elem(&new_refusals, &task);
}

static __always_inline bool is_pci(const struct device *dev)
{
	char name[4];

	return bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dev, bus, name)) == 4 &&
	       name[0] == 'p' && name[1] == 'c' && name[2] == 'i';
}

/*
 * enum pci_p2pdma_map_type calc_map_type_and_dist(struct pci_dev *provider, struct pci_dev *client,
 *						   int *dist, bool verbose)
 */
#define from_stock_p2pdma_decide(ctx, on)						\
({											\
	struct decision __d = {								\
		.provider = ARG(ctx, 0, const struct pci_dev *)->dev.kobj.name,		\
		.client = ARG(ctx, 1, const struct pci_dev *)->dev.kobj.name,		\
		.map = (ctx)[4],							\
	};										\
											\
	bpf_probe_read_kernel(&__d.distance, sizeof(__d.distance),			\
			      ARG(ctx, 2, void *));					\
	if (__d.map == MAP_TYPE(NOT_SUPPORTED))						\
		refusal_is_new();							\
	on(ctx, &__d);									\
})

/*
 * enum pci_p2pdma_map_type pci_p2pdma_map_type(struct p2pdma_provider *provider,
 *						struct device *client)
 *
 * Each mapping calls it, but it calls calc_map_type_and_dist() only if there is no earlier
 * decision. A refusal is shown each time, because nothing else shows that a mapping has failed. A
 * client that is not a PCI function has no decision.
 */
#define from_stock_map_type(ctx, on)							\
({											\
	const struct device *__c = ARG(ctx, 1, const struct device *);			\
	int __rc = 0;									\
											\
	/* Before 6.19, a function of this name had another argument */			\
	if (bpf_core_type_exists(struct p2pdma_provider) &&				\
	    (ctx)[2] == MAP_TYPE(NOT_SUPPORTED) && !refusal_was_new() && is_pci(__c)) {	\
		const struct p2pdma_provider *__p =					\
			ARG(ctx, 0, const struct p2pdma_provider *);			\
		struct decision __d = {							\
			.provider = BPF_CORE_READ(__p, owner, kobj.name),		\
			.client = __c->kobj.name, .map = (ctx)[2], .distance = -1,	\
			.cached = true,							\
		};									\
											\
		__rc = on(ctx, &__d);							\
	}										\
	__rc;										\
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

static __always_inline struct page *page_of(const struct scatterlist *sg)
{
	return (void *)(BPF_CORE_READ(sg, page_link) & ~(SG_CHAIN | SG_END));
}

static __always_inline __u64 pagemap_of(struct page *page)
{
	struct folio *folio = (void *)page;

	/*
	 * "mm: Allow compound zone device pages" (6.15) moved the pointer to the folio. A page of
	 * peer memory is a folio of its own.
	 */
	return (__u64)(bpf_core_field_exists(page->pgmap) ? BPF_CORE_READ(page, pgmap) :
							    BPF_CORE_READ(folio, pgmap));
}

static __always_inline const struct pci_p2pdma_pagemap *p2pdma_pagemap(__u64 pagemap)
{
	return (void *)pagemap - bpf_core_field_offset(struct pci_p2pdma_pagemap, pgmap);
}

/*
 * "PCI/P2PDMA: Separate the mmap() support from the core logic" (6.19) moved the provider and the
 * offset to a structure for each BAR. An older kernel lacks struct p2pdma_provider. libbpf would
 * search all modules for it, which takes CAP_SYS_ADMIN, so its fields are found by the structure
 * around it.
 */
#define PROVIDER_READ(mem, field)							\
({											\
	typeof(((struct p2pdma_provider *)0)->field) __value = 0;			\
											\
	bpf_probe_read_kernel(&__value, sizeof(__value), (void *)(mem) +		\
			      bpf_core_field_offset(struct pci_p2pdma, mem[0].field) -	\
			      bpf_core_field_offset(struct pci_p2pdma, mem[0]));		\
	__value;									\
})

static __always_inline const char *mem_provider(const struct p2pdma_provider *mem)
{
	const struct device *owner = PROVIDER_READ(mem, owner);

	return BPF_CORE_READ(owner, kobj.name);
}

static __always_inline const char *pagemap_provider(const struct pci_p2pdma_pagemap *p2p)
{
	return bpf_core_field_exists(p2p->mem) ? mem_provider(BPF_CORE_READ(p2p, mem)) :
						 BPF_CORE_READ(p2p, provider, dev.kobj.name);
}

static __always_inline __u64 pagemap_bus_offset(const struct pci_p2pdma_pagemap *p2p)
{
	const struct p2pdma_provider *mem;

	if (!bpf_core_field_exists(p2p->mem))
		return BPF_CORE_READ(p2p, bus_offset);
	mem = BPF_CORE_READ(p2p, mem);
	return PROVIDER_READ(mem, bus_offset);
}

/*
 * The bus address of mapped memory: the DMA address, or computed from it if that is a physical
 * address. 0 if an IOMMU translates the DMA address: then it is unknown.
 */
static __always_inline __u64 mapped_bus_addr(const struct pci_p2pdma_pagemap *p2p, __u64 dma_addr,
					     bool bus)
{
	if (bus)
		return dma_addr;
	if (dma_addr >= BPF_CORE_READ(p2p, pgmap.range.start) &&
	    dma_addr <= BPF_CORE_READ(p2p, pgmap.range.end))
		return dma_addr + pagemap_bus_offset(p2p);
	return 0;
}

static __always_inline int pagemap_learn(struct page *page)
{
	__u64 key = pagemap_of(page);
	__u8 known = 1;

	if (bpf_map_lookup_elem(&pagemaps, &key))
		return 0;
	if (bpf_map_update_elem(&pagemaps, &key, &known, BPF_ANY))
		count_lost();
	else
		nr_pagemaps = 1;
	return 0;
}

/*
 * enum pci_p2pdma_map_type pci_p2pdma_map_segment(struct pci_p2pdma_map_state *, struct device *,
 *						   struct scatterlist *)
 * is called before the event dma_map_sg, and only for peer memory.
 */
SEC(P2PTRACE_STOCK_PAGES)
int stock_pages(unsigned long long *ctx)
{
	return pagemap_learn(page_of(ARG(ctx, 2, const struct scatterlist *)));
}

/*
 * So is void __pci_p2pdma_update_state(struct pci_p2pdma_map_state *, struct device *,
 *					struct page *)
 */
SEC(P2PTRACE_STOCK_PAGES_UPDATE)
int stock_pages_update(unsigned long long *ctx)
{
	return pagemap_learn(ARG(ctx, 2, struct page *));
}

/*
 * void pci_free_p2pmem(struct pci_dev *pdev, void *addr, size_t size) and
 * void pci_p2pmem_free_sgl(struct pci_dev *pdev, struct scatterlist *sgl)
 *
 * The latter frees each segment with the former, which GCC inlines there in most kernels (all of
 * Debian's from 6.16 to 7.3). Then only the latter is called. Otherwise both are called, and each
 * free must be counted once. The first lists show which case it is: if the former is called while a
 * list is freed, it is not inlined.
 *
 * Until then, the frees of lists are recorded when they begin. frees_of_lists has the buffers that
 * are being freed so and the task that does it, and lists_in_progress the buffer of each list.
 */
static volatile __u32 inlined, not_inlined, lists_alone;

/* One list is no proof: the kernel may have skipped the program of the former */
#define LISTS_ALONE	16

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, P2PTRACE_MAX_LIVE);
	__type(key, __u64);
	__type(value, __u64);
} frees_of_lists SEC(".maps"), lists_in_progress SEC(".maps");

#define from_stock_p2pmem_free(ctx, on)							\
({											\
	const struct pci_dev *__p = ARG(ctx, 0, const struct pci_dev *);		\
	int __rc = 0;									\
											\
	if ((ctx)[1]) {									\
		struct buffer __b = stock_buffer(__p, (ctx)[1], (ctx)[2]);		\
											\
		if (!free_is_of_list(__b.id))						\
			__rc = on(ctx, &__b, 0);					\
	}										\
	__rc;										\
})

/* Whether the free was recorded when that of its list began. */
static __always_inline bool free_is_of_list(__u64 id)
{
	__u64 *task = inlined ? NULL : bpf_map_lookup_elem(&frees_of_lists, &id);

	/* Another task may already have got and freed the same memory */
	if (!task || *task != bpf_get_current_task() ||
	    !deleted(bpf_map_delete_elem(&frees_of_lists, &id)))
		return false;
	not_inlined = 1;
	return true;
}

/*
 * Where struct page of the first page of memory would be. On x86, the variable vmemmap_base has it,
 * or without CONFIG_DYNAMIC_MEMORY_LAYOUT it is fixed. Elsewhere it depends on the release, the
 * configuration and the memory of the machine, but each struct mem_section has it: see
 * sparse_encode_mem_map(). These are the addresses of the variables, 0 if there is none.
 */
const volatile __u64 vmemmap_base_at = 0;
const volatile __u64 mem_section_at = 0;

#define VMEMMAP_FIXED	0xffffea0000000000ull

/* User space sets it. 64 KiB is the largest page of arm64. */
const volatile __u32 page_shift = 12;
#define PAGE_SIZE	(1ull << page_shift)

/* arch/x86/include/asm/sparsemem.h, and that of arm64 since 5.12 */
#define SECTION_SIZE_BITS	(page_shift < 16 ? 27 : 29)

/* SECTION_MAP_MASK has at most these bits; struct page has 64 bytes at least */
#define SECTION_FLAGS		63ull

/* The kernel has CONFIG_SPARSEMEM_EXTREME: struct mem_section **mem_section */
static __always_inline __u64 vmemmap_of_section(__u64 phys)
{
	__u64 size = bpf_core_type_size(struct mem_section), per_root = PAGE_SIZE / size;
	__u64 nr = phys >> SECTION_SIZE_BITS, roots = 0, root = 0;
	const struct mem_section *section;

	bpf_probe_read_kernel(&roots, sizeof(roots), (const void *)mem_section_at);
	bpf_probe_read_kernel(&root, sizeof(root),
			      (const void *)(roots + nr / per_root * sizeof(root)));
	section = (const void *)(root + nr % per_root * size);
	return BPF_CORE_READ(section, section_mem_map) & ~SECTION_FLAGS;
}

/* @start: an address near that of the page */
static __always_inline __u64 page_phys(__u64 page, __u64 start)
{
	__u64 base = VMEMMAP_FIXED;

	if (vmemmap_base_at)
		bpf_probe_read_kernel(&base, sizeof(base), (const void *)vmemmap_base_at);
	else if (mem_section_at)
		base = vmemmap_of_section(start);
	return (page - base) / bpf_core_type_size(struct page) << page_shift;
}

/* The bus address. pci_p2pmem_alloc_sgl() makes lists of one segment; 0 if this is not one. */
static __always_inline __u64 list_bus_addr(const struct scatterlist *sg)
{
	__u64 link = BPF_CORE_READ(sg, page_link), start, phys;
	struct page *page = (void *)(link & ~(SG_CHAIN | SG_END));
	const struct pci_p2pdma_pagemap *p2p;

	if (!(link & SG_END) || !page)
		return 0;
	p2p = p2pdma_pagemap(pagemap_of(page));
	start = BPF_CORE_READ(p2p, pgmap.range.start);
	phys = page_phys((__u64)page, start) + BPF_CORE_READ(sg, offset);
	/* The assumed address of the array of struct page may be wrong */
	if (phys < start || phys > BPF_CORE_READ(p2p, pgmap.range.end))
		return 0;
	return phys + pagemap_bus_offset(p2p);
}

/* Whether the free of this list is to be recorded; notes it until @inlined is known. */
static __always_inline bool free_sgl_begins(__u64 sgl, __u64 id)
{
	__u64 task = bpf_get_current_task();

	if (!id || (!inlined && (bpf_map_update_elem(&lists_in_progress, &sgl, &id, BPF_ANY) ||
				 bpf_map_update_elem(&frees_of_lists, &id, &task, BPF_ANY))))
		count_lost();
	return id;
}

#define from_free_sgl(ctx, on)								\
({											\
	const struct pci_dev *__p = ARG(ctx, 0, const struct pci_dev *);		\
	const struct scatterlist *__s = ARG(ctx, 1, const struct scatterlist *);	\
	__u64 __id = 0;									\
	int __rc = 0;									\
											\
	if ((ctx)[1] && !not_inlined)							\
		__id = list_bus_addr(__s);						\
	if ((ctx)[1] && !not_inlined && free_sgl_begins((ctx)[1], __id)) {		\
		struct buffer __b = {							\
			.provider = { .kind = VIEW_PCI, .pci = __p->dev.kobj.name },	\
			.id = __id, .bus_addr = __id,					\
			.size = BPF_CORE_READ(__s, length), .nents = 1,			\
		};									\
											\
		__rc = on(ctx, &__b, 0);						\
	}										\
	__rc;										\
})

static __always_inline int free_sgl_ends(__u64 sgl)
{
	__u64 *found = bpf_map_lookup_elem(&lists_in_progress, &sgl), id;

	if (!found)
		return 0;
	id = *found;
	deleted(bpf_map_delete_elem(&lists_in_progress, &sgl));
	if (deleted(bpf_map_delete_elem(&frees_of_lists, &id)) &&
	    __sync_fetch_and_add(&lists_alone, 1) >= LISTS_ALONE)
		inlined = 1;
	return 0;
}

/*
 * Memory that a process maps is not allocated by pci_alloc_p2pmem(): p2pmem_alloc_mmap() takes it
 * from the pool and inserts it page by page, and each page returns on its own. So each is a buffer.
 *
 * int vm_insert_page(struct vm_area_struct *, unsigned long addr, struct page *)
 * void p2pdma_folio_free(struct folio *)
 */
static __always_inline bool page_read(__u64 page, struct buffer *buf)
{
	const struct pci_p2pdma_pagemap *p2p = p2pdma_pagemap(pagemap_of((struct page *)page));
	__u64 start = BPF_CORE_READ(p2p, pgmap.range.start);
	__u64 end = BPF_CORE_READ(p2p, pgmap.range.end), phys;

	/* The word of another page leads to no dev_pagemap, so that type or range do not fit */
	if (BPF_CORE_READ(p2p, pgmap.type) !=
		    bpf_core_enum_value(enum memory_type, MEMORY_DEVICE_PCI_P2PDMA) ||
	    start >= end || (start | (end + 1)) & (PAGE_SIZE - 1))
		return false;
	phys = page_phys(page, start);
	/* The assumed address of the array of struct page may be wrong */
	if (phys < start || phys > end) {
		count_lost();
		return false;
	}
	*buf = (struct buffer){
		.provider = { .kind = VIEW_PCI, .pci = pagemap_provider(p2p) },
		.id = phys + pagemap_bus_offset(p2p), .size = PAGE_SIZE, .nents = 1,
	};
	buf->bus_addr = buf->id;
	return true;
}

#define PAGE_PROG(section, name, arg, done, on, args...)				\
SEC(section)										\
int name(unsigned long long *ctx)							\
{											\
	struct buffer buf;								\
											\
	return task_wanted() && (done) && page_read(number_of(ARG(ctx, arg, void *)), &buf) ? \
		on(ctx, &buf, ##args) : 0;						\
}

/* Reads one segment of a mapped list. Returns false if it is not peer memory. */
static __always_inline bool segment_read(const struct scatterlist *sg, struct buffer *buf,
					 struct dma *dma, __u32 *map)
{
	const struct pci_p2pdma_pagemap *p2p;
	__u64 key = pagemap_of(page_of(sg));
	bool bus;

	if (!bpf_map_lookup_elem(&pagemaps, &key))
		return false;
	p2p = p2pdma_pagemap(key);
	bus = BPF_CORE_READ(sg, dma_flags) & SG_DMA_BUS_ADDRESS;
	dma->addr = BPF_CORE_READ(sg, dma_address);
	/* An IOMMU may have merged several segments */
	dma->size = bpf_core_field_exists(sg->dma_length) ? BPF_CORE_READ(sg, dma_length) :
							    BPF_CORE_READ(sg, length);
	*map = bus ? MAP_TYPE(BUS_ADDR) : MAP_TYPE(THRU_HOST_BRIDGE);
	*buf = (struct buffer){
		.provider = { .kind = VIEW_PCI, .pci = pagemap_provider(p2p) },
		.size = dma->size, .nents = 1,
		.bus_addr = mapped_bus_addr(p2p, dma->addr, bus),
	};
	buf->id = buf->bus_addr;
	return true;
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

#define STOCK_PROGS_p2pdma_map								\
	SEGMENT_CALLBACK(p2pdma_map, map)						\
	STOCK_TRACEPOINT_PROGS(p2pdma_map)						\
	SEC(P2PTRACE_STOCK_HMM_MAP)							\
	int stock_hmm_map(unsigned long long *ctx)					\
	{										\
		return from_hmm_map(ctx, on_p2pdma_map);				\
	}										\
	SEC(P2PTRACE_STOCK_DMABUF_RANGES)						\
	int stock_dmabuf_map(unsigned long long *ctx)					\
	{										\
		return from_dmabuf_ranges(ctx, on_p2pdma_map);				\
	}										\
	SEC(P2PTRACE_STOCK_RESOURCE_MAP)						\
	int stock_resource_map(unsigned long long *ctx)					\
	{										\
		return from_resource_map(ctx, on_p2pdma_map);				\
	}										\
	SEC(P2PTRACE_STOCK_DMABUF_ENTER)						\
	int stock_dmabuf_enter(unsigned long long *ctx)					\
	{										\
		return dmabuf_call_begins(ctx[0]);					\
	}										\
	SEC(P2PTRACE_STOCK_DMABUF_LEAVE)						\
	int stock_dmabuf_leave(unsigned long long *ctx)					\
	{										\
		return dmabuf_call_ends();						\
	}
#define STOCK_PROGS_p2pdma_unmap							\
	SEGMENT_CALLBACK(p2pdma_unmap)							\
	STOCK_TRACEPOINT_PROGS(p2pdma_unmap)						\
	SEC(P2PTRACE_STOCK_BLOCK_MAP)							\
	int stock_block_map(unsigned long long *ctx)					\
	{										\
		return from_block_map(ctx, false, on_p2pdma_map, on_p2pdma_unmap);	\
	}										\
	SEC(P2PTRACE_STOCK_BLOCK_METADATA)						\
	int stock_block_metadata(unsigned long long *ctx)				\
	{										\
		return from_block_map(ctx, true, on_p2pdma_map, on_p2pdma_unmap);	\
	}										\
	MARKED_PROGS_IF(P2PTRACE_STOCK_BLOCK_COMPLETE, stock_block_complete,		\
			P2PTRACE_p2pdma_unmap, true,					\
			from_block_unmap(ctx, on_p2pdma_unmap))				\
	MARKED_PROGS_IF(P2PTRACE_STOCK_BLOCK_REQUEUE, stock_block_requeue,		\
			P2PTRACE_p2pdma_unmap, true,					\
			from_block_unmap(ctx, on_p2pdma_unmap))				\
	SEC(P2PTRACE_STOCK_HMM_UNMAP)							\
	int stock_hmm_unmap(unsigned long long *ctx)					\
	{										\
		return from_hmm_unmap(ctx, on_p2pdma_unmap);				\
	}										\
	SEC(P2PTRACE_STOCK_DMABUF_FREE)							\
	int stock_dmabuf_free(unsigned long long *ctx)					\
	{										\
		return from_dmabuf_free(ctx, on_p2pdma_unmap);				\
	}										\
	SEC(P2PTRACE_STOCK_RESOURCE_UNMAP)						\
	int stock_resource_unmap(unsigned long long *ctx)				\
	{										\
		return from_resource_unmap(ctx, on_p2pdma_unmap);			\
	}
#define STOCK_PROGS_p2pmem_alloc							\
	STOCK_FUNCTION_PROG(p2pmem_alloc)						\
	PAGE_PROG(P2PTRACE_STOCK_PAGE_INSERT, stock_page_insert, 2, !(int)ctx[3],	\
		  on_p2pmem_alloc)
#define STOCK_PROGS_p2pmem_alloc_fail		STOCK_FUNCTION_PROG(p2pmem_alloc_fail)
#define STOCK_PROGS_p2pmem_free								\
	STOCK_FUNCTION_PROG(p2pmem_free)						\
	SEC(P2PTRACE_STOCK_FREE_SGL)							\
	int stock_free_sgl(unsigned long long *ctx)					\
	{										\
		return task_wanted() ? from_free_sgl(ctx, on_p2pmem_free) : 0;		\
	}										\
	SEC(P2PTRACE_STOCK_FREE_SGL_END)						\
	int stock_free_sgl_end(unsigned long long *ctx)					\
	{										\
		return free_sgl_ends(ctx[1]);						\
	}										\
	PAGE_PROG(P2PTRACE_STOCK_PAGE_FREE_FOLIO, stock_page_free_folio, 0, true,	\
		  on_p2pmem_free, 0)							\
	PAGE_PROG(P2PTRACE_STOCK_PAGE_FREE, stock_page_free, 0, true, on_p2pmem_free, 0)
#define STOCK_PROGS_p2pdma_decide							\
	STOCK_FUNCTION_PROG(p2pdma_decide)						\
	SEC(P2PTRACE_STOCK_MAP_TYPE)							\
	int stock_map_type(unsigned long long *ctx)					\
	{										\
		return task_wanted() ? from_stock_map_type(ctx, on_p2pdma_decide) : 0;	\
	}										\
	SEC(P2PTRACE_STOCK_MAP_TYPE_BEGIN)						\
	int stock_map_type_begin(unsigned long long *ctx)				\
	{										\
		refusal_was_new();							\
		return 0;								\
	}
#define STOCK_PROGS_p2pmem_find			STOCK_FUNCTION_PROG(p2pmem_find)
#define STOCK_PROGS_p2pmem_mmap			STOCK_FUNCTION_PROG(p2pmem_mmap)
#define STOCK_PROGS_nvmet_p2pmem_use		STOCK_FUNCTION_PROG(nvmet_p2pmem_use)
#define STOCK_PROGS_nvmet_p2pmem_fallback						\
	STOCK_FUNCTION_PROG(nvmet_p2pmem_fallback)					\
	NVMET_MODULE_PROGS

#define FOR_EACH_SEGMENT(context, direction, callback)					\
({											\
	struct walk __w = {								\
		.ctx = (context),							\
		.dma = {								\
			.client = ARG(context, 0, const struct device *)->kobj.name,	\
			.client_id = (context)[0], .dir = (direction),			\
			.kind = P2PTRACE_KIND_SG,					\
		},									\
	};										\
	const struct scatterlist *__sgl = ARG(context, 1, const struct scatterlist *);	\
	int __nents = ARG(context, 2, int);						\
											\
	__w.sg = (void *)number_of(__sgl);						\
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
#define from_stock_p2pdma_map(ctx, on) \
	FOR_EACH_SEGMENT(ctx, (ctx)[4], p2pdma_map_segment)
/*
 * dma_unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
 *		enum dma_data_direction dir, ...), which occurs before the list is unmapped
 */
#define from_stock_p2pdma_unmap(ctx, on) \
	FOR_EACH_SEGMENT(ctx, (ctx)[3], p2pdma_unmap_segment)

/*
 * A mapping of which only the beginning shows all of this. It often ends in another task, so it is
 * remembered and forgotten whatever task is wanted.
 */
struct peer_mapping {
	const char *provider, *client;	/* names, which live as long as the mapping */
	__u64 client_id;
	__u64 bus_addr;
	__u64 dma_addr;
	__u64 size;
	__u32 dir;
	__u32 kind;		/* enum p2ptrace_kind */
};

static __always_inline void mapping_views(const struct peer_mapping *m, struct buffer *buf,
					  struct dma *dma)
{
	*buf = (struct buffer){
		.provider = { .kind = VIEW_PCI, .pci = m->provider },
		.id = m->bus_addr, .bus_addr = m->bus_addr, .size = m->size, .nents = 1,
	};
	*dma = (struct dma){
		.client = m->client, .client_id = m->client_id, .addr = m->dma_addr,
		.size = m->size, .dir = m->dir, .kind = m->kind,
	};
}

/* Records that the mapping in @map under @key, if it is known, has ended. */
#define MAPPING_ENDS(ctx, on, map, key)							\
({											\
	struct peer_mapping *__found = bpf_map_lookup_elem(map, key), __m;		\
	struct buffer __b;								\
	struct dma __d;									\
	int __rc = 0;									\
											\
	if (__found) {									\
		__m = *__found;								\
		if (deleted(bpf_map_delete_elem(map, key))) {				\
			mapping_views(&__m, &__b, &__d);				\
			__rc = task_wanted() ? on(ctx, &__b, &__d) : 0;			\
		}									\
	}										\
	__rc;										\
})

/*
 * Block requests that are mapped, by the address of the request, and by METADATA_OF() it for its
 * metadata, which is mapped on its own. All data of a request is peer memory of one provider: the
 * block layer does not merge such requests. It is unmapped when it completes or is queued again. If
 * the driver fails to map all of it, it may unmap what it has mapped, and map the request again
 * without either.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, P2PTRACE_MAX_LIVE);
	__type(key, __u64);
	__type(value, struct peer_mapping);
} block_mappings SEC(".maps");

#define METADATA_OF(req)	(number_of((const void *)(req)) | 1)

/* Keep the cost of other I/O low until a request maps peer memory for the first time */
static volatile __u32 nr_block_mappings, nr_block_metadata;

/* include/linux/blk_types.h: the operations that write are odd */
#define REQ_OP_WRITES	1

static __always_inline struct page *vec_page(const void *vec, unsigned int i)
{
	vec += i * bpf_core_type_size(struct bio_vec);
	return BPF_CORE_READ((const struct bio_vec *)vec, bv_page);
}

static __always_inline struct page *request_page(const struct request *req, __u32 *size)
{
	const struct bio *bio = BPF_CORE_READ(req, bio);

	*size = BPF_CORE_READ(req, __data_len);
	return vec_page(BPF_CORE_READ(bio, bi_io_vec), BPF_CORE_READ(bio, bi_iter.bi_idx));
}

static __always_inline struct page *metadata_page(const struct request *req, __u32 *size)
{
	const struct bio_integrity_payload *metadata = BPF_CORE_READ(req, bio, bi_integrity);

	*size = BPF_CORE_READ(metadata, bip_iter.bi_size);
	return vec_page(BPF_CORE_READ(metadata, bip_vec), BPF_CORE_READ(metadata, bip_iter.bi_idx));
}

/* Whether all of @m was read and recorded */
static __always_inline bool block_begins(unsigned long long *ctx, bool metadata,
					 struct peer_mapping *m)
{
	const struct request *req = ARG(ctx, 0, const struct request *);
	const struct device *client = ARG(ctx, 1, const struct device *);
	const struct blk_dma_iter *iter = ARG(ctx, 3, const struct blk_dma_iter *);
	const struct pci_p2pdma_pagemap *p2p;
	__u64 key = metadata ? METADATA_OF(ctx[0]) : ctx[0];
	__u32 size = 0;

	p2p = p2pdma_pagemap(pagemap_of(metadata ? metadata_page(req, &size) :
						   request_page(req, &size)));
	*m = (struct peer_mapping){
		.provider = pagemap_provider(p2p), .client = client->kobj.name,
		.client_id = (__u64)client, .dma_addr = iter->addr, .size = size,
		.dir = req->cmd_flags & REQ_OP_WRITES ? DMA_TO_DEVICE : DMA_FROM_DEVICE,
		.bus_addr = mapped_bus_addr(p2p, iter->addr,
					    iter->p2pdma.map == MAP_TYPE(BUS_ADDR)),
		.kind = P2PTRACE_KIND_BLOCK,
	};
	if (metadata)
		nr_block_metadata = 1;
	else
		nr_block_mappings = 1;
	if (!bpf_map_update_elem(&block_mappings, &key, m, BPF_ANY))
		return true;
	count_lost();
	return false;
}

static __always_inline bool maps_peer_memory(const struct blk_dma_iter *iter)
{
	return iter->p2pdma.map == MAP_TYPE(BUS_ADDR) ||
	       iter->p2pdma.map == MAP_TYPE(THRU_HOST_BRIDGE);
}

/*
 * bool blk_rq_dma_map_iter_start(struct request *, struct device *dma_dev, struct dma_iova_state *,
 *				  struct blk_dma_iter *)
 * maps the first segment, or all of the request if an IOMMU gives it one range.
 * blk_rq_integrity_dma_map_iter_start() has the same arguments.
 */
#define from_block_map(ctx, metadata, on, on_end)					\
({											\
	const struct blk_dma_iter *__i = ARG(ctx, 3, const struct blk_dma_iter *);	\
	__u64 __key = (metadata) ? METADATA_OF((ctx)[0]) : (ctx)[0];			\
	struct peer_mapping __n;							\
	struct buffer __c;								\
	struct dma __e;									\
											\
	if (maps_peer_memory(__i) && (__u8)(ctx)[4]) {					\
		MAPPING_ENDS(ctx, on_end, &block_mappings, &__key);			\
		if (block_begins(ctx, metadata, &__n) && task_wanted()) {		\
			mapping_views(&__n, &__c, &__e);				\
			on(ctx, &__c, &__e, __i->p2pdma.map);				\
		}									\
	}										\
	0;										\
})

/* block_rq_complete(struct request *, ...) and block_rq_requeue(struct request *) */
#define from_block_unmap(ctx, on)							\
({											\
	__u64 __key = (ctx)[0];								\
											\
	if (nr_block_mappings)								\
		MAPPING_ENDS(ctx, on, &block_mappings, &__key);				\
	if (nr_block_metadata) {							\
		__key = METADATA_OF((ctx)[0]);						\
		MAPPING_ENDS(ctx, on, &block_mappings, &__key);				\
	}										\
	0;										\
})

/* What HMM has mapped: an entry of a list of pages of a process. */
struct hmm_entry {
	__u64 map;
	__u64 idx;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, P2PTRACE_MAX_LIVE);
	__type(key, struct hmm_entry);
	__type(value, struct peer_mapping);
} hmm_mappings SEC(".maps");

/* Keeps the cost of other memory low until HMM maps peer memory for the first time */
static volatile __u32 nr_hmm_mappings;

#define HMM_PFN(flag)	bpf_core_enum_value(enum hmm_pfn_flags, HMM_PFN_##flag)
#define PFN_MASK(pfn)	((pfn) & ~HMM_PFN(FLAGS))

/* The page of an entry, with flags. */
static __always_inline __u64 hmm_pfn(const struct hmm_entry *entry)
{
	const struct hmm_dma_map *map = (const void *)entry->map;
	__u64 pfn = 0;

	bpf_probe_read_kernel(&pfn, sizeof(pfn), BPF_CORE_READ(map, pfn_list) + entry->idx);
	return pfn;
}

static __always_inline const char *state_provider(const struct pci_p2pdma_map_state *state,
						  __u64 *bus_offset)
{
	const struct pci_p2pdma_pagemap *p2p;
	const struct p2pdma_provider *mem;

	if (bpf_core_field_exists(state->mem)) {
		mem = BPF_CORE_READ(state, mem);
		*bus_offset = PROVIDER_READ(mem, bus_offset);
		return mem_provider(mem);
	}
	p2p = p2pdma_pagemap((__u64)BPF_CORE_READ(state, pgmap));
	*bus_offset = pagemap_bus_offset(p2p);
	return pagemap_provider(p2p);
}

/*
 * Whether all of @m was read and recorded. An entry that is mapped already comes again, and is
 * unmapped once.
 */
static __always_inline bool hmm_begins(const struct device *client, const struct hmm_dma_map *map,
				       const struct pci_p2pdma_map_state *state,
				       const struct hmm_entry *key, __u64 pfn, __u64 dma_addr,
				       struct peer_mapping *m)
{
	__u64 bus_offset = 0;

	if (bpf_map_lookup_elem(&hmm_mappings, key))
		return false;
	*m = (struct peer_mapping){
		.provider = state_provider(state, &bus_offset), .client = client->kobj.name,
		.client_id = (__u64)client, .dma_addr = dma_addr,
		.size = BPF_CORE_READ(map, dma_entry_size), .kind = P2PTRACE_KIND_HMM,
		.dir = DMA_BIDIRECTIONAL,
	};
	m->bus_addr = (PFN_MASK(pfn) << page_shift) + bus_offset;
	nr_hmm_mappings = 1;
	if (!bpf_map_update_elem(&hmm_mappings, key, m, BPF_NOEXIST))
		return true;
	count_lost();
	return false;
}

/* include/linux/dma-mapping.h */
#define DMA_MAPPING_ERROR	(~0ull)

/*
 * dma_addr_t hmm_dma_map_pfn(struct device *, struct hmm_dma_map *, size_t idx,
 *			      struct pci_p2pdma_map_state *)
 */
#define from_hmm_map(ctx, on)								\
({											\
	const struct pci_p2pdma_map_state *__s =					\
		ARG(ctx, 3, const struct pci_p2pdma_map_state *);			\
	struct hmm_entry __key = { .map = (ctx)[1], .idx = (ctx)[2] };			\
	__u64 __pfn = hmm_pfn(&__key);							\
	__u32 __map = __pfn & HMM_PFN(P2PDMA_BUS) ? MAP_TYPE(BUS_ADDR) :		\
						    MAP_TYPE(THRU_HOST_BRIDGE);		\
	struct peer_mapping __m;							\
	struct buffer __b;								\
	struct dma __d;									\
	int __rc = 0;									\
											\
	/* The state is that of the last page of peer memory, the flags are this page's */	\
	if (__pfn & (HMM_PFN(P2PDMA) | HMM_PFN(P2PDMA_BUS)) && __s->map == __map &&	\
	    (ctx)[4] != DMA_MAPPING_ERROR &&						\
	    hmm_begins(ARG(ctx, 0, const struct device *),				\
		       ARG(ctx, 1, const struct hmm_dma_map *), __s, &__key, __pfn,	\
		       (ctx)[4], &__m)) {						\
		mapping_views(&__m, &__b, &__d);					\
		__rc = task_wanted() ? on(ctx, &__b, &__d, __map) : 0;			\
	}										\
	__rc;										\
})

/* bool hmm_dma_unmap_pfn(struct device *, struct hmm_dma_map *, size_t idx) */
#define from_hmm_unmap(ctx, on)								\
({											\
	struct hmm_entry __key = { .map = (ctx)[1], .idx = (ctx)[2] };			\
											\
	nr_hmm_mappings ? MAPPING_ENDS(ctx, on, &hmm_mappings, &__key) : 0;		\
})

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

/*
 * The same function if nvmet is a module, which may be loaded and unloaded at any time. The kernel
 * pins the module of a function to which a program is attached by fexit, and CO-RE finds types of a
 * module only while it is loaded. A kprobe pins nothing, and user space stores here where the
 * members are.
 */
static volatile struct p2ptrace_nvmet nvmet SEC(".data.nvmet");

#define NVMET_READ(to, from, type, member) \
	bpf_probe_read_kernel(to, sizeof(*(to)), (void *)(from) + nvmet.type##_##member)

/* The request of each task that is in the function. Its return shows only the result. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	/* Before 6.1, the kernel warns of a kprobe that allocates memory for a map */
	__uint(max_entries, P2PTRACE_MAX_CALLS);
	__type(key, __u64);
	__type(value, __u64);
} nvmet_calls SEC(".maps");

static __always_inline int nvmet_call_begins(const struct pt_regs *regs)
{
	__u64 task = bpf_get_current_task();
	__u64 req = bpf_core_field_exists(regs->di) ? BPF_CORE_READ(regs, di) :
						      BPF_CORE_READ(regs, regs[0]);

	if (!bpf_map_update_elem(&nvmet_calls, &task, &req, BPF_NOEXIST))
		return 0;
	/* The kernel has only so many kretprobes at a time, and missed a return of this task */
	count_lost();
	bpf_map_update_elem(&nvmet_calls, &task, &req, BPF_ANY);
	return 0;
}

static __always_inline int returned(const struct pt_regs *regs)
{
	return bpf_core_field_exists(regs->ax) ? BPF_CORE_READ(regs, ax) :
						 BPF_CORE_READ(regs, regs[0]);
}

/* The offsets of opcode and command_id are those of the NVMe specification. */
static __always_inline void nvmet_request_read(struct target_request *r, __u64 req, __u64 sq,
					       __u64 ns)
{
	__u64 cmd = 0, ctrl = 0;

	NVMET_READ(&cmd, req, nvmet_req, cmd);
	NVMET_READ(&ctrl, sq, nvmet_sq, ctrl);
	NVMET_READ(&r->cntlid, ctrl, nvmet_ctrl, cntlid);
	NVMET_READ(&r->nsid, ns, nvmet_ns, nsid);
	bpf_probe_read_kernel(&r->opcode, sizeof(r->opcode), (const void *)cmd);
	bpf_probe_read_kernel(&r->cid, sizeof(r->cid), (const void *)cmd + 2);
}

/* Whether the request of this task could use peer memory, as request_may_use(). */
static __always_inline bool nvmet_call_ends(const struct pt_regs *regs, struct target_request *r,
					    __u64 *size, bool *used)
{
	__u64 task = bpf_get_current_task(), sq = 0, ns = 0, p2p_dev = 0, req;
	__u64 *found = bpf_map_lookup_elem(&nvmet_calls, &task);
	__u32 may_use = 0;

	if (!found)
		return false;
	req = *found;
	deleted(bpf_map_delete_elem(&nvmet_calls, &task));
	NVMET_READ(&sq, req, nvmet_req, sq);
	NVMET_READ(&ns, req, nvmet_req, ns);
	NVMET_READ(&r->qid, sq, nvmet_sq, qid);
	if (returned(regs) || !ns || !r->qid)
		return false;
	NVMET_READ(&may_use, ns, nvmet_ns, use_p2pmem);
	NVMET_READ(&p2p_dev, req, nvmet_req, p2p_dev);
	NVMET_READ(size, req, nvmet_req, transfer_len);
	*used = p2p_dev;
	nvmet_request_read(r, req, sq, ns);
	return may_use;
}

#define NVMET_MODULE_PROGS								\
	SEC(P2PTRACE_STOCK_NVMET_CALL)							\
	int stock_nvmet_call(struct pt_regs *regs)					\
	{										\
		return nvmet_call_begins(regs);						\
	}										\
	SEC(P2PTRACE_STOCK_NVMET_RETURN)						\
	int stock_nvmet_return(struct pt_regs *regs)					\
	{										\
		unsigned long long *ctx = (void *)regs;					\
		struct target_request r = {};						\
		__u64 size = 0;								\
		bool used = false;							\
											\
		if (!nvmet_call_ends(regs, &r, &size, &used) || !task_wanted())		\
			return 0;							\
		return used ? on_nvmet_p2pmem_use(ctx, &r, size, 0) :			\
			      on_nvmet_p2pmem_fallback(ctx, &r, size, 0);		\
	}

#endif /* STOCK_BPF_H */
