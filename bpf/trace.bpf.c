// SPDX-License-Identifier: GPL-2.0
/*
 * "p2ptrace trace": one record per event.
 *
 * Every program does the same: drop the event if it is not wanted, reserve a record, fill all of
 * it, submit it.
 */
#include "kernel_types.h"
#include "compat.bpf.h"
#include "dmabuf.bpf.h"
#include "filter.bpf.h"
#include "nested.bpf.h"
#include "records.bpf.h"
#include "resource.bpf.h"
#include "stock.bpf.h"
#include "views.bpf.h"

char LICENSE[] SEC("license") = "GPL";

EVENT_PROG(p2pmem_dev_add, const struct p2pmem_device *p2pmem, __u64 bus_addr, __u64 size)
{
	struct p2ptrace_p2pmem_dev_add *r;

	if (!size_wanted(size))
		return 0;
	if (!dev_wanted(&PROVIDER(p2pmem)))
		return 0;

	r = RESERVE(p2pmem_dev_add);
	if (!r)
		return 0;
	r->bus_addr = bus_addr;
	r->size = size;
	dev_read(&r->dev, &PROVIDER(p2pmem));
	name_read(&r->provider, p2pmem->provider->dev.kobj.name);
	r->node = device_node(&p2pmem->provider->dev);
	record_submit(r);
	return 0;
}

EVENT_PROG(p2pmem_dev_del, const struct p2pmem_device *p2pmem, __u64 buffers, __u64 bytes,
	   __u64 pins)
{
	struct p2ptrace_p2pmem_dev_del *r;

	if (!dev_wanted(&PROVIDER(p2pmem)))
		return 0;

	r = RESERVE(p2pmem_dev_del);
	if (!r)
		return 0;
	r->buffers = buffers;
	r->bytes = bytes;
	r->pins = pins;
	dev_read(&r->dev, &PROVIDER(p2pmem));
	name_read(&r->provider, p2pmem->provider->dev.kobj.name);
	record_submit(r);
	return 0;
}

EVENT_PROG(p2pmem_dev_drained, const struct p2pmem_device *p2pmem, __u64 waited_ns)
{
	struct p2ptrace_p2pmem_dev_drained *r;

	if (!dev_wanted(&PROVIDER(p2pmem)))
		return 0;

	r = RESERVE(p2pmem_dev_drained);
	if (!r)
		return 0;
	r->waited_ns = waited_ns;
	dev_read(&r->dev, &PROVIDER(p2pmem));
	name_read(&r->provider, p2pmem->provider->dev.kobj.name);
	record_submit(r);
	return 0;
}

EVENT_PROG(p2pmem_drain_stall, const struct p2pmem_device *p2pmem, __u64 buffers, __u64 pins,
	   __u64 oldest_id)
{
	struct p2ptrace_p2pmem_drain_stall *r;

	if (!dev_wanted(&PROVIDER(p2pmem)))
		return 0;

	r = RESERVE(p2pmem_drain_stall);
	if (!r)
		return 0;
	r->buffers = buffers;
	r->pins = pins;
	r->oldest_id = oldest_id;
	dev_read(&r->dev, &PROVIDER(p2pmem));
	name_read(&r->provider, p2pmem->provider->dev.kobj.name);
	record_submit(r);
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_alloc, const struct buffer *buf)
{
	struct p2ptrace_p2pmem_alloc *r;

	if (!size_wanted(buf->size))
		return 0;
	if (!dev_wanted(&buf->provider))
		return 0;

	r = RESERVE(p2pmem_alloc);
	if (!r)
		return 0;
	r->id = buf->id;
	r->bus_addr = buf->bus_addr;
	r->size = buf->size;
	dev_read(&r->dev, &buf->provider);
	r->nents = buf->nents;
	record_submit(r);
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_alloc_fail, const struct provider_view *provider, __u64 size,
		      __u32 reason)
{
	struct p2ptrace_p2pmem_alloc_fail *r;

	if (!size_wanted(size))
		return 0;
	if (!dev_wanted(provider))
		return 0;

	r = RESERVE(p2pmem_alloc_fail);
	if (!r)
		return 0;
	r->size = size;
	dev_read(&r->dev, provider);
	r->reason = reason;
	record_submit(r);
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_free, const struct buffer *buf, __u32 pins)
{
	struct p2ptrace_p2pmem_free *r;

	if (!size_wanted(buf->size))
		return 0;
	if (!dev_wanted(&buf->provider))
		return 0;

	r = RESERVE(p2pmem_free);
	if (!r)
		return 0;
	r->id = buf->id;
	r->size = buf->size;
	dev_read(&r->dev, &buf->provider);
	r->pins = pins;
	record_submit(r);
	return 0;
}

EVENT_PROG(p2pmem_reclaim, const struct p2pmem_buf *buf)
{
	struct p2ptrace_p2pmem_reclaim *r;

	if (!size_wanted(buf->size))
		return 0;
	if (!dev_wanted(&PROVIDER(buf->p2pmem)))
		return 0;

	r = RESERVE(p2pmem_reclaim);
	if (!r)
		return 0;
	r->id = buf->id;
	r->size = buf->size;
	dev_read(&r->dev, &PROVIDER(buf->p2pmem));
	record_submit(r);
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pdma_decide, const struct decision *decision)
{
	struct p2ptrace_p2pdma_decide *r;

	if (!provider_wanted(decision->provider) || !client_wanted(decision->client))
		return 0;

	r = RESERVE(p2pdma_decide);
	if (!r)
		return 0;
	name_read(&r->provider, decision->provider);
	name_read(&r->client, decision->client);
	array_read(&r->blocker, decision->blocker);
	r->map = decision->map;
	r->distance = decision->distance;
	r->reason = decision->reason;
	r->cached = decision->cached;
	record_submit(r);
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_find, const struct provider_view *provider, __u32 clients,
		      __u32 candidates, int distance, int err)
{
	struct p2ptrace_p2pmem_find *r;

	if (!dev_wanted(provider))
		return 0;

	r = RESERVE(p2pmem_find);
	if (!r)
		return 0;
	dev_read(&r->dev, provider);
	r->clients = clients;
	r->candidates = candidates;
	r->distance = distance;
	r->err = err;
	record_submit(r);
	return 0;
}

EVENT_PROG_MAPPING(p2pdma_map, const struct buffer *buf, const struct dma *dma, __u32 map)
{
	struct p2ptrace_p2pdma_map *r;

	if (!size_wanted(dma->size))
		return 0;
	if (!dev_wanted(&buf->provider) || !client_wanted(dma->client))
		return 0;

	r = RESERVE(p2pdma_map);
	if (!r)
		return 0;
	r->id = buf->id;
	r->kind = dma->kind;
	r->bus_addr = buf->bus_addr;
	r->dma_addr = dma->addr;
	r->size = dma->size;
	provider_read(&r->provider, &buf->provider);
	name_read(&r->client, dma->client);
	r->dir = dma->dir;
	r->map = map;
	record_submit(r);
	return 0;
}

EVENT_PROG_MAPPING(p2pdma_unmap, const struct buffer *buf, const struct dma *dma)
{
	struct p2ptrace_p2pdma_unmap *r;

	if (!size_wanted(dma->size))
		return 0;
	if (!dev_wanted(&buf->provider) || !client_wanted(dma->client))
		return 0;

	r = RESERVE(p2pdma_unmap);
	if (!r)
		return 0;
	r->id = buf->id;
	r->kind = dma->kind;
	r->dma_addr = dma->addr;
	r->size = dma->size;
	provider_read(&r->provider, &buf->provider);
	name_read(&r->client, dma->client);
	r->dir = dma->dir;
	record_submit(r);
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_mmap, const struct provider_view *provider, __u64 size, bool allowed)
{
	struct p2ptrace_p2pmem_mmap *r;

	if (!size_wanted(size))
		return 0;
	if (!dev_wanted(provider))
		return 0;

	r = RESERVE(p2pmem_mmap);
	if (!r)
		return 0;
	r->size = size;
	dev_read(&r->dev, provider);
	r->allowed = allowed;
	record_submit(r);
	return 0;
}

/* dma-bufs. Revocations come first: the end of a mapping may complete a revocation. */

EVENT_PROG_FUNCTION(dma_buf_revoke, const struct dmabuf_revoke *revoke)
{
	struct p2ptrace_dma_buf_revoke *r;

	if (!client_wanted(revoke->client))
		return 0;

	r = RESERVE(dma_buf_revoke);
	if (!r)
		return 0;
	r->id = revoke->id;
	name_read(&r->client, revoke->client);
	r->waited_ns = revoke->waited_ns;
	record_submit(r);
	return 0;
}

/* The programs of these pairs of events differ in nothing but the name. */

#define DMABUF_EVENT(name)								\
EVENT_PROG_FUNCTION(name, const struct dmabuf *dmabuf)					\
{											\
	struct p2ptrace_##name *r;							\
											\
	if (!all_devs_wanted() || !size_wanted(dmabuf->size))				\
		return 0;								\
											\
	r = RESERVE(name);								\
	if (!r)										\
		return 0;								\
	r->id = dmabuf->id;								\
	name_read(&r->exporter, dmabuf->exporter);					\
	r->size = dmabuf->size;								\
	record_submit(r);								\
	return 0;									\
}

DMABUF_EVENT(dma_buf_export)
DMABUF_EVENT(dma_buf_release)

#define ATTACHMENT_EVENT(name, more)							\
EVENT_PROG_FUNCTION(name, const struct attachment *attachment)				\
{											\
	struct p2ptrace_##name *r;							\
											\
	if (!client_wanted(attachment->client))						\
		return 0;								\
											\
	r = RESERVE(name);								\
	if (!r)										\
		return 0;								\
	r->id = attachment->id;								\
	name_read(&r->client, attachment->client);					\
	more;										\
	record_submit(r);								\
	return 0;									\
}

#define ABILITIES(r, attachment)							\
({											\
	(r)->dynamic = (attachment)->dynamic;						\
	(r)->revocable = (attachment)->revocable;					\
	(r)->p2p = (attachment)->p2p;							\
})

ATTACHMENT_EVENT(dma_buf_attach, ABILITIES(r, attachment))
ATTACHMENT_EVENT(dma_buf_detach, ABILITIES(r, attachment))
ATTACHMENT_EVENT(dma_buf_pin, )
ATTACHMENT_EVENT(dma_buf_unpin, )

#define DMABUF_MAPPING_EVENT(name)							\
EVENT_PROG_FUNCTION(name, const struct p2ptrace_dmabuf_mapping *mapping)		\
{											\
	struct p2ptrace_##name *r;							\
											\
	if (!dmabuf_mapping_wanted(mapping))						\
		return 0;								\
											\
	r = RESERVE(name);								\
	if (!r)										\
		return 0;								\
	r->id = mapping->id;								\
	name_read(&r->provider, (const char *)mapping->provider);			\
	name_read(&r->client, (const char *)mapping->client);				\
	r->size = mapping->size;							\
	r->dir = mapping->dir;								\
	r->map = mapping->map;								\
	r->where = mapping->where;							\
	record_submit(r);								\
	return 0;									\
}

DMABUF_MAPPING_EVENT(dma_buf_map)
DMABUF_MAPPING_EVENT(dma_buf_unmap)

/* The verifier wants nvmet's arguments checked for NULL: see FROM_REQUEST() in views.bpf.h. */

EVENT_PROG(nvmet_p2pmem_bind, const struct nvmet_ctrl *ctrl, const struct nvmet_ns *ns,
	   const struct p2pmem_device *p2pmem, int distance, int err)
{
	struct p2ptrace_nvmet_p2pmem_bind *r;

	if (!dev_wanted(&PROVIDER_OR_NULL(p2pmem)))
		return 0;
	if (!ctrl || !ns) {
		count_lost();
		return 0;
	}

	r = RESERVE(nvmet_p2pmem_bind);
	if (!r)
		return 0;
	dev_read(&r->dev, &PROVIDER_OR_NULL(p2pmem));
	r->cntlid = ctrl->cntlid;
	r->nsid = ns->nsid;
	r->distance = distance;
	r->err = err;
	__builtin_memset(r->subsys, 0, sizeof(r->subsys));
	bpf_probe_read_kernel_str(r->subsys, sizeof(r->subsys), ctrl->subsys->subsysnqn);
	record_submit(r);
	return 0;
}

EVENT_PROG(nvmet_p2pmem_unbind, const char *subsys, __u16 cntlid, __u32 nsid,
	   const struct p2pmem_device *p2pmem, __u32 reason)
{
	struct p2ptrace_nvmet_p2pmem_unbind *r;

	if (!dev_wanted(&PROVIDER_OR_NULL(p2pmem)))
		return 0;

	r = RESERVE(nvmet_p2pmem_unbind);
	if (!r)
		return 0;
	dev_read(&r->dev, &PROVIDER_OR_NULL(p2pmem));
	r->cntlid = cntlid;
	r->nsid = nsid;
	r->reason = reason;
	__builtin_memset(r->subsys, 0, sizeof(r->subsys));
	bpf_probe_read_kernel_str(r->subsys, sizeof(r->subsys), subsys);
	record_submit(r);
	return 0;
}

EVENT_PROG_EVERYWHERE(nvmet_p2pmem_use, const struct target_request *req, __u32 size, __u64 id)
{
	struct p2ptrace_nvmet_p2pmem_use *r;

	if (!size_wanted(size))
		return 0;

	r = RESERVE(nvmet_p2pmem_use);
	if (!r)
		return 0;
	r->id = id;
	r->size = size;
	r->nsid = req->nsid;
	r->cntlid = req->cntlid;
	r->qid = req->qid;
	r->cid = req->cid;
	r->opcode = req->opcode;
	record_submit(r);
	return 0;
}

EVENT_PROG_EVERYWHERE(nvmet_p2pmem_fallback, const struct target_request *req, __u32 size,
		      __u32 reason)
{
	struct p2ptrace_nvmet_p2pmem_fallback *r;

	if (!size_wanted(size))
		return 0;

	r = RESERVE(nvmet_p2pmem_fallback);
	if (!r)
		return 0;
	r->size = size;
	r->nsid = req->nsid;
	r->reason = reason;
	r->cntlid = req->cntlid;
	r->qid = req->qid;
	r->cid = req->cid;
	r->opcode = req->opcode;
	record_submit(r);
	return 0;
}
