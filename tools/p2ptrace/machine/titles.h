/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names that the PCI ID database has for functions.
 */
#ifndef TITLES_H
#define TITLES_H

#include "machine/machine.h"

/* @pci_ids: a database; NULL for the one that libpci uses. */
void titles_read(struct machine *machine, const char *sysfs, const char *pci_ids);

#endif /* TITLES_H */
