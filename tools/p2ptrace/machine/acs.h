/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a PCI function is and whether it redirects peer requests, from its config space (by libpci).
 */
#ifndef ACS_H
#define ACS_H

#include <stdbool.h>

struct pci_access;

/*
 * Never NULL; config_close() frees it. If libpci fails for good (out of memory), an error message
 * is printed and the program exits.
 */
struct pci_access *config_open(const char *sysfs);
void config_close(struct pci_access *config);

struct config_function {
	bool endpoint;		/* by its header: not a bridge */
	bool root_port;
	bool redirects;		/* peer requests, by Access Control Services (ACS) */
};

/*
 * Returns 0; -EACCES if the kernel shows only the head of config space, which has no capabilities
 * (root may read the rest); -EIO if it does not show even the head.
 */
int config_read(struct pci_access *config, const char *pci, struct config_function *function);

/* "root port", "endpoint" and so on; "bridge" or "device" if config space does not show it. */
const char *pci_kind(const char *sysfs, const char *pci);

#endif /* ACS_H */
