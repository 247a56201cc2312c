// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "log.h"
#include "session.h"

#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define PAUSE_NS (200 * NSEC_PER_MSEC)

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static int print_all(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	return vfprintf(stderr, fmt, ap);
}

void session_set_verbose(bool verbose)
{
	libbpf_set_print(verbose ? print_all : print_nothing);
}

/* @err is negative, as libbpf returns it. */
static int refused(const char *what, int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return fail(EXIT_KERNEL, "not permitted to %s; run it as root, on a kernel that is not locked down", what);
	case ENOSYS:
	case EOPNOTSUPP:
		return fail(EXIT_KERNEL, "this kernel cannot %s; build it with CONFIG_BPF_SYSCALL, CONFIG_BPF_JIT and "
			    "CONFIG_BPF_EVENTS", what);
	case ENOMEM:
		return fail(EXIT_OTHER, "no memory to %s; try a smaller --buffer", what);
	default:
		return fail(EXIT_OTHER, "cannot %s: %s; --verbose shows what libbpf and the kernel say", what,
			    strerror(-err));
	}
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
	if (!session->draining && (interrupted || now_ns() >= session->next_pause_ns))
		return -EAGAIN;
	return 0;
}

static int load(struct session *session)
{
	struct bpf_map *records = bpf_object__find_map_by_name(session->object, "records");
	struct bpf_map *lost = bpf_object__find_map_by_name(session->object, "lost_per_cpu");
	struct bpf_program *program;
	int err;

	if (!records || !lost)
		return fail(EXIT_OTHER, "the BPF object lacks the maps of a session; this is a bug");
	bpf_map__set_max_entries(records, session->config.buffer_bytes);
	/* What is not wanted is not even loaded, so it costs the kernel nothing. */
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		program = bpf_object__find_program_by_name(session->object, events[i].name);
		if (!program)
			return fail(EXIT_OTHER, "there is no BPF program for %s; this is a bug", events[i].name);
		bpf_program__set_autoload(program, session->config.events.has[i]);
	}

	err = bpf_object__load(session->object);
	if (err)
		return refused("load the BPF programs", err);
	session->lost_map_fd = bpf_map__fd(lost);
	session->records = ring_buffer__new(bpf_map__fd(records), on_record, session, NULL);
	if (!session->records)
		return refused("read the ring buffer", -errno);
	return 0;
}

static int attach(struct session *session)
{
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		struct bpf_program *program;
		char what[64];

		if (!session->config.events.has[i])
			continue;
		program = bpf_object__find_program_by_name(session->object, events[i].name);
		session->prog_fds[i] = bpf_program__fd(program);
		session->links[i] = bpf_program__attach(program);
		if (!session->links[i]) {
			snprintf(what, sizeof(what), "attach to %s", events[i].name);
			return refused(what, -errno);
		}
	}
	return 0;
}

int session_start(struct session *session, struct bpf_object *object, const struct session_config *config)
{
	struct sigaction action = { .sa_handler = on_signal };
	int cpus = libbpf_num_possible_cpus();
	int rc;

	memset(session, 0, sizeof(*session));
	session->config = *config;
	session->object = object;
	if (cpus < 0)
		return fail(EXIT_OTHER, "cannot tell how many CPUs there are: %s; is /sys mounted?", strerror(-cpus));
	session->lost.nr_cpus = cpus;
	session->lost.per_cpu = calloc(cpus, sizeof(*session->lost.per_cpu));
	if (!session->lost.per_cpu)
		return fail(EXIT_OTHER, "out of memory");

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	rc = load(session);
	return rc ? rc : attach(session);
}

/* Nothing is recorded any more once this returns. */
static void detach(struct session *session)
{
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		bpf_link__destroy(session->links[i]);
		session->links[i] = NULL;
	}
	/*
	 * A program that a tracepoint entered before may still run on another CPU, and would add its record after we
	 * have read the last one. It runs with preemption off, so wait for an RCU grace period, which is what this
	 * barrier does. Where the kernel has none (CONFIG_MEMBARRIER=n, nohz_full), a program takes microseconds.
	 */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(20 * 1000);
}

int session_run(struct session *session)
{
	uint64_t start = now_ns(), end = UINT64_MAX;
	int err;

	if (session->config.duration_ns && __builtin_add_overflow(start, session->config.duration_ns, &end))
		end = UINT64_MAX;
	for (;;) {
		uint64_t now = now_ns();

		if (interrupted || session->stopped || now >= end)
			break;
		session->next_pause_ns = end - now < PAUSE_NS ? end : now + PAUSE_NS;
		/* Rounded up, lest it spins during the last millisecond. */
		err = ring_buffer__poll(session->records,
					(session->next_pause_ns - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
		if (err < 0 && err != -EINTR && err != -EAGAIN && err != -ECANCELED)
			return refused("read the ring buffer", err);
		if (!session->stopped && session->config.pause(session->config.ctx) == SESSION_STOP)
			session->stopped = true;
	}

	detach(session);
	session->draining = true;
	if (!session->stopped) {
		err = ring_buffer__consume(session->records);
		if (err < 0 && err != -ECANCELED)
			return refused("read the ring buffer", err);
	}
	return session_count_lost(session);
}

int session_count_lost(struct session *session)
{
	struct lost *lost = &session->lost;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(session->lost_map_fd, &zero, lost->per_cpu))
		return fail(EXIT_OTHER, "cannot read how many events were lost: %s", strerror(errno));
	lost->total = 0;
	for (size_t i = 0; i < lost->nr_cpus; i++)
		lost->total += lost->per_cpu[i];

	/*
	 * While a program runs, an interrupt on the same CPU may hit the same tracepoint, p2pmem_dma_unmap above all.
	 * The kernel then skips the program, which cannot count what it did not see; the kernel does.
	 */
	lost->nested = 0;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);

		if (!session->config.events.has[i])
			continue;
		if (bpf_obj_get_info_by_fd(session->prog_fds[i], &info, &len))
			return fail(EXIT_OTHER, "cannot read how many events were lost: %s", strerror(errno));
		lost->nested += info.recursion_misses;
	}
	lost->total += lost->nested;
	return 0;
}

void session_close(struct session *session)
{
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		bpf_link__destroy(session->links[i]);
	ring_buffer__free(session->records);
	free(session->lost.per_cpu);
	memset(session, 0, sizeof(*session));
}
