/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What "p2ptrace stat" counts, by name: one table for text, JSON, --list-metrics and expectations, so that they cannot
 * drift. Names of what is counted by an enum of the kernel (maps.bus_addr) come from that kernel.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/enums.h"
#include "event/events.h"
#include "machine/gauges.h"

/* A moment, or the difference of two. */
struct sample {
	uint64_t ts_ns;
	struct p2ptrace_counts counts;	/* of all CPUs */
	struct gauges gauges;
	uint64_t lost;
};

struct metric {
	char *name;
	const char *help;
	enum p2ptrace_event event;	/* that it takes; P2PTRACE_NR_EVENTS if none */
	size_t offset;			/* in struct sample */
	bool gauge;			/* as it is now, and not how often something was */
};

struct metrics {
	struct metric *metrics;
	size_t nr;
};

/* All that can be had of these events. 0 or -ENOMEM. */
int metrics_load(struct metrics *metrics, const struct enums *enums, const struct event_set *set);
void metrics_free(struct metrics *metrics);

/* NULL if there is none of that name. */
const struct metric *metrics_find(const struct metrics *metrics, const char *name);
uint64_t metric_value(const struct metric *metric, const struct sample *sample);

/* A line for each on standard output: name and meaning. */
void metrics_print(const struct metrics *metrics);

/* Adds what one CPU has counted. */
void counts_add(struct p2ptrace_counts *sum, const struct p2ptrace_counts *counts);

/* What was counted from @from to @to; gauges are those of @to. */
void sample_difference(struct sample *difference, const struct sample *to, const struct sample *from);

/* How many events were counted. */
uint64_t sample_events(const struct sample *sample);

#endif /* METRICS_H */
