/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Selects the events and devices of a run. @by_name: the user named the events, so an unavailable
 * one is an error; otherwise it is left out with a note. The functions return 0, or an exit status
 * after an error message.
 */
#ifndef SELECT_H
#define SELECT_H

#include <stdbool.h>

#include "event/events.h"

struct hooks;
struct kernel;

/* The devices, tasks and sizes that the user asked for. NULL or 0: no restriction. */
struct selection {
	const char *dev, *client, *comm;
	uint64_t pid, min_size;
};

/* Selects all events if they are not named. Removes those that --dev or --client cannot match. */
int select_events(const struct selection *want, bool by_name, struct event_set *set);

/* Removes the events that this kernel cannot show. It is an error if none is left. */
int select_available(const struct kernel *kernel, bool by_name, struct event_set *set);
int select_hooks(const struct kernel *kernel, const struct hooks *hooks, bool by_name,
		 struct event_set *set);

/*
 * The same without a message. set->why has the reason for each event that is removed, and for each
 * that is seen only in part.
 */
void select_seen(const struct kernel *kernel, const struct hooks *hooks, struct event_set *set);

/*
 * For commands that follow buffers and mappings from beginning to end: removes the other events of
 * a buffer, or of a mapping, if the kernel cannot show one of those in @wanted. It is an error if
 * @needed is removed, or if no event is left. P2PTRACE_NR_EVENTS: none is needed.
 */
int select_groups(struct event_set *set, const struct event_set *wanted,
		  enum p2ptrace_event needed);

/* Checks the syntax of the names. */
int select_check_names(const struct selection *want);
/* Finds the devices, and sets up the filter. */
int select_devices(const struct selection *want, struct p2ptrace_filter *filter);

/*
 * Does all of the above, and checks the privileges to trace, for a command with a fixed set of
 * events.
 */
int select_all(const struct selection *want, enum p2ptrace_event needed, struct event_set *set,
	       struct p2ptrace_filter *filter);

/* Names the events that the filters leave out. */
void select_show_left_out(const struct selection *want, const struct event_set *set);

#endif /* SELECT_H */
