/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Selects the events and devices of a run. @by_name: the user named the events, so an unavailable
 * one is an error; otherwise it is left out with a note. The functions return 0, or an exit status
 * after an error message.
 */
#ifndef SELECT_H
#define SELECT_H

#include <stdbool.h>

#include "event/enums.h"
#include "event/events.h"

struct hooks;
struct kernel;

/* The devices, tasks and sizes that the user asked for. NULL or 0: no restriction. */
struct selection {
	const char *dev, *client, *comm;
	uint64_t pid, min_size;
};

struct select_how {
	bool by_name;
	bool only_lists;	/* nothing is traced, so privileges do not matter */
	bool groups;		/* see select_groups() */
	enum p2ptrace_event needed;
};

struct selected {
	struct event_set set;		/* those that this kernel shows */
	struct event_set passing;	/* those that the filters can match, on any kernel */
	struct p2ptrace_filter filter;
	struct enums enums;		/* call enums_free() in any case */
};

/*
 * Opens the kernel and selects. to->set has the events that the user named, or that the command
 * needs; an empty set stands for all events that the filters can match.
 */
int select_all(const struct selection *want, const struct select_how *how, struct selected *to);

/*
 * For all events, without a message. set->why has the reason for each event that is removed, and
 * for each that is seen only in part.
 */
void select_seen(const struct kernel *kernel, const struct hooks *hooks, struct event_set *set);

/*
 * The steps of select_all(). This one removes the events without a field that a filter needs.
 */
int select_events(const struct selection *want, bool by_name, struct event_set *set);

/* Removes the events that this kernel cannot show. It is an error if none is left. */
int select_hooks(const struct kernel *kernel, const struct hooks *hooks, bool by_name,
		 struct event_set *set);

/*
 * For commands that follow buffers and mappings from beginning to end: removes the other events of
 * a buffer, or of a mapping, if the kernel cannot show one of those in @wanted. It is an error if
 * @needed is removed, or if no event is left. P2PTRACE_NR_EVENTS: none is needed.
 */
int select_groups(struct event_set *set, const struct event_set *wanted,
		  enum p2ptrace_event needed);

#endif /* SELECT_H */
