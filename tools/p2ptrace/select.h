/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which events and devices a run is about. @by_name: the user named the events, so one that cannot be had is an error;
 * otherwise it is left out, and said. All but the last return 0 or an exit status after saying what is wrong.
 */
#ifndef SELECT_H
#define SELECT_H

#include <stdbool.h>

#include "events.h"
#include "options.h"

struct kernel;

/* All events if they are not named, less those that --dev or --client cannot match. */
int select_events(const struct common_options *o, bool by_name, struct event_set *set);

/* Less those that this kernel does not have. */
int select_available(const struct kernel *kernel, bool by_name, struct event_set *set);

/* Whether the names can be ones at all; whether they are there, and what to compare with. */
int select_check_names(const struct common_options *o);
int select_devices(const struct common_options *o, struct p2ptrace_filter *filter);

/* For who knows which events it takes: all of the above, with privileges to trace them. */
int select_all(const struct common_options *o, struct event_set *set, struct p2ptrace_filter *filter);

/* Who asks for the events of a device must not take silence for "there were none". */
void select_show_left_out(const struct common_options *o, const struct event_set *set);

#endif /* SELECT_H */
