/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What p2ptrace top shows: the state that it keeps between two samples, and the lines of a screen.
 * Knows nothing about terminals.
 */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include "event/metrics.h"
#include "machine/held.h"
#include "session/counter.h"

enum top_sort {
	TOP_BYTES, TOP_MAPS, TOP_TOTAL, TOP_PROVIDER, TOP_CLIENT, TOP_MAP,
	TOP_NR_SORTS
};

/* The name of an order, and the key that selects it. */
extern const struct top_order {
	const char *name;
	char key;
} top_orders[TOP_NR_SORTS];

#define TOP_LABEL_LEN 192

/* A provider, a client and a map type: since the start, and in the last interval. */
struct top_row {
	struct p2ptrace_pair key;
	uint64_t maps, bytes, new_maps, new_bytes;
	char provider[TOP_LABEL_LEN], client[TOP_LABEL_LEN];	/* "0000:03:00.0 (nvme0)" */
	char map[32];
};

/* The oldest buffer that is held. */
struct top_oldest {
	bool any;
	uint64_t ns;			/* its age */
	char dev[P2PTRACE_NAME_LEN];
	int pid;
	/* The task, and the function that allocated it; "" if it is unknown */
	char comm[P2PTRACE_COMM_LEN], owner[128];
};

struct top {
	const struct counter *counter;
	struct sample start, now, difference;
	struct top_row *rows;		/* by key */
	size_t nr_rows;
	struct top_oldest oldest;
	/* What the user has chosen */
	enum top_sort sort;
	bool reverse, paused, help, typing;	/* typing: the filter */
	char filter[64];
	size_t skip;			/* rows above the first one that is shown */
	uint64_t interval_ns;
};

enum top_style { TOP_PLAIN, TOP_HEAD, TOP_GOOD, TOP_FAIR, TOP_BAD };

#define TOP_LINE_LEN 512

struct top_line {
	enum top_style style;
	char text[TOP_LINE_LEN];
};

/* Takes in a new sample and the sums of pairs. Returns 0 or -ENOMEM. */
int top_update(struct top *top, const struct sample *now, const struct pair_sums *pairs);

/*
 * The lines of a screen of this size, at least one; 0, 0: no limit. The caller frees them. NULL
 * without memory.
 */
struct top_line *top_view(struct top *top, size_t width, size_t height, size_t *nr);

/* An object, and a newline. */
void top_json(const struct top *top, struct buffer *out);

void top_free(struct top *top);

#endif /* TOP_VIEW_H */
