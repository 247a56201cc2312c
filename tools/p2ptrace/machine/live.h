/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine that p2ptrace runs on.
 */
#ifndef LIVE_H
#define LIVE_H

#include "machine/machine.h"
#include "machine/sysfs.h"

/* Where the files of the kernel are. */
struct live_roots {
	const char *sysfs, *procfs, *debugfs;
	const char *boot;	/* with config-RELEASE in it */
	const char *btf;	/* of vmlinux */
	const char *pci_ids;	/* the names of devices; NULL: where libpci has them */
};

#define LIVE_ROOTS \
	((struct live_roots){ SYSFS, "/proc", DEBUGFS, "/boot", VMLINUX_BTF, NULL })

/*
 * Fills a machine after machine_init(). What cannot be read stays unknown, and a function that is
 * removed meanwhile is left out. Returns 0, or an exit status after an error message. Call
 * machine_free() in any case.
 *
 * A name of a device that contains a MAC address or a GUID (enx525400123456) is replaced by one
 * with the PCI name of its function (enx-0000:03:00.0).
 */
int machine_read_live(struct machine *machine, const struct live_roots *roots)
	__attribute__((warn_unused_result));

#endif /* LIVE_H */
