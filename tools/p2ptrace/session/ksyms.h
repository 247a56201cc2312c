/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names of addresses in the kernel, from /proc/kallsyms.
 */
#ifndef KSYMS_H
#define KSYMS_H

#include <stddef.h>
#include <stdint.h>

struct ksym {
	uint64_t addr;
	char *name;		/* "name", or "name [module]" */
};

struct ksyms {
	struct ksym *syms;	/* by address */
	size_t nr;
};

/* Returns 0 or a negative errno. Skips symbols whose address the kernel hides (0). */
int ksyms_load(struct ksyms *ksyms, const char *path);
void ksyms_free(struct ksyms *ksyms);

/* The function at the address and the offset in it. NULL if the address is below all functions. */
const char *ksyms_name(const struct ksyms *ksyms, uint64_t addr, uint64_t *offset);

#endif /* KSYMS_H */
