/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for session/counter.c: samples, violations and the end of a run come from a script in
 * fake, so that a command runs without BPF. Include it before the .c file of the command.
 */
#ifndef FAKE_COUNTER_H
#define FAKE_COUNTER_H

#include <stdbool.h>
#include <time.h>

#include "unit.h"

#define counter_open	fake_open
#define counter_start	fake_start
#define counter_live	fake_live
#define counter_first	fake_first
#define counter_sample	fake_sample
#define counter_pairs	fake_pairs
#define counter_close	fake_close
#define session_run	fake_run

#include "event/blind.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/units.h"
#include "session/counter.h"

#define FAKE_STEPS 32

static struct {
	/* One for each call; the last one repeats */
	struct sample samples[FAKE_STEPS];
	struct counter_live live[FAKE_STEPS];
	size_t nr_samples, nr_live;
	struct p2ptrace_first firsts[P2PTRACE_NR_VIOLATIONS];
	bool has_first[P2PTRACE_NR_VIOLATIONS];
	struct pair_sum pairs[2];
	size_t nr_pairs;
	/* Events that cannot be attached; those that the kernel does not have */
	bool left_out[P2PTRACE_NR_EVENTS], not_there[P2PTRACE_NR_EVENTS];
	bool in_part[P2PTRACE_NR_EVENTS];	/* seen, but not in every way */
	int open_rc, start_rc, run_rc, live_rc;
	size_t failing_sample;		/* fails with EXIT_OTHER; 0: none, not even the first */
	int interrupted_after;		/* pauses; -1: before the first; 0: it is not interrupted */
	uint64_t lost;			/* when it has ended */
	/* What the command did */
	struct session_config config;
	size_t sampled, lived, pauses;
	uint64_t first_before_ns, last_before_ns, older_than_ns;
	bool started, opened_to_start, follow;
} fake;

static char map_no[] = "not_supported", map_direct[] = "bus_addr", map_host[] = "thru_host_bridge";
static struct enum_value map_values[] = {
	{ 1, sizeof(map_no) - 1, map_no },
	{ 2, sizeof(map_direct) - 1, map_direct },
	{ 3, sizeof(map_host) - 1, map_host },
};
static const struct enum_table map_types = { map_values, ARRAY_LEN(map_values) };

static char where_bar[] = "bar", where_ram[] = "ram";
static struct enum_value where_values[] = {
	{ P2PTRACE_WHERE_BAR, sizeof(where_bar) - 1, where_bar },
	{ P2PTRACE_WHERE_RAM, sizeof(where_ram) - 1, where_ram },
};
static const struct enum_table wheres = { where_values, ARRAY_LEN(where_values) };

static void load_metrics(struct metrics *metrics, struct event_set *set)
{
	struct enums enums = {
		.table[ENUM_MAP_TYPE] = map_types, .table[ENUM_MAP_WHERE] = wheres,
	};

	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		set->has[i] = true;
	set->lists_dmabufs = true;
	assert_int_equal(metrics_load(metrics, &enums, set), 0);
}

/* Sets a count by the name of its metric. */
static inline void set_metric(struct sample *sample, const char *name, uint64_t value)
{
	struct event_set set = {};
	struct metrics metrics;
	const struct metric *metric;

	load_metrics(&metrics, &set);
	metric = metrics_find(&metrics, name);
	assert_non_null(metric);
	memcpy((char *)sample + metric->offset, &value, sizeof(value));
	metrics_free(&metrics);
}

int fake_open(struct counter *counter, const struct selection *want, bool started)
{
	(void)want;
	memset(counter, 0, sizeof(*counter));
	fake.opened_to_start = started;
	load_metrics(&counter->metrics, &counter->sel.set);
	counter->sel.enums.table[ENUM_MAP_TYPE] = map_types;
	load_metrics(&counter->known, &counter->sel.set);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		counter->sel.set.has[i] &= !fake.not_there[i];
	metrics_keep(&counter->metrics, &counter->sel.set);
	return fake.open_rc;
}

int fake_start(struct counter *counter, struct session_config *config, bool follow)
{
	fake.config = *config;
	fake.follow = follow;
	fake.older_than_ns = counter->older_than_ns;
	fake.started = !fake.start_rc;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		counter->sel.set.has[i] &= !fake.left_out[i];
		if (fake.left_out[i] || fake.in_part[i])
			blind_add(&counter->sel.set, i, "a test");
	}
	metrics_keep(&counter->metrics, &counter->sel.set);
	return fake.start_rc;
}

int fake_sample(struct counter *counter, struct sample *sample)
{
	(void)counter;
	*sample = fake.samples[fake.sampled < fake.nr_samples ? fake.sampled : fake.nr_samples - 1];
	fake.sampled++;
	return fake.sampled == fake.failing_sample ? EXIT_OTHER : 0;
}

int fake_live(struct counter *counter, uint64_t before_ns, struct counter_live *live)
{
	(void)counter;
	memset(live, 0, sizeof(*live));
	if (fake.nr_live)
		*live = fake.live[fake.lived < fake.nr_live ? fake.lived : fake.nr_live - 1];
	if (!fake.lived++)
		fake.first_before_ns = before_ns;
	fake.last_before_ns = before_ns;
	return fake.live_rc;
}

bool fake_first(struct counter *counter, enum p2ptrace_violation kind, struct p2ptrace_first *first)
{
	(void)counter;
	*first = fake.firsts[kind];
	return fake.has_first[kind];
}

int fake_pairs(struct counter *counter, struct pair_sums *pairs)
{
	(void)counter;
	pairs->nr = fake.nr_pairs;
	pairs->sums = malloc(sizeof(fake.pairs));
	assert_non_null(pairs->sums);
	memcpy(pairs->sums, fake.pairs, sizeof(fake.pairs));
	return 0;
}

int fake_run(struct session *session)
{
	const struct timespec nap = { .tv_nsec = NSEC_PER_MSEC };

	while (!fake.interrupted_after || (int)fake.pauses < fake.interrupted_after) {
		fake.pauses++;
		if (fake.config.pause(fake.config.ctx) == SESSION_STOP)
			break;
		nanosleep(&nap, NULL);
	}
	session->lost.total = session->lost.nested = fake.lost;
	return fake.run_rc;
}

void fake_close(struct counter *counter)
{
	metrics_free(&counter->metrics);
	metrics_free(&counter->known);
}

/* What a command wrote. */
static char command_out[65536];
static struct capture command_err;

/* Runs cmd_NAME() with these words, the last of which is NULL. */
static int run_command(int (*command)(int argc, char **argv), char **words)
{
	int saved = dup(STDOUT_FILENO), fd = temporary_file(), argc = 0, rc;
	ssize_t n;

	while (words[argc])
		argc++;
	fflush(stdout);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	capture_begin(&command_err);
	rc = command(argc, words);
	if (print_end() && !rc)
		rc = EXIT_OTHER;
	capture_end(&command_err);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	n = pread(fd, command_out, sizeof(command_out) - 1, 0);
	assert_true(n >= 0);
	command_out[n] = '\0';
	close(saved);
	close(fd);
	return rc;
}

#define RUN(command, ...) run_command(command, (char *[]){ __VA_ARGS__, NULL })

static int fake_setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.nr_samples = 1;
	return 0;
}

#define FAKE_TEST(name) cmocka_unit_test_setup(name, fake_setup)

#endif /* FAKE_COUNTER_H */
