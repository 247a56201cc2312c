/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the running kernel says about the machine as a whole: its release, its CPU, its hypervisor,
 * and the options that it was booted with.
 */
#ifndef HOST_H
#define HOST_H

#include "machine/machine.h"

struct live_roots;

/* Returns 0 or -ENOMEM. */
int host_read(struct machine *machine, const struct live_roots *roots);

/* Whether the kernel was built with @option, also as a module: its configuration says so. */
enum presence kernel_option(const struct live_roots *roots, const char *option);

#endif /* HOST_H */
