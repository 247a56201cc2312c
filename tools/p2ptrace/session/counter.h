/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counts of bpf/stat.bpf.c, which stat shows and check judges.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include "event/enums.h"
#include "event/events.h"
#include "event/metrics.h"
#include "p2ptrace.h"
#include "session/select.h"
#include "session/session.h"

struct stat_bpf;

struct counter {
	struct selected sel;	/* once started, its set has the events that are attached */
	struct metrics metrics;
	struct metrics known;		/* and those of events that this kernel cannot show */
	struct session session;
	struct stat_bpf *skel;
	bool follow;			/* each buffer and mapping */
	/* Set by the caller before counter_start() */
	uint64_t older_than_ns;		/* 0: no limit */
	bool by_pair;			/* count pairs with follow as well */
	struct p2ptrace_counts *per_cpu;
};

/* These return 0, or an exit status after an error message. Call counter_close() in any case. */

/*
 * Finds the events and metrics that this kernel has and @want does not exclude. Checks privileges
 * only if counter_start() will follow (@started).
 */
int counter_open(struct counter *counter, const struct selection *want, bool started);

/*
 * From its return on, all events are counted, and with @follow each buffer and mapping is followed.
 * Then a buffer that is held for longer than counter->older_than_ns is a violation. @config says
 * when to pause and how long to run; its events are set here. An event that cannot be attached is
 * removed from counter->sel.set, and its metrics from counter->metrics.
 */
int counter_start(struct counter *counter, struct session_config *config, bool follow);

/* Buffers, mappings and revocations that were seen to begin before a given time and go on. */
struct counter_live {
	uint64_t buffers, mappings;
	uint64_t older;			/* buffers that are held for longer than older_than_ns */
	uint64_t revokes;		/* revocations that have waited for longer */
	/* The oldest, if there are any */
	struct p2ptrace_first first_buffer, first_mapping, first_revoke;
	uint64_t first_buffer_ns;	/* its age */
};

/* Only with follow, and before the session ends. */
int counter_live(struct counter *counter, uint64_t before_ns, struct counter_live *live);

/* The first violation of a kind. Returns false if there was none. */
bool counter_first(struct counter *counter, enum p2ptrace_violation kind,
		   struct p2ptrace_first *first);

/* The DMA mappings of a provider's memory by a client, of one map type, since the start. */
struct pair_sum {
	struct p2ptrace_pair key;
	uint64_t maps, bytes;
};

struct pair_sums {
	struct pair_sum *sums;	/* those with most bytes first */
	size_t nr;
};

/* Without follow, or with by_pair. Call pair_sums_free() in any case. */
int counter_pairs(struct counter *counter, struct pair_sums *pairs);
void pair_sums_free(struct pair_sums *pairs);

/* The counts since the start. */
int counter_sample(struct counter *counter, struct sample *sample);

void counter_close(struct counter *counter);

#endif /* COUNTER_H */
