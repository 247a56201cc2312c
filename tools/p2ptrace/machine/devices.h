/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device names from the command line. @sysfs is where sysfs is mounted.
 */
#ifndef DEVICES_H
#define DEVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "p2ptrace.h"

#define SYSFS "/sys"

/* "1:0.0" and "01:00.0" become "0000:01:00.0". Returns 0 or -EINVAL if it is no PCI name. */
int pci_name_parse(const char *s, char *name, size_t size);

/*
 * The PCI name of a function that is named as such, or by what it is known by: a controller (nvme0), block device, RDMA
 * device or network interface. Returns 0, -EINVAL for what cannot be a name of any, -ENODEV if there is none of that
 * name, and -ENXIO for one that is not behind a PCI function. A PCI name is taken whether or not there is one.
 */
int device_pci(const char *sysfs, const char *s, char *name, size_t size);

/* Says which of these it is, and what to name instead; for device_pci(). @option says where it was written. */
int device_refused(const char *option, const char *s, int err) __attribute__((warn_unused_result));

/*
 * What a PCI function is known by, as sysfs has it: at most eight, which leaves out ports of a card that has many, but not
 * its RDMA device.
 */
struct known_as {
	char names[8][64];
	size_t nr;
};

void device_known_as(const char *sysfs, const char *pci, struct known_as *known);

/* "p2pmem0", whether or not there is one. */
bool is_p2pmem_name(const char *s);

/* Whether it can be the name of one, on any machine. Return 0, or EXIT_USAGE after saying what would be. */
int dev_check_name(const char *dev);
int client_check_name(const char *client);

/*
 * The filter for --dev (a p2pmem device, or its provider) and for --client. Return 0 or an exit status after saying
 * which device is unknown.
 */
int filter_set_dev(struct p2ptrace_filter *filter, const char *sysfs, const char *dev);
int filter_set_client(struct p2ptrace_filter *filter, const char *sysfs, const char *client);

/* Whether there is such a p2pmem device, and who lends its memory: 0 or a negative errno. */
bool dev_exists(const char *sysfs, const char *dev);
int dev_provider(const char *sysfs, const char *dev, char *provider, size_t size);

/* Whether the filter wants a p2pmem device, as its events. */
bool dev_passes(const struct p2ptrace_filter *filter, const char *sysfs, const char *dev);

#endif /* DEVICES_H */
