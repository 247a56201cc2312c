/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much data the NVMe drives of this machine have moved.
 */
#ifndef DRIVES_H
#define DRIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "p2ptrace.h"

struct drive {
	char pci[P2PTRACE_NAME_LEN];
	uint64_t bytes;		/* read and written, since the drive appeared */
};

struct drives {
	struct drive *drives;
	size_t nr;
};

/* Drives may come and go meanwhile. 0, or -ENOMEM. Call drives_free() in any case. */
int drives_read(struct drives *drives, const char *sysfs);
void drives_free(struct drives *drives);

/* What the drive has moved since @from. False if that is unknown: it is not a drive, or is new. */
bool drives_moved(const struct drives *to, const struct drives *from, const char *pci,
		  uint64_t *bytes);

#endif /* DRIVES_H */
