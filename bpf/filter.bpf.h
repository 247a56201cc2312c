/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the user wants to see: devices by name, tasks, and sizes. The filter is constant once loaded, so without one the
 * verifier removes the comparisons altogether.
 */
#ifndef FILTER_BPF_H
#define FILTER_BPF_H

#include "p2ptrace.h"
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

const volatile struct p2ptrace_filter filter = {};

/* The whole of @name is written. A NULL or bad pointer reads as the empty name. */
static __always_inline void name_read(struct p2ptrace_name *name, const char *from)
{
	__builtin_memset(name, 0, sizeof(*name));
	bpf_probe_read_kernel_str(name->s, sizeof(name->s), from);
}

static __always_inline bool name_matches(const struct p2ptrace_name *name, const volatile struct p2ptrace_name *wanted)
{
	/* wanted->w[0] is 0 for the empty name, which must not match an event without a device. */
	return wanted->w[0] && name->w[0] == wanted->w[0] && name->w[1] == wanted->w[1] &&
	       name->w[2] == wanted->w[2] && name->w[3] == wanted->w[3];
}

static __always_inline bool provider_wanted(const struct p2ptrace_name *provider)
{
	return (!filter.dev.w[0] && !filter.provider.w[0]) || name_matches(provider, &filter.provider);
}

/* @provider is only read if it matters. */
static __always_inline bool dev_wanted(const struct p2ptrace_name *dev, const char *provider)
{
	struct p2ptrace_name name;

	if (!filter.dev.w[0] && !filter.provider.w[0])
		return true;
	if (name_matches(dev, &filter.dev))
		return true;
	name_read(&name, provider);
	return name_matches(&name, &filter.provider);
}

static __always_inline bool client_wanted(const struct p2ptrace_name *client)
{
	return !filter.client.w[0] || name_matches(client, &filter.client);
}

/* Of an event in an interrupt, the task is the one that was interrupted. */
static __always_inline bool task_wanted(void)
{
	__u64 comm[P2PTRACE_COMM_LEN / 8];

	if (filter.pid && filter.pid != bpf_get_current_pid_tgid() >> 32)
		return false;
	if (!filter.comm.w[0])
		return true;
	if (bpf_get_current_comm(comm, sizeof(comm)))
		return false;
	return comm[0] == filter.comm.w[0] && comm[1] == filter.comm.w[1];
}

static __always_inline bool size_wanted(__u64 size)
{
	return size >= filter.min_size;
}

#endif /* FILTER_BPF_H */
