// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace export: all counts, the histograms of durations, and the decisions for the pairs that
 * matter, for Prometheus. Either clients fetch them, or node_exporter reads them from a file.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/export_text.h"
#include "cmd/options.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/http.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/held.h"
#include "machine/live.h"
#include "machine/sysfs.h"
#include "session/select.h"

#define LISTEN_DEFAULT	"127.0.0.1:9737"
#define INTERVAL_NS	(15 * NSEC_PER_SEC)
#define PATHS_NS	(600 * NSEC_PER_SEC)
/* Values are read at most this often, however often clients ask. */
#define VALUES_NS	NSEC_PER_SEC
/* How long to wait for a client before looking at the clock and at signals. */
#define WAIT_MS		50

struct options {
	struct common_options common;
	const char *listen, *textfile;
	uint64_t interval_ns, paths_ns;
	bool no_durations;
	struct http_address address;
};

static int set_listen(void *to, const char *value)
{
	struct options *o = to;
	int rc = options_set_text("--listen", &o->listen, value);

	return rc ? rc : http_address_parse(&o->address, "--listen", value);
}

static int set_textfile(void *to, const char *value)
{
	struct options *o = to;

	if (!*value)
		return fail(EXIT_USAGE, "--textfile '' is empty; give the name of a file");
	return options_set_text("--textfile", &o->textfile, value);
}

static int set_interval(void *to, const char *value)
{
	struct options *o = to;
	uint64_t ns;
	int err = number_parse_seconds(value, &ns);

	if (err || !ns)
		return options_bad_number("--interval", value, err, "15 (seconds)");
	return options_set_number("--interval", &o->interval_ns, ns, value);
}

static int set_paths_interval(void *to, const char *value)
{
	struct options *o = to;
	uint64_t ns;
	int err = number_parse_seconds(value, &ns);

	if (err || !ns)
		return options_bad_number("--paths-interval", value, err, "600 (seconds)");
	return options_set_number("--paths-interval", &o->paths_ns, ns, value);
}

static int set_no_durations(void *to, const char *value)
{
	struct options *o = to;

	(void)value;
	o->no_durations = true;
	return 0;
}

static const struct arg_option way_options[] = {
	{ "listen", 0, "ADDRESS:PORT",
	  "Serve http://ADDRESS:PORT/metrics (default " LISTEN_DEFAULT ")", set_listen },
	{ "textfile", 0, "FILE",
	  "Write FILE instead, for node_exporter's textfile collector", set_textfile },
	{ "interval", 0, "SECONDS", "Write FILE every SECONDS seconds (default 15)", set_interval },
	{}
};

static const struct arg_option cost_options[] = {
	{ "paths-interval", 0, "SECONDS",
	  "Compute the paths between devices every SECONDS seconds (default 600)",
	  set_paths_interval },
	{ "no-durations", 0, NULL,
	  "Do not measure how long buffers are held and mapped, which is about half of the cost of "
	  "an event", set_no_durations },
	{}
};

static const struct arg_group groups[] = {
	{ "Way", way_options },
	{ "Cost", cost_options },
	{ "Filters", options_dev },
	{ NULL, options_client },
	{ "Run", options_duration },
	{ "General", options_general },
	{}
};

static const struct args args = {
	.usage = "",
	.summary = "Export all counts of 'p2ptrace stat', how long buffers are held and mapped, "
		   "and which devices reach which, to Prometheus.",
	.groups = groups,
	.notes = "A metric NAME of 'p2ptrace stat --list-metrics' is p2ptrace_NAME_total, or "
		 "p2ptrace_NAME if it is a current value; by reason, it is "
		 "p2ptrace_NAME_by_reason_total. p2ptrace-export(8) lists all of them. Without "
		 "--listen and --textfile, clients of this machine are served. Anyone who can "
		 "connect to another ADDRESS can read the metrics: there is no password and no "
		 "encryption. Alert rules and a dashboard are in PREFIX/share/p2ptrace.\n",
	.exit_status = OPTIONS_EXIT_STATUS,
	.examples = "  p2ptrace export\n"
		    "  p2ptrace export --listen [::]:9737\n"
		    "  p2ptrace export --textfile "
		    "/var/lib/prometheus/node-exporter/p2ptrace.prom\n",
};

struct exporter {
	const struct options *options;
	struct counter counter;
	struct durations durations;
	struct selected durations_sel;
	struct export_values values;
	bool valued;
	uint64_t values_ns, paths_ns;	/* when they were read */
	struct openmetrics pages[2];	/* by format: OpenMetrics, plain */
	bool rendered[2];		/* from the present values */
	struct http_server *server;
	uint64_t next_write_ns;
	int status;			/* of the first error after the start */
};

/* Which pairs there are, and how they are decided, changes only with the machine. */
static void read_paths(struct exporter *e)
{
	const struct p2ptrace_filter *filter = &e->counter.sel.filter;
	struct machine machine;

	paths_free(&e->values.paths);
	machine_init(&machine);
	/* What went wrong has been said; the other values are right without the paths */
	if (!machine_read_live(&machine, &LIVE_ROOTS)) {
		machine_sort_reported(&machine);
		if (paths_find(&e->values.paths, &machine, filter->provider.s, filter->client.s))
			note("out of memory: the paths between devices are left out");
	}
	machine_free(&machine);
	e->paths_ns = clock_now_ns();
}

/* The series shows all buffers, a stock kernel those that were allocated since the start. */
static int read_oldest(struct exporter *e)
{
	struct export_values *v = &e->values;
	struct held_list held = {};
	uint64_t since_ns;
	int rc;

	v->oldest_ns = 0;
	if (e->counter.sel.set.stock) {
		rc = durations_oldest(&e->durations, &since_ns);
		if (!rc && since_ns)
			v->oldest_ns = clock_now_ns() - since_ns;
		return rc;
	}
	rc = held_read(&held, SYSFS, DEBUGFS, &e->counter.sel.filter);
	if (rc)
		return rc;
	if (held.nr)
		v->oldest_ns = held.held[0].age_ms * NSEC_PER_MSEC;
	held_free(&held);
	return 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int read_values(struct exporter *e)
{
	struct export_values *v = &e->values;
	int rc;

	pair_sums_free(&v->pairs);
	e->rendered[0] = e->rendered[1] = false;
	e->valued = false;
	rc = counter_sample(&e->counter, &v->sample);
	if (!rc)
		rc = counter_pairs(&e->counter, &v->pairs);
	v->lost = larger(v->lost, v->sample.lost);
	if (!rc && v->durations) {
		rc = durations_read(&e->durations);
		if (!rc)
			rc = session_count_lost(&e->durations.session);
		v->durations_lost = larger(v->durations_lost, e->durations.session.lost.total);
		if (!rc)
			rc = read_oldest(e);
	}
	e->values_ns = clock_now_ns();
	e->valued = !rc;
	return rc;
}

/* The page in one of the two formats; NULL after an error message. */
static const struct buffer *page(struct exporter *e, bool plain)
{
	struct openmetrics *om = &e->pages[plain];

	if (!e->rendered[plain]) {
		om->plain = plain;
		buffer_reset(&om->text);
		export_text(om, &e->values);
		e->rendered[plain] = true;
	}
	if (om->text.failed) {
		e->status = fail(EXIT_OTHER, "out of memory");
		return NULL;
	}
	return &om->text;
}

static const struct buffer *get_page(void *ctx, const char *accept, const char **type)
{
	bool plain = openmetrics_wants_plain(accept);
	struct exporter *e = ctx;

	*type = plain ? OPENMETRICS_CONTENT_PLAIN : OPENMETRICS_CONTENT;
	if (!e->status && (!e->valued || clock_now_ns() - e->values_ns >= VALUES_NS))
		e->status = read_values(e);
	return e->status ? NULL : page(e, plain);
}

/* node_exporter reads the older format only. Values that cannot be read end p2ptrace. */
static int write_file(struct exporter *e)
{
	const struct buffer *text = NULL;

	e->status = read_values(e);
	if (!e->status)
		text = page(e, true);
	return text ? file_replace(e->options->textfile, buffer_text(text), text->len) : e->status;
}

static enum session_verdict export_pause(void *ctx)
{
	struct exporter *e = ctx;
	uint64_t now = clock_now_ns();

	if (now - e->paths_ns >= e->options->paths_ns)
		read_paths(e);
	if (e->options->textfile && now >= e->next_write_ns) {
		/* A full disk may have room again, so only the first failure ends p2ptrace */
		(void)!write_file(e);
		e->next_write_ns = now + e->options->interval_ns;
	}
	if (e->server)
		http_serve(e->server, WAIT_MS);
	return e->status ? SESSION_STOP : SESSION_GO_ON;
}

/* Whether beginnings and ends are both seen, of buffers, of dma-bufs, or of mappings. */
static bool shows_durations(const struct event_set *set)
{
	static const enum p2ptrace_event ends[][2] = {
		{ P2PTRACE_p2pmem_alloc, P2PTRACE_p2pmem_free },
		{ P2PTRACE_p2pdma_map, P2PTRACE_p2pdma_unmap },
		{ P2PTRACE_dma_buf_export, P2PTRACE_dma_buf_release },
		{ P2PTRACE_dma_buf_map, P2PTRACE_dma_buf_unmap },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (set->has[ends[i][0]] && set->has[ends[i][1]])
			return true;
	return false;
}

static int start_durations(struct exporter *e)
{
	struct event_set wanted = {}, *set = &e->durations_sel.set;
	int rc;

	e->durations_sel = e->counter.sel;
	if (e->options->no_durations || !shows_durations(set))
		return 0;
	durations_events(&e->options->common.want, &wanted);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		set->has[i] &= wanted.has[i];
	rc = select_groups(set, &wanted, P2PTRACE_NR_EVENTS);
	if (!rc)
		rc = durations_start(&e->durations, &e->durations_sel, 0);
	e->values.durations = &e->durations;
	return rc;
}

static int start_server(struct exporter *e, struct http_address *address)
{
	const struct http_page metrics = {
		.path = "/metrics", .title = "p2ptrace export", .get = get_page, .ctx = e,
	};
	char text[HTTP_ADDRESS_LEN];
	int rc = http_open(&e->server, address, &metrics);

	http_address_text(text, sizeof(text), address);
	if (!rc && !http_address_is_local(address))
		note("anyone who can connect to %s can read the metrics: there is no password and "
		     "no encryption", text);
	return rc;
}

static void note_started(const struct exporter *e, const struct http_address *address)
{
	size_t nr = event_set_count(&e->counter.sel.set);
	char text[HTTP_ADDRESS_LEN] = "";

	if (e->server)
		http_address_text(text, sizeof(text), address);
	/* Scripts wait for this line */
	note("exporting %zu event%s, mode %s, %s%s%s%s%s (Ctrl-C ends)", nr, PLURAL(nr),
	     event_set_mode(&e->counter.sel.set), e->server ? "at http://" : "", text,
	     e->server ? "/metrics" : "", e->server && e->options->textfile ? " and " : "",
	     e->options->textfile ? "to the file" : "");
}

static int export_session(struct exporter *e)
{
	struct http_address address = e->options->address;
	struct session_config config = {
		.duration_ns = e->options->common.duration_ns,
		/* The pause itself waits if clients are served */
		.interval_ns = e->options->listen ? NSEC_PER_MSEC : WAIT_MS * NSEC_PER_MSEC,
		.pause = export_pause,
		.ctx = e,
	};
	int rc = 0;

	/* Before anything that takes time: a wrong address or file is reported at once */
	if (e->options->listen)
		rc = start_server(e, &address);
	if (!rc)
		rc = counter_start(&e->counter, &config, false);
	if (!rc)
		rc = start_durations(e);
	if (rc)
		return rc;
	read_paths(e);
	e->values.up = true;
	e->values.counter = &e->counter;
	if (e->options->textfile)
		rc = write_file(e);
	if (rc)
		return rc;
	e->next_write_ns = clock_now_ns() + e->options->interval_ns;
	note_started(e, &address);
	rc = session_run(&e->counter.session);
	e->values.up = false;
	if (!rc && !e->status && e->options->textfile)
		rc = write_file(e);
	return rc ? rc : e->status;
}

static bool ends_in_prom(const char *name)
{
	size_t len = strlen(name);

	return len >= 5 && !strcmp(name + len - 5, ".prom");
}

static int run(const struct options *o)
{
	struct exporter e = { .options = o };
	int rc = counter_open(&e.counter, &o->common.want, true);

	if (!rc && o->textfile && !ends_in_prom(o->textfile))
		note("node_exporter reads only files whose names end in .prom");
	if (!rc)
		rc = export_session(&e);
	http_close(e.server);
	paths_free(&e.values.paths);
	pair_sums_free(&e.values.pairs);
	if (e.values.durations)
		durations_close(&e.durations);
	counter_close(&e.counter);
	buffer_free(&e.pages[0].text);
	buffer_free(&e.pages[1].text);
	return rc;
}

int cmd_export(int argc, char **argv)
{
	struct options o = {};
	int rc;

	if (!options_parse(&args, argc, argv, &o.common, &rc))
		return rc;
	if (o.interval_ns && !o.textfile)
		return fail(EXIT_USAGE, "--interval is about a file; add --textfile FILE, or set "
			    "scrape_interval in Prometheus");
	if (!o.textfile && !o.listen) {
		rc = set_listen(&o, LISTEN_DEFAULT);
		if (rc)
			return rc;
	}
	if (!o.interval_ns)
		o.interval_ns = INTERVAL_NS;
	if (!o.paths_ns)
		o.paths_ns = PATHS_NS;
	return run(&o);
}
