/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long buffers and dma-bufs are held and mapped: the histograms of bpf/lifetimes.bpf.c, which
 * lifetimes shows and export exports.
 */
#ifndef DURATIONS_H
#define DURATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/hist.h"
#include "p2ptrace.h"
#include "session/select.h"
#include "session/session.h"

struct lifetimes_bpf;

/*
 * The times that the buffers of a device, or the dma-bufs of an exporter, were held or, with a
 * client, mapped for it; or that revocations waited for the client.
 */
struct duration {
	struct p2ptrace_lifetime key;
	struct hist hist;
};

struct durations {
	const struct selected *sel;	/* the caller's */
	struct lifetimes_bpf *skel;
	struct session session;
	/* As of the last durations_read() */
	struct duration *list;		/* by device or exporter, and client */
	size_t nr;
	uint64_t unknown;		/* ends of what began before the start */
};

/* Adds the events that tell the durations. A filter excludes some of them. */
void durations_events(const struct selection *want, struct event_set *set);

/* The rest return 0, or an exit status after a message. Call durations_close() in any case. */

/* @duration_ns: of session_run(); 0: until a signal. */
int durations_start(struct durations *durations, const struct selected *sel,
		    uint64_t duration_ns);

int durations_read(struct durations *durations);

/*
 * When the oldest buffer that is held was allocated (CLOCK_MONOTONIC), of those that were allocated
 * since the start; 0 if none is held.
 */
int durations_oldest(struct durations *durations, uint64_t *since_ns);

void durations_close(struct durations *durations);

#endif /* DURATIONS_H */
