/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events put together: the life of a buffer from its allocation until its memory comes back, with each mapping in
 * between, and the request of the NVMe target that it was for.
 */
#ifndef LIVES_H
#define LIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/enums.h"
#include "event/events.h"
#include "lib/buffer.h"
#include "p2ptrace.h"

#define LIFE_MAX_MAPS	64	/* of each buffer, that can be followed */

struct life_map {
	struct p2ptrace_name client;
	uint64_t dma_addr, size;
	uint64_t from_ns, to_ns;	/* CLOCK_MONOTONIC; 0: has not ended */
	uint32_t dir, map;
};

struct life {
	/* What names it: an id, or on a stock kernel its bus addresses, of which a mapping may tell any */
	struct life_key {
		uint64_t id, span;
	} key;
	struct p2ptrace_p2pmem_alloc alloc;
	uint64_t freed_ns, back_ns;	/* freed before it came back if it was still mapped */
	bool used;
	struct p2ptrace_nvmet_p2pmem_use use;	/* if it is */
	struct life_map *maps;		/* in the order in which they were made */
	size_t nr;
	uint64_t unseen;		/* mappings for which there was no room */
};

struct lives {
	bool stock;			/* set by the caller */
	void *tree;			/* of those that have not ended, by key */
	size_t nr;
	uint64_t not_followed;		/* buffers and mappings for which there was no room */
};

/* What it takes, of all events. */
void lives_events(struct event_set *set);

/*
 * Takes an event into account. Returns the life that it ends, if it does, and then the caller frees it. An event that
 * fits no life is from before, and ignored.
 */
struct life *lives_add(struct lives *lives, const struct event *event, const void *record);
void life_free(struct life *life);
void lives_free(struct lives *lives);

/* A line of text or JSON. A @stock kernel does not know which request a buffer was for. */
void life_text(struct buffer *lines, const struct life *life, const struct enums *enums);
void life_json(struct buffer *lines, const struct life *life, const struct enums *enums, bool stock);

#endif /* LIVES_H */
