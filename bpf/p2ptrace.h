/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The data that crosses between the BPF programs and user space: the events and their records, the
 * counts, and the filter.
 *
 * Events and fields are listed once, here. The record structures, the field tables for text and
 * JSON (tools/p2ptrace/event/events.c) and the metrics of enum fields are generated from the lists.
 *
 * The kernel's enums are not repeated here. Enum values cross as numbers, and user space looks up
 * their names in the BTF of the running kernel (tools/p2ptrace/event/enums.c).
 */
#ifndef P2PTRACE_H
#define P2PTRACE_H

#include <linux/types.h>

/*
 * Every event, in the order in which the programs are attached. CONTRIBUTING lists the files that a
 * new one needs. Those of dma-bufs stand together: event_is_of_dmabuf() tests for a range.
 */
#define P2PTRACE_EVENTS(X)	\
	X(p2pmem_dev_add)	\
	X(p2pmem_dev_del)	\
	X(p2pmem_dev_drained)	\
	X(p2pmem_drain_stall)	\
	X(p2pmem_alloc)		\
	X(p2pmem_alloc_fail)	\
	X(p2pmem_free)		\
	X(p2pmem_reclaim)	\
	X(p2pdma_decide)	\
	X(p2pmem_find)		\
	X(p2pdma_map)		\
	X(p2pdma_unmap)		\
	X(p2pmem_mmap)		\
	X(dma_buf_release)	\
	X(dma_buf_export)	\
	X(dma_buf_detach)	\
	X(dma_buf_attach)	\
	X(dma_buf_unmap)	\
	X(dma_buf_map)		\
	X(dma_buf_pin)		\
	X(dma_buf_unpin)	\
	X(dma_buf_revoke)	\
	X(nvmet_p2pmem_bind)	\
	X(nvmet_p2pmem_unbind)	\
	X(nvmet_p2pmem_use)	\
	X(nvmet_p2pmem_fallback)

/*
 * The fields of each event, in the order in which text and JSON show them:
 *
 *	F(event, kind, name, enum, kernels)
 *
 * kind: see P2PTRACE_TYPE_* below, and enum field_kind in events.h for how each is printed.
 * enum: for kind ENUM, the enum (ENUM_... in enums.h).
 * kernels: ALL; SERIES for a field that a stock kernel cannot provide; or KNOWN for a field that is
 * left out if it is 0 or empty, which means unknown.
 */
#define P2PTRACE_FIELDS_p2pmem_dev_add(F, e)			\
	F(e, STRING, dev, NONE, ALL)				\
	F(e, STRING, provider, NONE, ALL)			\
	F(e, HEX, bus_addr, NONE, ALL)				\
	F(e, BYTES, size, NONE, ALL)				\
	F(e, INT, node, NONE, ALL)

#define P2PTRACE_FIELDS_p2pmem_dev_del(F, e)			\
	F(e, STRING, dev, NONE, ALL)				\
	F(e, STRING, provider, NONE, ALL)			\
	F(e, UINT, buffers, NONE, ALL)				\
	F(e, BYTES, bytes, NONE, ALL)				\
	F(e, UINT, pins, NONE, ALL)

#define P2PTRACE_FIELDS_p2pmem_dev_drained(F, e)		\
	F(e, STRING, dev, NONE, ALL)				\
	F(e, STRING, provider, NONE, ALL)			\
	F(e, UINT, waited_ns, NONE, ALL)

#define P2PTRACE_FIELDS_p2pmem_drain_stall(F, e)		\
	F(e, STRING, dev, NONE, ALL)				\
	F(e, STRING, provider, NONE, ALL)			\
	F(e, UINT, buffers, NONE, ALL)				\
	F(e, UINT, pins, NONE, ALL)				\
	F(e, UINT, oldest_id, NONE, ALL)

#define P2PTRACE_FIELDS_p2pmem_alloc(F, e)			\
	F(e, STRING, dev, NONE, ALL)				\
	F(e, UINT, id, NONE, ALL)				\
	F(e, HEX, bus_addr, NONE, ALL)				\
	F(e, BYTES, size, NONE, ALL)				\
	F(e, UINT, nents, NONE, SERIES)

#define P2PTRACE_FIELDS_p2pmem_alloc_fail(F, e)			\
	F(e, STRING, dev, NONE, ALL)				\
	F(e, BYTES, size, NONE, ALL)				\
	F(e, ENUM, reason, ALLOC_ERROR, SERIES)

#define P2PTRACE_FIELDS_p2pmem_free(F, e)			\
	F(e, STRING, dev, NONE, ALL)				\
	F(e, UINT, id, NONE, ALL)				\
	F(e, BYTES, size, NONE, ALL)				\
	F(e, UINT, pins, NONE, SERIES)

#define P2PTRACE_FIELDS_p2pmem_reclaim(F, e)			\
	F(e, STRING, dev, NONE, ALL)				\
	F(e, UINT, id, NONE, ALL)				\
	F(e, BYTES, size, NONE, ALL)

#define P2PTRACE_FIELDS_p2pdma_decide(F, e)			\
	F(e, STRING, provider, NONE, ALL)			\
	F(e, STRING, client, NONE, ALL)				\
	F(e, ENUM, map, MAP_TYPE, ALL)				\
	F(e, INT, distance, NONE, ALL)				\
	F(e, ENUM, reason, DECISION_REASON, SERIES)		\
	F(e, STRING, blocker, NONE, SERIES)			\
	F(e, BOOL, cached, NONE, KNOWN)

#define P2PTRACE_FIELDS_p2pmem_find(F, e)			\
	F(e, STRING, dev, NONE, ALL)				\
	F(e, UINT, clients, NONE, ALL)				\
	F(e, UINT, candidates, NONE, SERIES)			\
	F(e, INT, distance, NONE, SERIES)			\
	F(e, ERRNO, err, NONE, SERIES)

#define P2PTRACE_FIELDS_p2pdma_map(F, e)			\
	F(e, STRING, provider, NONE, ALL)			\
	F(e, STRING, client, NONE, ALL)				\
	F(e, ENUM, kind, MAP_KIND, ALL)				\
	F(e, UINT, id, NONE, ALL)				\
	F(e, ADDR, bus_addr, NONE, ALL)				\
	F(e, HEX, dma_addr, NONE, ALL)				\
	F(e, BYTES, size, NONE, ALL)				\
	F(e, ENUM, dir, DMA_DIRECTION, ALL)			\
	F(e, ENUM, map, MAP_TYPE, ALL)

#define P2PTRACE_FIELDS_p2pdma_unmap(F, e)			\
	F(e, STRING, provider, NONE, ALL)			\
	F(e, STRING, client, NONE, ALL)				\
	F(e, ENUM, kind, MAP_KIND, ALL)				\
	F(e, UINT, id, NONE, ALL)				\
	F(e, HEX, dma_addr, NONE, ALL)				\
	F(e, BYTES, size, NONE, ALL)				\
	F(e, ENUM, dir, DMA_DIRECTION, ALL)

#define P2PTRACE_FIELDS_p2pmem_mmap(F, e)			\
	F(e, STRING, dev, NONE, ALL)				\
	F(e, BYTES, size, NONE, ALL)				\
	F(e, BOOL, allowed, NONE, SERIES)

/* Of all dma-bufs, whether their memory is on a device or not */
#define P2PTRACE_FIELDS_dma_buf_export(F, e)			\
	F(e, UINT, id, NONE, ALL)				\
	F(e, STRING, exporter, NONE, ALL)			\
	F(e, BYTES, size, NONE, ALL)

#define P2PTRACE_FIELDS_dma_buf_release(F, e)	P2PTRACE_FIELDS_dma_buf_export(F, e)

#define P2PTRACE_FIELDS_dma_buf_attach(F, e)			\
	F(e, UINT, id, NONE, ALL)				\
	F(e, STRING, client, NONE, ALL)				\
	F(e, BOOL, dynamic, NONE, ALL)				\
	F(e, BOOL, revocable, NONE, ALL)			\
	F(e, BOOL, p2p, NONE, ALL)

#define P2PTRACE_FIELDS_dma_buf_detach(F, e)	P2PTRACE_FIELDS_dma_buf_attach(F, e)

#define P2PTRACE_FIELDS_dma_buf_map(F, e)			\
	F(e, UINT, id, NONE, ALL)				\
	F(e, STRING, provider, NONE, KNOWN)			\
	F(e, STRING, client, NONE, ALL)				\
	F(e, BYTES, size, NONE, ALL)				\
	F(e, ENUM, dir, DMA_DIRECTION, ALL)			\
	F(e, ENUM, map, MAP_TYPE, KNOWN)			\
	F(e, ENUM, where, MAP_WHERE, KNOWN)

#define P2PTRACE_FIELDS_dma_buf_unmap(F, e)	P2PTRACE_FIELDS_dma_buf_map(F, e)

#define P2PTRACE_FIELDS_dma_buf_pin(F, e)			\
	F(e, UINT, id, NONE, ALL)				\
	F(e, STRING, client, NONE, ALL)

#define P2PTRACE_FIELDS_dma_buf_unpin(F, e)	P2PTRACE_FIELDS_dma_buf_pin(F, e)

/* The client is the one that ended the last mapping, and the time is how long that took */
#define P2PTRACE_FIELDS_dma_buf_revoke(F, e)			\
	F(e, UINT, id, NONE, ALL)				\
	F(e, STRING, client, NONE, KNOWN)			\
	F(e, UINT, waited_ns, NONE, KNOWN)

#define P2PTRACE_FIELDS_nvmet_p2pmem_bind(F, e)			\
	F(e, NQN, subsys, NONE, ALL)				\
	F(e, UINT, cntlid, NONE, ALL)				\
	F(e, UINT, nsid, NONE, ALL)				\
	F(e, STRING, dev, NONE, ALL)				\
	F(e, INT, distance, NONE, ALL)				\
	F(e, ERRNO, err, NONE, ALL)

#define P2PTRACE_FIELDS_nvmet_p2pmem_unbind(F, e)		\
	F(e, NQN, subsys, NONE, ALL)				\
	F(e, UINT, cntlid, NONE, ALL)				\
	F(e, UINT, nsid, NONE, ALL)				\
	F(e, STRING, dev, NONE, ALL)				\
	F(e, ENUM, reason, UNBIND_REASON, ALL)

#define P2PTRACE_FIELDS_nvmet_p2pmem_use(F, e)			\
	F(e, UINT, cntlid, NONE, ALL)				\
	F(e, UINT, qid, NONE, ALL)				\
	F(e, UINT, cid, NONE, ALL)				\
	F(e, UINT, nsid, NONE, ALL)				\
	F(e, HEX, opcode, NONE, ALL)				\
	F(e, BYTES, size, NONE, ALL)				\
	F(e, UINT, id, NONE, SERIES)

#define P2PTRACE_FIELDS_nvmet_p2pmem_fallback(F, e)		\
	F(e, UINT, cntlid, NONE, ALL)				\
	F(e, UINT, qid, NONE, ALL)				\
	F(e, UINT, cid, NONE, ALL)				\
	F(e, UINT, nsid, NONE, ALL)				\
	F(e, HEX, opcode, NONE, ALL)				\
	F(e, BYTES, size, NONE, ALL)				\
	F(e, ENUM, reason, FALLBACK_REASON, SERIES)

/*
 * The hooks of stock kernels, as libbpf names the section of a program. The functions are in
 * drivers/pci/p2pdma.c since 6.2. The event dma_map_sg exists since 6.12.
 *
 * tools/p2ptrace/session/hooks.c lists the hooks of each event, the best one first.
 */
#define P2PTRACE_STOCK_p2pmem_alloc		"fexit/pci_alloc_p2pmem"
#define P2PTRACE_STOCK_p2pmem_alloc_fail	"fexit/pci_alloc_p2pmem"
#define P2PTRACE_STOCK_p2pmem_free		"fentry/pci_free_p2pmem"
#define P2PTRACE_STOCK_p2pdma_decide		"fexit/calc_map_type_and_dist"
/* The decision of each mapping, new or not, since 6.19 */
#define P2PTRACE_STOCK_MAP_TYPE			"fexit/pci_p2pdma_map_type"
#define P2PTRACE_STOCK_MAP_TYPE_BEGIN		"fentry/pci_p2pdma_map_type"
#define P2PTRACE_STOCK_p2pmem_find		"fexit/pci_p2pmem_find_many"
#define P2PTRACE_STOCK_p2pdma_map		"tp_btf/dma_map_sg"
#define P2PTRACE_STOCK_p2pdma_unmap		"tp_btf/dma_unmap_sg"
#define P2PTRACE_STOCK_p2pmem_mmap		"fexit/p2pmem_alloc_mmap"
#define P2PTRACE_STOCK_nvmet_p2pmem_use		"fexit/nvmet_req_alloc_sgls"
#define P2PTRACE_STOCK_nvmet_p2pmem_fallback	"fexit/nvmet_req_alloc_sgls"
/* The same if nvmet is a module: a program of the other kind would keep it from being unloaded */
#define P2PTRACE_STOCK_NVMET_CALL		"kprobe/nvmet_req_alloc_sgls"
#define P2PTRACE_STOCK_NVMET_RETURN		"kretprobe/nvmet_req_alloc_sgls"
/* Not events: show which pages are peer memory. First the function since 6.16, then that before. */
#define P2PTRACE_STOCK_PAGES_UPDATE		"fentry/__pci_p2pdma_update_state"
#define P2PTRACE_STOCK_PAGES			"fentry/pci_p2pdma_map_segment"
/* Block requests, since 6.17. They are unmapped just before they complete or are queued again. */
#define P2PTRACE_STOCK_BLOCK_MAP		"fexit/blk_rq_dma_map_iter_start"
#define P2PTRACE_STOCK_BLOCK_METADATA		"fexit/blk_rq_integrity_dma_map_iter_start"
#define P2PTRACE_STOCK_BLOCK_COMPLETE		"tp_btf/block_rq_complete"
#define P2PTRACE_STOCK_BLOCK_REQUEUE		"tp_btf/block_rq_requeue"
/* HMM, since 6.16 */
#define P2PTRACE_STOCK_HMM_MAP			"fexit/hmm_dma_map_pfn"
#define P2PTRACE_STOCK_HMM_UNMAP		"fentry/hmm_dma_unmap_pfn"
/* Frees of scatterlists: the compiler may inline pci_free_p2pmem() into this function */
#define P2PTRACE_STOCK_FREE_SGL			"fentry/pci_p2pmem_free_sgl"
#define P2PTRACE_STOCK_FREE_SGL_END		"fexit/pci_p2pmem_free_sgl"
/*
 * dma-bufs, on every kernel. Only functions of the kernel image: a program that is attached to a
 * module keeps it from being unloaded.
 */
#define P2PTRACE_STOCK_dma_buf_export		"fexit/dma_buf_export"
#define P2PTRACE_STOCK_dma_buf_release		"fentry/dma_buf_file_release"
#define P2PTRACE_STOCK_dma_buf_attach		"fexit/dma_buf_dynamic_attach"
#define P2PTRACE_STOCK_dma_buf_detach		"fentry/dma_buf_detach"
#define P2PTRACE_STOCK_dma_buf_map		"fexit/dma_buf_map_attachment"
#define P2PTRACE_STOCK_dma_buf_unmap		"fentry/dma_buf_unmap_attachment"
#define P2PTRACE_STOCK_dma_buf_pin		"fexit/dma_buf_pin"
#define P2PTRACE_STOCK_dma_buf_unpin		"fentry/dma_buf_unpin"
#define P2PTRACE_STOCK_dma_buf_revoke		"fentry/dma_buf_invalidate_mappings"
/* Its name until 7.0 */
#define P2PTRACE_STOCK_DMABUF_MOVE		"fentry/dma_buf_move_notify"
/* BARs without pages, since 6.19: map and unmap them for a dma-buf */
#define P2PTRACE_STOCK_DMABUF_RANGES		"fexit/dma_buf_phys_vec_to_sgt"
#define P2PTRACE_STOCK_DMABUF_FREE		"fentry/dma_buf_free_sgt"
/* Those that exist already, since 6.16 */
#define P2PTRACE_STOCK_DMABUF_ITER		"iter/dmabuf"

/* Pages that a process maps, and their return. The latter has had two names. */
#define P2PTRACE_STOCK_PAGE_INSERT		"fexit/vm_insert_page"
#define P2PTRACE_STOCK_PAGE_FREE_FOLIO		"fentry/p2pdma_folio_free"
#define P2PTRACE_STOCK_PAGE_FREE		"fentry/p2pdma_page_free"
/*
 * Drivers that map a BAR of another device by its address: amdgpu, xe, habanalabs. What they map
 * for a dma-buf belongs to it.
 */
#define P2PTRACE_STOCK_RESOURCE_MAP		"fexit/dma_map_resource"
#define P2PTRACE_STOCK_RESOURCE_UNMAP		"fentry/dma_unmap_resource"
#define P2PTRACE_STOCK_DMABUF_ENTER		"fentry/dma_buf_map_attachment"
#define P2PTRACE_STOCK_DMABUF_LEAVE		"fexit/dma_buf_map_attachment"

enum p2ptrace_event {
#define P2PTRACE_ENUMERATOR(name) P2PTRACE_##name,
	P2PTRACE_EVENTS(P2PTRACE_ENUMERATOR)
#undef P2PTRACE_ENUMERATOR
	P2PTRACE_NR_EVENTS
};

/* What is mapped. The series' enum p2pdma_map_kind has the same values. */
enum p2ptrace_kind {
	P2PTRACE_KIND_SG,	/* a scatterlist */
	P2PTRACE_KIND_BLOCK,	/* a block request */
	P2PTRACE_KIND_HMM,	/* pages of a process, by HMM */
	P2PTRACE_KIND_DMABUF,
	P2PTRACE_KIND_VIRT,	/* for an RDMA device that maps in software */
};

/* Where the memory of a mapped dma-buf is. */
enum p2ptrace_where {
	P2PTRACE_WHERE_UNKNOWN,
	P2PTRACE_WHERE_BAR,	/* on a device */
	P2PTRACE_WHERE_RAM,
};

#define P2PTRACE_COMM_LEN	16	/* TASK_COMM_LEN */
#define P2PTRACE_NAME_LEN	32	/* a device name; longer ones are cut */
#define P2PTRACE_NQN_LEN	224	/* the 223 bytes that NVMe allows, and a NUL */

/* A name, padded with NULs. The words make a comparison take few instructions. */
struct p2ptrace_name {
	union {
		char s[P2PTRACE_NAME_LEN];
		__u64 w[P2PTRACE_NAME_LEN / 8];
	};
};

/* An empty name or a 0 matches every event. An event passes if dev or provider matches. */
struct p2ptrace_filter {
	struct p2ptrace_name dev;
	struct p2ptrace_name provider;
	struct p2ptrace_name client;
	struct p2ptrace_name comm;	/* only P2PTRACE_COMM_LEN bytes are used */
	__u64 min_size;
	__u32 pid;
	__u32 pad;
};

struct p2ptrace_header {
	__u64 ts_ns;		/* CLOCK_MONOTONIC */
	__u32 event;		/* enum p2ptrace_event */
	__u32 cpu;
	__u32 pid;		/* the process (tgid), as ps shows it */
	__u32 pad;
	union {
		char comm[P2PTRACE_COMM_LEN];
		__u64 comm_words[P2PTRACE_COMM_LEN / 8];
	};
};
_Static_assert(sizeof(struct p2ptrace_header) == 40, "header has a hole");

/* A field's type in the record. All have a multiple of 8 bytes, so that no record has a hole. */
#define P2PTRACE_TYPE_UINT(name)	__u64 name
#define P2PTRACE_TYPE_BYTES(name)	__u64 name
#define P2PTRACE_TYPE_HEX(name)		__u64 name
#define P2PTRACE_TYPE_ADDR(name)	__u64 name
#define P2PTRACE_TYPE_BOOL(name)	__u64 name
#define P2PTRACE_TYPE_ENUM(name)	__u64 name
#define P2PTRACE_TYPE_INT(name)		__s64 name
#define P2PTRACE_TYPE_ERRNO(name)	__s64 name
#define P2PTRACE_TYPE_STRING(name)	struct p2ptrace_name name
#define P2PTRACE_TYPE_NQN(name)		char name[P2PTRACE_NQN_LEN]

/* The records: struct p2ptrace_p2pmem_alloc and so on. */
#define P2PTRACE_MEMBER(e, kind, name, which, kernels)	P2PTRACE_TYPE_##kind(name);
#define P2PTRACE_MEMBER_SIZE(e, kind, name, which, kernels) \
	+ sizeof(((struct p2ptrace_##e *)0)->name)
#define P2PTRACE_RECORD(e)								\
struct p2ptrace_##e {									\
	struct p2ptrace_header h;							\
	P2PTRACE_FIELDS_##e(P2PTRACE_MEMBER, e)						\
};											\
_Static_assert(sizeof(struct p2ptrace_##e) == sizeof(struct p2ptrace_header)		\
	       P2PTRACE_FIELDS_##e(P2PTRACE_MEMBER_SIZE, e), "record has a hole");
P2PTRACE_EVENTS(P2PTRACE_RECORD)
#undef P2PTRACE_RECORD
#undef P2PTRACE_MEMBER_SIZE
#undef P2PTRACE_MEMBER

/* Each enum field of each event: P2PTRACE_ENUM_p2pdma_decide_reason and so on. */
#define P2PTRACE_IF_UINT(x)
#define P2PTRACE_IF_BYTES(x)
#define P2PTRACE_IF_HEX(x)
#define P2PTRACE_IF_ADDR(x)
#define P2PTRACE_IF_BOOL(x)
#define P2PTRACE_IF_INT(x)
#define P2PTRACE_IF_ERRNO(x)
#define P2PTRACE_IF_STRING(x)
#define P2PTRACE_IF_NQN(x)
#define P2PTRACE_IF_ENUM(x)	x
#define P2PTRACE_ENUM_FIELD(e, kind, name, which, kernels) \
	P2PTRACE_IF_##kind(P2PTRACE_ENUM_##e##_##name P2PTRACE_COMMA)
#define P2PTRACE_COMMA		,
#define P2PTRACE_ENUM_FIELDS(e)	P2PTRACE_FIELDS_##e(P2PTRACE_ENUM_FIELD, e)
enum p2ptrace_enum_field {
	P2PTRACE_EVENTS(P2PTRACE_ENUM_FIELDS)
	P2PTRACE_NR_ENUM_FIELDS
};
#undef P2PTRACE_ENUM_FIELDS
#undef P2PTRACE_ENUM_FIELD

/* The violations that the programs of "p2ptrace check" detect. */
enum p2ptrace_violation {
	P2PTRACE_MAP_AFTER_FREE,	/* the mapped buffer was freed or never allocated */
	P2PTRACE_DOUBLE_MAP,		/* the client had mapped the buffer already */
	P2PTRACE_LATE_UNMAP,		/* unmapped after the buffer was freed */
	P2PTRACE_UNMAP_WITHOUT_MAP,
	P2PTRACE_HELD_TOO_LONG,		/* freed too late; user space adds those not freed yet */
	P2PTRACE_MAPPED_AT_DETACH,	/* of a dma-buf */
	P2PTRACE_REVOKE_TOO_LONG,	/* mappings of a dma-buf were ended too late */
	P2PTRACE_NR_VIOLATIONS
};

/* The first violation of a kind. */
struct p2ptrace_first {
	__u64 id;
	__u64 held_ns;			/* 0 if the violation is not about a time */
	struct p2ptrace_name dev;
	struct p2ptrace_name client;	/* "" if the violation is not about a client */
	__u32 pid;
	__u32 pad;
	char comm[P2PTRACE_COMM_LEN];
};

/*
 * The counts of "p2ptrace stat" on one CPU. An enum value of P2PTRACE_NR_VALUES - 1 or more is
 * counted in the last element.
 */
#define P2PTRACE_NR_VALUES	16

struct p2ptrace_counts {
	__u64 events[P2PTRACE_NR_EVENTS];
	__u64 bytes[P2PTRACE_NR_EVENTS];	/* of events that have a size */
	__u64 failures[P2PTRACE_NR_EVENTS];	/* of events that have an err, or are refused */
	__u64 deferred;				/* frees of buffers that are still mapped */
	__u64 values[P2PTRACE_NR_ENUM_FIELDS][P2PTRACE_NR_VALUES];
	__u64 map_bytes[P2PTRACE_NR_VALUES];	/* of p2pdma_map, by map type */
	__u64 violations[P2PTRACE_NR_VIOLATIONS];	/* only for "p2ptrace check" */
};

/* "p2ptrace stat" counts DMA mappings by provider, client and map type. */
#define P2PTRACE_MAX_PAIRS	1024

struct p2ptrace_pair {
	struct p2ptrace_name provider;
	struct p2ptrace_name client;
	__u32 map;
	__u32 pad;
};

struct p2ptrace_pair_sum {
	__u64 maps;
	__u64 bytes;
};

/* The owner of a buffer and its stack, for "p2ptrace leaks". */
#define P2PTRACE_STACK_DEPTH	32

struct p2ptrace_owner {
	__s32 stack;			/* key in the map of stacks; negative if there is none */
	__u32 pid;
	char comm[P2PTRACE_COMM_LEN];
	__u64 ts_ns;			/* CLOCK_MONOTONIC */
	__u64 size;
	struct p2ptrace_name dev;
};

/*
 * The key of a histogram of "p2ptrace lifetimes": how long the buffers of a device, or the dma-bufs
 * of an exporter, were mapped for a client or, without a client, how long they were held.
 */
enum p2ptrace_life {
	P2PTRACE_LIFE_BUFFER,
	P2PTRACE_LIFE_DMABUF,
	P2PTRACE_LIFE_REVOKE,	/* how long the client kept a revocation waiting */
};

struct p2ptrace_lifetime {
	struct p2ptrace_name dev;	/* or exporter */
	struct p2ptrace_name client;
	__u32 kind;			/* enum p2ptrace_life */
	__u32 pad;
};

/* A buffer that "p2ptrace check" follows. */
struct p2ptrace_live {
	__u64 since_ns;			/* CLOCK_MONOTONIC */
	__u32 before;			/* allocated before the check began: no violation */
	__u32 freed;			/* but still mapped */
	struct p2ptrace_first first;	/* to report if the buffer is never freed */
};

/* A DMA mapping that "p2ptrace check" follows. The client is an address, only compared. */
struct p2ptrace_mapping {
	__u64 id;
	__u64 dma_addr;
	__u64 client;
};

struct p2ptrace_mapped {
	__s32 times;			/* by this client at this address */
	__u32 before;			/* made before the check began: may have ended unseen */
	__u64 since_ns;			/* CLOCK_MONOTONIC */
	__u64 allocated;		/* the buffer was, during the check, and not freed */
	struct p2ptrace_first first;	/* to report if the mapping never ends */
};

/*
 * The BARs of all functions, by physical address. Their sizes are powers of two and they are
 * aligned, so each is the addresses that begin with some bits, as the kernel's longest prefix match
 * wants it.
 */
#define P2PTRACE_MAX_BARS	65536

struct p2ptrace_bar_key {
	__u32 bits;
	__u8 address[8];		/* big endian */
};

struct p2ptrace_bar {
	struct p2ptrace_name name;	/* of the function */
	__u64 phys;
	__u64 bus;			/* its address on the bus; 0 if unknown */
};

/* The members of nvmet's structures that the programs read, and their places. */
#define P2PTRACE_NVMET_MEMBERS(X)	\
	X(nvmet_req, cmd)		\
	X(nvmet_req, sq)		\
	X(nvmet_req, ns)		\
	X(nvmet_req, p2p_dev)		\
	X(nvmet_req, transfer_len)	\
	X(nvmet_sq, ctrl)		\
	X(nvmet_sq, qid)		\
	X(nvmet_ctrl, cntlid)		\
	X(nvmet_ns, nsid)		\
	X(nvmet_ns, use_p2pmem)

/* Tasks that are in a function of nvmet at a time. */
#define P2PTRACE_MAX_CALLS	4096

#define P2PTRACE_NVMET_OFFSET(type, member)	__u32 type##_##member;
struct p2ptrace_nvmet {
	P2PTRACE_NVMET_MEMBERS(P2PTRACE_NVMET_OFFSET)
};
#undef P2PTRACE_NVMET_OFFSET

/* Buffers, and mappings, that can be followed at a time. */
#define P2PTRACE_MAX_LIVE	65536

/*
 * A dma-buf, from its first mapping to its release. A revocation waits for the mappings of the
 * generation that it ends. Those that are made meanwhile belong to the next generation.
 */
struct p2ptrace_dmabuf_state {
	__u64 id;
	__u64 generation;
	__u64 revoke_ns;	/* CLOCK_MONOTONIC, when the revocation began; 0: none waits */
	__s64 mapped[2];	/* mappings, by the lowest bit of their generation */
};

/* A device that is attached to a dma-buf, from its first mapping on. "p2ptrace leaks" sees all. */
struct p2ptrace_attached {
	__u64 id;		/* of the dma-buf */
	__s64 mapped[2];	/* as above */
	__u64 since_ns;		/* CLOCK_MONOTONIC; 0: unknown */
	__s64 pins;		/* only for "p2ptrace leaks", like the rest */
	__u32 dynamic;
	__u32 revocable;
	__u32 p2p;
	__u32 pad;
	struct p2ptrace_name client;
};

/* A mapping of a dma-buf, by attachment and table. */
struct p2ptrace_dmabuf_table {
	__u64 attach;
	__u64 sgt;
};

struct p2ptrace_dmabuf_mapping {
	struct p2ptrace_dmabuf_table key;
	__u64 id;
	/* Where the kernel has these names, as long as the mapping lives; 0: unknown */
	__u64 exporter;
	__u64 provider;
	__u64 client;
	__u64 size;
	__u64 since_ns;		/* CLOCK_MONOTONIC; 0: unknown */
	__s64 times;		/* old kernels return the same table again */
	__u32 dir;
	__u32 map;
	__u32 where;		/* enum p2ptrace_where */
	__u32 generation;	/* its lowest bit */
	struct p2ptrace_name provider_name;	/* only for "p2ptrace leaks" */
};

/* A dma-buf that was exported and not released, for "p2ptrace leaks". The key is its id. */
struct p2ptrace_dmabuf {
	__u64 size;
	__u64 since_ns;		/* CLOCK_MONOTONIC; 0: exported before p2ptrace started */
	__u32 pid;
	__u32 pad;
	char comm[P2PTRACE_COMM_LEN];
	struct p2ptrace_name exporter;
};

/* The sum of all dma-bufs that exist, for "p2ptrace stat". */
struct p2ptrace_dmabuf_sum {
	__u64 nr;
	__u64 bytes;
};

#endif /* P2PTRACE_H */
