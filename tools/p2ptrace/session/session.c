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

#include "event/blind.h"
#include "lib/clock.h"
#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/units.h"
#include "machine/bars.h"
#include "machine/kernel.h"
#include "machine/nvmet_module.h"
#include "machine/sysfs.h"
#include "session/hooks.h"
#include "session/map_walk.h"
#include "session/session.h"

#define PAUSE_NS (50 * NSEC_PER_MSEC)
#define RECORDS_PER_CLOCK 16

static bool verbose;

/* The last program that could not be loaded. Only libbpf's messages tell which one it was. */
static char refused_program[64];

static void note_refused(const char *message)
{
	static const char *const reasons[] = {
		"BPF program load failed", "failed to load",
		"failed to find kernel BTF type", "failed to prepare load attributes",
	};
	char name[sizeof(refused_program)];
	int end = 0;

	if (sscanf(message, "libbpf: prog '%63[^']': %n", name, &end) != 1 || !end)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (!strncmp(message + end, reasons[i], strlen(reasons[i])))
			strcpy(refused_program, name);
}

static int __attribute__((format(printf, 2, 0)))
print_message(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char message[256];
	va_list again;

	(void)level;
	va_copy(again, ap);
	vsnprintf(message, sizeof(message), fmt, again);
	va_end(again);
	note_refused(message);
	return verbose ? vfprintf(stderr, fmt, ap) : 0;
}

void session_set_verbose(bool on)
{
	verbose = on;
	libbpf_set_print(print_message);
}

/*
 * Returns 0, or a negative value that makes libbpf stop reading. A busy kernel could keep libbpf
 * reading for ever, so this checks the clock and the signal as well as session_run().
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
	/* Not for each record: reading the clock costs more than a few records too many */
	if (++session->nr_records % RECORDS_PER_CLOCK == 0 &&
	    clock_now_ns() >= session->next_pause_ns)
		return -EAGAIN;
	return 0;
}

/* Programs that are not wanted are not loaded, so this kernel need not support them. */
static struct bpf_program *use_program(const struct session *session, const char *name,
				       const char *suffix)
{
	struct bpf_program *program;
	char full[64];

	snprintf(full, sizeof(full), "%s%s", name, suffix);
	program = bpf_object__find_program_by_name(session->object, full);
	if (program)
		bpf_program__set_autoload(program, true);
	return program;
}

/* The program for a tracepoint of the series. */
static void tracepoint_program(const struct event_set *set, unsigned int event, char *name,
			       size_t size)
{
	bool structure = set->mappings && event_is_mapping(event);

	snprintf(name, size, "%s%s", structure ? "mapping_" : "", events[event].name);
}

static int find_programs(struct session *session)
{
	const struct event_set *set = &session->config.events;
	struct bpf_program *program;

	bpf_object__for_each_program(program, session->object)
		bpf_program__set_autoload(program, false);
	for (unsigned int role = 0; role < HOOK_NR_ROLES; role++) {
		int hook = hooks_serve(set, role) ? hooks_best(set, role) : -1;
		char name[64] = "";

		if (!hooks_want(set, role))
			continue;
		if (hook >= 0)
			snprintf(name, sizeof(name), "%s", stock_hooks[hook].program);
		else if (role < P2PTRACE_NR_EVENTS)
			tracepoint_program(set, role, name, sizeof(name));
		session->programs[role] = use_program(session, name, "");
		session->nested[role] = use_program(session, name, "_nested");
		/* Not every command asks for what was before */
		if (role == HOOK_DMABUF_ITER && !session->programs[role])
			continue;
		if (!session->programs[role] || (!session->nested[role] && hook < 0))
			return fail(EXIT_OTHER, "the BPF object lacks the program %s; this is a "
				    "bug", name);
	}
	return 0;
}

static bool uses_role(const struct session *session, unsigned int role)
{
	return session->programs[role] && hooks_want(&session->config.events, role);
}

/* The other programs would be refused as well. */
static bool is_fatal(int err)
{
	return err == -EPERM || err == -ENOMEM || err == -EMFILE || err == -ENFILE;
}

static void detach_role(struct session *session, unsigned int role)
{
	/* NAME_nested alone would take every event for one that NAME missed */
	bpf_link__destroy(session->nested_links[role]);
	bpf_link__destroy(session->links[role]);
	session->nested_links[role] = session->links[role] = NULL;
}

static void detach_all(struct session *session)
{
	for (unsigned int role = 0; role < HOOK_NR_ROLES; role++)
		detach_role(session, role);
}

/* Another hook takes the place of the one that cannot be used. False if there is none. */
static bool next_hook(struct session *session, unsigned int role)
{
	struct event_set *set = &session->config.events;
	int hook = hooks_serve(set, role) ? hooks_best(set, role) : -1;

	if (hook < 0)
		return false;
	set->hooks &= ~(1ull << hook);
	hook = hooks_best(set, role);
	if (hook < 0)
		return false;
	note("using %s instead of %s, which this kernel refused", stock_hooks[hook].section,
	     bpf_program__section_name(session->programs[role]));
	session->again = true;
	return true;
}

static void remove_event(struct session *session, int event, const char *why)
{
	struct event_set *set = &session->config.events;

	set->has[event] = false;
	blind_add(set, event, "%s", why);
	if (session->config.groups)
		event_set_remove_group(set, event);
}

/* The ways of a stock kernel that take @role are lost. */
static void drop_ways(struct session *session, unsigned int role, const char *why)
{
	struct event_set *set = &session->config.events;

	for (unsigned int i = 0; i < hook_nr_ways; i++) {
		const struct hook_way *way = &hook_ways[i];

		if (!(set->ways & 1ull << i) || !set->has[way->event] || !way_has_role(way, role))
			continue;
		hooks_drop_way(set, i, session->config.groups, why);
		if (hooks_left(set, way->event)) {
			note("%s is seen only in part, without %s: %s", events[way->event].name,
			     way->what, why);
		} else {
			note("leaving out %s: %s", events[way->event].name, why);
			remove_event(session, way->event, why);
		}
	}
	/* Those that lost their last way with it */
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		if (set->has[i] && hooks_serve(set, i) && !hooks_left(set, i))
			remove_event(session, i, why);
}

/* For a role whose program the kernel refused to load or attach (@how). */
static void do_without(struct session *session, unsigned int role, const char *how, int err)
{
	char why[192];

	if (next_hook(session, role))
		return;
	snprintf(why, sizeof(why), "cannot %s %s: %s", how,
		 bpf_program__section_name(session->programs[role]), strerror(-err));
	if (hooks_serve(&session->config.events, role)) {
		drop_ways(session, role, why);
	} else {
		note("leaving out %s: %s", events[role].name, why);
		remove_event(session, role, why);
	}
	for (unsigned int i = 0; i < HOOK_NR_ROLES; i++)
		if (!hooks_want(&session->config.events, i))
			detach_role(session, i);
}

/* Whether the events that are left are enough. Returns 0 or an exit status. */
static int check_rest(const struct session *session)
{
	const struct session_config *config = &session->config;

	if (config->groups && config->needed < P2PTRACE_NR_EVENTS &&
	    !config->events.has[config->needed])
		return fail(EXIT_KERNEL, "%s cannot be traced on this kernel; the notes before say "
			    "why", events[config->needed].name);
	if (!event_set_count(&config->events))
		return fail(EXIT_KERNEL, "none of the events can be traced on this kernel; the "
			    "notes before say why");
	return 0;
}

/*
 * The kernel refused one program, and none is loaded. Leaves out its event and asks for another
 * try. The verifier's refusal is EACCES, too: privileges were checked before.
 */
static int load_failed(struct session *session, int err)
{
	struct bpf_program *program = NULL;
	char what[128];

	if (*refused_program && !is_fatal(err) && err != -ENOSYS && err != -ENOTSUPP)
		program = bpf_object__find_program_by_name(session->object, refused_program);
	for (unsigned int role = 0; program && role < HOOK_NR_ROLES; role++)
		if (program == session->programs[role] || program == session->nested[role]) {
			session->again = true;
			do_without(session, role, "load the program for", err);
			return check_rest(session);
		}
	snprintf(what, sizeof(what), "load the BPF program%s%s", *refused_program ? " " : "s",
		 refused_program);
	return kernel_refused(what, err);
}

static int load(struct session *session)
{
	struct bpf_map *lost = bpf_object__find_map_by_name(session->object, "lost_per_cpu");
	struct bpf_map *caught = bpf_object__find_map_by_name(session->object, "caught_per_cpu");
	struct bpf_map *records = NULL;
	int err;

	if (session->config.record)
		records = bpf_object__find_map_by_name(session->object, "records");
	if ((session->config.record && !records) || !lost || !caught)
		return fail(EXIT_OTHER, "the BPF object lacks the maps of a session; this is a "
			    "bug");
	if (records)
		bpf_map__set_max_entries(records, session->config.buffer_bytes);
	*refused_program = '\0';
	err = bpf_object__load(session->object);
	if (err)
		return load_failed(session, err);
	session->lost_map_fd = bpf_map__fd(lost);
	session->caught_map_fd = bpf_map__fd(caught);
	if (!records)
		return 0;
	session->records = ring_buffer__new(bpf_map__fd(records), on_record, session, NULL);
	if (!session->records)
		return kernel_refused("read the ring buffer", -errno);
	return 0;
}

/* Returns 0 or a negative errno. */
static int attach_one(struct bpf_program *program, struct bpf_link **link)
{
	*link = bpf_program__attach(program);
	return *link ? 0 : -errno;
}

static int attach_failed(struct session *session, unsigned int role, int err)
{
	char what[128];

	if (is_fatal(err) || err == -EACCES) {
		snprintf(what, sizeof(what), "attach %s",
			 bpf_program__name(session->programs[role]));
		return kernel_refused(what, err);
	}
	do_without(session, role, "attach to", err);
	return 0;
}

static int attach_role(struct session *session, unsigned int role)
{
	int err = attach_one(session->programs[role], &session->links[role]);

	/* The kernel runs the programs of a tracepoint in the order in which they were attached */
	if (!err && session->nested[role])
		err = attach_one(session->nested[role], &session->nested_links[role]);
	return err ? attach_failed(session, role, err) : 0;
}

/* @to is not one of them. */
static int attach_roles(struct session *session, unsigned int from, unsigned int to)
{
	int rc = 0;

	for (unsigned int role = from; role < to && !rc && !session->again; role++)
		if (uses_role(session, role))
			rc = attach_role(session, role);
	return rc;
}

static int add_bar(void *ctx, const struct p2ptrace_bar_key *key, const struct p2ptrace_bar *bar)
{
	return bpf_map_update_elem(bpf_map__fd(ctx), key, bar, BPF_ANY) ? -errno : 0;
}

/* The programs look up in this map whose BAR an address belongs to. */
static void add_bars(struct session *session)
{
	struct bpf_map *map = bpf_object__find_map_by_name(session->object, "bars");
	char why[128];
	int err;

	if (!map || !hooks_want(&session->config.events, HOOK_RESOURCE_MAP))
		return;
	err = bars_walk(SYSFS, add_bar, map);
	if (!err)
		return;
	snprintf(why, sizeof(why), "cannot read the BARs: %s", strerror(-err));
	drop_ways(session, HOOK_RESOURCE_MAP, why);
}

/*
 * If nvmet is a module, its programs are attached when it is loaded. The kernel detaches them when
 * it is unloaded.
 */
static bool wants_module(const struct session *session)
{
	return hooks_want(&session->config.events, HOOK_NVMET_CALL);
}

static void detach_module(struct session *session)
{
	detach_role(session, HOOK_NVMET_CALL);
	detach_role(session, HOOK_NVMET_RETURN);
}

/* Returns 0 or a negative errno. */
static int attach_module(struct session *session)
{
	struct bpf_map *map = bpf_object__find_map_by_name(session->object, ".data.nvmet");
	struct p2ptrace_nvmet places;
	uint32_t zero = 0;
	int err = nvmet_places(&places, VMLINUX_BTF, NVMET_BTF);

	if (!err && (!map || bpf_map_update_elem(bpf_map__fd(map), &zero, &places, BPF_ANY)))
		err = -errno;
	for (unsigned int role = HOOK_NVMET_RETURN; role <= HOOK_NVMET_CALL && !err; role++)
		err = attach_one(session->programs[role], &session->links[role]);
	if (err)
		detach_module(session);
	return err;
}

static void module_blind(struct session *session, const char *why)
{
	note("nvmet_p2pmem_use and nvmet_p2pmem_fallback are seen only in part, without %s", why);
	for (unsigned int i = 0; i < hook_nr_ways; i++)
		if (way_has_role(&hook_ways[i], HOOK_NVMET_CALL) &&
		    session->config.events.has[hook_ways[i].event])
			blind_add(&session->config.events, hook_ways[i].event, "%s", why);
}

/* A module that is being loaded or unloaded refuses for a moment. */
#define MODULE_TRIES	20

static void follow_module(struct session *session)
{
	uint64_t loaded = wants_module(session) ? nvmet_loaded(SYSFS) : 0;
	char why[128];
	int err;

	if (loaded == session->module)
		return;
	detach_module(session);
	session->module = 0;
	err = loaded ? attach_module(session) : 0;
	if (err && ++session->module_tries < MODULE_TRIES)
		return;
	session->module = loaded;
	session->module_tries = 0;
	snprintf(why, sizeof(why), "requests to nvmet: cannot attach to it: %s", strerror(-err));
	if (err)
		module_blind(session, why);
	else if (session->running && loaded && nvmet_in_use(CONFIGFS))
		module_blind(session, "requests before p2ptrace noticed that nvmet was loaded");
	if (session->running && !err)
		note("nvmet was %s", loaded ? "loaded, and its requests are seen from now on" :
					      "unloaded");
}

/* The programs may just be missing because the module comes in this moment: it is tried again. */
static void start_module(struct session *session)
{
	if (wants_module(session) && !nvmet_loaded(SYSFS))
		note("nvmet is not loaded; its requests are seen once it is loaded");
	follow_module(session);
	session->running = true;
}

/* For the order see enum hook_role. */
static int attach(struct session *session)
{
	int rc;

	add_bars(session);
	rc = attach_roles(session, P2PTRACE_NR_EVENTS, HOOK_FREE_SGL_END);
	if (!rc)
		rc = attach_roles(session, 0, P2PTRACE_NR_EVENTS);
	if (!rc)
		rc = attach_roles(session, HOOK_FREE_SGL_END, HOOK_NVMET_RETURN);
	if (!rc && !session->again)
		start_module(session);
	return rc ?: check_rest(session);
}

/* Drops what belongs to the BPF object. */
static void unload(struct session *session)
{
	detach_all(session);
	ring_buffer__free(session->records);
	session->records = NULL;
	memset(session->programs, 0, sizeof(session->programs));
	memset(session->nested, 0, sizeof(session->nested));
}

int session_start(struct session *session, const struct session_config *config)
{
	int cpus = libbpf_num_possible_cpus();
	int rc;

	memset(session, 0, sizeof(*session));
	session->config = *config;
	if (cpus < 0)
		return fail(EXIT_OTHER, "cannot read the number of CPUs: %s; is /sys mounted?",
			    strerror(-cpus));
	session->lost.nr_cpus = cpus;
	session->lost.per_cpu = calloc(cpus, sizeof(*session->lost.per_cpu));
	session->caught_per_cpu = calloc(cpus, sizeof(*session->caught_per_cpu));
	if (!session->lost.per_cpu || !session->caught_per_cpu)
		return fail(EXIT_OTHER, "out of memory");

	interrupt_catch();
	/* Each round has a hook or an event less than the one before, so this ends */
	do {
		unload(session);
		session->again = false;
		rc = config->open(config->opener, &session->object);
		if (!rc)
			rc = find_programs(session);
		if (!rc)
			rc = load(session);
		if (!rc && !session->again)
			rc = attach(session);
	} while (!rc && session->again);
	return rc;
}

int session_visit(struct session *session, unsigned int role)
{
	struct bpf_link *link = session->links[role];
	char unused[256];
	int fd, err = 0;
	ssize_t n;

	if (!link)
		return -ENOENT;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		return -errno;
	do {
		n = read(fd, unused, sizeof(unused));
		if (n < 0)
			err = errno;
	} while (n > 0 || (n < 0 && (err == EAGAIN || err == EINTR)));
	close(fd);
	return n < 0 ? -err : 0;
}

/* Nothing is recorded once this returns. */
static void detach(struct session *session)
{
	/* The beginning of a call first, so that its end is still seen */
	detach_module(session);
	/* An iterator runs only for session_visit(), which may be called later */
	for (unsigned int role = 0; role < HOOK_NR_ROLES; role++)
		if (role != HOOK_DMABUF_ITER)
			detach_role(session, role);
	/*
	 * A program that was entered before may still run on another CPU, and would add its record
	 * after we have read the last one. It runs in an RCU read-side critical section, so wait
	 * for a grace period, which is what this barrier does. Where the kernel has no such barrier
	 * (CONFIG_MEMBARRIER=n, nohz_full), wait longer than a program takes.
	 *
	 * Since 7.0 a task can be preempted between entering the tracepoint and running the
	 * program. Its event may be recorded later, and is then not read: it belongs to the time
	 * after the end.
	 */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(20 * 1000);
}

static uint64_t pause_after(uint64_t now, uint64_t end)
{
	return now >= end || end - now < PAUSE_NS ? end : now + PAUSE_NS;
}

/* Sleeps until @end or a signal. */
static void sleep_until(struct session *session, uint64_t end)
{
	for (;;) {
		uint64_t now = clock_now_ns(), left = end - now;
		struct timespec ts;

		if (interrupted() || now >= end)
			return;
		/* In short steps: a signal just before nanosleep() would not end it */
		if (left > PAUSE_NS)
			left = PAUSE_NS;
		ts = (struct timespec){
			.tv_sec = left / NSEC_PER_SEC, .tv_nsec = left % NSEC_PER_SEC,
		};
		nanosleep(&ts, NULL);
		follow_module(session);
	}
}

static void run_intervals(struct session *session, uint64_t start, uint64_t end)
{
	uint64_t next = start;

	while (!interrupted() && !session->stopped && clock_now_ns() < end) {
		if (!session->config.interval_ns ||
		    __builtin_add_overflow(next, session->config.interval_ns, &next))
			next = UINT64_MAX;
		sleep_until(session, next < end ? next : end);
		if (clock_now_ns() < next)
			continue;
		if (session->config.pause(session->config.ctx) == SESSION_STOP)
			session->stopped = true;
		/* Skip the intervals that were missed while the process was stopped */
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
		follow_module(session);
		session->next_pause_ns = pause_after(now, end);
		/*
		 * The programs wake us only if there is much to read, so consume after the timeout
		 * as well, and after a signal: what happened before it belongs to what it asks for.
		 * Round the timeout up, to avoid spinning during the last millisecond.
		 */
		err = ring_buffer__poll(session->records,
					(session->next_pause_ns - now + NSEC_PER_MSEC - 1) /
						NSEC_PER_MSEC);
		if (!err || err == -EINTR) {
			/* Otherwise on_record() would stop at the first record */
			session->next_pause_ns = pause_after(clock_now_ns(), end);
			err = ring_buffer__consume(session->records);
		}
		if (err < 0 && err != -EINTR && err != -EAGAIN && err != -ECANCELED)
			return kernel_refused("read the ring buffer", err);
		if (!session->stopped && session->config.pause(session->config.ctx) == SESSION_STOP)
			session->stopped = true;
	}
}

static int count_call(void *ctx, const void *key, const void *value)
{
	struct session *session = ctx;

	(void)key;
	(void)value;
	session->missed_returns++;
	return 0;
}

/* The kernel missed the ends of the calls that are left. Returns 0 or a negative errno. */
static int count_calls(struct session *session)
{
	struct bpf_map *map = bpf_object__find_map_by_name(session->object, "nvmet_calls");

	return map && wants_module(session) ?
		       map_walk(bpf_map__fd(map), sizeof(uint64_t), sizeof(uint64_t),
				P2PTRACE_MAX_CALLS, count_call, session) : 0;
}

int session_run(struct session *session)
{
	uint64_t start = clock_now_ns(), end = UINT64_MAX;
	int err = 0;

	if (session->config.duration_ns &&
	    __builtin_add_overflow(start, session->config.duration_ns, &end))
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
	err = count_calls(session);
	if (err)
		return fail(EXIT_OTHER, "cannot read the calls that nvmet has not ended: %s",
			    strerror(-err));
	session->draining = true;
	if (session->records && !session->stopped) {
		err = ring_buffer__consume(session->records);
		if (err < 0 && err != -ECANCELED)
			return kernel_refused("read the ring buffer", err);
	}
	return session_count_lost(session);
}

size_t session_hooks(const struct session *session, const char **sections, size_t max)
{
	size_t nr = 0;

	for (unsigned int role = 0; role < HOOK_NR_ROLES && nr < max; role++)
		if (session->programs[role] && hooks_want(&session->config.events, role))
			sections[nr++] = bpf_program__section_name(session->programs[role]);
	return nr;
}

/* Adds how often the kernel skipped the program because it was running already. */
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
	*skipped = 0;
	for (unsigned int i = 0; i < HOOK_NR_ROLES; i++) {
		int err = uses_role(session, i) ?
				  add_skipped(session->programs[i], skipped) : 0;

		if (err)
			return err;
	}
	return 0;
}

int session_count_lost(struct session *session)
{
	struct lost *lost = &session->lost;
	uint64_t skipped, caught = 0;
	uint32_t zero = 0;
	int err;

	/* Read skipped before caught, so that an event in between does not look like a loss */
	err = count_skipped(session, &skipped);
	if (!err && (bpf_map_lookup_elem(session->caught_map_fd, &zero, session->caught_per_cpu) ||
		     bpf_map_lookup_elem(session->lost_map_fd, &zero, lost->per_cpu)))
		err = -errno;
	if (err)
		return fail(EXIT_OTHER, "cannot read the number of lost events: %s",
			    strerror(-err));

	lost->total = 0;
	for (size_t i = 0; i < lost->nr_cpus; i++) {
		lost->total += lost->per_cpu[i];
		caught += session->caught_per_cpu[i];
	}
	lost->nested = skipped > caught ? skipped - caught : 0;
	lost->nested += session->missed_returns;
	lost->total += lost->nested;
	return 0;
}

void session_close(struct session *session)
{
	unload(session);
	free(session->lost.per_cpu);
	free(session->caught_per_cpu);
	memset(session, 0, sizeof(*session));
}
