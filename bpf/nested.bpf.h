/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events inside events.
 *
 * The kernel does not run a program on a CPU that is already running it, and silently skips it. But buffers are
 * freed and unmapped by processes and in interrupts alike: an interrupt that comes while the program for, say,
 * p2pmem_dma_unmap works on the unmapping of a process hits p2pmem_dma_unmap again, and that event would be lost.
 *
 * So each event has two programs, NAME and NAME_nested, attached in this order. NAME records the event and leaves a
 * mark that it ran. NAME_nested takes the mark away; if there is none, then NAME was skipped, and it records the event
 * itself. There is one mark for each context level (process, softirq, interrupt, NMI) of a CPU: programs run with
 * preemption off, so within a level the second program of an event follows its first one before any other event.
 *
 * What is still lost: an event for which both are skipped (it interrupts the one program in the very interrupt that
 * interrupted the other one). That takes a coincidence of coincidences, and is not silent: the kernel counts how often
 * it skipped NAME, and what NAME_nested caught is counted here, so user space knows the difference.
 */
#ifndef NESTED_BPF_H
#define NESTED_BPF_H

#include "compat.bpf.h"
#include "filter.bpf.h"
#include "p2ptrace.h"
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* A bit for each level: this is done for every event, so it is to take few instructions. */
struct marks {
	__u8 ran[P2PTRACE_NR_EVENTS];
};
_Static_assert(NR_CONTEXT_LEVELS <= 8, "a level has no bit");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct marks);
} marks_per_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} caught_per_cpu SEC(".maps");

static __always_inline __u8 *marks_of(enum p2ptrace_event event)
{
	struct marks *marks;
	__u32 zero = 0;

	marks = bpf_map_lookup_elem(&marks_per_cpu, &zero);
	return marks ? &marks->ran[event] : NULL;
}

/*
 * While a program runs at a level, none above it is under way on this CPU: a mark there was left over by a NAME_nested
 * that was skipped, and would keep the next one from catching what it is there for. So only those below are kept. An
 * interrupt between here and the store changes none of these, and what it leaves above is written over.
 */
static __always_inline __u8 marks_below(__u8 marks, int level)
{
	return marks & ((1 << level) - 1);
}

static __always_inline void mark_set(enum p2ptrace_event event)
{
	__u8 *ran = marks_of(event);
	int level = context_level();

	if (ran && !level)
		*ran = 1;
	else if (ran && level > 0)
		*ran = marks_below(*ran, level) | 1 << level;
}

/* Whether this event is NAME_nested's, and then it counts as caught. */
static __always_inline bool mark_missing(enum p2ptrace_event event)
{
	__u8 *ran = marks_of(event);
	int level = context_level();
	__u64 *caught;
	__u32 zero = 0;
	bool missing;

	if (!ran || level < 0)
		return false;
	missing = !(*ran & 1 << level);
	*ran = level ? marks_below(*ran, level) : 0;
	if (!missing)
		return false;
	caught = bpf_map_lookup_elem(&caught_per_cpu, &zero);
	if (caught)
		__sync_fetch_and_add(caught, 1);
	return true;
}

#define MARKED_PROGS(section, name, event, handled)					\
SEC(section)										\
int name(unsigned long long *ctx)							\
{											\
	mark_set(event);								\
	_Pragma("GCC diagnostic push")							\
	_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")				\
	return task_wanted() ? handled : 0;						\
	_Pragma("GCC diagnostic pop")							\
}											\
											\
SEC(section)										\
int name##_nested(unsigned long long *ctx)						\
{											\
	_Pragma("GCC diagnostic push")							\
	_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")				\
	return mark_missing(event) && task_wanted() ? handled : 0;			\
	_Pragma("GCC diagnostic pop")							\
}

#define TRACEPOINT_PROGS(name, handled) MARKED_PROGS("tp_btf/" #name, name, P2PTRACE_##name, handled)

/* The programs of an event that only the series has, from one body: as BPF_PROG(), with the tracepoint's arguments. */
#define EVENT_PROG(name, args...)							\
static __always_inline int on_##name(unsigned long long *ctx, ##args);			\
TRACEPOINT_PROGS(name, on_##name(___bpf_ctx_cast(args)))				\
static __always_inline int on_##name(unsigned long long *ctx, ##args)

/*
 * The same for an event that stock kernels have as well, with the arguments that views.bpf.h and stock.bpf.h make
 * of what either kernel gives.
 */
#define EVENT_PROG_EVERYWHERE(name, args...)						\
static __always_inline int on_##name(unsigned long long *ctx, ##args);			\
TRACEPOINT_PROGS(name, from_tracepoint_##name(ctx, on_##name))				\
STOCK_PROGS_##name									\
static __always_inline int on_##name(unsigned long long *ctx, ##args)

/* Where a stock kernel has a tracepoint, which comes for much else, it is the same. */
#define STOCK_TRACEPOINT_PROGS(name)							\
MARKED_PROGS(P2PTRACE_STOCK_##name, stock_##name, P2PTRACE_##name, from_stock_##name(ctx, on_##name))

/*
 * A program of a function is alone: what is skipped there is lost, and counted. Between two of them on a CPU, unlike
 * those of tracepoints, another task may come, and no mark would tell.
 */
#define STOCK_FUNCTION_PROG(name)							\
SEC(P2PTRACE_STOCK_##name)								\
int stock_##name(unsigned long long *ctx)						\
{											\
	return task_wanted() ? from_stock_##name(ctx, on_##name) : 0;			\
}

#endif /* NESTED_BPF_H */
