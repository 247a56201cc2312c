/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The filter: devices by name, tasks, and sizes. It is constant once loaded. Without a filter, the
 * verifier removes the comparisons.
 */
#ifndef FILTER_BPF_H
#define FILTER_BPF_H

#include "p2ptrace.h"
#include "word.h"
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

const volatile struct p2ptrace_filter filter = {};

/* Writes all of @name. A NULL or bad pointer reads as the empty name. */
static __always_inline void array_read(struct p2ptrace_name *name, const char *from)
{
	__builtin_memset(name, 0, sizeof(*name));
	bpf_probe_read_kernel_str(name->s, sizeof(name->s), from);
}

/*
 * The same for an address that the verifier treats as a number, such as that of a device's name.
 * The helper reads byte by byte, which would be a large part of the cost of an event; this reads
 * words. An aligned word that contains a part of the name is readable as a whole, and no word after
 * the end of the name is read.
 */
static __always_inline void name_read(struct p2ptrace_name *name, const char *from)
{
	const two_words *words;
	bool end = false;

	if (!HAVE_WORDS || (__u64)from % sizeof(__u64)) {
		array_read(name, from);
		return;
	}
	__builtin_memset(name, 0, sizeof(*name));
	words = words_at(from);
	name->w[0] = word_before_nul(words->start, &end);
	if (end)
		return;
	name->w[1] = word_before_nul(words->end, &end);
	if (end)
		return;
	words = words_at(from + sizeof(*words));
	name->w[2] = word_before_nul(words->start, &end);
	if (end)
		return;
	name->w[3] = word_before_nul(words->end, &end);
	name->s[P2PTRACE_NAME_LEN - 1] = '\0';
}

static __always_inline bool name_matches(const char *from,
					 const volatile struct p2ptrace_name *wanted)
{
	struct p2ptrace_name name;

	/* The empty name must not match an event without a device */
	if (!wanted->w[0])
		return false;
	name_read(&name, from);
	return name.w[0] == wanted->w[0] && name.w[1] == wanted->w[1] &&
	       name.w[2] == wanted->w[2] && name.w[3] == wanted->w[3];
}

static __always_inline bool all_devs_wanted(void)
{
	return !filter.dev.w[0] && !filter.provider.w[0];
}

static __always_inline bool provider_wanted(const char *provider)
{
	return all_devs_wanted() || name_matches(provider, &filter.provider);
}

static __always_inline bool client_wanted(const char *client)
{
	return !filter.client.w[0] || name_matches(client, &filter.client);
}

/* In an interrupt, the current task is the one that was interrupted. */
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
