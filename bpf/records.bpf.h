/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records reach user space through one ring buffer.
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

/* User space polls every few milliseconds, and is woken only when this many bytes are waiting. */
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
 * Returns a record of the event's size with its header filled in. The caller fills every other
 * field. Returns NULL if there is no room, and counts the event as lost. Call this only after the
 * filter: an event that the filter drops is not lost.
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
 * A wakeup is an interrupt that this CPU sends to itself. It costs more than everything else here,
 * and softirqs run on the way out of it. They may free and unmap peer memory, and these events are
 * nested (see nested.bpf.h). So wake user space rarely.
 */
static __always_inline void record_submit(void *record)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) >= wakeup_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(record, flags);
}

#endif /* RECORDS_BPF_H */
