/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs are told about an event, whichever kernel it is on: each event that stock kernels have as well is
 * made of the tracepoint's arguments here, and of what stock kernels have instead in stock.bpf.h. All of it is inlined,
 * so that nothing is read that the program does not look at.
 */
#ifndef VIEWS_BPF_H
#define VIEWS_BPF_H

#include "compat.bpf.h"
#include "filter.bpf.h"
#include "kernel_types.h"
#include "lost.bpf.h"
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

/* Whose memory it is: a p2pmem device, or on a stock kernel the name of a PCI function. */
struct lender {
	enum { LENDER_P2PMEM, LENDER_P2PMEM_OR_NULL, LENDER_PCI } kind;
	const struct p2pmem_device *p2pmem;
	const char *pci;
};

struct buffer {
	struct lender lender;
	__u64 id;		/* on a stock kernel, its bus address; 0 if that is not known */
	__u64 bus_addr;
	__u64 size;
	__u32 nents;
};

/* One DMA mapping of (a part of) a buffer. */
struct dma {
	const struct device *client;
	__u64 addr;
	__u64 size;
	__u32 dir;
};

struct decision {
	const char *provider;
	const char *client;
	const char *blocker;
	__u32 map;
	__s32 distance;
	__u32 reason;
};

/* A request to the NVMe target. */
struct request {
	__u32 nsid;
	__u16 cntlid;
	__u16 qid;
	__u16 cid;
	__u8 opcode;
};

static __always_inline const char *lender_name(const struct lender *lender)
{
	if (lender->kind == LENDER_PCI)
		return lender->pci;
	return lender->kind == LENDER_P2PMEM ? lender->p2pmem->dev.kobj.name : device_name_or_null(lender->p2pmem);
}

static __always_inline const char *lender_provider(const struct lender *lender)
{
	if (lender->kind == LENDER_PCI)
		return lender->pci;
	return lender->kind == LENDER_P2PMEM ? lender->p2pmem->provider->dev.kobj.name :
					       provider_name_or_null(lender->p2pmem);
}

static __always_inline void lender_read(struct p2ptrace_name *dev, const struct lender *lender)
{
	name_read(dev, lender_name(lender));
}

static __always_inline bool lender_wanted(const struct lender *lender)
{
	return all_devs_wanted() || name_matches(lender_name(lender), &filter.dev) ||
	       name_matches(lender_provider(lender), &filter.provider);
}

#define LENDER(device)	((const struct lender){ .kind = LENDER_P2PMEM, .p2pmem = (device) })
/* See compat.bpf.h: it may be NULL whatever the verifier says */
#define LENDER_OR_NULL(device)	((const struct lender){ .kind = LENDER_P2PMEM_OR_NULL, .p2pmem = (device) })

#define BUFFER(buf) ((const struct buffer){						\
	.lender = LENDER((buf)->p2pmem),						\
	.id = (buf)->id, .bus_addr = (buf)->bus_addr, .size = (buf)->size, .nents = (buf)->nents,	\
})

#define ARG(ctx, i, type) ((type)(ctx)[i])

#define from_tracepoint_p2pmem_alloc(ctx, on)						\
({											\
	const struct p2pmem_buf *__p = ARG(ctx, 0, const struct p2pmem_buf *);		\
	struct buffer __b = BUFFER(__p);						\
											\
	on(ctx, &__b);									\
})

#define from_tracepoint_p2pmem_free(ctx, on)						\
({											\
	const struct p2pmem_buf *__p = ARG(ctx, 0, const struct p2pmem_buf *);		\
	struct buffer __b = BUFFER(__p);						\
											\
	on(ctx, &__b, ARG(ctx, 1, __u32));						\
})

#define from_tracepoint_p2pmem_alloc_fail(ctx, on)					\
({											\
	struct lender __l = LENDER(ARG(ctx, 0, const struct p2pmem_device *));		\
											\
	on(ctx, &__l, ARG(ctx, 1, __u64), ARG(ctx, 2, __u32));				\
})

#define from_tracepoint_p2pmem_decide(ctx, on)						\
({											\
	const struct pci_p2pdma_decision *__p = ARG(ctx, 2, const struct pci_p2pdma_decision *);	\
	struct decision __d = {								\
		.provider = ARG(ctx, 0, const struct pci_dev *)->dev.kobj.name,		\
		.client = ARG(ctx, 1, const struct device *)->kobj.name,		\
		.blocker = __p->blocker, .map = __p->map, .distance = __p->distance, .reason = __p->reason,	\
	};										\
											\
	on(ctx, &__d);									\
})

#define from_tracepoint_p2pmem_find(ctx, on)						\
({											\
	struct lender __l = LENDER_OR_NULL(ARG(ctx, 0, const struct p2pmem_device *));	\
											\
	on(ctx, &__l, ARG(ctx, 1, __u32), ARG(ctx, 2, __u32), ARG(ctx, 3, int), ARG(ctx, 4, int));	\
})

#define DMA(ctx) { ARG(ctx, 1, const struct device *), ARG(ctx, 2, __u64), ARG(ctx, 3, __u64), ARG(ctx, 4, __u32) }

#define from_tracepoint_p2pmem_dma_map(ctx, on)						\
({											\
	const struct p2pmem_buf *__p = ARG(ctx, 0, const struct p2pmem_buf *);		\
	struct buffer __b = BUFFER(__p);						\
	struct dma __d = DMA(ctx);							\
											\
	on(ctx, &__b, &__d, ARG(ctx, 5, __u32));					\
})

#define from_tracepoint_p2pmem_dma_unmap(ctx, on)					\
({											\
	const struct p2pmem_buf *__p = ARG(ctx, 0, const struct p2pmem_buf *);		\
	struct buffer __b = BUFFER(__p);						\
	struct dma __d = DMA(ctx);							\
											\
	on(ctx, &__b, &__d);								\
})

#define from_tracepoint_p2pmem_mmap(ctx, on)						\
({											\
	struct lender __l = LENDER(ARG(ctx, 0, const struct p2pmem_device *));		\
											\
	on(ctx, &__l, ARG(ctx, 1, __u64), ARG(ctx, 2, bool));				\
})

/*
 * nvmet may be a module, and then the verifier wants its arguments checked for NULL (see compat.bpf.h), although
 * nvmet passes none but a p2pmem. An event dropped by such a check would be lost, so it is counted.
 */
#define FROM_REQUEST(ctx, on, args...)							\
({											\
	const struct nvmet_req *__p = ARG(ctx, 0, const struct nvmet_req *);		\
	int __rc = 0;									\
											\
	if (__p) {									\
		struct request __r = {							\
			.nsid = __p->ns ? __p->ns->nsid : 0,				\
			.cntlid = __p->sq->ctrl->cntlid, .qid = __p->sq->qid,		\
			.cid = __p->cmd->common.command_id, .opcode = __p->cmd->common.opcode,	\
		};									\
											\
		__rc = on(ctx, &__r, ##args);						\
	} else {									\
		count_lost();								\
	}										\
	__rc;										\
})

#define from_tracepoint_nvmet_p2pmem_use(ctx, on)	FROM_REQUEST(ctx, on, ARG(ctx, 1, __u32), ARG(ctx, 2, __u64))
#define from_tracepoint_nvmet_p2pmem_fallback(ctx, on)	FROM_REQUEST(ctx, on, ARG(ctx, 1, __u32), ARG(ctx, 2, __u32))

#endif /* VIEWS_BPF_H */
