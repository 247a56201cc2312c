/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file "resource" of a PCI function in sysfs: the addresses, as the CPU sees them, of its BARs,
 * its ROM and its windows.
 */
#ifndef RESOURCES_H
#define RESOURCES_H

#include <stddef.h>
#include <stdint.h>

/* include/linux/ioport.h */
#define RESOURCE_IO		0x00000100
#define RESOURCE_MEM		0x00000200
#define RESOURCE_PREFETCH	0x00002000
#define RESOURCE_MEM_64		0x00100000
#define RESOURCE_DISABLED	0x10000000
#define RESOURCE_UNSET		0x20000000

/*
 * In the file are six BARs and the ROM; with CONFIG_PCI_IOV, the six BARs of virtual functions; of
 * a bridge that has a bus, its four windows: I/O, memory, prefetchable memory, and one more.
 */
#define MAX_RESOURCES	17

struct resource {
	uint64_t first, last, flags;
};

/* Returns how many there are: 0 if the file cannot be read, because the function was removed. */
size_t resources_read(struct resource resources[MAX_RESOURCES], const char *sysfs,
		      const char *function);

#endif /* RESOURCES_H */
