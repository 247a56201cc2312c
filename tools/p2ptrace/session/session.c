// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/clock.h"
#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/units.h"
#include "machine/kernel.h"
#include "session/session.h"

#define PAUSE_NS (50 * NSEC_PER_MSEC)
#define RECORDS_PER_CLOCK 16


static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static int __attribute__((format(printf, 2, 0)))
print_all(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	return vfprintf(stderr, fmt, ap);
}

void session_set_verbose(bool verbose)
{
	libbpf_set_print(verbose ? print_all : print_nothing);
}

/*
 * Returns what libbpf stops reading at (negative), or 0. A busy kernel could keep libbpf reading for ever, hence the
 * clock and the signal are looked at here as well as in session_run().
 */
static int on_record(void *ctx, void *data, size_t size)
{
	struct session *session = ctx;

	if (session->config.record(session->config.ctx, data, size) == SESSION_STOP) {
		session->stopped = true;
		return -ECANCELED;
	}
	if (session->draining)
		return 0;
	if (interrupted())
		return -EAGAIN;
	/* Not for each: a few records more than in time do not matter, and reading the clock adds up */
	if (++session->nr_records % RECORDS_PER_CLOCK == 0 && clock_now_ns() >= session->next_pause_ns)
		return -EAGAIN;
	return 0;
}

static struct bpf_program *find_program(const struct session *session, const char *prefix, const char *event,
					const char *suffix)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s%s", prefix, event, suffix);
	return bpf_object__find_program_by_name(session->object, name);
}

/* What is not wanted is not even loaded, so it costs the kernel nothing, and need not fit it. */
static int find_programs(struct session *session)
{
	const struct event_set *set = &session->config.events;
	bool maps = set->has[P2PTRACE_p2pmem_dma_map] || set->has[P2PTRACE_p2pmem_dma_unmap];
	struct bpf_program *program;

	bpf_object__for_each_program(program, session->object)
		bpf_program__set_autoload(program, false);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		if (!set->has[i])
			continue;
		session->programs[i] = find_program(session, set->stock ? "stock_" : "", events[i].name, "");
		session->nested[i] = find_program(session, set->stock ? "stock_" : "", events[i].name, "_nested");
		if (!session->programs[i] || (!session->nested[i] && !set->stock))
			return fail(EXIT_OTHER, "the BPF object lacks a program for %s; this is a bug", events[i].name);
		bpf_program__set_autoload(session->programs[i], true);
		if (session->nested[i])
			bpf_program__set_autoload(session->nested[i], true);
	}
	if (set->stock && maps) {
		session->pages = find_program(session, "stock_", "pages", "");
		if (!session->pages)
			return fail(EXIT_OTHER, "the BPF object lacks a program for pages; this is a bug");
		bpf_program__set_autoload(session->pages, true);
	}
	return 0;
}

static int load(struct session *session)
{
	struct bpf_map *records = session->config.record ?
				  bpf_object__find_map_by_name(session->object, "records") : NULL;
	struct bpf_map *lost = bpf_object__find_map_by_name(session->object, "lost_per_cpu");
	struct bpf_map *caught = bpf_object__find_map_by_name(session->object, "caught_per_cpu");
	int err;

	if ((session->config.record && !records) || !lost || !caught)
		return fail(EXIT_OTHER, "the BPF object lacks the maps of a session; this is a bug");
	if (records)
		bpf_map__set_max_entries(records, session->config.buffer_bytes);
	err = bpf_object__load(session->object);
	if (err)
		return kernel_refused("load the BPF programs", err);
	session->lost_map_fd = bpf_map__fd(lost);
	session->caught_map_fd = bpf_map__fd(caught);
	if (!records)
		return 0;
	session->records = ring_buffer__new(bpf_map__fd(records), on_record, session, NULL);
	if (!session->records)
		return kernel_refused("read the ring buffer", -errno);
	return 0;
}

static int attach_one(struct bpf_program *program, struct bpf_link **link)
{
	char what[128];

	*link = bpf_program__attach(program);
	if (*link)
		return 0;
	snprintf(what, sizeof(what), "attach %s", bpf_program__name(program));
	return kernel_refused(what, -errno);
}

static int attach(struct session *session)
{
	int rc = session->pages ? attach_one(session->pages, &session->pages_link) : 0;

	for (int i = 0; i < P2PTRACE_NR_EVENTS && !rc; i++) {
		if (!session->config.events.has[i])
			continue;
		/* The kernel runs them in the order in which they came. */
		rc = attach_one(session->programs[i], &session->links[i]);
		if (!rc && session->nested[i])
			rc = attach_one(session->nested[i], &session->nested_links[i]);
	}
	return rc;
}

static void destroy_links(struct bpf_link **links)
{
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		bpf_link__destroy(links[i]);
		links[i] = NULL;
	}
}

int session_start(struct session *session, struct bpf_object *object, const struct session_config *config)
{
	int cpus = libbpf_num_possible_cpus();
	int rc;

	memset(session, 0, sizeof(*session));
	session->config = *config;
	session->object = object;
	if (cpus < 0)
		return fail(EXIT_OTHER, "cannot tell how many CPUs there are: %s; is /sys mounted?", strerror(-cpus));
	session->lost.nr_cpus = cpus;
	session->lost.per_cpu = calloc(cpus, sizeof(*session->lost.per_cpu));
	session->caught_per_cpu = calloc(cpus, sizeof(*session->caught_per_cpu));
	if (!session->lost.per_cpu || !session->caught_per_cpu)
		return fail(EXIT_OTHER, "out of memory");

	interrupt_catch();
	rc = find_programs(session);
	if (!rc)
		rc = load(session);
	return rc ? rc : attach(session);
}

/* Nothing is recorded any more once this returns. */
static void detach(struct session *session)
{
	/* In this order: a program for nested events that is left alone would take every event for one. */
	destroy_links(session->nested_links);
	destroy_links(session->links);
	/*
	 * A program that a tracepoint entered before may still run on another CPU, and would add its record after we
	 * have read the last one. It runs with preemption off, so wait for an RCU grace period, which is what this
	 * barrier does. Where the kernel has none (CONFIG_MEMBARRIER=n, nohz_full), a program takes microseconds.
	 */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(20 * 1000);
}

static uint64_t pause_after(uint64_t now, uint64_t end)
{
	return now >= end || end - now < PAUSE_NS ? end : now + PAUSE_NS;
}

/* Until @end, which may be never, or until a signal. */
static void sleep_until(uint64_t end)
{
	for (;;) {
		uint64_t now = clock_now_ns(), left = end - now;
		struct timespec ts;

		if (interrupted() || now >= end)
			return;
		/* In parts: a signal that comes just before the call would not end it. */
		if (left > PAUSE_NS)
			left = PAUSE_NS;
		ts = (struct timespec){ .tv_sec = left / NSEC_PER_SEC, .tv_nsec = left % NSEC_PER_SEC };
		nanosleep(&ts, NULL);
	}
}

static void run_intervals(struct session *session, uint64_t start, uint64_t end)
{
	uint64_t next = start;

	while (!interrupted() && !session->stopped && clock_now_ns() < end) {
		if (!session->config.interval_ns || __builtin_add_overflow(next, session->config.interval_ns, &next))
			next = UINT64_MAX;
		sleep_until(next < end ? next : end);
		if (clock_now_ns() < next)
			continue;
		if (session->config.pause(session->config.ctx) == SESSION_STOP)
			session->stopped = true;
		/* Who was stopped for a while has missed intervals: they are not made up for */
		if (clock_now_ns() >= next && session->config.interval_ns &&
		    clock_now_ns() - next >= session->config.interval_ns)
			next = clock_now_ns();
	}
}

static int run_records(struct session *session, uint64_t end)
{
	int err;

	for (;;) {
		uint64_t now = clock_now_ns();

		if (interrupted() || session->stopped || now >= end)
			return 0;
		session->next_pause_ns = pause_after(now, end);
		/*
		 * The programs wake us only if there is much to read, so look for ourselves as well. The time is rounded
		 * up, lest we spin during the last millisecond.
		 */
		err = ring_buffer__poll(session->records,
					(session->next_pause_ns - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
		if (!err) {
			/* The pause is over by now: without another one, the first record would end this */
			session->next_pause_ns = pause_after(clock_now_ns(), end);
			err = ring_buffer__consume(session->records);
		}
		if (err < 0 && err != -EINTR && err != -EAGAIN && err != -ECANCELED)
			return kernel_refused("read the ring buffer", err);
		if (!session->stopped && session->config.pause(session->config.ctx) == SESSION_STOP)
			session->stopped = true;
	}
}

int session_run(struct session *session)
{
	uint64_t start = clock_now_ns(), end = UINT64_MAX;
	int err = 0;

	if (session->config.duration_ns && __builtin_add_overflow(start, session->config.duration_ns, &end))
		end = UINT64_MAX;
	if (session->records)
		err = run_records(session, end);
	else
		run_intervals(session, start, end);
	if (!err && session->config.ending)
		err = session->config.ending(session->config.ctx);
	if (err)
		return err;

	detach(session);
	session->draining = true;
	if (session->records && !session->stopped) {
		err = ring_buffer__consume(session->records);
		if (err < 0 && err != -ECANCELED)
			return kernel_refused("read the ring buffer", err);
	}
	return session_count_lost(session);
}

/* How often the kernel skipped the programs because they were running already. */
static int add_skipped(const struct bpf_program *program, uint64_t *skipped)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len))
		return -errno;
	*skipped += info.recursion_misses;
	return 0;
}

static int count_skipped(const struct session *session, uint64_t *skipped)
{
	int err;

	*skipped = 0;
	err = session->pages ? add_skipped(session->pages, skipped) : 0;
	for (int i = 0; i < P2PTRACE_NR_EVENTS && !err; i++)
		if (session->config.events.has[i])
			err = add_skipped(session->programs[i], skipped);
	return err;
}

int session_count_lost(struct session *session)
{
	struct lost *lost = &session->lost;
	uint64_t skipped, caught = 0;
	uint32_t zero = 0;
	int err;

	/* Skipped before caught: what happens between must not look like a loss. */
	err = count_skipped(session, &skipped);
	if (!err && (bpf_map_lookup_elem(session->caught_map_fd, &zero, session->caught_per_cpu) ||
		     bpf_map_lookup_elem(session->lost_map_fd, &zero, lost->per_cpu)))
		err = -errno;
	if (err)
		return fail(EXIT_OTHER, "cannot read how many events were lost: %s", strerror(-err));

	lost->total = 0;
	for (size_t i = 0; i < lost->nr_cpus; i++) {
		lost->total += lost->per_cpu[i];
		caught += session->caught_per_cpu[i];
	}
	lost->nested = skipped > caught ? skipped - caught : 0;
	lost->total += lost->nested;
	return 0;
}

void session_close(struct session *session)
{
	destroy_links(session->nested_links);
	destroy_links(session->links);
	bpf_link__destroy(session->pages_link);
	ring_buffer__free(session->records);
	free(session->lost.per_cpu);
	free(session->caught_per_cpu);
	memset(session, 0, sizeof(*session));
}
