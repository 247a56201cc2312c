/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Predicts the decisions of a kernel that does not show them. Follows drivers/pci/p2pdma.c, with
 * sysfs and PCI config space as input. end_read() gathers everything about a device; predict()
 * decides from that alone.
 */
#ifndef PREDICT_H
#define PREDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "machine/peers.h"

struct pci_access;

/* Whether a host bridge is known to forward peer requests, and how far. */
enum host_bridge {
	HOST_BRIDGE_UNKNOWN,
	HOST_BRIDGE_OWN,	/* between devices below it, but not to another host bridge */
	HOST_BRIDGE_ALL,
};

/* A provider or client, with all hardware properties that a decision depends on. */
struct end {
	struct pci_path path;
	bool redirects[PATH_MAX_DEPTH];	/* by ACS; for each function of the path */
	bool endpoint;			/* not a bridge */
	enum host_bridge host_bridge;
};

/*
 * Returns 0 or a negative errno. end_refused() prints what the errno means and returns an exit
 * status.
 */
int end_read(struct end *end, struct pci_access *config, const char *sysfs, const char *pci);
int end_refused(const char *pci, int err) __attribute__((warn_unused_result));

/*
 * The functions between provider and client that redirect, in the kernel's order. None if the two
 * share no bridge, because then redirects make no difference.
 */
struct redirects {
	const char *names[2 * PATH_MAX_DEPTH];	/* up from the provider, then up from the client */
	size_t nr;
	size_t nr_provider;			/* on the provider's side, or shared */
};

void redirects_gather(struct redirects *redirects, const struct end *provider,
		      const struct end *client);

/* Fills in everything but the client. @cpu_allows: the CPU is known to forward peer requests. */
void predict(const struct end *provider, const struct end *client, bool cpu_allows,
	     struct peer *peer);

/* The test of the kernel's cpu_supports_p2pdma(). Returns 0, or a negative errno for @cpuinfo. */
int cpu_read(const char *cpuinfo, bool *allows);

/*
 * Like peers_load(). @vmlinux_btf tells whether the kernel has P2PDMA; it is only read if there is
 * no provider. Skips a device that is removed meanwhile. Returns 0, or an exit status after an
 * error message.
 */
int predict_load(struct peers *peers, const char *sysfs, const char *cpuinfo,
		 const char *vmlinux_btf);

#endif /* PREDICT_H */
