/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counts records as bpf/stat.bpf.c counts events in the kernel.
 */
#ifndef TALLY_H
#define TALLY_H

#include "event/events.h"
#include "p2ptrace.h"

/* @record must have passed event_of_record(), which gave @event. */
void tally_count(struct p2ptrace_counts *counts, const struct event *event, const void *record);

#endif /* TALLY_H */
