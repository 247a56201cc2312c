/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nvmet as a module of a stock kernel: whether it is loaded, and where its structures have the
 * members that the BPF programs read.
 */
#ifndef NVMET_MODULE_H
#define NVMET_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "p2ptrace.h"

/* A number that differs from that of the last time it was loaded, or 0 if it is not loaded. */
uint64_t nvmet_loaded(const char *sysfs);

/*
 * Whether it offers a subsystem at a port. Before, no host can have sent a request that uses peer
 * memory.
 */
bool nvmet_in_use(const char *configfs);

/* Reads the BTF of the kernel and of the module. Returns 0 or a negative errno. */
int nvmet_places(struct p2ptrace_nvmet *places, const char *vmlinux_btf, const char *nvmet_btf);

#endif /* NVMET_MODULE_H */
