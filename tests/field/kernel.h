/* SPDX-License-Identifier: GPL-2.0 */
/* What kernel.c, a shared object with the kernel's own code, and compare.c tell each other. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>

struct kernel_function {
	const char *name;		/* 0000:01:00.0 */
	int parent;			/* index of the bridge above it, or -1 */
	int root;
	int physfn;			/* index, or -1 */
	bool own_bus;			/* a virtual function on a bus of its own */
	unsigned int slot;		/* device and function number: 0x08 for 01.0 */
	unsigned short vendor, device;
	unsigned int type;		/* device/port type of the PCI Express capability */
	int acs;			/* control register; -1 without the capability */
};

/* In the order in which the kernel found the functions. */
struct kernel_machine {
	const struct kernel_function *functions;
	size_t nr, nr_roots;
	bool amd;			/* the vendor of the CPU */
	unsigned int cpu_family;
};

struct kernel_decision {
	const char *map;		/* in the words of decision.h */
	int distance;
	char ports[4096];		/* as the kernel prints them, if it does */
};

/* One machine at a time. */
void kernel_build(const struct kernel_machine *machine);
void kernel_decide(int provider, int client, struct kernel_decision *decision);

#endif /* KERNEL_H */
