/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text for Prometheus: OpenMetrics 1.0, or the older text format 0.0.4, which is all that
 * node_exporter's textfile collector reads. They differ in the names of counters and in the end.
 *
 * All samples of a family follow its openmetrics_family().
 */
#ifndef OPENMETRICS_H
#define OPENMETRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buffer.h"
#include "lib/hist.h"

enum openmetrics_type {
	OPENMETRICS_GAUGE,
	OPENMETRICS_COUNTER,	/* its samples are called NAME_total */
	OPENMETRICS_HISTOGRAM,
	OPENMETRICS_INFO,	/* NAME_info, always 1 */
};

#define OPENMETRICS_NAME_LEN 128

struct openmetrics {
	struct buffer text;
	bool plain;			/* format 0.0.4 */
	/* The current family */
	char name[OPENMETRICS_NAME_LEN];
	enum openmetrics_type type;
};

/* The last one has no name. A value may have any bytes. */
struct openmetrics_label {
	const char *name, *value;
};

/* @name: without "_total" and the like. @unit: its last word, "bytes" or "seconds"; or NULL. */
void openmetrics_family(struct openmetrics *om, enum openmetrics_type type, const char *name,
			const char *unit, const char *help);

/* A sample of the current family. @labels may be NULL. */
void openmetrics_uint(struct openmetrics *om, const struct openmetrics_label *labels,
		      uint64_t value);
/* In seconds */
void openmetrics_ns(struct openmetrics *om, const struct openmetrics_label *labels, uint64_t ns);

/*
 * The samples of a histogram, in seconds. The bounds are powers of four between 1 us and 73
 * minutes. A time that equals a bound counts as longer.
 */
void openmetrics_hist(struct openmetrics *om, const struct openmetrics_label *labels,
		      const struct hist *hist);

/* Call it once, after the last sample. */
void openmetrics_end(struct openmetrics *om);

#define OPENMETRICS_CONTENT	"application/openmetrics-text; version=1.0.0; charset=utf-8"
#define OPENMETRICS_CONTENT_PLAIN "text/plain; version=0.0.4; charset=utf-8"

/* Whether the client's header Accept (may be NULL) asks for the older format. */
bool openmetrics_wants_plain(const char *accept);

#endif /* OPENMETRICS_H */
