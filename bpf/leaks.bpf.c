// SPDX-License-Identifier: GPL-2.0
/*
 * "p2ptrace leaks": the process and the stack that allocated each buffer. On a kernel with the
 * series, the list of held buffers comes from debugfs. For dma-bufs: all that are exported, and who
 * is attached to them, has mapped or pinned them.
 */
#include "kernel_types.h"
#include "compat.bpf.h"
#include "dmabuf.bpf.h"
#include "filter.bpf.h"
#include "lost.bpf.h"
#include "nested.bpf.h"
#include "stock.bpf.h"
#include "views.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define MAX_STACKS	16384

const volatile bool stock = false;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, P2PTRACE_MAX_LIVE);
	__type(key, __u64);
	__type(value, struct p2ptrace_owner);
} owners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, MAX_STACKS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, P2PTRACE_STACK_DEPTH * sizeof(__u64));
} stacks SEC(".maps");

EVENT_PROG_EVERYWHERE(p2pmem_alloc, const struct buffer *buf)
{
	struct p2ptrace_owner owner = {};
	__u64 id = buf->id;

	if (!dev_wanted(&buf->provider))
		return 0;

	dev_read(&owner.dev, &buf->provider);
	owner.pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(owner.comm, sizeof(owner.comm));
	owner.ts_ns = bpf_ktime_get_ns();
	owner.size = buf->size;
	/* Negative, hence no stack, if the map is full or two stacks have the same hash */
	owner.stack = bpf_get_stackid(ctx, &stacks, 0);
	/*
	 * A stock kernel reuses ids: an entry that exists already belongs to an older buffer whose
	 * free was missed
	 */
	if (bpf_map_update_elem(&owners, &id, &owner, stock ? BPF_ANY : BPF_NOEXIST))
		count_lost();
	return 0;
}

EVENT_PROG_EVERYWHERE(p2pmem_free, const struct buffer *buf, __u32 pins)
{
	__u64 id = buf->id;

	/* A buffer that is still mapped is still held. One from before tracing has no entry. */
	if (!pins)
		deleted(bpf_map_delete_elem(&owners, &id));
	return 0;
}

EVENT_PROG(p2pmem_reclaim, const struct p2pmem_buf *buf)
{
	__u64 id = buf->id;

	deleted(bpf_map_delete_elem(&owners, &id));
	return 0;
}

/* dma-bufs. dmabuf.bpf.h follows their attachments and mappings. */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_MAPPINGS);
	__type(key, __u64);	/* id */
	__type(value, struct p2ptrace_dmabuf);
} dmabufs SEC(".maps");

static __always_inline int on_dma_buf_revoke(unsigned long long *ctx,
					     const struct dmabuf_revoke *revoke)
{
	return 0;
}

/* Adds a dma-buf that is not known. */
static __always_inline void from_before(const struct dmabuf *dmabuf)
{
	struct p2ptrace_dmabuf one = { .size = dmabuf->size };
	__u64 id = dmabuf->id;
	long err;

	name_read(&one.exporter, dmabuf->exporter);
	err = bpf_map_update_elem(&dmabufs, &id, &one, BPF_NOEXIST);
	if (err && err != -EEXIST)
		count_lost();
}

EVENT_PROG_FUNCTION(dma_buf_export, const struct dmabuf *dmabuf)
{
	struct p2ptrace_dmabuf one = {};
	__u64 id = dmabuf->id;

	one.size = dmabuf->size;
	one.since_ns = bpf_ktime_get_ns();
	one.pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(one.comm, sizeof(one.comm));
	name_read(&one.exporter, dmabuf->exporter);
	if (bpf_map_update_elem(&dmabufs, &id, &one, BPF_ANY))
		count_lost();
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_release, const struct dmabuf *dmabuf)
{
	__u64 id = dmabuf->id;

	deleted(bpf_map_delete_elem(&dmabufs, &id));
	return 0;
}

/* A dma-buf that is used is known, even if its export was not seen. */
static __always_inline void used(__u64 attach)
{
	const struct dma_buf_attachment *attachment = (void *)attach;
	struct dmabuf dmabuf = dmabuf_of(BPF_CORE_READ(attachment, dmabuf));

	from_before(&dmabuf);
}

EVENT_PROG_FUNCTION(dma_buf_attach, const struct attachment *attachment)
{
	used(attachment->address);
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_detach, const struct attachment *attachment)
{
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_map, const struct p2ptrace_dmabuf_mapping *mapping)
{
	used(mapping->key.attach);
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_unmap, const struct p2ptrace_dmabuf_mapping *mapping)
{
	return 0;
}

static __always_inline void pins_add(const struct attachment *attachment, int nr)
{
	__u64 key = attachment->address;
	struct p2ptrace_attached *attached = bpf_map_lookup_elem(&dmabuf_attached, &key);

	if (attached)
		__sync_fetch_and_add(&attached->pins, nr);
}

EVENT_PROG_FUNCTION(dma_buf_pin, const struct attachment *attachment)
{
	pins_add(attachment, 1);
	return 0;
}

EVENT_PROG_FUNCTION(dma_buf_unpin, const struct attachment *attachment)
{
	pins_add(attachment, -1);
	return 0;
}

/*
 * dma-bufs that were exported before, and the devices that are attached to them. The list of
 * attachments is read without its lock: an entry that was removed meanwhile belongs to another
 * dma-buf or to none.
 */
#define MAX_ATTACHMENTS	64

static __always_inline void attachment_from_before(const struct dma_buf_attachment *attach)
{
	struct attachment a = attachment_of(attach);

	attached_add(&a, 0, BPF_NOEXIST);
}

SEC(P2PTRACE_STOCK_DMABUF_ITER)
int stock_dmabuf_iter(struct bpf_iter__dmabuf *ctx)
{
	const struct dma_buf *dmabuf = ctx->dmabuf;
	const struct list_head *head, *next;
	struct dmabuf view;

	if (!dmabuf)
		return 0;
	view = dmabuf_of(dmabuf);
	from_before(&view);
	head = (void *)dmabuf + bpf_core_field_offset(dmabuf->attachments);
	next = BPF_CORE_READ(head, next);
	for (int i = 0; i < MAX_ATTACHMENTS && next && next != head; i++) {
		const struct dma_buf_attachment *attach = NULL;

		attach = (void *)next - bpf_core_field_offset(attach->node);
		if (BPF_CORE_READ(attach, dmabuf) != dmabuf)
			break;
		attachment_from_before(attach);
		next = BPF_CORE_READ(next, next);
	}
	return 0;
}
