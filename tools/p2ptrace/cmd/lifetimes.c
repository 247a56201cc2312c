// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace lifetimes: how long buffers are held, and mapped. All of it is added up in the kernel.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "event/output.h"
#include "lib/hist.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/units.h"
#include "session/select.h"
#include "session/session.h"

#include "lifetimes.skel.h"

#define BAR_WIDTH 40

struct options {
	struct common_options common;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		return options_init(state, &o->common);
	case ARGP_KEY_ARG:
		o->common.status = fail(EXIT_USAGE, "unexpected argument '%s'; see 'p2ptrace lifetimes --help'", arg);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	{ .argp = &options_base }, { .argp = &options_client }, { .argp = &options_duration }, {}
};

static const struct argp argp = {
	.parser = parse,
	.children = children,
	.doc = "At Ctrl-C, or after --duration, show for each device how long its buffers were held, and for each client how "
	       "long they were mapped for it: a histogram, percentiles, and the longest.\v"
	       "Of what began before, the end is only counted. Percentiles are as exact as the histogram: within a line of "
	       "it, times are taken to be spread evenly. With --client, only mappings are shown. With --json, all of it is "
	       "one document.\n\n"
	       "Exit status: 0 fine, 2 bad usage, 3 this kernel or these privileges cannot do it, 4 anything else.",
};

struct lifetime {
	struct p2ptrace_lifetime key;
	struct hist hist;
};

struct lifetimes {
	const struct options *options;
	const struct p2ptrace_filter *filter;
	struct session session;
	struct lifetime *lives;
	size_t nr;
	uint64_t unknown;
};

/* Devices in their order, first what was held. */
static int by_name(const void *a, const void *b)
{
	const struct p2ptrace_lifetime *x = &((const struct lifetime *)a)->key, *y = &((const struct lifetime *)b)->key;
	int order = strverscmp(x->dev.s, y->dev.s);

	return order ? order : strcmp(x->client.s, y->client.s);
}

static int read_lives(struct lifetimes *l, int fd, struct hist *per_cpu)
{
	struct p2ptrace_lifetime *previous = NULL, key, next;

	while (!bpf_map_get_next_key(fd, previous, &next)) {
		struct lifetime *life = reallocarray(l->lives, l->nr + 1, sizeof(*life));

		if (!life)
			return fail(EXIT_OTHER, "out of memory");
		l->lives = life;
		life += l->nr++;
		memset(life, 0, sizeof(*life));
		key = next;
		previous = &key;
		life->key = next;
		life->key.dev.s[sizeof(life->key.dev.s) - 1] = '\0';
		life->key.client.s[sizeof(life->key.client.s) - 1] = '\0';
		if (bpf_map_lookup_elem(fd, &next, per_cpu))
			return fail(EXIT_OTHER, "cannot read the histograms: %s", strerror(errno));
		for (size_t cpu = 0; cpu < l->session.lost.nr_cpus; cpu++)
			hist_add(&life->hist, &per_cpu[cpu]);
	}
	if (l->nr)
		qsort(l->lives, l->nr, sizeof(*l->lives), by_name);
	return 0;
}

static int read_all(struct lifetimes *l, struct lifetimes_bpf *skel)
{
	size_t cpus = l->session.lost.nr_cpus;
	struct hist *per_cpu = calloc(cpus, sizeof(*per_cpu));
	uint64_t *unknown = calloc(cpus, sizeof(*unknown));
	uint32_t zero = 0;
	int rc = 0;

	if (!per_cpu || !unknown)
		rc = fail(EXIT_OTHER, "out of memory");
	else if (bpf_map_lookup_elem(bpf_map__fd(skel->maps.unknown_per_cpu), &zero, unknown))
		rc = fail(EXIT_OTHER, "cannot read the counts: %s", strerror(errno));
	else
		rc = read_lives(l, bpf_map__fd(skel->maps.lives), per_cpu);
	for (size_t cpu = 0; !rc && cpu < cpus; cpu++)
		l->unknown += unknown[cpu];
	free(per_cpu);
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
	printf("%s, %s%s: %" PRIu64, dev, *client ? "mapped for " : "held", client, (uint64_t)life->hist.count);
	for (size_t i = 0; i < ARRAY_SIZE(percents); i++) {
		hist_time(hist_percentile(&life->hist, percents[i]), time, sizeof(time));
		printf("  p%u %s", percents[i], time);
	}
	hist_time(life->hist.max_ns, time, sizeof(time));
	printf("  max %s\n", time);

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
		printf("  %7s - %-7s %9" PRIu64 " |%.*s\n", time, to_text, n, (int)((n * BAR_WIDTH + most - 1) / most),
		       "########################################");
	}
	printf("\n");
}

static struct json_object *json_life(const struct lifetime *life)
{
	struct json_object *object = json_object_new_object(), *buckets = json_object_new_array();

	json_object_object_add(object, "dev", output_json_string(life->key.dev.s));
	json_object_object_add(object, "client", *life->key.client.s ? output_json_string(life->key.client.s) : NULL);
	json_object_object_add(object, "kind", json_object_new_string(*life->key.client.s ? "mapped" : "held"));
	json_object_object_add(object, "count", json_object_new_uint64(life->hist.count));
	json_object_object_add(object, "total_ns", json_object_new_uint64(life->hist.total_ns));
	json_object_object_add(object, "p50_ns", json_object_new_uint64(hist_percentile(&life->hist, 50)));
	json_object_object_add(object, "p90_ns", json_object_new_uint64(hist_percentile(&life->hist, 90)));
	json_object_object_add(object, "p99_ns", json_object_new_uint64(hist_percentile(&life->hist, 99)));
	json_object_object_add(object, "max_ns", json_object_new_uint64(life->hist.max_ns));
	json_object_object_add(object, "buckets", buckets);
	for (unsigned int i = 0; i < HIST_NR_SLOTS; i++) {
		struct json_object *bucket;
		uint64_t from, to;

		if (!life->hist.slots[i])
			continue;
		hist_slot_range(i, &from, &to);
		bucket = json_object_new_object();
		json_object_object_add(bucket, "from_ns", json_object_new_uint64(from));
		json_object_object_add(bucket, "to_ns", to == UINT64_MAX ? NULL : json_object_new_uint64(to));
		json_object_object_add(bucket, "count", json_object_new_uint64(life->hist.slots[i]));
		json_object_array_add(buckets, bucket);
	}
	return object;
}

static int print_json(const struct lifetimes *l)
{
	struct json_object *document = json_object_new_object(), *lives = json_object_new_array();

	json_object_object_add(document, "mode", json_object_new_string(event_set_mode(&l->session.config.events)));
	json_object_object_add(document, "lifetimes", lives);
	for (size_t i = 0; i < l->nr; i++)
		json_object_array_add(lives, json_life(&l->lives[i]));
	json_object_object_add(document, "unknown", json_object_new_uint64(l->unknown));
	json_object_object_add(document, "lost", json_object_new_uint64(l->session.lost.total));
	return output_json_document(document, stdout);
}

static void print_text(const struct lifetimes *l)
{
	for (size_t i = 0; i < l->nr; i++)
		text_life(&l->lives[i]);
	if (!l->nr)
		printf("nothing that began meanwhile has ended\n");
	if (l->unknown)
		printf("# %" PRIu64 " that had begun before have ended\n", l->unknown);
}

static int lifetimes_session(struct lifetimes *l, const struct event_set *set)
{
	struct session_config config = {
		.events = *set,
		.duration_ns = l->options->common.duration_ns,
		.ctx = l,
	};
	struct lifetimes_bpf *skel = lifetimes_bpf__open();
	int rc;

	if (!skel)
		return fail(EXIT_OTHER, "cannot open the BPF programs: %s", strerror(errno));
	memcpy(&skel->rodata->filter, l->filter, sizeof(*l->filter));
	skel->rodata->stock = set->stock;
	rc = session_start(&l->session, skel->obj, &config);
	if (!rc) {
		note("measuring lifetimes, mode %s (Ctrl-C shows them)", event_set_mode(set));
		rc = session_run(&l->session);
	}
	if (!rc)
		rc = read_all(l, skel);
	if (!rc && l->options->common.json)
		rc = print_json(l);
	else if (!rc)
		print_text(l);
	if (!rc && l->session.lost.total)
		note("%" PRIu64 " event%s lost: there is room for %d buffers and as many mappings at a time, and one mapping "
		     "of a buffer for each client; %" PRIu64 " nested", l->session.lost.total,
		     l->session.lost.total == 1 ? " was" : "s were", P2PTRACE_MAX_LIVE, l->session.lost.nested);
	free(l->lives);
	session_close(&l->session);
	lifetimes_bpf__destroy(skel);
	return rc;
}

int cmd_lifetimes(int argc, char **argv)
{
	struct options o = {};
	struct p2ptrace_filter filter = {};
	struct lifetimes l = { .options = &o, .filter = &filter };
	struct event_set set = {};
	int rc;

	if (!options_parse(&argp, argc, argv, &o, &o.common, &rc))
		return rc;

	set.has[P2PTRACE_p2pmem_dma_map] = set.has[P2PTRACE_p2pmem_dma_unmap] = true;
	if (!o.common.want.client)
		set.has[P2PTRACE_p2pmem_alloc] = set.has[P2PTRACE_p2pmem_free] = set.has[P2PTRACE_p2pmem_reclaim] = true;
	rc = select_all(&o.common.want, &set, &filter);
	return rc ? rc : lifetimes_session(&l, &set);
}
