/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records as lines of text, and the end of the output. Each function appends one whole line. For
 * JSON see json.h.
 *
 *	TIME [CPU] COMM-PID  EVENT  FIELD=VALUE...
 *
 * TIME is CLOCK_MONOTONIC in seconds, close to the time in dmesg. Values have no blanks: bytes
 * other than visible ASCII are printed as \xNN, and an empty string as "-".
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/enums.h"
#include "event/events.h"
#include "lib/buffer.h"

/* Events that could not be recorded. */
struct lost {
	uint64_t total;
	uint64_t nested;	/* the kernel skipped the program: see bpf/nested.bpf.h */
	uint64_t *per_cpu;	/* the ring buffer was full */
	size_t nr_cpus;
};

/*
 * @record must have passed event_of_record(), which gave @event. Fields that a @stock kernel does
 * not know are left out. 0 or -ENOMEM.
 */
int output_text(struct buffer *lines, const struct event *event, const void *record,
		const struct enums *enums, bool stock);

/*
 * @set: the events that the answer depends on; names those that were not seen. @cut: why a
 * recording is not whole, or NULL.
 */
void output_text_end(struct buffer *lines, uint64_t nr_events, const struct lost *lost,
		     const struct event_set *set);
void output_json_end(struct buffer *lines, uint64_t nr_events, const struct lost *lost,
		     const struct event_set *set, const char *cut);

/* "cpu0 40, cpu1 12, nested 4", no newline. */
void output_lost_detail(struct buffer *text, const struct lost *lost);

#endif /* OUTPUT_H */
