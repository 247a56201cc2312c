/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that crosses between the BPF programs and user space, and nothing else: the list of events, one record
 * per event, the counts, and the filter. A record starts with struct p2ptrace_header; its other members bear the names that the
 * tracepoints and "p2ptrace trace --json" use.
 *
 * There is no enum of the kernel in here. Enum values cross as numbers, and user space looks their names up in the
 * BTF of the running kernel (tools/p2ptrace/event/enums.c), so they cannot drift.
 */
#ifndef P2PTRACE_H
#define P2PTRACE_H

#include <linux/types.h>

/* Every event. A new one also needs a record below, a program in a .bpf.c and a field table in events.c. */
#define P2PTRACE_EVENTS(X)	\
	X(p2pmem_dev_add)	\
	X(p2pmem_dev_del)	\
	X(p2pmem_dev_drained)	\
	X(p2pmem_drain_stall)	\
	X(p2pmem_alloc)		\
	X(p2pmem_alloc_fail)	\
	X(p2pmem_free)		\
	X(p2pmem_reclaim)	\
	X(p2pmem_decide)	\
	X(p2pmem_find)		\
	X(p2pmem_dma_map)	\
	X(p2pmem_dma_unmap)	\
	X(p2pmem_mmap)		\
	X(nvmet_p2pmem_bind)	\
	X(nvmet_p2pmem_unbind)	\
	X(nvmet_p2pmem_use)	\
	X(nvmet_p2pmem_fallback)

/*
 * Where stock kernels show the same, by what libbpf calls the program's section. That of the p2pdma functions is all
 * in drivers/pci/p2pdma.c, and has been since 6.2; dma_map_sg came with 6.12.
 */
#define P2PTRACE_STOCK_p2pmem_alloc		"fexit/pci_alloc_p2pmem"
#define P2PTRACE_STOCK_p2pmem_alloc_fail	"fexit/pci_alloc_p2pmem"
#define P2PTRACE_STOCK_p2pmem_free		"fentry/pci_free_p2pmem"
#define P2PTRACE_STOCK_p2pmem_decide		"fexit/calc_map_type_and_dist"
#define P2PTRACE_STOCK_p2pmem_find		"fexit/pci_p2pmem_find_many"
#define P2PTRACE_STOCK_p2pmem_dma_map		"tp_btf/dma_map_sg"
#define P2PTRACE_STOCK_p2pmem_dma_unmap		"tp_btf/dma_unmap_sg"
#define P2PTRACE_STOCK_p2pmem_mmap		"fexit/p2pmem_alloc_mmap"
#define P2PTRACE_STOCK_nvmet_p2pmem_use		"fexit/nvmet_req_alloc_sgls"
#define P2PTRACE_STOCK_nvmet_p2pmem_fallback	"fexit/nvmet_req_alloc_sgls"
/* Not an event: which pages are peer memory */
#define P2PTRACE_STOCK_PAGES			"fentry/pci_p2pdma_map_segment"

enum p2ptrace_event {
#define P2PTRACE_ENUMERATOR(name) P2PTRACE_##name,
	P2PTRACE_EVENTS(P2PTRACE_ENUMERATOR)
#undef P2PTRACE_ENUMERATOR
	P2PTRACE_NR_EVENTS
};

#define P2PTRACE_COMM_LEN	16	/* TASK_COMM_LEN */
#define P2PTRACE_NAME_LEN	32	/* a device name; longer ones are cut */
#define P2PTRACE_NQN_LEN	224	/* the 223 bytes NVMe allows, and a NUL */

/* A name and, to compare it in a few instructions, its words. Always padded with NULs. */
struct p2ptrace_name {
	union {
		char s[P2PTRACE_NAME_LEN];
		__u64 w[P2PTRACE_NAME_LEN / 8];
	};
};

/* An empty name, or a 0, filters nothing. dev and provider are alternatives: one match is enough. */
struct p2ptrace_filter {
	struct p2ptrace_name dev;
	struct p2ptrace_name provider;
	struct p2ptrace_name client;
	struct p2ptrace_name comm;	/* the first P2PTRACE_COMM_LEN bytes count */
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

struct p2ptrace_p2pmem_dev_add {
	struct p2ptrace_header h;
	__u64 bus_addr;
	__u64 size;
	struct p2ptrace_name dev;
	struct p2ptrace_name provider;
	__s32 node;
	__u32 pad;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_dev_add) == 128, "record has a hole");

struct p2ptrace_p2pmem_dev_del {
	struct p2ptrace_header h;
	__u64 buffers;
	__u64 bytes;
	__u64 pins;
	struct p2ptrace_name dev;
	struct p2ptrace_name provider;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_dev_del) == 128, "record has a hole");

struct p2ptrace_p2pmem_dev_drained {
	struct p2ptrace_header h;
	__u64 waited_ns;
	struct p2ptrace_name dev;
	struct p2ptrace_name provider;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_dev_drained) == 112, "record has a hole");

struct p2ptrace_p2pmem_drain_stall {
	struct p2ptrace_header h;
	__u64 buffers;
	__u64 pins;
	__u64 oldest_id;
	struct p2ptrace_name dev;
	struct p2ptrace_name provider;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_drain_stall) == 128, "record has a hole");

struct p2ptrace_p2pmem_alloc {
	struct p2ptrace_header h;
	__u64 id;
	__u64 bus_addr;
	__u64 size;
	struct p2ptrace_name dev;
	__u32 nents;
	__u32 pad;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_alloc) == 104, "record has a hole");

struct p2ptrace_p2pmem_alloc_fail {
	struct p2ptrace_header h;
	__u64 size;
	struct p2ptrace_name dev;
	__u32 reason;
	__u32 pad;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_alloc_fail) == 88, "record has a hole");

struct p2ptrace_p2pmem_free {
	struct p2ptrace_header h;
	__u64 id;
	__u64 size;
	struct p2ptrace_name dev;
	__u32 pins;
	__u32 pad;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_free) == 96, "record has a hole");

struct p2ptrace_p2pmem_reclaim {
	struct p2ptrace_header h;
	__u64 id;
	__u64 size;
	struct p2ptrace_name dev;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_reclaim) == 88, "record has a hole");

struct p2ptrace_p2pmem_decide {
	struct p2ptrace_header h;
	struct p2ptrace_name provider;
	struct p2ptrace_name client;
	struct p2ptrace_name blocker;
	__u32 map;
	__s32 distance;
	__u32 reason;
	__u32 pad;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_decide) == 152, "record has a hole");

struct p2ptrace_p2pmem_find {
	struct p2ptrace_header h;
	struct p2ptrace_name dev;
	__u32 clients;
	__u32 candidates;
	__s32 distance;
	__s32 err;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_find) == 88, "record has a hole");

struct p2ptrace_p2pmem_dma_map {
	struct p2ptrace_header h;
	__u64 id;
	__u64 dma_addr;
	__u64 size;
	struct p2ptrace_name dev;
	struct p2ptrace_name client;
	__u32 dir;
	__u32 map;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_dma_map) == 136, "record has a hole");

struct p2ptrace_p2pmem_dma_unmap {
	struct p2ptrace_header h;
	__u64 id;
	__u64 dma_addr;
	__u64 size;
	struct p2ptrace_name dev;
	struct p2ptrace_name client;
	__u32 dir;
	__u32 pad;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_dma_unmap) == 136, "record has a hole");

struct p2ptrace_p2pmem_mmap {
	struct p2ptrace_header h;
	__u64 size;
	struct p2ptrace_name dev;
	__u32 allowed;
	__u32 pad;
};
_Static_assert(sizeof(struct p2ptrace_p2pmem_mmap) == 88, "record has a hole");

struct p2ptrace_nvmet_p2pmem_bind {
	struct p2ptrace_header h;
	struct p2ptrace_name dev;
	__u32 cntlid;
	__u32 nsid;
	__s32 distance;
	__s32 err;
	char subsys[P2PTRACE_NQN_LEN];
};
_Static_assert(sizeof(struct p2ptrace_nvmet_p2pmem_bind) == 312, "record has a hole");

struct p2ptrace_nvmet_p2pmem_unbind {
	struct p2ptrace_header h;
	struct p2ptrace_name dev;
	__u32 cntlid;
	__u32 nsid;
	__u32 reason;
	__u32 pad;
	char subsys[P2PTRACE_NQN_LEN];
};
_Static_assert(sizeof(struct p2ptrace_nvmet_p2pmem_unbind) == 312, "record has a hole");

struct p2ptrace_nvmet_p2pmem_use {
	struct p2ptrace_header h;
	__u64 id;
	__u64 size;
	__u32 nsid;
	__u16 cntlid;
	__u16 qid;
	__u16 cid;
	__u8 opcode;
	__u8 pad[5];
};
_Static_assert(sizeof(struct p2ptrace_nvmet_p2pmem_use) == 72, "record has a hole");

struct p2ptrace_nvmet_p2pmem_fallback {
	struct p2ptrace_header h;
	__u64 size;
	__u32 nsid;
	__u32 reason;
	__u16 cntlid;
	__u16 qid;
	__u16 cid;
	__u8 opcode;
	__u8 pad;
};
_Static_assert(sizeof(struct p2ptrace_nvmet_p2pmem_fallback) == 64, "record has a hole");

/* What must not happen to a buffer and its mappings, as "p2ptrace check" sees it happen. */
enum p2ptrace_violation {
	P2PTRACE_MAP_AFTER_FREE,	/* mapped when it was freed, or had never been allocated */
	P2PTRACE_DOUBLE_MAP,		/* mapped by who had it mapped already */
	P2PTRACE_LATE_UNMAP,		/* unmapped only after it was freed */
	P2PTRACE_UNMAP_WITHOUT_MAP,
	P2PTRACE_HELD_TOO_LONG,		/* given back, but late; those that are still held, user space counts */
	P2PTRACE_NR_VIOLATIONS
};

/* The first of a kind. */
struct p2ptrace_first {
	__u64 id;
	__u64 held_ns;			/* 0 if it is not about that */
	struct p2ptrace_name dev;
	struct p2ptrace_name client;	/* "" if it is about none */
	__u32 pid;
	__u32 pad;
	char comm[P2PTRACE_COMM_LEN];
};

/*
 * What "p2ptrace stat" has counted, on one CPU. Enum values from P2PTRACE_NR_VALUES - 1 on share the last place.
 */
#define P2PTRACE_NR_VALUES	16

struct p2ptrace_counts {
	__u64 events[P2PTRACE_NR_EVENTS];
	__u64 bytes[P2PTRACE_NR_EVENTS];		/* of those that have a size */
	__u64 failures[P2PTRACE_NR_EVENTS];		/* of those that have an err, or are not allowed */
	__u64 deferred;					/* frees of what is still mapped */
	__u64 maps[P2PTRACE_NR_VALUES];			/* by map type */
	__u64 map_bytes[P2PTRACE_NR_VALUES];		/* likewise */
	__u64 decisions[P2PTRACE_NR_VALUES];		/* likewise */
	__u64 alloc_fails[P2PTRACE_NR_VALUES];		/* by reason */
	__u64 fallbacks[P2PTRACE_NR_VALUES];		/* by reason */
	__u64 violations[P2PTRACE_NR_VIOLATIONS];	/* seen by "p2ptrace check" alone */
};

/* Who has allocated a buffer, for "p2ptrace leaks", and what a stock kernel does not tell otherwise. */
#define P2PTRACE_STACK_DEPTH	32

struct p2ptrace_owner {
	__s32 stack;			/* in the map of stacks; negative if there is none */
	__u32 pid;
	char comm[P2PTRACE_COMM_LEN];
	__u64 ts_ns;			/* CLOCK_MONOTONIC */
	__u64 size;
	struct p2ptrace_name dev;
};

/*
 * The key of a histogram of "p2ptrace lifetimes": how long the buffers of a device were mapped for a client; without a client,
 * how long they were held.
 */
struct p2ptrace_lifetime {
	struct p2ptrace_name dev;
	struct p2ptrace_name client;
};

/* A buffer that "p2ptrace check" follows. */
struct p2ptrace_live {
	__u64 since_ns;			/* CLOCK_MONOTONIC */
	__u32 before;			/* it was there before all was watched: nothing is concluded from what was not seen */
	__u32 freed;			/* but still mapped */
	struct p2ptrace_first first;	/* if it never comes back */
};

/* A DMA mapping that "p2ptrace check" has seen made. The client is only compared. */
struct p2ptrace_mapping {
	__u64 id;
	__u64 dma_addr;
	__u64 client;
};

struct p2ptrace_mapped {
	__u32 times;			/* by one client at one address */
	__u32 before;			/* made before all was watched, so that its end may not have been seen */
	__u64 since_ns;			/* CLOCK_MONOTONIC */
	struct p2ptrace_first first;	/* if it never ends */
};

#define P2PTRACE_MAX_LIVE	65536	/* buffers, and mappings, that can be followed at a time */

#endif /* P2PTRACE_H */
