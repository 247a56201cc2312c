/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is held just now, as debugfs has it.
 */
#ifndef HELD_H
#define HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "p2ptrace.h"

/* A buffer that has not come back. The words are the kernel's, and printable. */
struct held {
	char dev[P2PTRACE_NAME_LEN];
	uint64_t id, size, age_ms;
	int nents, pins, pid;
	char state[16];		/* live, freed, user */
	char owner[128];	/* the function that allocated it */
	bool known;		/* to our own program, as follows; set by the caller */
	struct p2ptrace_owner seen;
};

struct held_list {
	struct held *held;	/* the oldest first */
	size_t nr;
};

/*
 * Of all devices that the filter lets pass. Buffers come and go while they are read. 0 or an exit status after saying
 * what is wrong.
 */
int held_read(struct held_list *list, const char *sysfs, const char *debugfs, const struct p2ptrace_filter *filter);

/* One that a stock kernel does not list, as our own program has seen it allocated. 0 or an exit status. */
int held_add_owner(struct held_list *list, uint64_t id, const struct p2ptrace_owner *owner, uint64_t now_ns);
void held_sort(struct held_list *list);

void held_free(struct held_list *list);

#endif /* HELD_H */
