// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "event/enums.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "machine/devices.h"
#include "machine/held.h"
#include "machine/kernel.h"
#include "machine/sysfs.h"
#include "session/counter.h"
#include "session/map_walk.h"
#include "session/select.h"

#include "stat.skel.h"

int counter_open(struct counter *counter, const struct selection *want, bool started)
{
	const struct select_how how = { .only_lists = !started };
	struct selected *selected = &counter->sel;
	int rc;

	memset(counter, 0, sizeof(*counter));
	rc = select_all(want, &how, selected);
	if (!rc && (metrics_load(&counter->known, &selected->enums, &selected->passing) ||
		    metrics_load(&counter->metrics, &selected->enums, &selected->set)))
		rc = fail(EXIT_OTHER, "out of memory");
	return rc;
}

/* The kernel pads the strings, but do not rely on data from outside. */
static void first_end(struct p2ptrace_first *first)
{
	first->dev.s[sizeof(first->dev.s) - 1] = '\0';
	first->client.s[sizeof(first->client.s) - 1] = '\0';
	first->comm[sizeof(first->comm) - 1] = '\0';
}

struct live_walk {
	uint64_t before_ns, older_than_ns, now_ns;
	uint64_t oldest_ns;	/* the first of what was found so far */
	uint64_t revoked;	/* the generation of mappings that it waits for */
	struct counter_live *sum;
};

static int count_buffer(void *ctx, const void *key, const void *value)
{
	const struct p2ptrace_live *live = value;
	struct live_walk *walk = ctx;

	(void)key;
	if (live->before || live->since_ns >= walk->before_ns)
		return 0;
	walk->sum->buffers++;
	if (walk->older_than_ns && walk->now_ns > live->since_ns &&
	    walk->now_ns - live->since_ns > walk->older_than_ns)
		walk->sum->older++;
	if (live->since_ns < walk->oldest_ns) {
		walk->oldest_ns = live->since_ns;
		walk->sum->first_buffer = live->first;
		walk->sum->first_buffer_ns =
			walk->now_ns > live->since_ns ? walk->now_ns - live->since_ns : 0;
		first_end(&walk->sum->first_buffer);
	}
	return 0;
}

static int count_mapping(void *ctx, const void *key, const void *value)
{
	const struct p2ptrace_mapped *mapped = value;
	struct live_walk *walk = ctx;

	(void)key;
	if (mapped->before || mapped->since_ns >= walk->before_ns)
		return 0;
	walk->sum->mappings++;
	if (mapped->since_ns < walk->oldest_ns) {
		walk->oldest_ns = mapped->since_ns;
		walk->sum->first_mapping = mapped->first;
		first_end(&walk->sum->first_mapping);
	}
	return 0;
}

static int count_revoke(void *ctx, const void *key, const void *value)
{
	const struct p2ptrace_dmabuf_state *state = value;
	struct live_walk *walk = ctx;

	(void)key;
	if (!state->revoke_ns || state->revoke_ns >= walk->before_ns ||
	    walk->now_ns <= state->revoke_ns ||
	    walk->now_ns - state->revoke_ns <= walk->older_than_ns)
		return 0;
	walk->sum->revokes++;
	if (state->revoke_ns < walk->oldest_ns) {
		walk->oldest_ns = state->revoke_ns;
		walk->revoked = state->generation - 1;
		walk->sum->first_revoke.id = state->id;
		walk->sum->first_revoke.held_ns = walk->now_ns - state->revoke_ns;
	}
	return 0;
}

/* One of those that the oldest revocation waits for. */
static int name_client(void *ctx, const void *key, const void *value)
{
	const struct p2ptrace_attached *attached = value;
	struct live_walk *walk = ctx;
	struct p2ptrace_first *first = &walk->sum->first_revoke;

	(void)key;
	if (attached->id != first->id || attached->mapped[walk->revoked & 1] <= 0)
		return 0;
	first->client = attached->client;
	first_end(first);
	return 1;
}

static int find_revokes(struct counter *counter, struct live_walk *walk)
{
	int err;

	if (!walk->older_than_ns || !counter->sel.set.has[P2PTRACE_dma_buf_revoke])
		return 0;
	walk->oldest_ns = UINT64_MAX;
	err = map_walk(bpf_map__fd(counter->skel->maps.dmabuf_states), sizeof(uint64_t),
		       sizeof(struct p2ptrace_dmabuf_state), P2PTRACE_MAX_LIVE, count_revoke, walk);
	if (err || !walk->sum->revokes)
		return err;
	err = map_walk(bpf_map__fd(counter->skel->maps.dmabuf_attached), sizeof(uint64_t),
		       sizeof(struct p2ptrace_attached), P2PTRACE_MAX_LIVE, name_client, walk);
	return err < 0 ? err : 0;
}

int counter_live(struct counter *counter, uint64_t before_ns, struct counter_live *live)
{
	struct live_walk walk = {
		.before_ns = before_ns, .older_than_ns = counter->older_than_ns,
		.now_ns = clock_now_ns(), .oldest_ns = UINT64_MAX, .sum = live,
	};
	int err;

	memset(live, 0, sizeof(*live));
	err = map_walk(bpf_map__fd(counter->skel->maps.live_buffers), sizeof(uint64_t),
		       sizeof(struct p2ptrace_live), P2PTRACE_MAX_LIVE, count_buffer, &walk);
	walk.oldest_ns = UINT64_MAX;
	if (!err)
		err = map_walk(bpf_map__fd(counter->skel->maps.live_mappings),
			       sizeof(struct p2ptrace_mapping), sizeof(struct p2ptrace_mapped),
			       P2PTRACE_MAX_LIVE, count_mapping, &walk);
	if (!err)
		err = find_revokes(counter, &walk);
	return err ? fail(EXIT_OTHER, "cannot read the buffers and mappings that are in use: %s",
			  strerror(-err)) : 0;
}

bool counter_first(struct counter *counter, enum p2ptrace_violation kind,
		   struct p2ptrace_first *first)
{
	uint32_t key = kind;

	if (bpf_map_lookup_elem(bpf_map__fd(counter->skel->maps.firsts), &key, first))
		return false;
	first_end(first);
	return true;
}

/*
 * Called when everything is attached. The buffers of now count as from before: their mappings may
 * have begun unseen. The programs know the buffers that were allocated while we attached, and count
 * them as from before as well.
 */
static int arm(struct counter *counter)
{
	int fd = bpf_map__fd(counter->skel->maps.live_buffers);
	typeof(*counter->skel->data_armed) armed = { .armed = true };
	struct held_list held = {};
	uint32_t zero = 0;
	int rc = 0;

	if (!counter->sel.set.stock)
		rc = held_read(&held, SYSFS, DEBUGFS, &counter->sel.filter);
	for (size_t i = 0; i < held.nr && !rc; i++) {
		struct p2ptrace_live live = { .before = 1 };

		if (bpf_map_update_elem(fd, &held.held[i].id, &live, BPF_NOEXIST) &&
		    errno != EEXIST)
			rc = fail(EXIT_OTHER, "cannot record the buffers that are held already: "
				  "%s", strerror(errno));
	}
	held_free(&held);
	if (!rc && bpf_map_update_elem(bpf_map__fd(counter->skel->maps.data_armed), &zero, &armed,
				       BPF_ANY))
		rc = fail(EXIT_OTHER, "cannot start to look for violations: %s", strerror(errno));
	return rc;
}

static int open_programs(void *opener, struct bpf_object **object)
{
	struct counter *counter = opener;
	int rc = session_open(stat, counter->skel, &counter->sel, object);

	if (rc)
		return rc;
	counter->skel->rodata->follow = counter->follow;
	counter->skel->rodata->by_pair = !counter->follow || counter->by_pair;
	counter->skel->rodata->stock = counter->sel.set.stock;
	counter->skel->rodata->older_than_ns = counter->older_than_ns;
	if (!counter->follow) {
		bpf_map__set_max_entries(counter->skel->maps.live_buffers, 1);
		bpf_map__set_max_entries(counter->skel->maps.live_mappings, 1);
	}
	return 0;
}

/* Events that were selected but could not be attached are not in the set of the session. */
static void take_set(struct counter *counter)
{
	counter->sel.set = counter->session.config.events;
	counter->sel.set.lists_dmabufs = counter->session.links[HOOK_DMABUF_ITER];
}

int counter_start(struct counter *counter, struct session_config *config, bool follow)
{
	struct event_set followed = {};
	int rc;

	event_set_add_buffer(&followed);
	event_set_add_mapping(&followed);
	rc = follow ? select_groups(&counter->sel.set, &followed, P2PTRACE_p2pmem_alloc) : 0;
	if (rc)
		return rc;
	counter->follow = follow;
	config->events = counter->sel.set;
	config->open = open_programs;
	config->opener = counter;
	config->groups = follow;
	config->needed = P2PTRACE_p2pmem_alloc;
	rc = session_start(&counter->session, config);
	take_set(counter);
	metrics_keep(&counter->metrics, &counter->sel.set);
	if (!rc && follow)
		rc = arm(counter);
	if (rc)
		return rc;
	counter->per_cpu = calloc(counter->session.lost.nr_cpus, sizeof(*counter->per_cpu));
	return counter->per_cpu ? 0 : fail(EXIT_OTHER, "out of memory");
}

struct pair_walk {
	struct pair_sums *pairs;
	size_t nr_cpus;
};

static int add_pair(void *ctx, const void *key, const void *value)
{
	struct pair_walk *walk = ctx;
	struct pair_sums *pairs = walk->pairs;
	struct pair_sum *sum = reallocarray(pairs->sums, pairs->nr + 1, sizeof(*sum));
	const struct p2ptrace_pair_sum *per_cpu = value;

	if (!sum)
		return -ENOMEM;
	pairs->sums = sum;
	sum += pairs->nr++;
	memset(sum, 0, sizeof(*sum));
	memcpy(&sum->key, key, sizeof(sum->key));
	sum->key.provider.s[sizeof(sum->key.provider.s) - 1] = '\0';
	sum->key.client.s[sizeof(sum->key.client.s) - 1] = '\0';
	for (size_t cpu = 0; cpu < walk->nr_cpus; cpu++) {
		sum->maps += per_cpu[cpu].maps;
		sum->bytes += per_cpu[cpu].bytes;
	}
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct pair_sum *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return memcmp(&x->key, &y->key, sizeof(x->key));
}

int counter_pairs(struct counter *counter, struct pair_sums *pairs)
{
	struct pair_walk walk = { .pairs = pairs, .nr_cpus = counter->session.lost.nr_cpus };
	int err;

	memset(pairs, 0, sizeof(*pairs));
	err = map_walk(bpf_map__fd(counter->skel->maps.pairs), sizeof(struct p2ptrace_pair),
		       walk.nr_cpus * sizeof(struct p2ptrace_pair_sum), P2PTRACE_MAX_PAIRS,
		       add_pair, &walk);
	if (err)
		return fail(EXIT_OTHER, "cannot read the counts of pairs: %s", strerror(-err));
	if (pairs->nr)
		qsort(pairs->sums, pairs->nr, sizeof(*pairs->sums), by_bytes);
	return 0;
}

void pair_sums_free(struct pair_sums *pairs)
{
	free(pairs->sums);
	memset(pairs, 0, sizeof(*pairs));
}

/* The kernel keeps no sum of the dma-bufs that exist. */
static int sum_dmabufs(struct counter *counter, struct gauges *gauges)
{
	int fd = bpf_map__fd(counter->skel->maps.dmabuf_sum), err;
	struct p2ptrace_dmabuf_sum sum = {};
	uint32_t zero = 0;

	if (!counter->sel.set.lists_dmabufs)
		return 0;
	err = bpf_map_update_elem(fd, &zero, &sum, BPF_ANY) ? -errno : 0;
	if (!err)
		err = session_visit(&counter->session, HOOK_DMABUF_ITER);
	if (!err && bpf_map_lookup_elem(fd, &zero, &sum))
		err = -errno;
	gauges->dmabufs = sum.nr;
	gauges->dmabuf_bytes = sum.bytes;
	return err ? fail(EXIT_OTHER, "cannot list the dma-bufs that exist: %s",
			  strerror(-err)) : 0;
}

int counter_sample(struct counter *counter, struct sample *sample)
{
	int rc, fd = bpf_map__fd(counter->skel->maps.counts_per_cpu);
	uint32_t zero = 0;

	memset(sample, 0, sizeof(*sample));
	sample->ts_ns = clock_now_ns();
	if (bpf_map_lookup_elem(fd, &zero, counter->per_cpu))
		return fail(EXIT_OTHER, "cannot read the counts: %s", strerror(errno));
	for (size_t i = 0; i < counter->session.lost.nr_cpus; i++)
		counts_add(&sample->counts, &counter->per_cpu[i]);
	rc = session_count_lost(&counter->session);
	if (rc)
		return rc;
	/* A module may have come that cannot be seen */
	take_set(counter);
	sample->lost = counter->session.lost.total;
	rc = gauges_read(&sample->gauges, counter->sel.set.stock, SYSFS, &counter->sel.filter);
	return rc ?: sum_dmabufs(counter, &sample->gauges);
}

void counter_close(struct counter *counter)
{
	free(counter->per_cpu);
	session_close(&counter->session);
	stat_bpf__destroy(counter->skel);
	metrics_free(&counter->metrics);
	metrics_free(&counter->known);
	enums_free(&counter->sel.enums);
	memset(counter, 0, sizeof(*counter));
}
