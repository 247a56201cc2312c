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

/* "p2pmem0", whether or not there is one. */
bool is_p2pmem_name(const char *s);

/* Whether it can be the name of one, on any machine. Return 0, or EXIT_USAGE after saying what would be. */
int dev_check_name(const char *dev);
int client_check_name(const char *client);

/*
 * The filter for --dev (a p2pmem device, or the PCI name of its provider) and for --client. Return 0 or an exit
 * status after saying which device is unknown.
 */
int filter_set_dev(struct p2ptrace_filter *filter, const char *sysfs, const char *dev);
int filter_set_client(struct p2ptrace_filter *filter, const char *sysfs, const char *client);

/* Whether there is such a p2pmem device, and who lends its memory: 0 or a negative errno. */
bool dev_exists(const char *sysfs, const char *dev);
int dev_provider(const char *sysfs, const char *dev, char *provider, size_t size);

/* Whether the filter wants a p2pmem device, as its events. */
bool dev_passes(const struct p2ptrace_filter *filter, const char *sysfs, const char *dev);

#endif /* DEVICES_H */
