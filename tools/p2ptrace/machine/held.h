/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The buffers that are allocated now, from debugfs.
 */
#ifndef HELD_H
#define HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "p2ptrace.h"

/* An allocated buffer. The words are the kernel's, and printable. */
struct held {
	char dev[P2PTRACE_NAME_LEN];
	uint64_t id, size, age_ms;
	int nents, pins, pid;
	char state[16];		/* live, freed, user */
	char owner[128];	/* the function that allocated it */
	bool known;		/* the caller has set @seen from what our BPF program saw */
	struct p2ptrace_owner seen;
};

struct held_list {
	struct held *held;	/* the oldest first */
	size_t nr;
};

/*
 * Reads the buffers of all devices that the filter selects. Buffers and devices may come and go
 * meanwhile. Returns 0, or an exit status after an error message. Call held_free() only after a 0.
 */
int held_read(struct held_list *list, const char *sysfs, const char *debugfs,
	      const struct p2ptrace_filter *filter);

/*
 * Adds a buffer whose allocation our BPF program saw; a stock kernel does not list its buffers.
 * Returns 0 or an exit status. Call held_sort() after the last one.
 */
int held_add_owner(struct held_list *list, uint64_t id, const struct p2ptrace_owner *owner,
		   uint64_t now_ns);
void held_sort(struct held_list *list);

void held_free(struct held_list *list);

#endif /* HELD_H */
