/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much peer memory there is and how much of it is in use, from sysfs.
 */
#ifndef GAUGES_H
#define GAUGES_H

#include <stdbool.h>
#include <stdint.h>

#include "p2ptrace.h"

/* What the p2pmem devices have at a moment, all that are wanted together. From sysfs, so exact, also at the start. */
struct gauges {
	uint64_t devices;
	uint64_t size;
	uint64_t held;		/* buffers that are handed out */
	uint64_t held_bytes;
	uint64_t pinned;	/* DMA mappings */
};

/*
 * Reads the gauges of the devices below @sysfs that the filter lets pass; a @stock kernel has neither held nor pinned.
 * What goes away meanwhile counts as gone. 0 or an exit status after saying what is wrong.
 */
int gauges_read(struct gauges *gauges, bool stock, const char *sysfs, const struct p2ptrace_filter *filter);

#endif /* GAUGES_H */
