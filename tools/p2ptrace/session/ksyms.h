/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names for addresses in the kernel.
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

/* 0 or a negative errno. Symbols that the kernel hides from us (all 0) are left out. */
int ksyms_load(struct ksyms *ksyms, const char *path);
void ksyms_free(struct ksyms *ksyms);

/* The function that the address is in, and how far; NULL if it is below all of them. */
const char *ksyms_name(const struct ksyms *ksyms, uint64_t addr, uint64_t *offset);

#endif /* KSYMS_H */
