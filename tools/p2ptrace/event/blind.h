/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The events that an answer depends on and that p2ptrace does not see on this kernel, or sees only
 * in part. A command says so in its answer.
 */
#ifndef BLIND_H
#define BLIND_H

#include <stdbool.h>

#include "event/events.h"
#include "lib/buffer.h"

/* Adds a reason. A reason that is there already is not repeated. */
void blind_add(struct event_set *set, unsigned int event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

bool blind_any(const struct event_set *set);

/* "EVENT is not seen: REASON" or "EVENT is seen in part, without REASON", no newline. */
void blind_text_one(struct buffer *out, const struct event_set *set, unsigned int event);

/* A line for each of the events, which begins with @prefix. */
void blind_text(struct buffer *out, const struct event_set *set, const char *prefix);

/* "blind":["p2pdma_unmap"] */
void blind_json(struct buffer *out, const struct event_set *set);

/* "blind_why":{"p2pdma_unmap":"REASON"} */
void blind_json_why(struct buffer *out, const struct event_set *set);

#endif /* BLIND_H */
