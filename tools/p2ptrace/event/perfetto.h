/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A recording as a trace of Perfetto: see PERFETTO in p2ptrace-report(8). The numbers of fields are
 * those of perfetto/trace/perfetto_trace.proto.
 */
#ifndef PERFETTO_H
#define PERFETTO_H

#include <stdbool.h>
#include <stdint.h>

#include "event/recording.h"
#include "lib/buffer.h"
#include "lib/hash.h"

struct perfetto {
	const struct recording *recording;
	struct buffer *out;		/* the caller takes what is written from time to time */
	struct hash groups;		/* tracks of devices, by name */
	struct hash buffers, mappings, dmabufs;	/* slices that have not ended */
	uint64_t last_uuid;
	uint64_t first_ns, last_ns;	/* first_ns is 0 until there is an event */
	uint64_t left_out;		/* slices and instants without room */
};

/* Writes the beginning. Call perfetto_free() in any case. */
void perfetto_begin(struct perfetto *perfetto, const struct recording *recording,
		    struct buffer *out);
void perfetto_add(struct perfetto *perfetto, const void *record);
/* Writes the rest. */
void perfetto_end(struct perfetto *perfetto);
void perfetto_free(struct perfetto *perfetto);

#endif /* PERFETTO_H */
