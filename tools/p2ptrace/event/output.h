/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records as lines of text, and what comes after them. Each appends one whole line to @pb. For JSON see json.h.
 *
 * Text:  TIME [CPU] COMM-PID  EVENT  FIELD=VALUE...   TIME is CLOCK_MONOTONIC in seconds, as in dmesg. Values hold no
 *        blanks: bytes other than visible ASCII read \xNN. An empty string reads "-".
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <json-c/json.h>
#include <json-c/printbuf.h>

#include "event/enums.h"
#include "event/events.h"

/* Events that happened and could not be recorded. */
struct lost {
	uint64_t total;
	uint64_t nested;	/* skipped by the kernel, and not caught: see bpf/nested.bpf.h */
	uint64_t *per_cpu;	/* no room in the ring buffer */
	size_t nr_cpus;
};

/* At most, of a line: a byte of a string may become \u0001, or a replacement character */
#define OUTPUT_BYTE 6
#define OUTPUT_ENUM 512		/* the kernel's names are no longer than KSYM_NAME_LEN */
#define OUTPUT_LINE \
	(OUTPUT_BYTE * (P2PTRACE_NQN_LEN + 4 * P2PTRACE_NAME_LEN + P2PTRACE_COMM_LEN) + 2 * OUTPUT_ENUM + 1024)

/* Where a line is to be written: there is room for any one. NULL if there is no memory for that. */
char *output_room(struct printbuf *pb);

/*
 * @record must have passed event_of_record(), which gave @event. On a @stock kernel, what that does not know is left out.
 * 0 or -ENOMEM.
 */
int output_text(struct printbuf *pb, const struct event *event, const void *record, const struct enums *enums, bool stock);

void output_text_end(struct printbuf *pb, uint64_t nr_events, const struct lost *lost);
int output_json_end(struct printbuf *pb, uint64_t nr_events, const struct lost *lost);

/* "cpu0 40, cpu1 12, nested 4", no newline. */
void output_lost_detail(struct printbuf *pb, const struct lost *lost);

/* A string of the kernel's or of the user's, whole, in valid UTF-8; NULL if there is no memory. */
struct json_object *output_json_string(const char *s);

/* Prints one document, on a line of its own, and frees it. 0 or an exit status after saying what is wrong. */
int output_json_document(struct json_object *document, FILE *out);

#endif /* OUTPUT_H */
