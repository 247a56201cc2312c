/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of a buffer, put together from events: from its allocation until its memory is free,
 * with its mappings, and the request of the NVMe target that used it.
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

#define LIFE_MAX_MAPS	64	/* mappings of a buffer that are recorded */

struct life_map {
	struct p2ptrace_name client;
	uint64_t dma_addr, size;
	uint64_t from_ns, to_ns;	/* CLOCK_MONOTONIC; 0: has not ended */
	uint32_t dir, map;
};

struct life {
	/* An id; on a stock kernel the bus addresses, as a mapping may begin at any of them */
	struct life_key {
		uint64_t id, span;
	} key;
	struct p2ptrace_p2pmem_alloc alloc;
	uint64_t freed_ns;	/* 0 unless it was freed while still mapped */
	uint64_t back_ns;	/* when its memory was free again */
	bool used;
	struct p2ptrace_nvmet_p2pmem_use use;	/* valid if used is set */
	struct life_map *maps;		/* in the order of their beginnings */
	size_t nr;
	uint64_t unseen;		/* mappings beyond LIFE_MAX_MAPS */
	struct life *older, *younger;	/* by allocation */
};

struct lives {
	bool stock;			/* set by the caller */
	void *tree;			/* of the lives that have not ended, by key */
	struct life *oldest, *youngest;
	size_t nr;
	/*
	 * The number of buffers and mappings that were dropped: evicted (the oldest first), or not
	 * recorded for lack of room
	 */
	uint64_t not_followed;
};

/* Adds the events that lives are made from. */
void lives_events(struct event_set *set);

/*
 * Adds an event. If it ends a life, returns the life, and the caller frees it; otherwise NULL. An
 * event of a buffer that was allocated before is ignored.
 */
struct life *lives_add(struct lives *lives, const struct event *event, const void *record);
void life_free(struct life *life);
void lives_free(struct lives *lives);

/* A line of text or JSON. A @stock kernel does not know which request a buffer was for. */
void life_text(struct buffer *lines, const struct life *life, const struct enums *enums);
void life_json(struct buffer *lines, const struct life *life, const struct enums *enums,
	       bool stock);

#endif /* LIVES_H */
