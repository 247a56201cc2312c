// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices.h"
#include "log.h"
#include "metrics.h"
#include "number.h"

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

#define NR_TABLE (sizeof(table) / sizeof(table[0]))

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
		printf("%-30s %s\n", metrics->metrics[i].name, metrics->metrics[i].help);
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

/* Where the attributes of a device are: of a p2pmem device, or on a stock kernel of the PCI function. */
static bool attribute_path(char *path, size_t size, bool stock, const char *sysfs, const char *dev, const char *attribute)
{
	return snprintf(path, size, stock ? "%s/bus/pci/devices/%s/p2pmem/%s" : "%s/class/p2pmem/%s/%s", sysfs, dev,
			attribute) < (int)size;
}

/*
 * Sums over CPUs that are made without a lock may come out below 0 for a moment, which is as good as 0. -ENODEV if the
 * device has gone.
 */
static int read_number(bool stock, const char *sysfs, const char *dev, const char *attribute, uint64_t *value)
{
	char path[PATH_MAX], text[32] = "";
	FILE *file;
	int err = 0;

	*value = 0;
	if (!attribute_path(path, sizeof(path), stock, sysfs, dev, attribute))
		return -ENAMETOOLONG;
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? -ENODEV : -errno;
	if (!fgets(text, sizeof(text), file))
		err = ferror(file) ? -errno : -EINVAL;
	fclose(file);
	if (err)
		return err;
	text[strcspn(text, "\n")] = '\0';
	if (*text == '-')
		return number_parse(text + 1, value) ? -EINVAL : (*value = 0, 0);
	return number_parse(text, value);
}

static int gauges_add(struct gauges *gauges, bool stock, const char *sysfs, const char *dev)
{
	uint64_t size, available, held = 0, pinned = 0;
	int err = read_number(stock, sysfs, dev, "size", &size);

	if (!err)
		err = read_number(stock, sysfs, dev, "available", &available);
	if (!err && !stock)
		err = read_number(stock, sysfs, dev, "buffers", &held);
	if (!err && !stock)
		err = read_number(stock, sysfs, dev, "pinned", &pinned);
	if (err)
		return err == -ENODEV ? 0 : err;
	gauges->devices++;
	gauges->size += size;
	gauges->held += held;
	/* Read one after the other, so they need not fit together */
	gauges->held_bytes += size > available ? size - available : 0;
	gauges->pinned += pinned;
	return 0;
}

/* Of all PCI functions, most lend no memory */
static bool dev_lends(const struct p2ptrace_filter *filter, const char *sysfs, const char *pci)
{
	char path[PATH_MAX];

	return (!*filter->provider.s || !strcmp(filter->provider.s, pci)) &&
	       attribute_path(path, sizeof(path), true, sysfs, pci, "size") && !access(path, F_OK);
}

int gauges_read(struct gauges *gauges, bool stock, const char *sysfs, const struct p2ptrace_filter *filter)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	memset(gauges, 0, sizeof(*gauges));
	snprintf(path, sizeof(path), stock ? "%s/bus/pci/devices" : "%s/class/p2pmem", sysfs);
	dir = opendir(path);
	if (!dir)
		return fail(EXIT_OTHER, "cannot read %s: %s; is /sys mounted?", path, strerror(errno));
	while (!err && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && (stock ? dev_lends(filter, sysfs, entry->d_name) :
							dev_passes(filter, sysfs, entry->d_name)))
			err = gauges_add(gauges, stock, sysfs, entry->d_name);
	closedir(dir);
	if (err)
		return fail(EXIT_OTHER, "cannot read what is in use below %s: %s", path, strerror(-err));
	return 0;
}
