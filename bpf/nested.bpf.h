/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two programs for each event, so that none is missed.
 *
 * The kernel does not run a program on a CPU that is already running it. It skips the program and
 * counts a miss. This happens when the same event occurs in an interrupt: buffers are freed and
 * unmapped by processes and in interrupts alike. Since 7.0 the callbacks of a tracepoint can be
 * preempted on x86 and arm64 (they run under SRCU, not with preemption disabled), so a program can
 * also be skipped because a task was preempted inside it.
 *
 * Each event therefore has the programs NAME and NAME_nested, attached in this order. NAME sets a
 * mark and records the event. NAME_nested removes the mark. If there is no mark, the kernel skipped
 * NAME, and NAME_nested records the event.
 *
 * In an interrupt, the mark is a bit for each context level (softirq, interrupt, NMI) of the CPU.
 * Interrupts are not preempted and stay on their CPU, so within a level NAME_nested of an event
 * follows NAME before any other event. While a program runs at a level, none above it is in
 * progress on this CPU: a mark there is an old one, of an event that interrupted NAME_nested, and
 * is removed.
 *
 * In a task, and everywhere if the kernel does not show the context level (x86 since 6.15), the
 * mark must belong to one occurrence of the event. A mark per CPU is not enough where callbacks can
 * be preempted: another task may set or remove it, or the task may continue on another CPU, and an
 * event would be recorded twice or silently lost. The address of the program's arguments identifies
 * the occurrence. The kernel puts them on the stack below the function that calls the
 * callbacks of the tracepoint, so both programs of one occurrence get the same address. Two
 * occurrences that are in progress at the same time (in two tasks, or in a task and an interrupt on
 * its stack) have different stack frames, hence different addresses.
 *
 * These marks are in a hash table. Each bucket has room for several marks, and a mark is in the
 * table only while its occurrence is between the two programs. The rules are:
 *
 * - After NAME ran, its mark is in the bucket, or the bucket is full for good ("overflowed").
 * - Only the occurrence's own NAME_nested removes a mark.
 * - NAME_nested records the event only if its mark is missing in a bucket that never overflowed.
 *   By the first two rules the kernel has then certainly skipped NAME. No event is recorded twice.
 *
 * An event is lost if the kernel skips both programs, if the bucket has overflowed, or if an old
 * mark with the same address is found. Such a mark stays behind when the kernel skips NAME_nested
 * alone, which matters most in interrupts of kernels that do not show the context level. None of
 * these losses is silent: the kernel counts how often it skipped NAME, NAME_nested counts how many
 * of these events it recorded, and user space reports the difference as lost.
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

#define MARK_BUCKET_BITS	11
#define MARKS_PER_BUCKET	3

struct mark_bucket {
	__u64 marks[MARKS_PER_BUCKET];	/* 0: free */
	__u64 overflowed;		/* never reset */
};

static struct mark_bucket mark_buckets[1 << MARK_BUCKET_BITS] __attribute__((aligned(64)));

/* The number of events that NAME_nested recorded because the kernel skipped NAME. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} caught_per_cpu SEC(".maps");

/*
 * The address of the arguments as a number: the verifier does not let a program compute with the
 * pointer itself, but it allows the difference of two pointers. The difference is never 0.
 */
static __always_inline __u64 occurrence(const unsigned long long *ctx)
{
	__u64 id = (__u64)ctx - (__u64)mark_buckets;

	barrier_var(id);
	return id;
}

static __always_inline struct mark_bucket *mark_bucket(__u64 id)
{
	/* Fibonacci hashing: the upper bits of the product depend on all bits of the address */
	__u64 hash = id * 0x9e3779b97f4a7c15 >> (64 - MARK_BUCKET_BITS);

	barrier_var(hash);
	return &mark_buckets[hash & ((1 << MARK_BUCKET_BITS) - 1)];
}

/* A bit for each level. */
struct level_marks {
	__u8 ran[P2PTRACE_NR_EVENTS];
};
_Static_assert(NR_CONTEXT_LEVELS <= 8, "a level has no bit");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct level_marks);
} marks_per_cpu SEC(".maps");

static __always_inline __u8 *level_marks(enum p2ptrace_event event)
{
	__u32 zero = 0;
	struct level_marks *marks = bpf_map_lookup_elem(&marks_per_cpu, &zero);

	return marks ? &marks->ran[event] : NULL;
}

/* An interrupt between reading and storing changes none of the levels below. */
static __always_inline __u8 marks_below(__u8 marks, int level)
{
	return marks & ((1 << level) - 1);
}

static __always_inline void mark_set(const unsigned long long *ctx, enum p2ptrace_event event)
{
	int level = context_level();
	__u8 *ran = level_marks(event);
	struct mark_bucket *bucket;
	__u64 id;

	if (ran && level > 0) {
		*ran = marks_below(*ran, level) | 1 << level;
		return;
	}
	if (ran && !level)
		*ran = 0;
	id = occurrence(ctx);
	bucket = mark_bucket(id);

	for (int i = 0; i < MARKS_PER_BUCKET; i++) {
		__u64 old = __sync_val_compare_and_swap(&bucket->marks[i], 0, id);

		/* Compare the number itself, which takes one instruction */
		barrier_var(old);
		if (!old || old == id)
			return;
	}
	bucket->overflowed = 1;
}

static __always_inline bool occurrence_missing(const unsigned long long *ctx)
{
	__u64 id = occurrence(ctx);
	struct mark_bucket *bucket = mark_bucket(id);

	for (int i = 0; i < MARKS_PER_BUCKET; i++) {
		if (bucket->marks[i] == id) {
			bucket->marks[i] = 0;
			return false;
		}
	}
	return !bucket->overflowed;
}

/*
 * Whether the kernel skipped NAME, so that NAME_nested must record the event. If so, counts the
 * event in caught_per_cpu.
 */
static __always_inline bool mark_missing(const unsigned long long *ctx, enum p2ptrace_event event)
{
	int level = context_level();
	__u64 *caught;
	__u32 zero = 0;

	if (level > 0) {
		__u8 *ran = level_marks(event);
		bool missing = ran && !(*ran & 1 << level);

		if (ran)
			*ran = marks_below(*ran, level);
		if (!missing)
			return false;
	} else if (!occurrence_missing(ctx)) {
		return false;
	}
	caught = bpf_map_lookup_elem(&caught_per_cpu, &zero);
	if (caught)
		__sync_fetch_and_add(caught, 1);
	return true;
}

/* @wanted is whether the event is to be handled at all. */
#define MARKED_PROGS_IF(section, name, event, wanted, handled)				\
SEC(section)										\
int name(unsigned long long *ctx)							\
{											\
	mark_set(ctx, event);								\
	_Pragma("GCC diagnostic push")							\
	_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")				\
	return wanted ? handled : 0;							\
	_Pragma("GCC diagnostic pop")							\
}											\
											\
SEC(section)										\
int name##_nested(unsigned long long *ctx)						\
{											\
	_Pragma("GCC diagnostic push")							\
	_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")				\
	return mark_missing(ctx, event) && wanted ? handled : 0;			\
	_Pragma("GCC diagnostic pop")							\
}

#define MARKED_PROGS(section, name, event, handled)					\
	MARKED_PROGS_IF(section, name, event, task_wanted(), handled)

#define TRACEPOINT_PROGS(name, handled) \
	MARKED_PROGS("tp_btf/" #name, name, P2PTRACE_##name, handled)

/*
 * The programs of an event that only the series has, from one body. As with BPF_PROG(), the body
 * gets the tracepoint's arguments.
 */
#define EVENT_PROG(name, args...)							\
static __always_inline int on_##name(unsigned long long *ctx, ##args);			\
TRACEPOINT_PROGS(name, on_##name(___bpf_ctx_cast(args)))				\
static __always_inline int on_##name(unsigned long long *ctx, ##args)

/*
 * The same for an event that stock kernels have as well. The body gets the arguments that
 * views.bpf.h and stock.bpf.h make from the tracepoint or from the stock kernel's function.
 */
#define EVENT_PROG_EVERYWHERE(name, args...)						\
static __always_inline int on_##name(unsigned long long *ctx, ##args);			\
TRACEPOINT_PROGS(name, from_tracepoint_##name(ctx, on_##name))				\
STOCK_PROGS_##name									\
static __always_inline int on_##name(unsigned long long *ctx, ##args)

/*
 * The same for an event whose arguments are in one structure since the series for 7.3. That takes
 * other programs: if one that uses the structure were loaded on 6.12, libbpf would search all
 * modules for its type, which takes CAP_SYS_ADMIN.
 */
#define EVENT_PROG_MAPPING(name, args...)						\
static __always_inline int on_##name(unsigned long long *ctx, ##args);			\
MARKED_PROGS("tp_btf/" #name, mapping_##name, P2PTRACE_##name,				\
	     from_mapping_##name(ctx, on_##name))					\
EVENT_PROG_EVERYWHERE(name, ##args)

/* For an event that a stock kernel shows by a tracepoint of its own. */
#define STOCK_TRACEPOINT_PROGS(name)							\
MARKED_PROGS(P2PTRACE_STOCK_##name, stock_##name, P2PTRACE_##name,			\
	     from_stock_##name(ctx, on_##name))

/*
 * For an event that a stock kernel shows by a function. There is no second program: the order in
 * which the kernel runs several programs of one function is not the order in which they were
 * attached. Events for which the kernel skips this program are counted as lost.
 */
#define STOCK_FUNCTION_PROG(name)							\
SEC(P2PTRACE_STOCK_##name)								\
int stock_##name(unsigned long long *ctx)						\
{											\
	return task_wanted() ? from_stock_##name(ctx, on_##name) : 0;			\
}

#endif /* NESTED_BPF_H */
