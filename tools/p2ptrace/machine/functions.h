/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files that list the functions of the kernel: /proc/kallsyms, and available_filter_functions
 * of tracefs.
 */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include <stdint.h>

/*
 * @addr is 0 if the kernel hides it, and for available_filter_functions. @name is "name" or
 * "name [module]", and may be changed. Returns 0, or a negative errno to end the walk.
 */
typedef int (*function_visit)(void *ctx, uint64_t addr, char *name);

/* The variables with the address of struct page, see bpf/stock.bpf.h. */
#define VMEMMAP_BASE "vmemmap_base"
#define MEM_SECTION "mem_section"

/*
 * Visit the functions in the order of the file. kallsyms_walk() skips data, but for these two.
 * Return 1, 0 if the file is empty, or a negative errno: -EINVAL for a line that is not one of
 * kallsyms.
 */
int kallsyms_walk(const char *path, function_visit visit, void *ctx);
int filter_functions_walk(const char *path, function_visit visit, void *ctx);

#endif /* FUNCTIONS_H */
