// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/lives.h"
#include "lib/hist.h"
#include "lib/json.h"
#include "lib/text.h"
#include "lib/units.h"

void lives_events(struct event_set *set)
{
	event_set_add_buffer(set);
	event_set_add_mapping(set);
	set->has[P2PTRACE_nvmet_p2pmem_use] = true;
}

/*
 * The key is the first member of a life. Keys that overlap compare as equal. An id has a span of 1.
 */
static int by_key(const void *a, const void *b)
{
	const struct life_key *x = a, *y = b;

	if (x->id < y->id)
		return y->id - x->id >= x->span ? -1 : 0;
	return x->id - y->id >= y->span;
}

static struct life *life_find(const struct lives *lives, uint64_t id)
{
	struct life_key key = { id, 1 };
	struct life **found = tfind(&key, &lives->tree, by_key);

	return found ? *found : NULL;
}

static void life_unlink(struct lives *lives, struct life *life)
{
	*(life->older ? &life->older->younger : &lives->oldest) = life->younger;
	*(life->younger ? &life->younger->older : &lives->youngest) = life->older;
	tdelete(life, &lives->tree, by_key);
	lives->nr--;
}

/* @life is in the tree. */
static void life_link(struct lives *lives, struct life *life)
{
	life->older = lives->youngest;
	*(life->older ? &life->older->younger : &lives->oldest) = life;
	lives->youngest = life;
	lives->nr++;
}

static struct life *life_end(struct lives *lives, uint64_t id, uint64_t now)
{
	struct life *life = life_find(lives, id);

	if (!life)
		return NULL;
	life_unlink(lives, life);
	life->back_ns = now;
	return life;
}

void life_free(struct life *life)
{
	if (life)
		free(life->maps);
	free(life);
}

static void life_begin(struct lives *lives, const struct p2ptrace_p2pmem_alloc *alloc)
{
	struct life_key key = { alloc->id, lives->stock && alloc->size ? alloc->size : 1 };
	struct life *life, **place;

	/* A stock kernel uses addresses again. If one is still in use, its end was missed. */
	while ((place = tfind(&key, &lives->tree, by_key))) {
		life = *place;
		life_unlink(lives, life);
		life_free(life);
	}
	/* A buffer that is never freed must not keep later ones from being followed */
	if (lives->nr >= P2PTRACE_MAX_LIVE) {
		life = lives->oldest;
		life_unlink(lives, life);
		life_free(life);
		lives->not_followed++;
	}
	life = calloc(1, sizeof(*life));
	if (!life) {
		lives->not_followed++;
		return;
	}
	life->key = key;
	life->alloc = *alloc;
	place = tsearch(life, &lives->tree, by_key);
	if (!place) {
		free(life);
		lives->not_followed++;
		return;
	}
	life_link(lives, life);
}

static void life_map(struct lives *lives, const struct p2ptrace_p2pdma_map *map)
{
	struct life *life = life_find(lives, map->id);
	struct life_map *more;

	if (!life)
		return;
	more = life->nr < LIFE_MAX_MAPS ?
	       reallocarray(life->maps, life->nr + 1, sizeof(*more)) : NULL;
	if (!more) {
		life->unseen++;
		lives->not_followed++;
		return;
	}
	life->maps = more;
	life->maps[life->nr++] = (struct life_map){
		.client = map->client, .dma_addr = map->dma_addr, .size = map->size,
		.from_ns = map->h.ts_ns,
		.dir = map->dir, .map = map->map,
	};
}

static void life_unmap(struct lives *lives, const struct p2ptrace_p2pdma_unmap *unmap)
{
	struct life *life = life_find(lives, unmap->id);

	for (size_t i = 0; life && i < life->nr; i++) {
		struct life_map *map = &life->maps[i];

		if (map->to_ns || map->dma_addr != unmap->dma_addr ||
		    memcmp(&map->client, &unmap->client, sizeof(map->client)))
			continue;
		map->to_ns = unmap->h.ts_ns;
		return;
	}
}

struct life *lives_add(struct lives *lives, const struct event *event, const void *record)
{
	const struct p2ptrace_p2pmem_reclaim *reclaim = record;
	const struct p2ptrace_nvmet_p2pmem_use *use = record;
	const struct p2ptrace_p2pmem_free *freed = record;
	struct life *life;

	switch (event - events) {
	case P2PTRACE_p2pmem_alloc:
		life_begin(lives, record);
		break;
	case P2PTRACE_p2pdma_map:
		life_map(lives, record);
		break;
	case P2PTRACE_p2pdma_unmap:
		life_unmap(lives, record);
		break;
	case P2PTRACE_nvmet_p2pmem_use:
		life = life_find(lives, use->id);
		if (life) {
			life->used = true;
			life->use = *use;
		}
		break;
	case P2PTRACE_p2pmem_free:
		if (!freed->pins)
			return life_end(lives, freed->id, freed->h.ts_ns);
		life = life_find(lives, freed->id);
		if (life)
			life->freed_ns = freed->h.ts_ns;
		break;
	case P2PTRACE_p2pmem_reclaim:
		return life_end(lives, reclaim->id, reclaim->h.ts_ns);
	}
	return NULL;
}

static void free_node(void *life)
{
	life_free(life);
}

void lives_free(struct lives *lives)
{
	tdestroy(lives->tree, free_node);
	memset(lives, 0, sizeof(*lives));
}

static const char *time_text(char *to, size_t size, uint64_t ns)
{
	hist_time(ns, to, size);
	return to;
}

static const char *word(char *to, size_t size, const char *s, size_t len)
{
	return text_word(to, size, s, strnlen(s, len)) ? to : "-";
}

static void map_text(struct buffer *lines, const struct life *life, const struct life_map *m,
		     const struct enums *enums)
{
	char client[4 * P2PTRACE_NAME_LEN + 1], map[32], dir[32], ns[32], after[32];

	buffer_printf(lines, " %s %s %s %s after %s",
		      word(client, sizeof(client), m->client.s, sizeof(m->client.s)),
		      enums_name(enums, ENUM_MAP_TYPE, m->map, map, sizeof(map)),
		      enums_name(enums, ENUM_DMA_DIRECTION, m->dir, dir, sizeof(dir)),
		      m->to_ns ? time_text(ns, sizeof(ns), m->to_ns - m->from_ns) : "not unmapped",
		      time_text(after, sizeof(after), m->from_ns - life->alloc.h.ts_ns));
}

/*
 * 12.345678 p2pmem0 id=17 size=16384 held=1.23ms by fio-123 for ctrl=1 qid=2 cid=3 nsid=1
 * opcode=0x2: 0000:04:00.0 bus_addr from_device 870us after 35us, ...; on one line.
 */
void life_text(struct buffer *lines, const struct life *life, const struct enums *enums)
{
	char dev[4 * P2PTRACE_NAME_LEN + 1], comm[4 * P2PTRACE_COMM_LEN + 1], ns[32];
	const struct p2ptrace_p2pmem_alloc *alloc = &life->alloc;
	uint64_t us = alloc->h.ts_ns / NSEC_PER_USEC % USEC_PER_SEC;
	uint64_t s = alloc->h.ts_ns / NSEC_PER_SEC;

	buffer_printf(lines, "%5" PRIu64 ".%06" PRIu64 " %s id=%" PRIu64 " size=%" PRIu64
		      " held=%s by %s-%" PRIu32,
		      s, us, word(dev, sizeof(dev), alloc->dev.s, sizeof(alloc->dev.s)),
		      life->key.id, (uint64_t)alloc->size,
		      time_text(ns, sizeof(ns), life->back_ns - alloc->h.ts_ns),
		      word(comm, sizeof(comm), alloc->h.comm, sizeof(alloc->h.comm)), alloc->h.pid);
	if (life->used)
		buffer_printf(lines, " for ctrl=%" PRIu64 " qid=%" PRIu64 " cid=%" PRIu64
			      " nsid=%" PRIu64 " opcode=0x%" PRIx64,
			      (uint64_t)life->use.cntlid, (uint64_t)life->use.qid,
			      (uint64_t)life->use.cid, (uint64_t)life->use.nsid,
			      (uint64_t)life->use.opcode);
	for (size_t i = 0; i < life->nr; i++) {
		buffer_add(lines, i ? "," : ":", 1);
		map_text(lines, life, &life->maps[i], enums);
	}
	if (life->unseen)
		buffer_printf(lines, ", and %" PRIu64 " more mapping%s", life->unseen,
			      PLURAL(life->unseen));
	if (life->freed_ns)
		buffer_printf(lines, "; freed %s before its memory was reclaimed",
			      time_text(ns, sizeof(ns), life->back_ns - life->freed_ns));
	buffer_add(lines, "\n", 1);
}

static void map_json(struct buffer *lines, const struct life *life, const struct life_map *m,
		     const struct enums *enums)
{
	char name[32];

	json_open(lines, NULL, '{');
	json_str_of(lines, "client", m->client.s, sizeof(m->client.s));
	json_uint(lines, "dma_addr", m->dma_addr);
	json_uint(lines, "size", m->size);
	json_str(lines, "dir",
		    enums_name(enums, ENUM_DMA_DIRECTION, m->dir, name, sizeof(name)));
	json_str(lines, "map", enums_name(enums, ENUM_MAP_TYPE, m->map, name, sizeof(name)));
	json_uint(lines, "after_ns", m->from_ns - life->alloc.h.ts_ns);
	if (m->to_ns)
		json_uint(lines, "mapped_ns", m->to_ns - m->from_ns);
	else
		json_none(lines, "mapped_ns");
	json_close(lines, '}');
}

static void request_json(struct buffer *lines, const struct p2ptrace_nvmet_p2pmem_use *use)
{
	json_open(lines, "request", '{');
	json_uint(lines, "cntlid", use->cntlid);
	json_uint(lines, "qid", use->qid);
	json_uint(lines, "cid", use->cid);
	json_uint(lines, "nsid", use->nsid);
	json_uint(lines, "opcode", use->opcode);
	json_close(lines, '}');
}

void life_json(struct buffer *lines, const struct life *life, const struct enums *enums, bool stock)
{
	const struct p2ptrace_p2pmem_alloc *alloc = &life->alloc;

	json_open(lines, NULL, '{');
	json_uint(lines, "ts_ns", alloc->h.ts_ns);
	json_str(lines, "event", "life");
	json_uint(lines, "cpu", alloc->h.cpu);
	json_uint(lines, "pid", alloc->h.pid);
	json_str_of(lines, "comm", alloc->h.comm, sizeof(alloc->h.comm));
	json_str_of(lines, "dev", alloc->dev.s, sizeof(alloc->dev.s));
	json_uint(lines, "id", life->key.id);
	json_uint(lines, "size", alloc->size);
	json_uint(lines, "held_ns", life->back_ns - alloc->h.ts_ns);
	json_uint(lines, "freed_ns",
		  (life->freed_ns ? life->freed_ns : life->back_ns) - alloc->h.ts_ns);
	if (!stock && life->used)
		request_json(lines, &life->use);
	else if (!stock)
		json_none(lines, "request");
	json_open(lines, "maps", '[');
	for (size_t i = 0; i < life->nr; i++)
		map_json(lines, life, &life->maps[i], enums);
	json_close(lines, ']');
	json_uint(lines, "more_maps", life->unseen);
	json_close(lines, '}');
	buffer_add(lines, "\n", 1);
}
