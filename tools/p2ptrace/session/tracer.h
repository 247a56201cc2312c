/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session that hands each event to the caller as a record: for "p2ptrace trace" and "p2ptrace
 * record".
 */
#ifndef TRACER_H
#define TRACER_H

#include <stdbool.h>
#include <stdint.h>

#include "event/events.h"
#include "session/select.h"
#include "session/session.h"

struct trace_bpf;

struct tracer {
	/* Set by the caller */
	struct selection want;
	bool by_name;			/* the user named the events in sel.set */
	bool lives;			/* follow buffers from beginning to end */
	uint64_t buffer_bytes;
	/* For the caller */
	struct selected sel;
	struct session session;
	struct trace_bpf *skel;
};

/*
 * Both return 0, or an exit status after an error message. Call tracer_close() in any case.
 *
 * tracer_open() finds the events and devices. tracer_start() takes the callbacks, the duration and
 * the context of @config, fills in the rest, and starts the session.
 */
int tracer_open(struct tracer *tracer);
int tracer_start(struct tracer *tracer, struct session_config *config);
void tracer_close(struct tracer *tracer);

/* Whether the record is wanted: the program that shows the end of a mapping needs the other one. */
static inline bool tracer_wants(const struct tracer *tracer, const struct event *event)
{
	return tracer->sel.set.has[event - events];
}

#endif /* TRACER_H */
