/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a kernel would decide that does not tell: drivers/pci/p2pdma.c once more, fed from sysfs and config space. As in
 * the series, what there is to know is gathered first, and then judged without looking anywhere.
 */
#ifndef PREDICT_H
#define PREDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "machine/peers.h"

struct pci_access;

#define CPUINFO "/proc/cpuinfo"

/* What is known of a host bridge: whether it sends requests of peers on. */
enum host_bridge {
	HOST_BRIDGE_UNKNOWN,
	HOST_BRIDGE_OWN,	/* between what is below it, but not to another host bridge */
	HOST_BRIDGE_ALL,
};

/* Provider or client, with all of the hardware that a decision depends on. */
struct end {
	struct pci_path path;
	bool redirects[PATH_MAX_DEPTH];	/* for each function on the path, also the end itself: by ACS */
	bool endpoint;			/* no bridge */
	enum host_bridge host_bridge;
};

/* 0, or a negative errno; end_refused() says what it means, and returns an exit status. */
int end_read(struct end *end, struct pci_access *config, const char *sysfs, const char *pci);
int end_refused(const char *pci, int err) __attribute__((warn_unused_result));

/* Those on the way that redirect, in the kernel's order; none if the way leads through the root anyway. */
struct redirects {
	const char *names[2 * PATH_MAX_DEPTH];	/* up from the provider, then up from the client */
	size_t nr;
	size_t nr_provider;			/* on the provider's side, or shared */
};

void redirects_gather(struct redirects *redirects, const struct end *provider, const struct end *client);

/* Fills in all but the client. @cpu_allows: the CPU is known to send requests of peers on. */
void predict(const struct end *provider, const struct end *client, bool cpu_allows, struct peer *peer);

/* cpu_supports_p2pdma(): 0, or a negative errno if @cpuinfo cannot be read. */
int cpu_read(const char *cpuinfo, bool *allows);

/*
 * All providers and clients, as peers_load() has them. @vmlinux_btf tells whether the kernel has P2PDMA if nobody lends
 * anything. Returns 0 or an exit status after saying what is wrong, and what to do about it.
 */
int predict_load(struct peers *peers, const char *sysfs, const char *cpuinfo, const char *vmlinux_btf);

#endif /* PREDICT_H */
