/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The decisions of this machine for the pairs of functions that matter, as "p2ptrace peers" shows
 * them, in a form that is small enough to keep.
 */
#ifndef PATHS_H
#define PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "machine/machine.h"

/* More pairs are left out, beginning with providers that have no peer memory now. */
#define PATHS_MAX 1024

enum path_rank {
	PATH_UNKNOWN = -1,
	PATH_REFUSED,			/* not_supported */
	PATH_THROUGH_HOST,		/* thru_host_bridge */
	PATH_DIRECT,			/* bus_addr */
};

struct path {
	char provider[PCI_NAME_LEN], client[PCI_NAME_LEN];
	char map[WORD_LEN], reason[WORD_LEN], blocker[PCI_NAME_LEN];	/* blocker: "" for none */
	bool reported;			/* by the kernel, not predicted */
	enum path_rank rank;
};

struct paths {
	struct path *list;
	size_t nr, left_out;
};

/*
 * Decides all pairs. @provider and @client, PCI names, restrict the pairs if they are not NULL or
 * empty. Returns 0 or -ENOMEM. Call paths_free() in any case.
 */
int paths_find(struct paths *paths, const struct machine *machine, const char *provider,
	       const char *client);
void paths_free(struct paths *paths);

#endif /* PATHS_H */
