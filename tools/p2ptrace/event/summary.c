// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "event/summary.h"
#include "event/tally.h"
#include "lib/hist.h"

#define FIRST_BIN_NS 100000	/* 0.1 ms */

#define HASH_OF(key, value, limit) \
	{ .key_size = sizeof(key), .value_size = sizeof(value), .max = (limit) }

void summary_begin(struct summary *s)
{
	s->pairs = (struct hash)HASH_OF(struct summary_pair_key, struct summary_pair,
					SUMMARY_MAX_KEYS);
	s->decisions = (struct hash)HASH_OF(struct summary_decision_key, struct summary_sum,
					    SUMMARY_MAX_KEYS);
	s->dmabufs = (struct hash)HASH_OF(struct summary_dmabuf_key, struct summary_sum,
					  SUMMARY_MAX_KEYS);
	s->fallbacks = (struct hash)HASH_OF(struct summary_reason_key, struct summary_sum,
					    SUMMARY_MAX_KEYS);
	s->alloc_fails = s->fallbacks;
	s->held = (struct hash)HASH_OF(struct p2ptrace_name, struct summary_sum, SUMMARY_MAX_KEYS);
	s->buffers = (struct hash)HASH_OF(uint64_t, struct summary_buffer, P2PTRACE_MAX_LIVE);
	s->exported = s->buffers;
	s->mappings = (struct hash)HASH_OF(struct summary_mapping_key, struct summary_mapping,
					   P2PTRACE_MAX_LIVE);
	s->attached = (struct hash)HASH_OF(struct summary_attached_key, uint64_t,
					   P2PTRACE_MAX_LIVE);
	s->bin_ns = FIRST_BIN_NS;
}

void summary_before(struct summary *s, uint64_t id)
{
	struct summary_buffer *buffer = hash_add(&s->buffers, &id);

	if (buffer)
		buffer->before = true;
}

static void hist_add_time(struct hist *hist, uint64_t ns)
{
	unsigned int slot = ns ? 63 - __builtin_clzll(ns) : 0;

	hist->slots[slot < HIST_NR_SLOTS ? slot : HIST_NR_SLOTS - 1]++;
	hist->count++;
	hist->total_ns += ns;
	if (ns > hist->max_ns)
		hist->max_ns = ns;
}

/* Records of several CPUs may be a little out of order. */
static uint64_t since(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}

static void sum_add(struct summary *s, struct hash *hash, const void *key, uint64_t bytes)
{
	struct summary_sum *sum = hash_add(hash, key);

	if (!sum) {
		s->not_followed++;
		return;
	}
	sum->count++;
	sum->bytes += bytes;
}

static void first_set(struct p2ptrace_first *first, const struct p2ptrace_header *h, uint64_t id,
		      const struct p2ptrace_name *dev, const struct p2ptrace_name *client)
{
	memset(first, 0, sizeof(*first));
	first->id = id;
	first->pid = h->pid;
	memcpy(first->comm, h->comm, sizeof(first->comm));
	if (dev)
		first->dev = *dev;
	if (client)
		first->client = *client;
}

static void violation(struct summary *s, enum p2ptrace_violation kind,
		      const struct p2ptrace_header *h, uint64_t id,
		      const struct p2ptrace_name *dev, const struct p2ptrace_name *client,
		      uint64_t held_ns)
{
	if (h->ts_ns < s->start_ns || s->counts.violations[kind]++)
		return;
	first_set(&s->firsts[kind], h, id, dev, client);
	s->firsts[kind].held_ns = held_ns;
}

/* ---- time ---- */

static void halve_bins(struct summary *s)
{
	for (size_t i = 0; i < SUMMARY_BINS / 2; i++) {
		const struct summary_bin *a = &s->bins[2 * i], *b = &s->bins[2 * i + 1];
		struct summary_bin sum = *a;

		for (size_t v = 0; v < P2PTRACE_NR_VALUES; v++)
			sum.bytes[v] += b->bytes[v];
		sum.fallbacks += b->fallbacks;
		sum.events += b->events;
		if (b->held_bytes > sum.held_bytes)
			sum.held_bytes = b->held_bytes;
		if (b->held > sum.held)
			sum.held = b->held;
		s->bins[i] = sum;
	}
	memset(&s->bins[SUMMARY_BINS / 2], 0, SUMMARY_BINS / 2 * sizeof(*s->bins));
	s->nr_bins = (s->nr_bins + 1) / 2;
	s->bin_ns *= 2;
}

/* The interval that @ns is in. Those that were left out have what was held before. */
static struct summary_bin *bin_of(struct summary *s, uint64_t ns)
{
	uint64_t i;

	if (!s->bins_from_ns)
		s->bins_from_ns = ns;
	/* The width does not overflow: 240 intervals of 2^57 ns are all there is */
	while ((i = since(ns, s->bins_from_ns) / s->bin_ns) >= SUMMARY_BINS)
		halve_bins(s);
	for (; s->nr_bins <= i; s->nr_bins++) {
		s->bins[s->nr_bins].held_bytes = s->held_bytes;
		s->bins[s->nr_bins].held = s->held_now;
	}
	return &s->bins[i];
}

static void bin_held(const struct summary *s, struct summary_bin *bin)
{
	if (s->held_bytes > bin->held_bytes)
		bin->held_bytes = s->held_bytes;
	if (s->held_now > bin->held)
		bin->held = s->held_now;
}

/* ---- buffers ---- */

static void buffer_gone(struct summary *s, const struct summary_buffer *buffer)
{
	if (buffer->before)
		return;
	s->held_now--;
	s->held_bytes -= buffer->size;
}

static void take_alloc(struct summary *s, const struct p2ptrace_p2pmem_alloc *r,
		       struct summary_bin *bin)
{
	uint64_t id = r->id;
	struct summary_buffer *buffer = hash_find(&s->buffers, &id);

	/* A stock kernel uses addresses again: the free of the older one was missed */
	if (buffer) {
		buffer_gone(s, buffer);
		hash_remove(&s->buffers, &id);
	}
	buffer = hash_add(&s->buffers, &id);
	if (!buffer) {
		s->not_followed++;
		return;
	}
	*buffer = (struct summary_buffer){
		.dev = r->dev, .size = r->size, .since_ns = r->h.ts_ns, .pid = r->h.pid,
	};
	memcpy(buffer->comm, r->h.comm, sizeof(buffer->comm));
	s->held_now++;
	s->held_bytes += r->size;
	bin_held(s, bin);
}

static void buffer_ends(struct summary *s, const struct p2ptrace_header *h, uint64_t id,
			const struct p2ptrace_name *dev)
{
	struct summary_buffer *buffer = hash_find(&s->buffers, &id);
	struct summary_sum *sum;
	uint64_t held_ns;

	if (!buffer)
		return;
	held_ns = since(h->ts_ns, buffer->since_ns);
	if (!buffer->before) {
		sum = hash_add(&s->held, dev);
		if (sum) {
			sum->count++;
			sum->bytes += buffer->size;
			hist_add_time(&sum->times, held_ns);
		}
		if (s->older_than_ns && buffer->since_ns >= s->start_ns &&
		    held_ns > s->older_than_ns)
			violation(s, P2PTRACE_HELD_TOO_LONG, h, id, dev, NULL, held_ns);
	}
	buffer_gone(s, buffer);
	hash_remove(&s->buffers, &id);
}

static void take_free(struct summary *s, const struct p2ptrace_p2pmem_free *r)
{
	uint64_t id = r->id;
	struct summary_buffer *buffer = r->pins ? hash_find(&s->buffers, &id) : NULL;

	/* A buffer that is still mapped ends with p2pmem_reclaim */
	if (!r->pins)
		buffer_ends(s, &r->h, id, &r->dev);
	else if (buffer)
		buffer->freed = true;
}

/* ---- mappings ---- */

/* The buffer of a mapping. The series gives mappings of a dma-buf the id of that. */
static const struct summary_buffer *buffer_of(const struct summary *s, uint64_t id, uint32_t kind)
{
	return s->stock || kind != P2PTRACE_KIND_DMABUF ? hash_find(&s->buffers, &id) : NULL;
}

static void take_map(struct summary *s, const struct p2ptrace_p2pdma_map *r,
		     struct summary_bin *bin)
{
	struct summary_pair_key key = {
		.provider = r->provider, .client = r->client, .map = r->map, .kind = r->kind,
	};
	struct summary_mapping_key which = {
		.id = r->id, .dma_addr = r->dma_addr, .client = r->client,
	};
	uint64_t id = r->id;
	const struct summary_buffer *buffer = buffer_of(s, id, r->kind);
	struct summary_pair *pair = hash_add(&s->pairs, &key);
	struct summary_mapping *mapping;

	bin->bytes[r->map < P2PTRACE_NR_VALUES ? r->map : P2PTRACE_NR_VALUES - 1] += r->size;
	if (pair) {
		pair->maps++;
		pair->bytes += r->size;
		/* enum dma_data_direction: 0 both, 1 to the device, 2 from it */
		if (r->dir == 0 || r->dir == 1)
			pair->bytes_to += r->size;
		if (r->dir == 0 || r->dir == 2)
			pair->bytes_from += r->size;
	} else {
		s->not_followed++;
	}
	if (buffer ? buffer->freed : s->beginnings_known && !s->stock && r->kind !=
	    P2PTRACE_KIND_DMABUF && r->id)
		violation(s, P2PTRACE_MAP_AFTER_FREE, &r->h, id, &r->provider, &r->client, 0);
	mapping = hash_add(&s->mappings, &which);
	if (!mapping) {
		s->not_followed++;
		return;
	}
	if (mapping->times && !mapping->before) {
		mapping->times++;
		violation(s, P2PTRACE_DOUBLE_MAP, &r->h, id, &r->provider, &r->client, 0);
		return;
	}
	mapping->times = 1;
	mapping->before = r->h.ts_ns < s->start_ns;
	mapping->since_ns = r->h.ts_ns;
	mapping->allocated = buffer && !buffer->before && !buffer->freed;
	mapping->size = r->size;
	mapping->pair = pair;
	first_set(&mapping->first, &r->h, id, &r->provider, &r->client);
}

/* Whether the buffer was freed before the mapping ends: as ends_late() in stat.bpf.c. */
static bool ends_late(const struct summary_buffer *buffer, const struct summary_mapping *mapping)
{
	if (buffer && (buffer->before || buffer->freed))
		return !buffer->before;
	return mapping && mapping->allocated &&
	       (!buffer || buffer->since_ns > mapping->since_ns);
}

static void take_unmap(struct summary *s, const struct p2ptrace_p2pdma_unmap *r)
{
	struct summary_mapping_key which = {
		.id = r->id, .dma_addr = r->dma_addr, .client = r->client,
	};
	uint64_t id = r->id;
	const struct summary_buffer *buffer = buffer_of(s, id, r->kind);
	struct summary_mapping *mapping = hash_find(&s->mappings, &which);

	if (ends_late(buffer, mapping))
		violation(s, P2PTRACE_LATE_UNMAP, &r->h, id, &r->provider, &r->client, 0);
	if (!mapping) {
		/* One from before the recording may have been made before it, too */
		if (s->beginnings_known && !s->stock && buffer && !buffer->before)
			violation(s, P2PTRACE_UNMAP_WITHOUT_MAP, &r->h, id, &r->provider,
				  &r->client, 0);
		return;
	}
	if (mapping->times > 1) {
		mapping->times--;
		return;
	}
	if (mapping->pair)
		hist_add_time(&mapping->pair->mapped, since(r->h.ts_ns, mapping->since_ns));
	hash_remove(&s->mappings, &which);
}

/* ---- dma-bufs ---- */

static void take_export(struct summary *s, const struct p2ptrace_dma_buf_export *r)
{
	uint64_t id = r->id;
	struct summary_buffer *buffer = hash_add(&s->exported, &id);

	if (!buffer) {
		s->not_followed++;
		return;
	}
	*buffer = (struct summary_buffer){
		.dev = r->exporter, .size = r->size, .since_ns = r->h.ts_ns, .pid = r->h.pid,
	};
	memcpy(buffer->comm, r->h.comm, sizeof(buffer->comm));
}

static void take_dmabuf_map(struct summary *s, const struct p2ptrace_dma_buf_map *r)
{
	struct summary_dmabuf_key key = {
		.provider = r->provider, .client = r->client, .map = r->map, .where = r->where,
	};
	struct summary_attached_key which = { .id = r->id, .client = r->client };
	uint64_t *times = hash_add(&s->attached, &which);

	sum_add(s, &s->dmabufs, &key, r->size);
	if (times)
		++*times;
	else
		s->not_followed++;
}

static void take_dmabuf_unmap(struct summary *s, const struct p2ptrace_dma_buf_unmap *r)
{
	struct summary_attached_key which = { .id = r->id, .client = r->client };
	uint64_t *times = hash_find(&s->attached, &which);

	if (times && !--*times)
		hash_remove(&s->attached, &which);
}

static void take_detach(struct summary *s, const struct p2ptrace_dma_buf_detach *r)
{
	struct summary_attached_key which = { .id = r->id, .client = r->client };

	if (!hash_find(&s->attached, &which))
		return;
	violation(s, P2PTRACE_MAPPED_AT_DETACH, &r->h, r->id, NULL, &r->client, 0);
	hash_remove(&s->attached, &which);
}

/* ---- the rest ---- */

static void take_decision(struct summary *s, const struct p2ptrace_p2pdma_decide *r)
{
	struct summary_decision_key key = {
		.provider = r->provider, .client = r->client, .map = r->map,
		.reason = s->stock ? 0 : r->reason, .distance = (int32_t)r->distance,
		.cached = r->cached,
	};

	if (!s->stock)
		key.blocker = r->blocker;
	sum_add(s, &s->decisions, &key, 0);
}

static void take_reason(struct summary *s, struct hash *hash, const struct p2ptrace_name *dev,
			uint64_t reason, uint64_t size)
{
	struct summary_reason_key key = { .reason = s->stock ? 0 : reason };

	if (dev)
		key.dev = *dev;
	sum_add(s, hash, &key, size);
}

void summary_add(struct summary *s, const struct event *event, const void *record)
{
	const struct p2ptrace_p2pmem_reclaim *reclaim = record;
	const struct p2ptrace_p2pmem_alloc_fail *alloc_fail = record;
	const struct p2ptrace_nvmet_p2pmem_fallback *fallback = record;
	const struct p2ptrace_dma_buf_revoke *revoke = record;
	const struct p2ptrace_dma_buf_release *release = record;
	const struct p2ptrace_header *h = record;
	struct summary_bin *bin = bin_of(s, h->ts_ns);
	uint64_t id;

	if (!s->events++ || h->ts_ns < s->first_ns)
		s->first_ns = h->ts_ns;
	if (h->ts_ns > s->last_ns)
		s->last_ns = h->ts_ns;
	bin->events++;
	tally_count(&s->counts, event, record);
	switch (event - events) {
	case P2PTRACE_p2pmem_alloc:
		take_alloc(s, record, bin);
		break;
	case P2PTRACE_p2pmem_alloc_fail:
		take_reason(s, &s->alloc_fails, &alloc_fail->dev, alloc_fail->reason,
			    alloc_fail->size);
		break;
	case P2PTRACE_p2pmem_free:
		take_free(s, record);
		break;
	case P2PTRACE_p2pmem_reclaim:
		buffer_ends(s, h, reclaim->id, &reclaim->dev);
		break;
	case P2PTRACE_p2pdma_map:
		take_map(s, record, bin);
		break;
	case P2PTRACE_p2pdma_unmap:
		take_unmap(s, record);
		break;
	case P2PTRACE_p2pdma_decide:
		take_decision(s, record);
		break;
	case P2PTRACE_nvmet_p2pmem_fallback:
		bin->fallbacks++;
		take_reason(s, &s->fallbacks, NULL, fallback->reason, fallback->size);
		break;
	case P2PTRACE_dma_buf_export:
		take_export(s, record);
		break;
	case P2PTRACE_dma_buf_release:
		id = release->id;
		hash_remove(&s->exported, &id);
		break;
	case P2PTRACE_dma_buf_map:
		take_dmabuf_map(s, record);
		break;
	case P2PTRACE_dma_buf_unmap:
		take_dmabuf_unmap(s, record);
		break;
	case P2PTRACE_dma_buf_detach:
		take_detach(s, record);
		break;
	case P2PTRACE_dma_buf_revoke:
		if (s->older_than_ns && revoke->waited_ns > s->older_than_ns)
			violation(s, P2PTRACE_REVOKE_TOO_LONG, h, revoke->id, NULL,
				  &revoke->client, revoke->waited_ns);
		break;
	}
}

void summary_open(const struct summary *s, uint64_t before_ns, uint64_t now_ns,
		  struct summary_open *open)
{
	struct hash_node *node = NULL;

	memset(open, 0, sizeof(*open));
	while (hash_next(&s->buffers, &node)) {
		const struct summary_buffer *buffer = hash_value(&s->buffers, node);
		uint64_t id;

		if (buffer->before || buffer->since_ns < s->start_ns ||
		    buffer->since_ns >= before_ns)
			continue;
		if (s->older_than_ns && since(now_ns, buffer->since_ns) > s->older_than_ns)
			open->older++;
		/* The first one is the oldest: they are in the order of their allocation */
		if (open->buffers++)
			continue;
		memcpy(&id, hash_key(&s->buffers, node), sizeof(id));
		open->first_buffer.id = id;
		open->first_buffer.dev = buffer->dev;
		open->first_buffer.pid = buffer->pid;
		memcpy(open->first_buffer.comm, buffer->comm, sizeof(buffer->comm));
	}
	node = NULL;
	while (hash_next(&s->mappings, &node)) {
		const struct summary_mapping *mapping = hash_value(&s->mappings, node);

		if (mapping->before || mapping->since_ns >= before_ns)
			continue;
		if (!open->mappings++)
			open->first_mapping = mapping->first;
	}
}

void summary_free(struct summary *s)
{
	struct hash *const all[] = {
		&s->pairs, &s->decisions, &s->dmabufs, &s->fallbacks, &s->alloc_fails, &s->held,
		&s->buffers, &s->exported, &s->mappings, &s->attached,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		hash_free(all[i]);
}
