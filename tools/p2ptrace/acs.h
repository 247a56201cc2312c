/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What PCI ports do, from their config space, by libpci.
 */
#ifndef ACS_H
#define ACS_H

#include <stdbool.h>

/*
 * Whether a function redirects requests of its peers, by Access Control Services, as drivers/pci/p2pdma.c sees it. False
 * also if it has none, or if its config space cannot be read: ask as root.
 */
bool acs_redirects(const char *sysfs, const char *pci);

/* "root port", "switch downstream port" and so on; "bridge" or "device" if config space does not tell. */
const char *pci_kind(const char *sysfs, const char *pci);

#endif /* ACS_H */
