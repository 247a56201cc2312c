/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The metrics of "p2ptrace stat" and "p2ptrace check", by name: one table for text, JSON,
 * --list-metrics and expectations. For each value of each enum field of an event there is a metric
 * with the name that the running kernel has for the value (maps.bus_addr).
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/enums.h"
#include "event/events.h"
#include "machine/gauges.h"

/* The counts at one time, or the difference of two samples. */
struct sample {
	uint64_t ts_ns;
	struct p2ptrace_counts counts;	/* of all CPUs */
	struct gauges gauges;
	uint64_t lost;
};

struct metric {
	char *name;
	const char *help;
	/*
	 * For one value of an enum field, the name ends with the value: "reason", and a pointer
	 * into "fallbacks.no_memory". NULL for other metrics.
	 */
	const char *field, *value;
	enum p2ptrace_event event;	/* P2PTRACE_NR_EVENTS if it needs none */
	size_t offset;			/* in struct sample */
	bool gauge;			/* a current value, not a count */
	bool listed;			/* only if the kernel can list dma-bufs */
};

struct metrics {
	struct metric *metrics;
	size_t nr;
};

/* All metrics of these events. 0 or -ENOMEM. */
int metrics_load(struct metrics *metrics, const struct enums *enums, const struct event_set *set);

/* Drops the metrics of events that are not in @set. */
void metrics_keep(struct metrics *metrics, const struct event_set *set);
/* Drops those that are not counts of events. */
void metrics_drop_gauges(struct metrics *metrics);
void metrics_free(struct metrics *metrics);

/* NULL if there is none with that name. */
const struct metric *metrics_find(const struct metrics *metrics, const char *name);
uint64_t metric_value(const struct metric *metric, const struct sample *sample);

/* Prints a line for each metric: name and meaning. */
void metrics_print(const struct metrics *metrics);

/* Adds the counts of one CPU. */
void counts_add(struct p2ptrace_counts *sum, const struct p2ptrace_counts *counts);

/* The counts between @from and @to. Gauges are those of @to. */
void sample_difference(struct sample *difference, const struct sample *to,
		       const struct sample *from);

/* How many events were counted. */
uint64_t sample_events(const struct sample *sample);

#endif /* METRICS_H */
