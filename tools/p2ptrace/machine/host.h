/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the running kernel says about the machine as a whole: its release, its CPU, its hypervisor,
 * and the options that it was booted with.
 */
#ifndef HOST_H
#define HOST_H

struct live_roots;
struct machine;

/* Returns 0 or -ENOMEM. */
int host_read(struct machine *machine, const struct live_roots *roots);

#endif /* HOST_H */
