/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices and their names, as users write them and as sysfs has them. @sysfs is the root of sysfs.
 */
#ifndef DEVICES_H
#define DEVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "p2ptrace.h"

/* "1:0.0" and "01:00.0" become "0000:01:00.0". Returns 0, or -EINVAL for any other text. */
int pci_name_parse(const char *s, char *name, size_t size);

/* Whether there is a PCI function of this name. */
bool pci_exists(const char *sysfs, const char *pci);

/*
 * The classes of devices by whose names a function is known. RDMA devices come before network
 * interfaces, so a card with many ports keeps its RDMA device.
 */
#define NR_DEVICE_CLASSES 5
extern const char *const device_classes[NR_DEVICE_CLASSES];

/* False for what else a class has: in drm, connectors (card0-DP-1) and the file "version". */
bool is_class_device(const char *class, const char *name);

/*
 * The PCI name of a function, from its PCI name or from the name of a device of these classes or of
 * a block device. Returns 0; -EINVAL if no device can have such a name;
 * -ENODEV if no device has it; -ENXIO for a device that does not belong to one PCI function. A PCI
 * name is accepted whether or not the function exists.
 */
int device_pci(const char *sysfs, const char *s, char *name, size_t size);

/* The names of a PCI function's devices in sysfs, at most eight, by class. */
struct known_as {
	char names[8][64];
	size_t nr;
};

void device_known_as(const char *sysfs, const char *pci, struct known_as *known);

/* Whether @s has the form "p2pmem0"; the device need not exist. */
bool is_p2pmem_name(const char *s);

/*
 * Whether any machine can have a device of this name. Return 0, or EXIT_USAGE after printing which
 * names are accepted.
 */
int dev_check_name(const char *dev);
int client_check_name(const char *client);

/*
 * Set the filter by device (a p2pmem device or its provider) and by client. Return 0, or an exit
 * status after printing which device is unknown.
 */
int filter_set_dev(struct p2ptrace_filter *filter, const char *sysfs, const char *dev);
int filter_set_client(struct p2ptrace_filter *filter, const char *sysfs, const char *client);

/* The provider of a p2pmem device: 0 or a negative errno. */
int dev_provider(const char *sysfs, const char *dev, char *provider, size_t size);

/* Whether the filter selects a p2pmem device. */
bool dev_passes(const struct p2ptrace_filter *filter, const char *sysfs, const char *dev);

/* Whether a PCI function provides peer memory now. */
bool pci_provides(const char *sysfs, const char *pci);

/* The driver of a PCI function, "-" if it has none. */
void pci_driver(const char *sysfs, const char *pci, char *driver, size_t size);

#endif /* DEVICES_H */
