/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which events and devices a run is about. @by_name: the user named the events, so one that cannot be had is an error;
 * otherwise it is left out, and said. All but the last return 0 or an exit status after saying what is wrong.
 */
#ifndef SELECT_H
#define SELECT_H

#include <stdbool.h>

#include "event/events.h"

struct kernel;

/* Which devices, tasks and sizes a run is about, by the names that the user gave. NULL or 0: no restriction. */
struct selection {
	const char *dev, *client, *comm;
	uint64_t pid, min_size;
};

/* All events if they are not named, less those that --dev or --client cannot match. */
int select_events(const struct selection *want, bool by_name, struct event_set *set);

/* Less those that this kernel does not have. */
int select_available(const struct kernel *kernel, bool by_name, struct event_set *set);

/* Whether the names can be ones at all; whether they are there, and what to compare with. */
int select_check_names(const struct selection *want);
int select_devices(const struct selection *want, struct p2ptrace_filter *filter);

/* For who knows which events it takes: all of the above, with privileges to trace them. */
int select_all(const struct selection *want, struct event_set *set, struct p2ptrace_filter *filter);

/* Who asks for the events of a device must not take silence for "there were none". */
void select_show_left_out(const struct selection *want, const struct event_set *set);

#endif /* SELECT_H */
