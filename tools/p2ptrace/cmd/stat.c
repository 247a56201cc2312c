// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace stat: counts of events, per interval and in total. The kernel counts.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "event/blind.h"
#include "event/events.h"
#include "event/metrics.h"
#include "event/output.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/stream.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/decision.h"
#include "machine/devices.h"
#include "machine/drives.h"
#include "machine/sysfs.h"
#include "session/counter.h"
#include "session/session.h"

#define ROWS_PER_HEADER 20

struct options {
	struct common_options common;
	bool list;
};

static int set_list(void *to, const char *value)
{
	struct options *o = to;

	(void)value;
	o->list = true;
	return 0;
}

static const struct arg_option output_options[] = {
	{ "list-metrics", 0, NULL,
	  "Print the names and meanings of the counts on this kernel, and exit",
	  set_list },
	{}
};

static const struct arg_group groups[] = {
	{ "Filters", options_dev },
	{ NULL, options_client },
	{ NULL, options_task },
	{ "Run", options_duration },
	{ "Output", options_json },
	{ NULL, output_options },
	{ "General", options_general },
	{}
};

static const struct args args = {
	.usage = "[INTERVAL [COUNT]]",
	.summary = "Count events of peer memory: print a row every INTERVAL seconds, COUNT times, "
		   "and the totals at the end. Without INTERVAL, print the totals at Ctrl-C.",
	.groups = groups,
	.argument = options_set_interval,
	.notes = "Rows show rates per second, except for held and pinned, which are the values at "
		 "the end of the interval. Totals omit counts that are zero. With --json, a row is "
		 "an object with ts_ns, event (\"stat\"), interval_ns, and in \"metrics\" the "
		 "counts of the interval; the totals are an object with the event \"total\", and "
		 "have \"pairs\" (provider, client, map, maps, bytes, share_percent) as well; the "
		 "last line is {\"event\":\"end\",\"events\":N,\"lost\":N,\"blind\":[EVENT...]}, "
		 "with the events that this kernel shows only in part or not at all.\n",
	.exit_status = OPTIONS_EXIT_STATUS,
	.examples = "  p2ptrace stat\n"
		    "  p2ptrace stat 1\n"
		    "  p2ptrace stat 0.5 10 --dev p2pmem0 --json\n"
		    "  p2ptrace stat --list-metrics\n",
};

struct stat_run {
	const struct options *options;
	struct counter counter;
	struct stream out;
	struct buffer line;
	struct sample start, last;
	struct drives drives;	/* at the start */
	uint64_t rows;
	int status;
};

/* Seven characters behind a blank: 999999, 99999K, 99999M and so on. */
static void short_number(struct buffer *line, double value)
{
	static const char unit[] = "KMGTPE";
	int i = -1;

	while (value >= (i < 0 ? 999999.5 : 99999.5) && unit[i + 1]) {
		value /= 1000;
		i++;
	}
	if (i < 0)
		buffer_printf(line, " %7.0f", value);
	else
		buffer_printf(line, " %6.0f%c", value, unit[i]);
}

/* The columns of a row, "-" for counts that this kernel lacks. With the time, 80 characters. */
static const struct {
	const char *head;
	const char *metric;
	bool bytes;
} columns[] = {
	{ "allocs", "allocs", false },
	{ "fails", "alloc_fails", false },
	{ "maps", "maps", false },
	{ "busaddr", "maps." MAP_BUS_ADDR, false },
	{ "hostbr", "maps." MAP_THRU_HOST_BRIDGE, false },
	{ "MB", "map_bytes", true },
	{ "fallbk", "fallbacks", false },
	{ "held", "held", false },
	{ "pinned", "pinned", false },
};

#define NR_COLUMNS ARRAY_SIZE(columns)

static void text_row(struct stat_run *s, const struct sample *difference)
{
	double seconds = (double)(difference->ts_ns ? difference->ts_ns : 1) / NSEC_PER_SEC;

	if (s->rows % ROWS_PER_HEADER == 0) {
		buffer_printf(&s->line, "%8s", "seconds");
		for (size_t i = 0; i < NR_COLUMNS; i++)
			buffer_printf(&s->line, " %7s", columns[i].head);
		buffer_printf(&s->line, "\n");
	}
	buffer_printf(&s->line, "%8.2f", (double)(s->last.ts_ns - s->start.ts_ns) / NSEC_PER_SEC);
	for (size_t i = 0; i < NR_COLUMNS; i++) {
		const struct metric *metric = metrics_find(&s->counter.metrics, columns[i].metric);
		double value;

		if (!metric) {
			buffer_printf(&s->line, " %7s", "-");
			continue;
		}
		value = metric_value(metric, difference);
		if (!metric->gauge)
			value /= seconds;
		if (columns[i].bytes)
			buffer_printf(&s->line, " %7.1f", value / 1e6);
		else
			short_number(&s->line, value);
	}
	buffer_printf(&s->line, "\n");
}

/* "0000:03:00.0 (nvme1)", or without a name that people use. */
static void pair_name(char *text, size_t size, const struct p2ptrace_name *name)
{
	char word[4 * P2PTRACE_NAME_LEN];
	struct known_as known = {};

	text_word(word, sizeof(word), name->s, strlen(name->s));
	device_known_as(SYSFS, name->s, &known);
	if (known.nr)
		snprintf(text, size, "%s (%s)", word, known.names[0]);
	else
		snprintf(text, size, "%s", word);
}

/* Which part of what a drive moved was peer-to-peer. False if that is unknown. */
static bool pair_share(const struct stat_run *s, const struct drives *now,
		       const struct pair_sum *pair, unsigned int *percent)
{
	uint64_t moved;

	if (!drives_moved(now, &s->drives, pair->key.client.s, &moved) || !moved ||
	    pair->bytes > moved)
		return false;
	*percent = (double)pair->bytes * 100 / (double)moved;
	return true;
}

static void text_pairs(struct stat_run *s, const struct pair_sums *pairs,
		       const struct drives *now, uint64_t ns)
{
	char provider[256], client[256], unknown[32], share[8];
	unsigned int percent;

	if (pairs->nr)
		buffer_printf(&s->line, "%-24s %-24s %-16s %9s %9s %9s %6s\n", "provider", "client",
			      "map", "maps", "MB", "MB/s", "share");
	for (size_t i = 0; i < pairs->nr; i++) {
		const struct pair_sum *pair = &pairs->sums[i];

		pair_name(provider, sizeof(provider), &pair->key.provider);
		pair_name(client, sizeof(client), &pair->key.client);
		strcpy(share, "-");
		if (pair_share(s, now, pair, &percent))
			snprintf(share, sizeof(share), "%u%%", percent);
		buffer_printf(&s->line, "%-24s %-24s %-16s %9" PRIu64 " %9.1f %9.1f %6s\n",
			      provider, client,
			      enums_name(&s->counter.sel.enums, ENUM_MAP_TYPE, pair->key.map,
					 unknown, sizeof(unknown)),
			      pair->maps, (double)pair->bytes / 1e6,
			      (double)pair->bytes * 1e3 / (double)(ns ? ns : 1), share);
	}
}

static void json_pairs(struct stat_run *s, const struct pair_sums *pairs,
		       const struct drives *now)
{
	char unknown[32];
	unsigned int percent;

	json_open(&s->line, "pairs", '[');
	for (size_t i = 0; i < pairs->nr; i++) {
		const struct pair_sum *pair = &pairs->sums[i];

		json_open(&s->line, NULL, '{');
		json_str(&s->line, "provider", pair->key.provider.s);
		json_str(&s->line, "client", pair->key.client.s);
		json_str(&s->line, "map", enums_name(&s->counter.sel.enums, ENUM_MAP_TYPE,
						     pair->key.map, unknown, sizeof(unknown)));
		json_uint(&s->line, "maps", pair->maps);
		json_uint(&s->line, "bytes", pair->bytes);
		if (pair_share(s, now, pair, &percent))
			json_uint(&s->line, "share_percent", percent);
		json_close(&s->line, '}');
	}
	json_close(&s->line, ']');
}

static void text_total(struct stat_run *s, const struct sample *difference)
{
	uint64_t nr = sample_events(difference);

	buffer_printf(&s->line, "# %" PRIu64 " event%s in %.3f s, %" PRIu64 " lost\n", nr,
		      PLURAL(nr), (double)difference->ts_ns / NSEC_PER_SEC, difference->lost);
	for (size_t i = 0; i < s->counter.metrics.nr; i++) {
		const struct metric *metric = &s->counter.metrics.metrics[i];
		uint64_t value = metric_value(metric, difference);

		if (value)
			buffer_printf(&s->line, "%-30s %16" PRIu64 "  %s\n", metric->name, value,
				      metric->help);
	}
}

/* @pairs is NULL for an interval. */
static void json_sample(struct stat_run *s, const char *event, const struct sample *difference,
			const struct pair_sums *pairs, const struct drives *now)
{
	const struct metrics *metrics = &s->counter.metrics;

	json_open(&s->line, NULL, '{');
	json_uint(&s->line, "ts_ns", s->last.ts_ns);
	json_str(&s->line, "event", event);
	json_uint(&s->line, "interval_ns", difference->ts_ns);
	json_open(&s->line, "metrics", '{');
	for (size_t i = 0; i < metrics->nr; i++)
		json_uint(&s->line, metrics->metrics[i].name,
			  metric_value(&metrics->metrics[i], difference));
	json_close(&s->line, '}');
	if (pairs)
		json_pairs(s, pairs, now);
	json_close(&s->line, '}');
	buffer_add(&s->line, "\n", 1);
}

static enum session_verdict stat_pause(void *ctx)
{
	struct stat_run *s = ctx;
	struct sample now, difference;

	s->status = counter_sample(&s->counter, &now);
	if (s->status)
		return SESSION_STOP;
	sample_difference(&difference, &now, &s->last);
	s->last = now;

	buffer_reset(&s->line);
	if (s->options->common.json)
		json_sample(s, "stat", &difference, NULL, NULL);
	else
		text_row(s, &difference);
	s->rows++;
	if (stream_write(&s->out, buffer_text(&s->line), s->line.len))
		return SESSION_STOP;
	return s->rows == s->options->common.count ? SESSION_STOP : SESSION_GO_ON;
}

static int end_text(struct stat_run *s, const struct sample *difference,
		    const struct pair_sums *pairs, const struct drives *now)
{
	const struct lost *lost = &s->counter.session.lost;

	buffer_reset(&s->line);
	if (s->options->common.json) {
		json_sample(s, "total", difference, pairs, now);
		output_json_end(&s->line, sample_events(difference), lost, &s->counter.sel.set,
				NULL);
	} else {
		blind_text(&s->line, &s->counter.sel.set, "# ");
		text_total(s, difference);
		text_pairs(s, pairs, now, difference->ts_ns);
	}
	if (s->line.failed)
		return fail(EXIT_OTHER, "out of memory");
	stream_write(&s->out, buffer_text(&s->line), s->line.len);
	if (lost->total) {
		buffer_reset(&s->line);
		output_lost_detail(&s->line, lost);
		note("%" PRIu64 " event%s not counted (%s)", lost->total,
		     PLURAL_WAS(lost->total), buffer_text(&s->line));
	}
	return stream_status(&s->out);
}

static int stat_end(struct stat_run *s)
{
	struct sample now, difference;
	struct pair_sums pairs = {};
	struct drives drives = {};
	int rc = counter_sample(&s->counter, &now);

	if (!rc)
		rc = counter_pairs(&s->counter, &pairs);
	if (!rc && drives_read(&drives, SYSFS))
		rc = fail(EXIT_OTHER, "out of memory");
	if (!rc) {
		sample_difference(&difference, &now, &s->start);
		s->last = now;
		rc = end_text(s, &difference, &pairs, &drives);
	}
	drives_free(&drives);
	pair_sums_free(&pairs);
	return rc;
}

static int stat_session(struct stat_run *s)
{
	struct session_config config = {
		.duration_ns = s->options->common.duration_ns,
		.interval_ns = s->options->common.interval_ns,
		.pause = stat_pause,
		.ctx = s,
	};
	int rc = counter_start(&s->counter, &config, false);
	size_t nr = event_set_count(&s->counter.sel.set);

	/* Events were attached one after the other, and some were counted before all were */
	if (!rc)
		rc = counter_sample(&s->counter, &s->start);
	if (!rc && drives_read(&s->drives, SYSFS))
		rc = fail(EXIT_OTHER, "out of memory");
	s->last = s->start;
	if (!rc) {
		/* Scripts wait for this line: from here on, all events are counted */
		note("counting %zu event%s, mode %s (Ctrl-C ends)", nr, PLURAL(nr),
		     event_set_mode(&s->counter.sel.set));
		rc = session_run(&s->counter.session);
	}
	if (!rc)
		rc = s->status ? s->status : stat_end(s);
	return rc;
}

static int run(const struct options *o)
{
	struct stat_run s = { .options = o, .out.fd = STDOUT_FILENO };
	int rc = counter_open(&s.counter, &o->common.want, !o->list);

	if (!rc && o->list)
		metrics_print(&s.counter.metrics);
	else if (!rc)
		rc = stat_session(&s);
	buffer_free(&s.line);
	drives_free(&s.drives);
	counter_close(&s.counter);
	return rc;
}

int cmd_stat(int argc, char **argv)
{
	struct options o = {};
	int rc;

	if (!options_parse(&args, argc, argv, &o.common, &rc))
		return rc;
	return run(&o);
}
