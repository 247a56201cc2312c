/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Log2 histograms of times.
 */
#ifndef HIST_H
#define HIST_H

#include <stddef.h>
#include <stdint.h>

#include "hist_types.h"

/* Adds the histogram of another CPU. */
void hist_add(struct hist *sum, const struct hist *hist);

/*
 * The time that @percent of the times do not exceed; 0 for an empty histogram. Assumes that times
 * are spread evenly within a slot. Never more than the longest time.
 */
uint64_t hist_percentile(const struct hist *hist, unsigned int percent);

/* A slot counts times of at least @from and less than @to ns. */
void hist_slot_range(unsigned int slot, uint64_t *from, uint64_t *to);

/* "950ns", "1.50us", "20.0ms", "1.23s" */
void hist_time(uint64_t ns, char *text, size_t size);

#endif /* HIST_H */
