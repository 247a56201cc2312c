// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/log.h"
#include "session/durations.h"
#include "session/map_walk.h"

#include "lifetimes.skel.h"

void durations_events(const struct selection *want, struct event_set *set)
{
	event_set_add_mapping(set);
	set->has[P2PTRACE_dma_buf_map] = set->has[P2PTRACE_dma_buf_unmap] = true;
	set->has[P2PTRACE_dma_buf_revoke] = !want->dev;
	if (want->client)
		return;
	event_set_add_buffer(set);
	set->has[P2PTRACE_dma_buf_export] = !want->dev;
	set->has[P2PTRACE_dma_buf_release] = !want->dev;
}

static int open_programs(void *opener, struct bpf_object **object)
{
	struct durations *d = opener;
	int rc = session_open(lifetimes, d->skel, d->sel, object);

	if (!rc)
		d->skel->rodata->stock = d->sel->set.stock;
	return rc;
}

int durations_start(struct durations *d, const struct selected *sel, uint64_t duration_ns)
{
	struct session_config config = {
		.events = sel->set,
		.open = open_programs,
		.opener = d,
		.duration_ns = duration_ns,
		.groups = true,
		.needed = P2PTRACE_NR_EVENTS,
		.ctx = d,
	};

	memset(d, 0, sizeof(*d));
	d->sel = sel;
	return session_start(&d->session, &config);
}

/* Devices in natural order before exporters of dma-bufs, and within each: held before mapped. */
static int by_name(const void *a, const void *b)
{
	const struct p2ptrace_lifetime *x = &((const struct duration *)a)->key;
	const struct p2ptrace_lifetime *y = &((const struct duration *)b)->key;
	int order = (x->kind != P2PTRACE_LIFE_BUFFER) - (y->kind != P2PTRACE_LIFE_BUFFER);

	order = order ?: strverscmp(x->dev.s, y->dev.s);
	order = order ?: (int)x->kind - (int)y->kind;
	return order ?: strcmp(x->client.s, y->client.s);
}

static int add_duration(void *ctx, const void *key, const void *value)
{
	struct durations *d = ctx;
	struct duration *one = reallocarray(d->list, d->nr + 1, sizeof(*one));
	const struct hist *per_cpu = value;

	if (!one)
		return -ENOMEM;
	d->list = one;
	one += d->nr++;
	memset(one, 0, sizeof(*one));
	memcpy(&one->key, key, sizeof(one->key));
	one->key.dev.s[sizeof(one->key.dev.s) - 1] = '\0';
	one->key.client.s[sizeof(one->key.client.s) - 1] = '\0';
	for (size_t cpu = 0; cpu < d->session.lost.nr_cpus; cpu++)
		hist_add(&one->hist, &per_cpu[cpu]);
	return 0;
}

static int read_list(struct durations *d)
{
	int err;

	free(d->list);
	d->list = NULL;
	d->nr = 0;
	err = map_walk(bpf_map__fd(d->skel->maps.lives), sizeof(struct p2ptrace_lifetime),
		       d->session.lost.nr_cpus * sizeof(struct hist),
		       bpf_map__max_entries(d->skel->maps.lives), add_duration, d);
	if (err)
		return fail(EXIT_OTHER, "cannot read the histograms: %s", strerror(-err));
	if (d->nr)
		qsort(d->list, d->nr, sizeof(*d->list), by_name);
	return 0;
}

int durations_read(struct durations *d)
{
	size_t cpus = d->session.lost.nr_cpus;
	uint64_t *unknown = calloc(cpus, sizeof(*unknown));
	uint32_t zero = 0;
	int rc = 0;

	if (!unknown)
		rc = fail(EXIT_OTHER, "out of memory");
	else if (bpf_map_lookup_elem(bpf_map__fd(d->skel->maps.unknown_per_cpu), &zero, unknown))
		rc = fail(EXIT_OTHER, "cannot read the counts: %s", strerror(errno));
	else
		rc = read_list(d);
	d->unknown = 0;
	for (size_t cpu = 0; !rc && cpu < cpus; cpu++)
		d->unknown += unknown[cpu];
	free(unknown);
	return rc;
}

static int find_oldest(void *ctx, const void *key, const void *value)
{
	uint64_t *oldest = ctx, since;

	(void)key;
	memcpy(&since, value, sizeof(since));
	if (!*oldest || since < *oldest)
		*oldest = since;
	return 0;
}

int durations_oldest(struct durations *d, uint64_t *since_ns)
{
	int err;

	*since_ns = 0;
	err = map_walk(bpf_map__fd(d->skel->maps.allocated), sizeof(uint64_t), sizeof(uint64_t),
		       P2PTRACE_MAX_LIVE, find_oldest, since_ns);
	return err ? fail(EXIT_OTHER, "cannot read the buffers that are held: %s",
			  strerror(-err)) : 0;
}

void durations_close(struct durations *d)
{
	free(d->list);
	session_close(&d->session);
	lifetimes_bpf__destroy(d->skel);
	memset(d, 0, sizeof(*d));
}
