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

#define OFFSET(member)		offsetof(struct sample, member)
#define EVENT(kind, name)	P2PTRACE_##name, OFFSET(counts.kind[P2PTRACE_##name])
#define NO_EVENT		P2PTRACE_NR_EVENTS

#define IS_GAUGE	1	/* a current value, not a count */
#define OF_SERIES	2	/* a stock kernel cannot provide it */
#define BY_MAP_TYPE	4	/* an element for each map type: "map_bytes." and the type's name */
#define OF_LIST		8	/* only if the kernel can list dma-bufs */
#define OF_STOCK	16	/* only a stock kernel provides it */

/*
 * A metric that counts the events themselves is followed by one for each value of each enum field
 * of the event, such as "maps.bus_addr".
 */
static const struct {
	const char *name;
	enum p2ptrace_event event;
	size_t offset;
	unsigned int flags;
	const char *help;
} table[] = {
	{ "allocs", EVENT(events, p2pmem_alloc), 0, "buffers allocated" },
	{ "alloc_bytes", EVENT(bytes, p2pmem_alloc), 0, "their size" },
	{ "alloc_fails", EVENT(events, p2pmem_alloc_fail), 0, "allocations that failed" },
	{ "frees", EVENT(events, p2pmem_free), 0, "buffers freed" },
	{ "frees_deferred", P2PTRACE_p2pmem_free, OFFSET(counts.deferred), OF_SERIES,
	  "of these, still mapped for DMA, so that their memory is reclaimed later" },
	{ "reclaims", EVENT(events, p2pmem_reclaim), 0, "buffers reclaimed later" },
	{ "maps", EVENT(events, p2pdma_map), 0, "DMA mappings made" },
	{ "map_bytes", EVENT(bytes, p2pdma_map), 0, "their size" },
	{ "map_bytes.", P2PTRACE_p2pdma_map, OFFSET(counts.map_bytes), BY_MAP_TYPE,
	  "by map type" },
	{ "unmaps", EVENT(events, p2pdma_unmap), 0, "DMA mappings ended" },
	{ "uses", EVENT(events, nvmet_p2pmem_use), 0,
	  "requests of the NVMe target that used peer memory" },
	{ "use_bytes", EVENT(bytes, nvmet_p2pmem_use), 0, "their size" },
	{ "fallbacks", EVENT(events, nvmet_p2pmem_fallback), 0,
	  "requests of the NVMe target that fell back to system memory" },
	{ "fallback_bytes", EVENT(bytes, nvmet_p2pmem_fallback), 0, "their size" },
	{ "binds", EVENT(events, nvmet_p2pmem_bind), 0,
	  "attempts to bind a namespace to peer memory for a controller" },
	{ "binds_failed", EVENT(failures, nvmet_p2pmem_bind), 0, "of these, failed" },
	{ "unbinds", EVENT(events, nvmet_p2pmem_unbind), 0, "bindings ended" },
	{ "decisions", EVENT(events, p2pdma_decide), 0,
	  "decisions on how a client reaches a provider" },
	{ "decisions_cached", EVENT(failures, p2pdma_decide), OF_STOCK,
	  "of these, refusals of mappings by an earlier decision" },
	{ "finds", EVENT(events, p2pmem_find), 0, "searches for a provider for clients" },
	{ "finds_failed", EVENT(failures, p2pmem_find), 0, "of these, failed" },
	{ "mmaps", EVENT(events, p2pmem_mmap), 0,
	  "attempts to map peer memory to user space (stock kernel: only successful ones)" },
	{ "mmaps_refused", EVENT(failures, p2pmem_mmap), OF_SERIES, "of these, refused by policy" },
	{ "dmabuf_exports", EVENT(events, dma_buf_export), 0, "dma-bufs exported" },
	{ "dmabuf_export_bytes", EVENT(bytes, dma_buf_export), 0, "their size" },
	{ "dmabufs", P2PTRACE_dma_buf_export, OFFSET(gauges.dmabufs), IS_GAUGE | OF_LIST,
	  "dma-bufs that exist" },
	{ "dmabuf_bytes", P2PTRACE_dma_buf_export, OFFSET(gauges.dmabuf_bytes), IS_GAUGE | OF_LIST,
	  "their size" },
	{ "dmabuf_releases", EVENT(events, dma_buf_release), 0, "dma-bufs released" },
	{ "dmabuf_attaches", EVENT(events, dma_buf_attach), 0,
	  "devices attached to dma-bufs, to use them" },
	{ "dmabuf_detaches", EVENT(events, dma_buf_detach), 0, "devices detached" },
	{ "dmabuf_maps", EVENT(events, dma_buf_map), 0, "dma-bufs mapped for DMA" },
	{ "dmabuf_map_bytes", EVENT(bytes, dma_buf_map), 0, "their size" },
	{ "dmabuf_unmaps", EVENT(events, dma_buf_unmap), 0, "these mappings ended" },
	{ "dmabuf_pins", EVENT(events, dma_buf_pin), 0, "dma-bufs pinned by a device" },
	{ "dmabuf_unpins", EVENT(events, dma_buf_unpin), 0, "dma-bufs unpinned" },
	{ "dmabuf_revokes", EVENT(events, dma_buf_revoke), 0,
	  "times that an exporter revoked the mappings of a dma-buf" },
	{ "devs_added", EVENT(events, p2pmem_dev_add), 0, "p2pmem devices added" },
	{ "devs_deleted", EVENT(events, p2pmem_dev_del), 0, "p2pmem devices whose removal began" },
	{ "devs_drained", EVENT(events, p2pmem_dev_drained), 0,
	  "of these, with all memory freed" },
	{ "drain_stalls", EVENT(events, p2pmem_drain_stall), 0,
	  "reports that a removal waits for buffers" },
	{ "held", NO_EVENT, OFFSET(gauges.held), IS_GAUGE | OF_SERIES,
	  "buffers currently allocated" },
	{ "held_bytes", NO_EVENT, OFFSET(gauges.held_bytes), IS_GAUGE,
	  "memory in use, in whole pages" },
	{ "pinned", NO_EVENT, OFFSET(gauges.pinned), IS_GAUGE | OF_SERIES,
	  "current DMA mappings of buffers" },
	{ "lost", NO_EVENT, OFFSET(lost), 0, "events that were not counted" },
};

#define NR_TABLE ARRAY_SIZE(table)

/* How a metric for a value of an enum is explained. */
static const char *const enum_help[NR_ENUMS] = {
	[ENUM_MAP_TYPE]		= "by map type",
	[ENUM_DECISION_REASON]	= "by reason",
	[ENUM_ALLOC_ERROR]	= "by reason",
	[ENUM_FALLBACK_REASON]	= "by reason",
	[ENUM_UNBIND_REASON]	= "by reason",
	[ENUM_DMA_DIRECTION]	= "by direction",
	[ENUM_MAP_KIND]		= "by kind",
	[ENUM_MAP_WHERE]	= "by where the memory is",
};

static int metric_add(struct metrics *metrics, size_t i, const char *help, size_t offset,
		      const char *name)
{
	struct metric *metric = &metrics->metrics[metrics->nr];

	metric->name = strdup(name);
	if (!metric->name)
		return -ENOMEM;
	metric->help = help;
	metric->event = table[i].event;
	metric->offset = offset;
	metric->gauge = table[i].flags & IS_GAUGE;
	metric->listed = table[i].flags & OF_LIST;
	metrics->nr++;
	return 0;
}

static int metric_add_of(struct metrics *metrics, size_t i, const char *help, size_t offset,
			 const char *name, const char *field, const char *value)
{
	struct metric *metric = &metrics->metrics[metrics->nr];
	int err = metric_add(metrics, i, help, offset, name);
	size_t len = strlen(name), n = strlen(value);

	if (err)
		return err;
	metric->field = field;
	/* A name that was too long has lost its end */
	metric->value = metric->name + (len > n ? len - n : 0);
	return 0;
}

/*
 * "decisions.bus_addr". If another enum field of the event has a value of that name, and always for
 * directions, the field is part of the name: "maps.dir_none".
 */
static int metric_add_value(struct metrics *metrics, size_t i, const struct field *field,
			    const char *value, size_t offset)
{
	char name[256];

	snprintf(name, sizeof(name), "%s.%s", table[i].name, value);
	if (field->which == ENUM_DMA_DIRECTION || field->which == ENUM_MAP_KIND ||
	    metrics_find(metrics, name))
		snprintf(name, sizeof(name), "%s.%s_%s", table[i].name, field->name, value);
	return metric_add_of(metrics, i, enum_help[field->which], offset, name, field->name, value);
}

static int metric_add_field(struct metrics *metrics, size_t i, const struct field *field,
			    const struct enums *enums, size_t offset)
{
	const struct enum_table *values = &enums->table[field->which];
	int err = 0;

	for (size_t v = 0; v < values->nr && !err; v++)
		if (values->values[v].value < P2PTRACE_NR_VALUES - 1)
			err = metric_add_value(metrics, i, field, values->values[v].name,
					       offset + values->values[v].value * sizeof(uint64_t));
	/* All values that this kernel has no name for */
	offset += (P2PTRACE_NR_VALUES - 1) * sizeof(uint64_t);
	return err ? err : metric_add_value(metrics, i, field, "other", offset);
}

static int metric_add_fields(struct metrics *metrics, size_t i, const struct enums *enums,
			     bool stock)
{
	const struct event *event = &events[table[i].event];
	size_t n = event_first_enum(event);
	int err = 0;

	for (size_t f = 0; f < event->nr_fields && !err; f++) {
		const struct field *field = &event->fields[f];

		if (field->kind != FIELD_ENUM)
			continue;
		if (!stock || !field->series)
			err = metric_add_field(metrics, i, field, enums, OFFSET(counts.values[n]));
		n++;
	}
	return err;
}

static int metric_add_map_types(struct metrics *metrics, size_t i, const struct enums *enums)
{
	const struct enum_table *values = &enums->table[ENUM_MAP_TYPE];
	size_t last = P2PTRACE_NR_VALUES - 1;
	const char *type;
	char name[256];
	int err = 0;

	for (size_t v = 0; v <= values->nr && !err; v++) {
		size_t value = v < values->nr ? values->values[v].value : last;

		if (v < values->nr && value >= last)
			continue;
		type = v < values->nr ? values->values[v].name : "other";
		snprintf(name, sizeof(name), "%s%s", table[i].name, type);
		err = metric_add_of(metrics, i, table[i].help,
				    table[i].offset + value * sizeof(uint64_t), name, "map", type);
	}
	return err;
}

static int metric_add_row(struct metrics *metrics, size_t i, const struct enums *enums, bool stock)
{
	int err;

	if (table[i].flags & BY_MAP_TYPE)
		return metric_add_map_types(metrics, i, enums);
	err = metric_add(metrics, i, table[i].help, table[i].offset, table[i].name);
	if (!err && table[i].event != NO_EVENT &&
	    table[i].offset == OFFSET(counts.events[table[i].event]))
		err = metric_add_fields(metrics, i, enums, stock);
	return err;
}

int metrics_load(struct metrics *metrics, const struct enums *enums, const struct event_set *set)
{
	size_t room = NR_TABLE + (P2PTRACE_NR_ENUM_FIELDS + 1) * P2PTRACE_NR_VALUES;
	int err = 0;

	memset(metrics, 0, sizeof(*metrics));
	metrics->metrics = calloc(room, sizeof(*metrics->metrics));
	if (!metrics->metrics)
		return -ENOMEM;
	for (size_t i = 0; i < NR_TABLE && !err; i++) {
		if ((table[i].event != NO_EVENT && !set->has[table[i].event]) ||
		    (table[i].flags & (set->stock ? OF_SERIES : OF_STOCK)) ||
		    (!set->lists_dmabufs && (table[i].flags & OF_LIST)))
			continue;
		err = metric_add_row(metrics, i, enums, set->stock);
	}
	if (err)
		metrics_free(metrics);
	return err;
}

void metrics_keep(struct metrics *metrics, const struct event_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < metrics->nr; i++) {
		struct metric *metric = &metrics->metrics[i];

		if ((metric->event != NO_EVENT && !set->has[metric->event]) ||
		    (metric->listed && !set->lists_dmabufs))
			free(metric->name);
		else
			metrics->metrics[kept++] = *metric;
	}
	metrics->nr = kept;
}

void metrics_drop_gauges(struct metrics *metrics)
{
	size_t kept = 0;

	for (size_t i = 0; i < metrics->nr; i++) {
		if (metrics->metrics[i].gauge)
			free(metrics->metrics[i].name);
		else
			metrics->metrics[kept++] = metrics->metrics[i];
	}
	metrics->nr = kept;
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
		print("%-36s %s\n", metrics->metrics[i].name, metrics->metrics[i].help);
}

/* struct p2ptrace_counts has only members of 64 bits. */
#define NR_NUMBERS (sizeof(struct p2ptrace_counts) / sizeof(__u64))

void counts_add(struct p2ptrace_counts *sum, const struct p2ptrace_counts *counts)
{
	const __u64 *from = (const __u64 *)counts;
	__u64 *to = (__u64 *)sum;

	for (size_t i = 0; i < NR_NUMBERS; i++)
		to[i] += from[i];
}

void sample_difference(struct sample *difference, const struct sample *to,
		       const struct sample *from)
{
	const __u64 *before = (const __u64 *)&from->counts;
	__u64 *counts = (__u64 *)&difference->counts;

	*difference = *to;
	difference->ts_ns -= from->ts_ns;
	/* The number of lost events is an estimate that a later one may correct downwards */
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
