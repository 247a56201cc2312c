/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a record gets to user space: one ring buffer.
 */
#ifndef RECORDS_BPF_H
#define RECORDS_BPF_H

#include "compat.bpf.h"
#include "lost.bpf.h"
#include "p2ptrace.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);	/* user space sets the real size before load */
} records SEC(".maps");

/* User space comes by every few milliseconds; it is called only when so many bytes wait for it. */
const volatile __u64 wakeup_bytes = 0;

static __always_inline void header_fill(struct p2ptrace_header *h, enum p2ptrace_event event)
{
	h->ts_ns = bpf_ktime_get_ns();
	h->event = event;
	h->cpu = bpf_get_smp_processor_id();
	h->pad = 0;
	task_read(&h->pid, h->comm_words);
}

/*
 * A record of the event's exact size with its header filled in, or NULL, and then it is counted as lost. Only for
 * events that have passed the filter: one that nobody wants is never lost. The caller fills all the rest.
 */
#define RESERVE(name)									\
({											\
	struct p2ptrace_##name *__r = bpf_ringbuf_reserve(&records, sizeof(*__r), 0);	\
											\
	if (__r)									\
		header_fill(&__r->h, P2PTRACE_##name);					\
	else										\
		count_lost();								\
	__r;										\
})

/*
 * A wakeup is an interrupt that this CPU sends itself, here and now, and on the way out of it softirqs run, which may
 * well free and unmap peer memory: see nested.bpf.h for what that means. It also costs more than the rest.
 */
static __always_inline void record_submit(void *record)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) >= wakeup_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(record, flags);
}

#endif /* RECORDS_BPF_H */
