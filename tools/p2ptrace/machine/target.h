/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The NVMe target: what configfs, and debugfs with the series for 7.3, say of its ports, subsystems
 * and namespaces, and which devices do DMA for them.
 */
#ifndef TARGET_H
#define TARGET_H

#include <ifaddrs.h>
#include <stdbool.h>
#include <stddef.h>

#include "machine/machine.h"

struct live_roots;

struct target_nic {
	char name[PCI_NAME_LEN];	/* an RDMA device: mlx5_0 */
	char pci[PCI_NAME_LEN];		/* "" if no PCI function does its DMA, as for soft-RoCE */
};

struct target_port {
	char name[16];			/* its directory: 1 */
	char transport[16];		/* "rdma", "tcp", "loop", "fc"; "" if not set */
	char address[64], service[16];
	char interface[PCI_NAME_LEN];	/* the network interface with this address; "" if none */
	bool any_address;		/* 0.0.0.0 or :: */
	struct target_nic *nics;	/* of a port with transport rdma */
	size_t nr_nics;
};

struct target_drive {
	char name[PCI_NAME_LEN];	/* of the block device: nvme0n1; "" for a file */
	char pci[PCI_NAME_LEN];		/* "" if it does not belong to one PCI function */
	char driver[PCI_NAME_LEN];	/* of the PCI function */
	const char *problem;		/* why it does no DMA to peer memory: a clause; NULL */
};

/* A controller of the series that could be bound. */
struct target_binding {
	unsigned int controller;
	char dev[PCI_NAME_LEN];		/* p2pmem0; "-" */
	char err[PCI_NAME_LEN];		/* "-ENODEV"; "0" */
};

struct target_namespace {
	char nsid[16];
	char path[512];			/* device_path; "" if not set */
	char asks[PCI_NAME_LEN];	/* p2pmem: "0", "1", a device; "" without the file */
	bool enabled;
	struct target_drive drive;
	bool shows_bindings;		/* only with the series, for 7.3 also nvmet's debugfs */
	struct target_binding *bindings;
	size_t nr_bindings;
};

struct target_subsystem {
	char nqn[256];
	bool passthru;			/* it passes requests to a controller, without namespaces */
	struct target_namespace *namespaces;
	size_t nr_namespaces;
	size_t *ports;			/* indices of the ports that export it */
	size_t nr_ports;
};

struct target {
	struct target_port *ports;
	size_t nr_ports;
	struct target_subsystem *subsystems;
	size_t nr_subsystems;
};

/*
 * Reads the target below @configfs. @addresses: those of this machine, as getifaddrs() returns
 * them. Returns 0, or an exit status after an error message. Call target_free() in any case.
 */
int target_read(struct target *target, const char *configfs, const struct live_roots *roots,
		const struct ifaddrs *addresses);
void target_free(struct target *target);

#endif /* TARGET_H */
