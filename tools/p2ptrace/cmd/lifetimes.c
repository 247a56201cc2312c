// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace lifetimes: how long buffers and dma-bufs are held and mapped. The kernel collects the
 * histograms.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "event/blind.h"
#include "lib/hist.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/text.h"
#include "lib/units.h"
#include "session/map_walk.h"
#include "session/select.h"
#include "session/session.h"

#include "lifetimes.skel.h"

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
		 "of dma-bufs only mappings of memory of the device. With --json, the output is "
		 "one document.\n",
	.exit_status = OPTIONS_EXIT_STATUS,
	.examples = "  p2ptrace lifetimes --duration 10\n"
		    "  p2ptrace lifetimes --client eth0\n"
		    "  p2ptrace lifetimes --dev p2pmem0 --duration 5 --json\n",
};

struct lifetime {
	struct p2ptrace_lifetime key;
	struct hist hist;
};

struct lifetimes {
	const struct options *options;
	struct selected sel;
	struct lifetimes_bpf *skel;
	struct session session;
	struct lifetime *lives;
	size_t nr;
	uint64_t unknown;
};

/* Devices in natural order before exporters of dma-bufs, and within each: held before mapped. */
static int by_name(const void *a, const void *b)
{
	const struct p2ptrace_lifetime *x = &((const struct lifetime *)a)->key;
	const struct p2ptrace_lifetime *y = &((const struct lifetime *)b)->key;
	int order = (x->kind != P2PTRACE_LIFE_BUFFER) - (y->kind != P2PTRACE_LIFE_BUFFER);

	order = order ?: strverscmp(x->dev.s, y->dev.s);
	order = order ?: (int)x->kind - (int)y->kind;
	return order ?: strcmp(x->client.s, y->client.s);
}

static int add_life(void *ctx, const void *key, const void *value)
{
	struct lifetimes *l = ctx;
	struct lifetime *life = reallocarray(l->lives, l->nr + 1, sizeof(*life));
	const struct hist *per_cpu = value;

	if (!life)
		return -ENOMEM;
	l->lives = life;
	life += l->nr++;
	memset(life, 0, sizeof(*life));
	memcpy(&life->key, key, sizeof(life->key));
	life->key.dev.s[sizeof(life->key.dev.s) - 1] = '\0';
	life->key.client.s[sizeof(life->key.client.s) - 1] = '\0';
	for (size_t cpu = 0; cpu < l->session.lost.nr_cpus; cpu++)
		hist_add(&life->hist, &per_cpu[cpu]);
	return 0;
}

static int read_lives(struct lifetimes *l, int fd)
{
	int err = map_walk(fd, sizeof(struct p2ptrace_lifetime),
			   l->session.lost.nr_cpus * sizeof(struct hist),
			   bpf_map__max_entries(l->skel->maps.lives), add_life, l);

	if (err)
		return fail(EXIT_OTHER, "cannot read the histograms: %s", strerror(-err));
	if (l->nr)
		qsort(l->lives, l->nr, sizeof(*l->lives), by_name);
	return 0;
}

static int read_all(struct lifetimes *l)
{
	size_t cpus = l->session.lost.nr_cpus;
	uint64_t *unknown = calloc(cpus, sizeof(*unknown));
	uint32_t zero = 0;
	int rc = 0;

	if (!unknown)
		rc = fail(EXIT_OTHER, "out of memory");
	else if (bpf_map_lookup_elem(bpf_map__fd(l->skel->maps.unknown_per_cpu), &zero, unknown))
		rc = fail(EXIT_OTHER, "cannot read the counts: %s", strerror(errno));
	else
		rc = read_lives(l, bpf_map__fd(l->skel->maps.lives));
	for (size_t cpu = 0; !rc && cpu < cpus; cpu++)
		l->unknown += unknown[cpu];
	free(unknown);
	return rc;
}

static void text_life(const struct lifetime *life)
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

static void json_life(struct buffer *out, const struct lifetime *life)
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

static void print_json(const struct lifetimes *l)
{
	struct buffer *out = print_buffer();

	json_open(out, NULL, '{');
	json_str(out, "mode", event_set_mode(&l->session.config.events));
	json_open(out, "lifetimes", '[');
	for (size_t i = 0; i < l->nr; i++)
		json_life(out, &l->lives[i]);
	json_close(out, ']');
	json_uint(out, "unknown", l->unknown);
	json_uint(out, "lost", l->session.lost.total);
	blind_json(out, &l->session.config.events);
	json_close(out, '}');
	print("\n");
}

static void print_text(const struct lifetimes *l)
{
	for (size_t i = 0; i < l->nr; i++)
		text_life(&l->lives[i]);
	if (!l->nr)
		print("no buffer, dma-buf or mapping both began and ended during this run\n");
	if (l->unknown)
		print("# not measured: %" PRIu64 " buffer%s or mapping%s that began before "
		      "p2ptrace started\n", l->unknown, PLURAL(l->unknown), PLURAL(l->unknown));
	blind_text(print_buffer(), &l->session.config.events, "# ");
}

static int open_programs(void *opener, struct bpf_object **object)
{
	struct lifetimes *l = opener;
	int rc = session_open(lifetimes, l->skel, &l->sel, object);

	if (!rc)
		l->skel->rodata->stock = l->sel.set.stock;
	return rc;
}

static int lifetimes_session(struct lifetimes *l)
{
	const struct event_set *set = &l->sel.set;
	struct session_config config = {
		.events = *set,
		.open = open_programs,
		.opener = l,
		.duration_ns = l->options->common.duration_ns,
		.groups = true,
		.needed = P2PTRACE_NR_EVENTS,
		.ctx = l,
	};
	int rc;

	rc = session_start(&l->session, &config);
	if (!rc) {
		note("measuring lifetimes, mode %s (Ctrl-C shows them)", event_set_mode(set));
		rc = session_run(&l->session);
	}
	if (!rc)
		rc = read_all(l);
	if (!rc && l->options->common.json)
		print_json(l);
	else if (!rc)
		print_text(l);
	if (!rc && l->session.lost.total)
		note("%" PRIu64 " event%s lost (%" PRIu64 " nested): p2ptrace follows at most %d "
		     "buffers and as many mappings at a time, and at most one mapping of each "
		     "buffer per client",
		     l->session.lost.total, l->session.lost.total == 1 ? " was" : "s were",
		     l->session.lost.nested, P2PTRACE_MAX_LIVE);
	free(l->lives);
	session_close(&l->session);
	lifetimes_bpf__destroy(l->skel);
	return rc;
}

int cmd_lifetimes(int argc, char **argv)
{
	const struct select_how how = { .groups = true, .needed = P2PTRACE_NR_EVENTS };
	struct options o = {};
	struct lifetimes l = { .options = &o };
	struct event_set *set = &l.sel.set;
	int rc;

	if (!options_parse(&args, argc, argv, &o.common, &rc))
		return rc;

	event_set_add_mapping(set);
	set->has[P2PTRACE_dma_buf_map] = set->has[P2PTRACE_dma_buf_unmap] = true;
	set->has[P2PTRACE_dma_buf_revoke] = !o.common.want.dev;
	if (!o.common.want.client) {
		event_set_add_buffer(set);
		set->has[P2PTRACE_dma_buf_export] = !o.common.want.dev;
		set->has[P2PTRACE_dma_buf_release] = !o.common.want.dev;
	}
	rc = select_all(&o.common.want, &how, &l.sel);
	if (!rc)
		rc = lifetimes_session(&l);
	enums_free(&l.sel.enums);
	return rc;
}
