/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The BARs of all PCI functions, with the addresses that the CPU and the bus have for them.
 */
#ifndef BARS_H
#define BARS_H

#include "p2ptrace.h"

/* Returns 0 to go on. Any other value ends the walk. */
typedef int (*bar_visit)(void *ctx, const struct p2ptrace_bar_key *key,
			 const struct p2ptrace_bar *bar);

/* Skips what is no memory or has no address. Returns 0, a negative errno, or what @visit does. */
int bars_walk(const char *sysfs, bar_visit visit, void *ctx);

#endif /* BARS_H */
