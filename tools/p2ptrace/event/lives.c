// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "event/lives.h"
#include "event/output.h"
#include "lib/hist.h"
#include "lib/text.h"
#include "lib/units.h"

/* So many at a time, as the BPF programs of other subcommands; with their mappings that is some 16 MB at worst. */
/* Nobody maps a buffer so often at a time; who does it one after the other does not get our memory. */

void lives_events(struct event_set *set)
{
	set->has[P2PTRACE_p2pmem_alloc] = set->has[P2PTRACE_p2pmem_free] = set->has[P2PTRACE_p2pmem_reclaim] = true;
	set->has[P2PTRACE_p2pmem_dma_map] = set->has[P2PTRACE_p2pmem_dma_unmap] = true;
	set->has[P2PTRACE_nvmet_p2pmem_use] = true;
}

/* The key comes first in a life. What overlaps is the same: ids have a span of 1. */
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

static struct life *life_remove(struct lives *lives, uint64_t id, uint64_t now)
{
	struct life *life = life_find(lives, id);

	if (!life)
		return NULL;
	tdelete(life, &lives->tree, by_key);
	lives->nr--;
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

	/* On a stock kernel, addresses come again: if one is still in use, its end was lost */
	while ((place = tfind(&key, &lives->tree, by_key))) {
		life = *place;
		tdelete(life, &lives->tree, by_key);
		lives->nr--;
		life_free(life);
	}
	life = lives->nr < P2PTRACE_MAX_LIVE ? calloc(1, sizeof(*life)) : NULL;
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
	lives->nr++;
}

static void life_map(struct lives *lives, const struct p2ptrace_p2pmem_dma_map *map)
{
	struct life *life = life_find(lives, map->id);
	struct life_map *more;

	if (!life)
		return;
	more = life->nr < LIFE_MAX_MAPS ? reallocarray(life->maps, life->nr + 1, sizeof(*more)) : NULL;
	if (!more) {
		life->unseen++;
		lives->not_followed++;
		return;
	}
	life->maps = more;
	life->maps[life->nr++] = (struct life_map){
		.client = map->client, .dma_addr = map->dma_addr, .size = map->size, .from_ns = map->h.ts_ns,
		.dir = map->dir, .map = map->map,
	};
}

static void life_unmap(struct lives *lives, const struct p2ptrace_p2pmem_dma_unmap *unmap)
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
	case P2PTRACE_p2pmem_dma_map:
		life_map(lives, record);
		break;
	case P2PTRACE_p2pmem_dma_unmap:
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
			return life_remove(lives, freed->id, freed->h.ts_ns);
		life = life_find(lives, freed->id);
		if (life)
			life->freed_ns = freed->h.ts_ns;
		break;
	case P2PTRACE_p2pmem_reclaim:
		return life_remove(lives, reclaim->id, reclaim->h.ts_ns);
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

/*
 * 12.345678 p2pmem0 id=17 size=16384 held=1.23ms by fio-123 for ctrl=1 qid=2 cid=3 nsid=1 opcode=0x2:
 * 0000:04:00.0 bus_addr from_device 870us after 35us, ...; all on one line.
 */
void life_text(struct printbuf *pb, const struct life *life, const struct enums *enums)
{
	char dev[4 * P2PTRACE_NAME_LEN + 1], comm[4 * P2PTRACE_COMM_LEN + 1], ns[32], after[32], map[32];
	char dir[32];
	const struct p2ptrace_p2pmem_alloc *alloc = &life->alloc;

	sprintbuf(pb, "%5" PRIu64 ".%06" PRIu64 " %s id=%" PRIu64 " size=%" PRIu64 " held=%s by %s-%" PRIu32,
		  alloc->h.ts_ns / NSEC_PER_SEC, alloc->h.ts_ns / NSEC_PER_USEC % USEC_PER_SEC,
		  word(dev, sizeof(dev), alloc->dev.s, sizeof(alloc->dev.s)), life->key.id, (uint64_t)alloc->size,
		  time_text(ns, sizeof(ns), life->back_ns - alloc->h.ts_ns),
		  word(comm, sizeof(comm), alloc->h.comm, sizeof(alloc->h.comm)), alloc->h.pid);
	if (life->used)
		sprintbuf(pb, " for ctrl=%u qid=%u cid=%u nsid=%" PRIu32 " opcode=0x%x", life->use.cntlid, life->use.qid,
			  life->use.cid, life->use.nsid, life->use.opcode);
	for (size_t i = 0; i < life->nr; i++) {
		const struct life_map *m = &life->maps[i];

		sprintbuf(pb, "%s %s %s %s %s after %s", i ? "," : ":", word(dev, sizeof(dev), m->client.s, sizeof(m->client.s)),
			  enums_name(enums, ENUM_MAP_TYPE, m->map, map, sizeof(map)),
			  enums_name(enums, ENUM_DMA_DIRECTION, m->dir, dir, sizeof(dir)),
			  m->to_ns ? time_text(ns, sizeof(ns), m->to_ns - m->from_ns) : "not unmapped",
			  time_text(after, sizeof(after), m->from_ns - alloc->h.ts_ns));
	}
	if (life->unseen)
		sprintbuf(pb, ", and %" PRIu64 " more mappings", life->unseen);
	if (life->freed_ns)
		sprintbuf(pb, "; freed %s before it came back", time_text(ns, sizeof(ns), life->back_ns - life->freed_ns));
	sprintbuf(pb, "\n");
}

static struct json_object *json_name(const char *s, size_t size)
{
	char name[P2PTRACE_NAME_LEN + 1];

	snprintf(name, sizeof(name), "%.*s", (int)size, s);
	return output_json_string(name);
}

static struct json_object *json_map(const struct life *life, const struct life_map *m, const struct enums *enums)
{
	struct json_object *object = json_object_new_object();
	char name[32];

	json_object_object_add(object, "client", json_name(m->client.s, sizeof(m->client.s)));
	json_object_object_add(object, "dma_addr", json_object_new_uint64(m->dma_addr));
	json_object_object_add(object, "size", json_object_new_uint64(m->size));
	json_object_object_add(object, "dir", json_object_new_string(enums_name(enums, ENUM_DMA_DIRECTION, m->dir, name,
										 sizeof(name))));
	json_object_object_add(object, "map", json_object_new_string(enums_name(enums, ENUM_MAP_TYPE, m->map, name,
										 sizeof(name))));
	json_object_object_add(object, "after_ns", json_object_new_uint64(m->from_ns - life->alloc.h.ts_ns));
	json_object_object_add(object, "mapped_ns", m->to_ns ? json_object_new_uint64(m->to_ns - m->from_ns) : NULL);
	return object;
}

static struct json_object *json_request(const struct p2ptrace_nvmet_p2pmem_use *use)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "cntlid", json_object_new_int(use->cntlid));
	json_object_object_add(object, "qid", json_object_new_int(use->qid));
	json_object_object_add(object, "cid", json_object_new_int(use->cid));
	json_object_object_add(object, "nsid", json_object_new_uint64(use->nsid));
	json_object_object_add(object, "opcode", json_object_new_int(use->opcode));
	return object;
}

int life_json(struct printbuf *pb, const struct life *life, const struct enums *enums, bool stock)
{
	struct json_object *object = json_object_new_object(), *maps = json_object_new_array();
	const struct p2ptrace_p2pmem_alloc *alloc = &life->alloc;
	const char *line;

	json_object_object_add(object, "ts_ns", json_object_new_uint64(alloc->h.ts_ns));
	json_object_object_add(object, "event", json_object_new_string("life"));
	json_object_object_add(object, "cpu", json_object_new_uint64(alloc->h.cpu));
	json_object_object_add(object, "pid", json_object_new_uint64(alloc->h.pid));
	json_object_object_add(object, "comm", json_name(alloc->h.comm, sizeof(alloc->h.comm)));
	json_object_object_add(object, "dev", json_name(alloc->dev.s, sizeof(alloc->dev.s)));
	json_object_object_add(object, "id", json_object_new_uint64(life->key.id));
	json_object_object_add(object, "size", json_object_new_uint64(alloc->size));
	json_object_object_add(object, "held_ns", json_object_new_uint64(life->back_ns - alloc->h.ts_ns));
	json_object_object_add(object, "freed_ns", json_object_new_uint64((life->freed_ns ?: life->back_ns) - alloc->h.ts_ns));
	if (!stock)
		json_object_object_add(object, "request", life->used ? json_request(&life->use) : NULL);
	json_object_object_add(object, "maps", maps);
	json_object_object_add(object, "more_maps", json_object_new_uint64(life->unseen));
	for (size_t i = 0; i < life->nr; i++)
		json_object_array_add(maps, json_map(life, &life->maps[i], enums));
	line = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (line)
		sprintbuf(pb, "%s\n", line);
	json_object_put(object);
	return line ? 0 : -ENOMEM;
}
