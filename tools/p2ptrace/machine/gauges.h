/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much peer memory there is and how much of it is in use, from sysfs.
 */
#ifndef GAUGES_H
#define GAUGES_H

#include <stdbool.h>
#include <stdint.h>

#include "p2ptrace.h"

/* Sums over the selected devices. The kernel keeps these figures, so they need no tracing. */
struct gauges {
	uint64_t devices;
	uint64_t size;
	uint64_t held;		/* allocated buffers */
	uint64_t held_bytes;
	uint64_t pinned;	/* DMA mappings */
	uint64_t dmabufs;	/* all that exist; only session/counter.c counts them */
	uint64_t dmabuf_bytes;
};

/*
 * Reads the gauges of the devices below @sysfs that the filter selects; a @stock kernel has neither
 * held nor pinned. Skips a device that is removed meanwhile. Returns 0, or an exit status after an
 * error message.
 */
int gauges_read(struct gauges *gauges, bool stock, const char *sysfs,
		const struct p2ptrace_filter *filter);

#endif /* GAUGES_H */
