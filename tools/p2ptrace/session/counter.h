/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counts of bpf/stat.bpf.c: what stat shows, and check judges.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include "event/events.h"
#include "event/metrics.h"
#include "p2ptrace.h"
#include "session/session.h"

struct selection;
struct stat_bpf;

struct counter {
	struct p2ptrace_filter filter;
	struct event_set set;
	struct metrics metrics;
	struct session session;
	struct stat_bpf *skel;
	uint64_t older_than_ns;		/* set by the caller once it is open; 0: however long */
	struct p2ptrace_counts *per_cpu;
};

/* All return 0 or an exit status after saying what is wrong. counter_close() afterwards in any case. */

/* Finds the events and metrics that this kernel has and @want lets pass. Takes privileges only if it is to be @started. */
int counter_open(struct counter *counter, const struct selection *want, bool started);

/*
 * From here on, all is counted, and each buffer and mapping followed if @follow: a buffer that is held for longer than
 * counter->older_than_ns is a violation then, if that is set. @config says when to pause and how long to run; its events are filled in here.
 */
int counter_start(struct counter *counter, struct session_config *config, bool follow);

/* Buffers and mappings that were seen to begin before a given time, and have not ended. */
struct counter_live {
	uint64_t buffers, mappings;
	uint64_t older;			/* buffers that are held for longer than older_than_ns */
	struct p2ptrace_first first_buffer, first_mapping;	/* the oldest, if there are any */
};

/* Only while it is attached, and if they are followed. */
int counter_live(struct counter *counter, uint64_t before_ns, struct counter_live *live);

/* The first of a kind; false if there was none. Also when it is no longer attached. */
bool counter_first(struct counter *counter, enum p2ptrace_violation kind, struct p2ptrace_first *first);

/* The sum so far. */
int counter_sample(struct counter *counter, struct sample *sample);

void counter_close(struct counter *counter);

#endif /* COUNTER_H */
