// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace lifetimes: how long buffers and dma-bufs are held and mapped. The kernel collects the
 * histograms.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "event/blind.h"
#include "lib/hist.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/text.h"
#include "lib/units.h"
#include "session/durations.h"
#include "session/select.h"
#include "session/session.h"

#define BAR_WIDTH 40

struct options {
	struct common_options common;
};

static const struct arg_group groups[] = {
	{ "Filters", options_dev },
	{ NULL, options_client },
	{ "Run", options_duration },
	{ "Output", options_json },
	{ "General", options_general },
	{}
};

static const struct args args = {
	.usage = "",
	.summary = "At Ctrl-C or after --duration, show for each device how long its buffers were "
		   "held, and for each client how long they were mapped: a histogram, percentiles, "
		   "and the longest time. For each exporter of dma-bufs, show how long these "
		   "existed, how long they were mapped, and how long clients kept revocations "
		   "waiting.",
	.groups = groups,
	.notes = "Buffers and mappings that began before p2ptrace started are counted, not "
		 "measured. Percentiles assume that times are spread evenly within a line of the "
		 "histogram. With --client, only mappings and revocations are shown; with --dev, "
		 "mappings of dma-bufs only if they are of that device's memory. With --json, "
		 "the output is one document.\n",
	.exit_status = OPTIONS_EXIT_STATUS,
	.examples = "  p2ptrace lifetimes --duration 10\n"
		    "  p2ptrace lifetimes --client eth0\n"
		    "  p2ptrace lifetimes --dev p2pmem0 --duration 5 --json\n",
};

static void text_life(const struct duration *life)
{
	static const unsigned int percents[] = { 50, 90, 99 };
	char dev[4 * P2PTRACE_NAME_LEN], client[4 * P2PTRACE_NAME_LEN], time[32], to_text[32];
	uint64_t most = 1, from, to;

	text_word(dev, sizeof(dev), life->key.dev.s, strlen(life->key.dev.s));
	text_word(client, sizeof(client), life->key.client.s, strlen(life->key.client.s));
	print("%s%s, %s%s: %" PRIu64, life->key.kind == P2PTRACE_LIFE_BUFFER ? "" : "dma-bufs of ",
	      dev, life->key.kind == P2PTRACE_LIFE_REVOKE ? "revocation waited for " :
	      *client ? "mapped for " : "held", client, (uint64_t)life->hist.count);
	for (size_t i = 0; i < ARRAY_SIZE(percents); i++) {
		hist_time(hist_percentile(&life->hist, percents[i]), time, sizeof(time));
		print("  p%u %s", percents[i], time);
	}
	hist_time(life->hist.max_ns, time, sizeof(time));
	print("  max %s\n", time);

	for (size_t i = 0; i < HIST_NR_SLOTS; i++)
		if (life->hist.slots[i] > most)
			most = life->hist.slots[i];
	for (unsigned int i = 0; i < HIST_NR_SLOTS; i++) {
		uint64_t n = life->hist.slots[i];

		if (!n)
			continue;
		hist_slot_range(i, &from, &to);
		hist_time(from, time, sizeof(time));
		if (to == UINT64_MAX)
			snprintf(to_text, sizeof(to_text), "...");
		else
			hist_time(to, to_text, sizeof(to_text));
		print("  %7s - %-7s %9" PRIu64 " |%.*s\n", time, to_text, n,
		      (int)((n * BAR_WIDTH + most - 1) / most),
		      "########################################");
	}
	print("\n");
}

static void json_bucket(struct buffer *out, unsigned int slot, uint64_t count)
{
	uint64_t from, to;

	hist_slot_range(slot, &from, &to);
	json_open(out, NULL, '{');
	json_uint(out, "from_ns", from);
	if (to == UINT64_MAX)
		json_none(out, "to_ns");
	else
		json_uint(out, "to_ns", to);
	json_uint(out, "count", count);
	json_close(out, '}');
}

static void json_life(struct buffer *out, const struct duration *life)
{
	bool dmabuf = life->key.kind != P2PTRACE_LIFE_BUFFER, mapped = *life->key.client.s;

	json_open(out, NULL, '{');
	if (dmabuf)
		json_none(out, "dev");
	else
		json_str(out, "dev", life->key.dev.s);
	if (dmabuf)
		json_str(out, "exporter", life->key.dev.s);
	else
		json_none(out, "exporter");
	if (mapped)
		json_str(out, "client", life->key.client.s);
	else
		json_none(out, "client");
	json_str(out, "kind", life->key.kind == P2PTRACE_LIFE_REVOKE ? "revoked" :
			      mapped ? "mapped" : "held");
	json_uint(out, "count", life->hist.count);
	json_uint(out, "total_ns", life->hist.total_ns);
	json_uint(out, "p50_ns", hist_percentile(&life->hist, 50));
	json_uint(out, "p90_ns", hist_percentile(&life->hist, 90));
	json_uint(out, "p99_ns", hist_percentile(&life->hist, 99));
	json_uint(out, "max_ns", life->hist.max_ns);
	json_open(out, "buckets", '[');
	for (unsigned int i = 0; i < HIST_NR_SLOTS; i++)
		if (life->hist.slots[i])
			json_bucket(out, i, life->hist.slots[i]);
	json_close(out, ']');
	json_close(out, '}');
}

static void print_json(const struct durations *d)
{
	struct buffer *out = print_buffer();

	json_open(out, NULL, '{');
	json_str(out, "mode", event_set_mode(&d->session.config.events));
	json_open(out, "lifetimes", '[');
	for (size_t i = 0; i < d->nr; i++)
		json_life(out, &d->list[i]);
	json_close(out, ']');
	json_uint(out, "unknown", d->unknown);
	json_uint(out, "lost", d->session.lost.total);
	blind_json(out, &d->session.config.events);
	json_close(out, '}');
	print("\n");
}

static void print_text(const struct durations *d)
{
	for (size_t i = 0; i < d->nr; i++)
		text_life(&d->list[i]);
	if (!d->nr)
		print("no buffer, dma-buf or mapping both began and ended during this run\n");
	if (d->unknown)
		print("# not measured: %" PRIu64 " buffer%s or mapping%s that began before "
		      "p2ptrace started\n", d->unknown, PLURAL(d->unknown), PLURAL(d->unknown));
	blind_text(print_buffer(), &d->session.config.events, "# ");
}

static int lifetimes_session(const struct options *o, const struct selected *sel)
{
	struct durations d;
	const struct lost *lost = &d.session.lost;
	int rc = durations_start(&d, sel, o->common.duration_ns);

	if (!rc) {
		note("measuring lifetimes, mode %s (Ctrl-C shows them)", event_set_mode(&sel->set));
		rc = session_run(&d.session);
	}
	if (!rc)
		rc = durations_read(&d);
	if (!rc && o->common.json)
		print_json(&d);
	else if (!rc)
		print_text(&d);
	if (!rc && lost->total)
		note("%" PRIu64 " event%s lost (%" PRIu64 " nested): p2ptrace follows at most %d "
		     "buffers and as many mappings at a time, and at most one mapping of each "
		     "buffer per client",
		     lost->total, PLURAL_WAS(lost->total), lost->nested,
		     P2PTRACE_MAX_LIVE);
	durations_close(&d);
	return rc;
}

int cmd_lifetimes(int argc, char **argv)
{
	const struct select_how how = { .groups = true, .needed = P2PTRACE_NR_EVENTS };
	struct options o = {};
	struct selected sel = {};
	int rc;

	if (!options_parse(&args, argc, argv, &o.common, &rc))
		return rc;

	durations_events(&o.common.want, &sel.set);
	rc = select_all(&o.common.want, &how, &sel);
	if (!rc)
		rc = lifetimes_session(&o, &sel);
	enums_free(&sel.enums);
	return rc;
}
