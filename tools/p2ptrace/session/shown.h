/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a kernel shows of each event, and through which functions and tracepoints.
 */
#ifndef SHOWN_H
#define SHOWN_H

#include "event/events.h"

struct kernel;

/*
 * Prints each event with its fields. Below it: whether it is seen, by which hooks, and what of it
 * the kernel cannot show. @kernel is NULL if it could not be opened; then the hooks of all kernels
 * are printed.
 */
void shown_print(const struct kernel *kernel);

/* The same for a given set, as select_seen() leaves it; NULL for all kernels. */
void shown_print_set(const struct event_set *set);

#endif /* SHOWN_H */
