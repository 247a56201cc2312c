// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/metrics.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/units.h"

#define EVENT(kind, name)	offsetof(struct sample, counts.kind[P2PTRACE_##name])
#define COUNT(member)		offsetof(struct sample, counts.member)
#define GAUGE(member)		offsetof(struct sample, gauges.member)
#define NO_ENUM			NR_ENUMS

#define IS_GAUGE	1	/* as it is now, and not how often something was */
#define OF_SERIES	2	/* a stock kernel does not tell */

/* Those that take an enum are a name each: "maps." and the value's. */
static const struct {
	const char *name;
	enum p2ptrace_event event;
	size_t offset;
	enum kernel_enum which;
	unsigned int flags;
	const char *help;
} table[] = {
	{ "allocs", P2PTRACE_p2pmem_alloc, EVENT(events, p2pmem_alloc), NO_ENUM, 0, "buffers handed out" },
	{ "alloc_bytes", P2PTRACE_p2pmem_alloc, EVENT(bytes, p2pmem_alloc), NO_ENUM, 0, "their size" },
	{ "alloc_fails", P2PTRACE_p2pmem_alloc_fail, EVENT(events, p2pmem_alloc_fail), NO_ENUM, 0,
	  "allocations that failed" },
	{ "alloc_fails.", P2PTRACE_p2pmem_alloc_fail, COUNT(alloc_fails), ENUM_ALLOC_ERROR, OF_SERIES, "by reason" },
	{ "frees", P2PTRACE_p2pmem_free, EVENT(events, p2pmem_free), NO_ENUM, 0, "buffers given back" },
	{ "frees_deferred", P2PTRACE_p2pmem_free, COUNT(deferred), NO_ENUM, OF_SERIES,
	  "of those, still mapped for DMA, so that their memory came back later" },
	{ "reclaims", P2PTRACE_p2pmem_reclaim, EVENT(events, p2pmem_reclaim), NO_ENUM, 0,
	  "memory that came back later" },
	{ "maps", P2PTRACE_p2pmem_dma_map, EVENT(events, p2pmem_dma_map), NO_ENUM, 0, "DMA mappings made" },
	{ "maps.", P2PTRACE_p2pmem_dma_map, COUNT(maps), ENUM_MAP_TYPE, 0, "by map type" },
	{ "map_bytes", P2PTRACE_p2pmem_dma_map, EVENT(bytes, p2pmem_dma_map), NO_ENUM, 0, "their size" },
	{ "map_bytes.", P2PTRACE_p2pmem_dma_map, COUNT(map_bytes), ENUM_MAP_TYPE, 0, "by map type" },
	{ "unmaps", P2PTRACE_p2pmem_dma_unmap, EVENT(events, p2pmem_dma_unmap), NO_ENUM, 0, "DMA mappings ended" },
	{ "uses", P2PTRACE_nvmet_p2pmem_use, EVENT(events, nvmet_p2pmem_use), NO_ENUM, 0,
	  "requests of the NVMe target that used peer memory" },
	{ "use_bytes", P2PTRACE_nvmet_p2pmem_use, EVENT(bytes, nvmet_p2pmem_use), NO_ENUM, 0, "their size" },
	{ "fallbacks", P2PTRACE_nvmet_p2pmem_fallback, EVENT(events, nvmet_p2pmem_fallback), NO_ENUM, 0,
	  "requests that were to use it and did not" },
	{ "fallback_bytes", P2PTRACE_nvmet_p2pmem_fallback, EVENT(bytes, nvmet_p2pmem_fallback), NO_ENUM, 0,
	  "their size" },
	{ "fallbacks.", P2PTRACE_nvmet_p2pmem_fallback, COUNT(fallbacks), ENUM_FALLBACK_REASON, OF_SERIES, "by reason" },
	{ "binds", P2PTRACE_nvmet_p2pmem_bind, EVENT(events, nvmet_p2pmem_bind), NO_ENUM, 0,
	  "namespaces bound to peer memory for a controller" },
	{ "binds_failed", P2PTRACE_nvmet_p2pmem_bind, EVENT(failures, nvmet_p2pmem_bind), NO_ENUM, 0,
	  "of those, without success" },
	{ "unbinds", P2PTRACE_nvmet_p2pmem_unbind, EVENT(events, nvmet_p2pmem_unbind), NO_ENUM, 0,
	  "and unbound again" },
	{ "decisions", P2PTRACE_p2pmem_decide, EVENT(events, p2pmem_decide), NO_ENUM, 0,
	  "decisions how a client reaches a provider" },
	{ "decisions.", P2PTRACE_p2pmem_decide, COUNT(decisions), ENUM_MAP_TYPE, 0, "by map type" },
	{ "finds", P2PTRACE_p2pmem_find, EVENT(events, p2pmem_find), NO_ENUM, 0, "searches for memory for clients" },
	{ "finds_failed", P2PTRACE_p2pmem_find, EVENT(failures, p2pmem_find), NO_ENUM, 0,
	  "of those, without success" },
	{ "mmaps", P2PTRACE_p2pmem_mmap, EVENT(events, p2pmem_mmap), NO_ENUM, 0, "attempts to map it to user space" },
	{ "mmaps_refused", P2PTRACE_p2pmem_mmap, EVENT(failures, p2pmem_mmap), NO_ENUM, OF_SERIES,
	  "of those, refused by policy" },
	{ "devs_added", P2PTRACE_p2pmem_dev_add, EVENT(events, p2pmem_dev_add), NO_ENUM, 0, "p2pmem devices that came" },
	{ "devs_deleted", P2PTRACE_p2pmem_dev_del, EVENT(events, p2pmem_dev_del), NO_ENUM, 0, "and that began to go" },
	{ "devs_drained", P2PTRACE_p2pmem_dev_drained, EVENT(events, p2pmem_dev_drained), NO_ENUM, 0,
	  "of those, with all their memory back" },
	{ "drain_stalls", P2PTRACE_p2pmem_drain_stall, EVENT(events, p2pmem_drain_stall), NO_ENUM, 0,
	  "reports that one waits for its memory" },
	{ "held", P2PTRACE_NR_EVENTS, GAUGE(held), NO_ENUM, IS_GAUGE | OF_SERIES, "buffers that are handed out now, by whomever" },
	{ "held_bytes", P2PTRACE_NR_EVENTS, GAUGE(held_bytes), NO_ENUM, IS_GAUGE, "their memory, in whole pages" },
	{ "pinned", P2PTRACE_NR_EVENTS, GAUGE(pinned), NO_ENUM, IS_GAUGE | OF_SERIES, "DMA mappings there are now" },
	{ "lost", P2PTRACE_NR_EVENTS, offsetof(struct sample, lost), NO_ENUM, 0, "events that were not counted" },
};

#define NR_TABLE ARRAY_SIZE(table)

static int metric_add(struct metrics *metrics, size_t i, const char *value, size_t offset)
{
	struct metric *metric;

	/* As many as there can be are there already */
	metric = &metrics->metrics[metrics->nr];
	if (asprintf(&metric->name, "%s%s", table[i].name, value) < 0) {
		metric->name = NULL;
		return -ENOMEM;
	}
	metric->help = table[i].help;
	metric->event = table[i].event;
	metric->offset = offset;
	metric->gauge = table[i].flags & IS_GAUGE;
	metrics->nr++;
	return 0;
}

static int metric_add_values(struct metrics *metrics, size_t i, const struct enum_table *values)
{
	int err = 0;

	for (size_t v = 0; v < values->nr && !err; v++)
		if (values->values[v].value < P2PTRACE_NR_VALUES - 1)
			err = metric_add(metrics, i, values->values[v].name,
					 table[i].offset + values->values[v].value * sizeof(uint64_t));
	/* What this kernel has no name for, all together */
	return err ? err : metric_add(metrics, i, "other", table[i].offset + (P2PTRACE_NR_VALUES - 1) * sizeof(uint64_t));
}

int metrics_load(struct metrics *metrics, const struct enums *enums, const struct event_set *set)
{
	int err = 0;

	memset(metrics, 0, sizeof(*metrics));
	metrics->metrics = calloc(NR_TABLE * P2PTRACE_NR_VALUES, sizeof(*metrics->metrics));
	if (!metrics->metrics)
		return -ENOMEM;
	for (size_t i = 0; i < NR_TABLE && !err; i++) {
		if ((table[i].event < P2PTRACE_NR_EVENTS && !set->has[table[i].event]) || (set->stock && (table[i].flags & OF_SERIES)))
			continue;
		err = table[i].which == NO_ENUM ? metric_add(metrics, i, "", table[i].offset) :
						  metric_add_values(metrics, i, &enums->table[table[i].which]);
	}
	if (err)
		metrics_free(metrics);
	return err;
}

void metrics_free(struct metrics *metrics)
{
	for (size_t i = 0; i < metrics->nr; i++)
		free(metrics->metrics[i].name);
	free(metrics->metrics);
	memset(metrics, 0, sizeof(*metrics));
}

const struct metric *metrics_find(const struct metrics *metrics, const char *name)
{
	for (size_t i = 0; i < metrics->nr; i++)
		if (!strcmp(metrics->metrics[i].name, name))
			return &metrics->metrics[i];
	return NULL;
}

uint64_t metric_value(const struct metric *metric, const struct sample *sample)
{
	uint64_t value;

	memcpy(&value, (const char *)sample + metric->offset, sizeof(value));
	return value;
}

void metrics_print(const struct metrics *metrics)
{
	for (size_t i = 0; i < metrics->nr; i++)
		print("%-30s %s\n", metrics->metrics[i].name, metrics->metrics[i].help);
}

/* Counts are nothing but numbers of 64 bits. */
#define NR_NUMBERS (sizeof(struct p2ptrace_counts) / sizeof(__u64))

void counts_add(struct p2ptrace_counts *sum, const struct p2ptrace_counts *counts)
{
	const __u64 *from = (const __u64 *)counts;
	__u64 *to = (__u64 *)sum;

	for (size_t i = 0; i < NR_NUMBERS; i++)
		to[i] += from[i];
}

void sample_difference(struct sample *difference, const struct sample *to, const struct sample *from)
{
	const __u64 *before = (const __u64 *)&from->counts;
	__u64 *counts = (__u64 *)&difference->counts;

	*difference = *to;
	difference->ts_ns -= from->ts_ns;
	/* How many are lost is an estimate, and may be put right */
	difference->lost -= from->lost < to->lost ? from->lost : to->lost;
	for (size_t i = 0; i < NR_NUMBERS; i++)
		counts[i] -= before[i];
}

uint64_t sample_events(const struct sample *sample)
{
	uint64_t n = 0;

	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		n += sample->counts.events[i];
	return n;
}
