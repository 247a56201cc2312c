// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace export: the text of one scrape. A metric of stat called NAME becomes
 * p2ptrace_NAME_total, or p2ptrace_NAME if it is a gauge. Those for the values of a field are one
 * family, p2ptrace_NAME_by_FIELD_total, with a label that is called as the field. The number of
 * samples is limited by the maps of bpf/ and by PATHS_MAX.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/libbpf.h>

#include "cmd/cmd.h"
#include "cmd/export_text.h"
#include "lib/text.h"
#include "lib/units.h"
#include "lib/version.h"

#define PREFIX "p2ptrace_"

/* A name of a device as a label: printable, and different names stay different. */
struct name_text {
	char s[4 * P2PTRACE_NAME_LEN + 1];
};

static const char *name_text(struct name_text *text, const struct p2ptrace_name *name)
{
	text_word(text->s, sizeof(text->s), name->s, strnlen(name->s, sizeof(name->s)));
	return text->s;
}

static void add_program(struct openmetrics *om, const struct export_values *v)
{
	const struct event_set *set = &v->counter->sel.set;
	struct utsname system = {};
	char libbpf[32];

	openmetrics_family(om, OPENMETRICS_GAUGE, PREFIX "up", NULL,
			   "1 while p2ptrace counts events, 0 in its last values");
	openmetrics_uint(om, NULL, v->up);

	uname(&system);
	snprintf(libbpf, sizeof(libbpf), "%u.%u", libbpf_major_version(), libbpf_minor_version());
	openmetrics_family(om, OPENMETRICS_INFO, PREFIX "build", NULL,
			   "the versions of p2ptrace, libbpf and the kernel, and the mode");
	openmetrics_uint(om, (struct openmetrics_label []){
			 { "version", TOOL_VERSION }, { "libbpf", libbpf },
			 { "kernel", system.release }, { "mode", event_set_mode(set) }, {} }, 1);

	openmetrics_family(om, OPENMETRICS_COUNTER, PREFIX "lost_events", NULL,
			   "events that were not counted, or whose durations were not measured");
	openmetrics_uint(om, (struct openmetrics_label []){ { "part", "counts" }, {} }, v->lost);
	if (v->durations)
		openmetrics_uint(om, (struct openmetrics_label []){ { "part", "durations" }, {} },
				 v->durations_lost);

	openmetrics_family(om, OPENMETRICS_GAUGE, PREFIX "event_seen", NULL,
			   "whether this kernel shows all events of this kind");
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		openmetrics_uint(om, (struct openmetrics_label []){
				 { "event", events[i].name }, {} }, set->has[i] && !set->blind[i]);
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len >= n && !strcmp(name + len - n, end);
}

/* Whether it is a number of things, and not something about them. */
static bool is_count(const struct metric *metric)
{
	return metric->offset == offsetof(struct sample, gauges.dmabufs) ||
	       (metric->event < P2PTRACE_NR_EVENTS &&
		metric->offset == offsetof(struct sample, counts.events) +
				  metric->event * sizeof(uint64_t));
}

/*
 * @count: the metric before that counts the events or dma-bufs themselves, or NULL. "of these,
 * failed" needs to say of which.
 */
static void add_metric_family(struct openmetrics *om, const struct metric *metric,
			      const struct metric *count)
{
	size_t base = strcspn(metric->name, ".");
	char name[OPENMETRICS_NAME_LEN], help[256];

	snprintf(name, sizeof(name), PREFIX "%.*s%s%s", (int)base, metric->name,
		 metric->field ? "_by_" : "", metric->field ? metric->field : "");
	if (count && count != metric && count->event == metric->event)
		snprintf(help, sizeof(help), "%s: %s", count->help, metric->help);
	else
		snprintf(help, sizeof(help), "%s", metric->help);
	openmetrics_family(om, metric->gauge ? OPENMETRICS_GAUGE : OPENMETRICS_COUNTER, name,
			   ends_with(name, "_bytes") ? "bytes" : NULL, help);
}

/* Whether both belong to one family: the values of one field. */
static bool same_family(const struct metric *a, const struct metric *b)
{
	size_t base = strcspn(a->name, ".");

	return a->field && b->field && !strcmp(a->field, b->field) &&
	       base == strcspn(b->name, ".") && !strncmp(a->name, b->name, base);
}

static void add_metrics(struct openmetrics *om, const struct export_values *v)
{
	const struct metrics *metrics = &v->counter->metrics;
	const struct metric *count = NULL, *before = NULL;

	for (size_t i = 0; i < metrics->nr; i++) {
		const struct metric *metric = &metrics->metrics[i];
		uint64_t value = metric_value(metric, &v->sample);

		/* Written by add_program(): this one may decrease */
		if (metric->offset == offsetof(struct sample, lost))
			continue;
		if (is_count(metric) && !metric->field)
			count = metric;
		if (!before || !same_family(before, metric))
			add_metric_family(om, metric, count);
		before = metric;
		openmetrics_uint(om, metric->field ? (struct openmetrics_label []){
				 { metric->field, metric->value }, {} } : NULL, value);
	}
}

static void add_pair(struct openmetrics *om, const struct export_values *v,
		     const struct pair_sum *sum, uint64_t value)
{
	struct name_text provider, client;
	char unknown[32];

	openmetrics_uint(om, (struct openmetrics_label []){
			 { "provider", name_text(&provider, &sum->key.provider) },
			 { "client", name_text(&client, &sum->key.client) },
			 { "map", enums_name(&v->counter->sel.enums, ENUM_MAP_TYPE, sum->key.map,
					     unknown, sizeof(unknown)) }, {} }, value);
}

static void add_pairs(struct openmetrics *om, const struct export_values *v)
{
	const struct pair_sums *pairs = &v->pairs;

	if (!v->counter->sel.set.has[P2PTRACE_p2pdma_map])
		return;
	openmetrics_family(om, OPENMETRICS_COUNTER, PREFIX "pair_maps", NULL,
			   "DMA mappings of a provider's memory by a client");
	for (size_t i = 0; i < pairs->nr; i++)
		add_pair(om, v, &pairs->sums[i], pairs->sums[i].maps);
	openmetrics_family(om, OPENMETRICS_COUNTER, PREFIX "pair_map_bytes", "bytes",
			   "DMA mappings of a provider's memory by a client: their size");
	for (size_t i = 0; i < pairs->nr; i++)
		add_pair(om, v, &pairs->sums[i], pairs->sums[i].bytes);
}

static void add_gauges(struct openmetrics *om, const struct export_values *v)
{
	const struct gauges *gauges = &v->sample.gauges;

	openmetrics_family(om, OPENMETRICS_GAUGE, PREFIX "pools", NULL,
			   "devices that provide peer memory");
	openmetrics_uint(om, NULL, gauges->devices);
	openmetrics_family(om, OPENMETRICS_GAUGE, PREFIX "pool_bytes", "bytes",
			   "peer memory, whether allocated or not");
	openmetrics_uint(om, NULL, gauges->size);
}

static const struct hist_family {
	const char *name;
	enum p2ptrace_life kind;
	bool of_client;
	const char *help;
} hist_families[] = {
	{ PREFIX "held_seconds", P2PTRACE_LIFE_BUFFER, false,
	  "how long the buffers of a device were held" },
	{ PREFIX "mapped_seconds", P2PTRACE_LIFE_BUFFER, true,
	  "how long the buffers of a device were mapped for a client" },
	{ PREFIX "dmabuf_held_seconds", P2PTRACE_LIFE_DMABUF, false,
	  "how long the dma-bufs of an exporter existed" },
	{ PREFIX "dmabuf_mapped_seconds", P2PTRACE_LIFE_DMABUF, true,
	  "how long the dma-bufs of an exporter were mapped for a client" },
	{ PREFIX "dmabuf_revoke_wait_seconds", P2PTRACE_LIFE_REVOKE, true,
	  "how long a client kept the revocation of a dma-buf waiting" },
};

static void add_hists(struct openmetrics *om, const struct durations *d,
		      const struct hist_family *family)
{
	struct name_text dev, client;

	openmetrics_family(om, OPENMETRICS_HISTOGRAM, family->name, "seconds", family->help);
	for (size_t i = 0; i < d->nr; i++) {
		const struct p2ptrace_lifetime *key = &d->list[i].key;
		bool of_client = *key->client.s;

		if (key->kind != family->kind || of_client != family->of_client)
			continue;
		openmetrics_hist(om, (struct openmetrics_label []){
				 { key->kind == P2PTRACE_LIFE_BUFFER ? "dev" : "exporter",
				   name_text(&dev, &key->dev) },
				 { of_client ? "client" : NULL,
				   name_text(&client, &key->client) }, {} }, &d->list[i].hist);
	}
}

static void add_durations(struct openmetrics *om, const struct export_values *v)
{
	openmetrics_family(om, OPENMETRICS_GAUGE, PREFIX "oldest_held_seconds", "seconds",
			   "the age of the oldest buffer that is held; 0 if none is");
	openmetrics_ns(om, NULL, v->oldest_ns);
	for (size_t i = 0; i < ARRAY_SIZE(hist_families); i++)
		add_hists(om, v->durations, &hist_families[i]);
}

static void add_paths(struct openmetrics *om, const struct export_values *v)
{
	const struct paths *paths = &v->paths;

	openmetrics_family(om, OPENMETRICS_GAUGE, PREFIX "path", NULL,
			   "the path of DMA by a client to a provider's memory: 2 direct "
			   "(bus_addr), 1 through the host bridge, 0 refused; no sample if it is "
			   "unknown");
	for (size_t i = 0; i < paths->nr; i++)
		if (paths->list[i].rank != PATH_UNKNOWN)
			openmetrics_uint(om, (struct openmetrics_label []){
					 { "provider", paths->list[i].provider },
					 { "client", paths->list[i].client }, {} },
					 paths->list[i].rank);
	openmetrics_family(om, OPENMETRICS_INFO, PREFIX "path_decision", NULL,
			   "the decision for a provider and a client: map type, reason, and the "
			   "function that the reason is about");
	for (size_t i = 0; i < paths->nr; i++)
		openmetrics_uint(om, (struct openmetrics_label []){
				 { "provider", paths->list[i].provider },
				 { "client", paths->list[i].client },
				 { "map", paths->list[i].map }, { "reason", paths->list[i].reason },
				 { "blocker", paths->list[i].blocker },
				 { "source", paths->list[i].reported ? "kernel" : "predicted" },
				 {} }, 1);
	openmetrics_family(om, OPENMETRICS_GAUGE, PREFIX "paths_left_out", NULL,
			   "pairs above the limit of the two families before");
	openmetrics_uint(om, NULL, paths->left_out);
}

void export_text(struct openmetrics *om, const struct export_values *values)
{
	add_program(om, values);
	add_metrics(om, values);
	add_pairs(om, values);
	add_gauges(om, values);
	if (values->durations)
		add_durations(om, values);
	add_paths(om, values);
	openmetrics_end(om);
}
