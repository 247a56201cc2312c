/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arguments of the programs of events that stock kernels have as well. The macros here make
 * them from the arguments of the series' tracepoints, those in stock.bpf.h from a stock kernel's
 * functions and tracepoints. Everything is inlined, so the compiler drops reads of members that the
 * program does not use.
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

/* A provider: a p2pmem device, or on a stock kernel the name of a PCI function. */
struct provider_view {
	enum { VIEW_P2PMEM, VIEW_P2PMEM_OR_NULL, VIEW_PCI } kind;
	const struct p2pmem_device *p2pmem;
	const char *pci;
};

struct buffer {
	struct provider_view provider;
	__u64 id;		/* on a stock kernel, its bus address; 0 if unknown */
	__u64 bus_addr;
	__u64 size;
	__u32 nents;
};

/* One DMA mapping of a buffer or of a part of it. */
struct dma {
	const char *client;	/* its name */
	__u64 client_id;	/* its address, only compared */
	__u64 addr;
	__u64 key;		/* tells it from others of the client and the buffer */
	__u64 size;
	__u32 dir;
	__u32 kind;		/* enum p2ptrace_kind */
};

/* The kernel need not know the DMA address when a mapping ends. */
static __always_inline __u64 dma_key(const struct dma *dma)
{
	return dma->key ?: dma->addr;
}

struct decision {
	const char *provider;
	const char *client;
	const char *blocker;
	__u32 map;
	__s32 distance;
	__u32 reason;
	bool cached;
};

/* A request to the NVMe target. */
struct target_request {
	__u32 nsid;
	__u16 cntlid;
	__u16 qid;
	__u16 cid;
	__u8 opcode;
};

static __always_inline const char *view_dev_name(const struct provider_view *provider)
{
	if (provider->kind == VIEW_PCI)
		return provider->pci;
	return provider->kind == VIEW_P2PMEM ? provider->p2pmem->dev.kobj.name :
					       device_name_or_null(provider->p2pmem);
}

static __always_inline const char *view_provider_name(const struct provider_view *provider)
{
	if (provider->kind == VIEW_PCI)
		return provider->pci;
	return provider->kind == VIEW_P2PMEM ? provider->p2pmem->provider->dev.kobj.name :
					       provider_name_or_null(provider->p2pmem);
}

static __always_inline void dev_read(struct p2ptrace_name *dev,
				     const struct provider_view *provider)
{
	name_read(dev, view_dev_name(provider));
}

static __always_inline void provider_read(struct p2ptrace_name *name,
					  const struct provider_view *provider)
{
	name_read(name, view_provider_name(provider));
}

static __always_inline bool dev_wanted(const struct provider_view *provider)
{
	return all_devs_wanted() || name_matches(view_dev_name(provider), &filter.dev) ||
	       name_matches(view_provider_name(provider), &filter.provider);
}

#define PROVIDER(device) \
	((const struct provider_view){ .kind = VIEW_P2PMEM, .p2pmem = (device) })
/* The device may be NULL even if the verifier assumes that it is not: see compat.bpf.h */
#define PROVIDER_OR_NULL(device) \
	((const struct provider_view){ .kind = VIEW_P2PMEM_OR_NULL, .p2pmem = (device) })

#define BUFFER(buf) ((const struct buffer){						\
	.provider = PROVIDER((buf)->p2pmem),						\
	.id = (buf)->id, .bus_addr = (buf)->bus_addr, .size = (buf)->size,		\
	.nents = (buf)->nents,								\
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
	struct provider_view __l = PROVIDER(ARG(ctx, 0, const struct p2pmem_device *));		\
											\
	on(ctx, &__l, ARG(ctx, 1, __u64), ARG(ctx, 2, __u32));				\
})

#define from_tracepoint_p2pdma_decide(ctx, on)						\
({											\
	const struct pci_p2pdma_decision *__p =						\
		ARG(ctx, 2, const struct pci_p2pdma_decision *);			\
	struct decision __d = {								\
		.provider = ARG(ctx, 0, const struct pci_dev *)->dev.kobj.name,		\
		.client = ARG(ctx, 1, const struct device *)->kobj.name,		\
		.blocker = __p->blocker, .map = __p->map,				\
		.distance = __p->distance, .reason = __p->reason,			\
	};										\
											\
	on(ctx, &__d);									\
})

#define from_tracepoint_p2pmem_find(ctx, on)						\
({											\
	struct provider_view __l =							\
		PROVIDER_OR_NULL(ARG(ctx, 0, const struct p2pmem_device *));		\
											\
	on(ctx, &__l, ARG(ctx, 1, __u32), ARG(ctx, 2, __u32), ARG(ctx, 3, int),		\
	   ARG(ctx, 4, int));								\
})

#define DMA(ctx, kind_arg) {								\
	.client = ARG(ctx, 1, const struct device *)->kobj.name,			\
	.client_id = (ctx)[1], .addr = (ctx)[2], .size = (ctx)[3], .dir = (ctx)[4],	\
	.kind = (ctx)[kind_arg],							\
}

#define from_tracepoint_p2pdma_map(ctx, on)						\
({											\
	const struct p2pmem_buf *__p = ARG(ctx, 0, const struct p2pmem_buf *);		\
	struct buffer __b = BUFFER(__p);						\
	struct dma __d = DMA(ctx, 6);							\
											\
	__b.bus_addr = (ctx)[7];							\
	on(ctx, &__b, &__d, ARG(ctx, 5, __u32));					\
})

#define from_tracepoint_p2pdma_unmap(ctx, on)					\
({											\
	const struct p2pmem_buf *__p = ARG(ctx, 0, const struct p2pmem_buf *);		\
	struct buffer __b = BUFFER(__p);						\
	struct dma __d = DMA(ctx, 5);							\
											\
	on(ctx, &__b, &__d);								\
})

/* const struct pci_p2pdma_mapping *, with the provider as a PCI function */
#define MAPPING(ctx) ARG(ctx, 0, const struct pci_p2pdma_mapping *)
#define MAPPING_BUFFER(m) {								\
	.provider = { .kind = VIEW_PCI, .pci = (m)->provider->owner->kobj.name },	\
	.id = (m)->id, .bus_addr = (m)->bus_addr, .size = (m)->size, .nents = 1,	\
}
#define MAPPING_DMA(m) {								\
	.client = (m)->client->kobj.name, .client_id = (__u64)(m)->client,		\
	.addr = (m)->dma_addr, .key = (m)->bus_addr, .size = (m)->size,			\
	.dir = (m)->dir, .kind = (m)->kind,						\
}

#define from_mapping_p2pdma_map(ctx, on)						\
({											\
	const struct pci_p2pdma_mapping *__p = MAPPING(ctx);				\
	struct buffer __b = MAPPING_BUFFER(__p);					\
	struct dma __d = MAPPING_DMA(__p);						\
											\
	on(ctx, &__b, &__d, __p->map);							\
})

#define from_mapping_p2pdma_unmap(ctx, on)						\
({											\
	const struct pci_p2pdma_mapping *__p = MAPPING(ctx);				\
	struct buffer __b = MAPPING_BUFFER(__p);					\
	struct dma __d = MAPPING_DMA(__p);						\
											\
	on(ctx, &__b, &__d);								\
})

#define from_tracepoint_p2pmem_mmap(ctx, on)						\
({											\
	struct provider_view __l = PROVIDER(ARG(ctx, 0, const struct p2pmem_device *));		\
											\
	on(ctx, &__l, ARG(ctx, 1, __u64), ARG(ctx, 2, bool));				\
})

/*
 * If nvmet is a module, the verifier insists that pointer arguments are checked for NULL (see
 * compat.bpf.h), although nvmet passes NULL only for a p2pmem device. An event that is dropped by
 * such a check counts as lost.
 */
#define FROM_REQUEST(ctx, on, args...)							\
({											\
	const struct nvmet_req *__p = ARG(ctx, 0, const struct nvmet_req *);		\
	int __rc = 0;									\
											\
	if (__p) {									\
		struct target_request __r = {							\
			.nsid = __p->ns ? __p->ns->nsid : 0,				\
			.cntlid = __p->sq->ctrl->cntlid, .qid = __p->sq->qid,		\
			.cid = __p->cmd->common.command_id,				\
			.opcode = __p->cmd->common.opcode,				\
		};									\
											\
		__rc = on(ctx, &__r, ##args);						\
	} else {									\
		count_lost();								\
	}										\
	__rc;										\
})

#define from_tracepoint_nvmet_p2pmem_use(ctx, on) \
	FROM_REQUEST(ctx, on, ARG(ctx, 1, __u32), ARG(ctx, 2, __u64))
#define from_tracepoint_nvmet_p2pmem_fallback(ctx, on) \
	FROM_REQUEST(ctx, on, ARG(ctx, 1, __u32), ARG(ctx, 2, __u32))

#endif /* VIEWS_BPF_H */
