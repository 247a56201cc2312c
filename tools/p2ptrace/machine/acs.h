/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What PCI functions do, from their config space, by libpci.
 */
#ifndef ACS_H
#define ACS_H

#include <stdbool.h>

struct pci_access;

/* config_close() afterwards. */
struct pci_access *config_open(const char *sysfs);
void config_close(struct pci_access *config);

struct function {
	bool endpoint;		/* no bridge, by its header */
	bool root_port;
	bool redirects;		/* requests of its peers, by Access Control Services */
};

/*
 * 0; -EACCES if the kernel shows no more than the head of config space, which has no capabilities in it: ask as root;
 * -EIO if it does not show even that.
 */
int config_read(struct pci_access *config, const char *pci, struct function *function);

/* "root port", "switch downstream port" and so on; "bridge" or "device" if config space does not tell. */
const char *pci_kind(const char *sysfs, const char *pci);

#endif /* ACS_H */
