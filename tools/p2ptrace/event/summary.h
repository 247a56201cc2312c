/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happened in a recording, put together from its records in one pass: how much went which
 * way, decisions, fallbacks, lifetimes, what is still held, and violations. Memory does not grow
 * with the number of records.
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/events.h"
#include "hist_types.h"
#include "lib/hash.h"
#include "p2ptrace.h"

#define SUMMARY_MAX_KEYS	4096	/* pairs, decisions and so on */

/* DMA mappings by pair, kind and map type: p2pdma_map. */
struct summary_pair_key {
	struct p2ptrace_name provider, client;
	uint32_t map, kind;
};

struct summary_pair {
	uint64_t maps, bytes;
	uint64_t bytes_to, bytes_from;	/* to the client, from the client */
	struct hist mapped;
};

/* Decisions: p2pdma_decide. */
struct summary_decision_key {
	struct p2ptrace_name provider, client, blocker;
	uint32_t map, reason;
	int64_t distance;
	uint64_t cached;
};

/* Mappings of dma-bufs: dma_buf_map. */
struct summary_dmabuf_key {
	struct p2ptrace_name provider, client;
	uint32_t map, where;
};

/* Requests that fell back, by reason; allocations that failed, by device and reason. */
struct summary_reason_key {
	struct p2ptrace_name dev;
	uint64_t reason;
};

struct summary_sum {
	uint64_t count, bytes;
	struct hist times;		/* of a device: how long buffers were held */
};

/* A buffer, or a dma-buf with @exported, that is allocated. Key: its id. */
struct summary_buffer {
	struct p2ptrace_name dev;	/* or the exporter */
	uint64_t size, since_ns;
	uint32_t pid;
	char comm[P2PTRACE_COMM_LEN];
	bool before;			/* allocated before the recording began */
	bool freed;			/* and still mapped */
};

/* A DMA mapping that has not ended. */
struct summary_mapping_key {
	uint64_t id, dma_addr;
	struct p2ptrace_name client;
};

struct summary_mapping {
	uint64_t since_ns, size;
	uint32_t times;
	bool before;
	bool allocated;		/* the buffer was, during the recording, and not freed */
	struct summary_pair *pair;	/* NULL if there were too many */
	struct p2ptrace_first first;
};

/*
 * The timeline: what happened in each of SUMMARY_BINS intervals of @bin_ns. The intervals grow
 * with the recording.
 */
#define SUMMARY_BINS	240

struct summary_bin {
	uint64_t bytes[P2PTRACE_NR_VALUES];	/* mapped, by map type */
	uint64_t fallbacks, events;
	uint64_t held_bytes, held;	/* at most */
};

struct summary {
	/* Set by the caller */
	bool stock;
	bool beginnings_known;		/* each buffer that is not known was not allocated */
	uint64_t start_ns;		/* what is older happened while we attached */
	uint64_t older_than_ns;		/* 0: no limit */
	/* The result */
	uint64_t events, first_ns, last_ns;
	struct p2ptrace_counts counts;
	struct hash pairs, decisions, dmabufs, fallbacks, alloc_fails;
	struct hash held;		/* struct summary_sum by struct p2ptrace_name */
	struct hash buffers, exported, mappings;
	struct hash attached;		/* mappings of a dma-buf by a client: see struct below */
	uint64_t held_now, held_bytes;
	uint64_t not_followed;		/* what did not fit */
	struct p2ptrace_first firsts[P2PTRACE_NR_VIOLATIONS];
	struct summary_bin bins[SUMMARY_BINS];
	uint64_t bin_ns, bins_from_ns;
	size_t nr_bins;
};

struct summary_attached_key {
	uint64_t id;
	struct p2ptrace_name client;
};

/* Call it after the caller's members are set. */
void summary_begin(struct summary *summary);
/* A buffer that was allocated before the recording began. */
void summary_before(struct summary *summary, uint64_t id);
/* @record must have passed event_of_record(), which gave @event. */
void summary_add(struct summary *summary, const struct event *event, const void *record);
void summary_free(struct summary *summary);

/*
 * The buffers and mappings that began before @before_ns, but during the recording, and have not
 * ended; buffers of these that are older than the limit at @now_ns; and the first of each.
 */
struct summary_open {
	uint64_t buffers, mappings, older;
	struct p2ptrace_first first_buffer, first_mapping;
};

void summary_open(const struct summary *summary, uint64_t before_ns, uint64_t now_ns,
		  struct summary_open *open);

#endif /* SUMMARY_H */
