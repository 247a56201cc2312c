/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The order in which the kernel has its PCI functions. It is the order in which the kernel found
 * them: by number, except for a function that was removed and found again.
 */
#ifndef ORDER_H
#define ORDER_H

#include <stddef.h>

struct machine;

/* By number. Call it before there are any parents. */
void order_by_number(struct machine *machine);

/*
 * By the list in /proc/bus/pci/devices, which has no domains. Its lines are matched with functions
 * by all that both show. If several functions match a line, they are taken in the order in which
 * their directories in sysfs were made, which the inode numbers show. This counts only if the whole
 * list agrees with the inode numbers. Sets machine->ordered, or leaves the functions as they are.
 * Returns 0 or -ENOMEM.
 */
int order_by_kernel(struct machine *machine, const char *sysfs, const char *procfs);

/*
 * Keeps the functions with these @nr indices, in this order, and no others. A function whose parent
 * is not kept has an unknown one. Returns 0 or -ENOMEM.
 */
int order_apply(struct machine *machine, const size_t *indices, size_t nr);

#endif /* ORDER_H */
