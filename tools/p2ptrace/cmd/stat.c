// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace stat: how much, and which way. All of it is counted in the kernel.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/printbuf.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "event/events.h"
#include "event/metrics.h"
#include "event/output.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/stream.h"
#include "lib/units.h"
#include "session/counter.h"
#include "session/session.h"

#define ROWS_PER_HEADER 20

struct options {
	struct common_options common;
	bool list;
	unsigned int nr_args;
	uint64_t interval_ns, count;	/* 0: not given */
};

enum {
	OPT_LIST_METRICS = OPT_OWN,
};

static const struct argp_option option_table[] = {
	{ "list-metrics", OPT_LIST_METRICS, NULL, 0, "Print what is counted on this kernel, and end", 5 },
	{}
};

static int bad_argument(const char *what, const char *arg, int err, const char *example)
{
	return fail(EXIT_USAGE, "%s '%s' is %s; give a number such as %s", what, arg,
		    err == -ERANGE ? "out of range" : !err ? "too small" : "not a number", example);
}

static int parse_argument(struct options *o, const char *arg)
{
	int err;

	switch (o->nr_args++) {
	case 0:
		err = number_parse_seconds(arg, &o->interval_ns);
		return err || !o->interval_ns ? bad_argument("INTERVAL", arg, err, "1 or 0.5, in seconds") : 0;
	case 1:
		err = number_parse(arg, &o->count);
		return err || !o->count ? bad_argument("COUNT", arg, err, "10") : 0;
	default:
		return fail(EXIT_USAGE, "unexpected argument '%s'; see 'p2ptrace stat --help'", arg);
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		return options_init(state, &o->common);
	case OPT_LIST_METRICS:
		o->list = true;
		return 0;
	case ARGP_KEY_ARG:
		o->common.status = parse_argument(o, arg);
		return o->common.status ? EINVAL : 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	{ .argp = &options_base }, { .argp = &options_client }, { .argp = &options_task },
	{ .argp = &options_duration }, {}
};

static const struct argp argp = {
	.options = option_table,
	.parser = parse,
	.children = children,
	.args_doc = "[INTERVAL [COUNT]]",
	.doc = "Count what happens to peer memory: a row every INTERVAL seconds, COUNT of them, and at the end all "
	       "together; without INTERVAL, only that, at Ctrl-C.\v"
	       "In a row, all is per second, but for held and pinned, which are as at its end. Of the sum, what is 0 is "
	       "left out. With --json, a row is an object with ts_ns, event (\"stat\"), interval_ns, and in \"metrics\" "
	       "what was counted in the interval; the sum is one with the event \"total\", and the last line is "
	       "{\"event\":\"end\",\"events\":N,\"lost\":N}.\n\n"
	       "Exit status: 0 fine, 2 bad usage, 3 this kernel or these privileges cannot do it, 4 anything else.",
};

struct stat_run {
	const struct options *options;
	struct counter counter;
	struct stream out;
	struct printbuf *line;
	struct sample start, last;
	uint64_t rows;
	int status;
};

/* Seven columns: 999999, 99999K, 99999M and so on, behind a blank. */
static void short_number(struct printbuf *pb, double value)
{
	static const char unit[] = "KMGTPE";
	int i = -1;

	while (value >= (i < 0 ? 999999.5 : 99999.5) && unit[i + 1]) {
		value /= 1000;
		i++;
	}
	if (i < 0)
		sprintbuf(pb, " %7.0f", value);
	else
		sprintbuf(pb, " %6.0f%c", value, unit[i]);
}

/* The columns of a row, "-" for what this kernel does not tell: 80 columns in all. */
static const struct {
	const char *head;
	const char *metric;
	bool bytes;
} columns[] = {
	{ "allocs", "allocs", false },
	{ "fails", "alloc_fails", false },
	{ "maps", "maps", false },
	{ "busaddr", "maps.bus_addr", false },
	{ "hostbr", "maps.thru_host_bridge", false },
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
		sprintbuf(s->line, "%8s", "seconds");
		for (size_t i = 0; i < NR_COLUMNS; i++)
			sprintbuf(s->line, " %7s", columns[i].head);
		sprintbuf(s->line, "\n");
	}
	sprintbuf(s->line, "%8.2f", (double)(s->last.ts_ns - s->start.ts_ns) / NSEC_PER_SEC);
	for (size_t i = 0; i < NR_COLUMNS; i++) {
		const struct metric *metric = metrics_find(&s->counter.metrics, columns[i].metric);
		double value;

		if (!metric) {
			sprintbuf(s->line, " %7s", "-");
			continue;
		}
		value = metric_value(metric, difference);
		if (!metric->gauge)
			value /= seconds;
		if (columns[i].bytes)
			sprintbuf(s->line, " %7.1f", value / 1e6);
		else
			short_number(s->line, value);
	}
	sprintbuf(s->line, "\n");
}

static void text_total(struct stat_run *s, const struct sample *difference)
{
	sprintbuf(s->line, "# %" PRIu64 " events in %.3f s, %" PRIu64 " lost\n", sample_events(difference),
		  (double)difference->ts_ns / NSEC_PER_SEC, difference->lost);
	for (size_t i = 0; i < s->counter.metrics.nr; i++) {
		const struct metric *metric = &s->counter.metrics.metrics[i];
		uint64_t value = metric_value(metric, difference);

		if (value)
			sprintbuf(s->line, "%-30s %16" PRIu64 "  %s\n", metric->name, value, metric->help);
	}
}

/* Names of metrics are ours or a kernel's enumerators, so there is nothing to escape. */
static void json_sample(struct stat_run *s, const char *event, const struct sample *difference)
{
	sprintbuf(s->line, "{\"ts_ns\":%" PRIu64 ",\"event\":\"%s\",\"interval_ns\":%" PRIu64 ",\"metrics\":{",
		  s->last.ts_ns, event, difference->ts_ns);
	for (size_t i = 0; i < s->counter.metrics.nr; i++)
		sprintbuf(s->line, "%s\"%s\":%" PRIu64, i ? "," : "", s->counter.metrics.metrics[i].name,
			  metric_value(&s->counter.metrics.metrics[i], difference));
	sprintbuf(s->line, "}}\n");
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

	printbuf_reset(s->line);
	if (s->options->common.json)
		json_sample(s, "stat", &difference);
	else
		text_row(s, &difference);
	s->rows++;
	if (stream_write(&s->out, s->line->buf, s->line->bpos))
		return SESSION_STOP;
	return s->rows == s->options->count ? SESSION_STOP : SESSION_GO_ON;
}

static int stat_end(struct stat_run *s)
{
	const struct lost *lost = &s->counter.session.lost;
	struct sample now, difference;
	int rc = counter_sample(&s->counter, &now);

	if (rc)
		return rc;
	sample_difference(&difference, &now, &s->start);
	s->last = now;

	printbuf_reset(s->line);
	if (s->options->common.json) {
		json_sample(s, "total", &difference);
		if (output_json_end(s->line, sample_events(&difference), lost))
			return fail(EXIT_OTHER, "out of memory");
	} else {
		text_total(s, &difference);
	}
	stream_write(&s->out, s->line->buf, s->line->bpos);
	if (lost->total) {
		printbuf_reset(s->line);
		output_lost_detail(s->line, lost);
		note("%" PRIu64 " event%s not counted (%s)", lost->total, lost->total == 1 ? " was" : "s were", s->line->buf);
	}
	return stream_status(&s->out);
}

static int stat_session(struct stat_run *s)
{
	struct session_config config = {
		.duration_ns = s->options->common.duration_ns,
		.interval_ns = s->options->interval_ns,
		.pause = stat_pause,
		.ctx = s,
	};
	size_t nr = event_set_count(&s->counter.set);
	int rc = counter_start(&s->counter, &config, false);

	/* One event is attached after the other, so that some have counted already: from here on, all do. */
	if (!rc)
		rc = counter_sample(&s->counter, &s->start);
	s->last = s->start;
	if (!rc) {
		/* Scripts wait for this line: from here on, no event goes unseen. */
		note("counting %zu event%s, mode %s (Ctrl-C ends)", nr, nr == 1 ? "" : "s",
		     event_set_mode(&s->counter.set));
		rc = session_run(&s->counter.session);
	}
	if (!rc)
		rc = s->status ? s->status : stat_end(s);
	return rc;
}

static int stat(const struct options *o)
{
	struct stat_run s = { .options = o };
	int rc = counter_open(&s.counter, &o->common.want, !o->list);

	if (!rc && o->list) {
		metrics_print(&s.counter.metrics);
	} else if (!rc) {
		s.line = printbuf_new();
		if (s.line) {
			stream_init(&s.out, stdout);
			rc = stat_session(&s);
			printbuf_free(s.line);
		} else {
			rc = fail(EXIT_OTHER, "out of memory");
		}
	}
	counter_close(&s.counter);
	return rc;
}

int cmd_stat(int argc, char **argv)
{
	struct options o = {};
	int rc;

	if (!options_parse(&argp, argc, argv, &o, &o.common, &rc))
		return rc;
	return stat(&o);
}
