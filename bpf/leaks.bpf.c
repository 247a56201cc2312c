// SPDX-License-Identifier: GPL-2.0
/*
 * "p2ptrace leaks": the process and the stack that allocated each buffer. On a kernel with the
 * series, the list of held buffers comes from debugfs.
 */
#include "kernel_types.h"
#include "compat.bpf.h"
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
