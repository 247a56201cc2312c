/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Predicts what the kernel decides for a provider and a client, from a machine alone. Follows
 * calc_map_type_and_dist() in drivers/pci/p2pdma.c. If a fact is unknown that the decision depends
 * on, the decision is unknown.
 */
#ifndef DECIDE_H
#define DECIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "machine/decision.h"
#include "machine/machine.h"

/* The kernel whose rules are followed. */
struct release {
	int major, minor;	/* UNKNOWN: 0, 0 */
};

/* "6.12.117-amd64" is 6.12. Returns 0 or -EINVAL. */
int release_parse(const char *text, struct release *release);

/* The next release whose rules or list of host bridges differ. False if there is none. */
bool release_next(const struct release *after, struct release *next);

/*
 * The route between two functions. Indices of functions. Where the way up from one of them is not
 * known any further, its list ends.
 */
struct route {
	/* Up from each, beginning with the function itself, to the root bus */
	int provider[MAX_DEPTH], client[MAX_DEPTH];
	size_t nr_provider, nr_client;
	int shared;		/* the lowest function that both have above them, or are; NONE */
	/*
	 * The ports whose ACS redirects peer requests, in the kernel's order: up from the provider,
	 * then up from the client. The kernel looks at the first @nr_ruled, those below the shared
	 * bridge. The others are on the way through the root complex, where the kernel's rule
	 * ignores ACS but hardware may not.
	 */
	int redirects[2 * MAX_DEPTH];
	size_t nr_redirects, nr_ruled;
	/* Functions on the way whose ACS is unknown, likewise */
	int unreadable[2 * MAX_DEPTH];
	size_t nr_unreadable, nr_unreadable_ruled;
};

/*
 * False if the route is unknown because a parent is. It is known if the two share a bridge, even if
 * what is above that bridge is not.
 */
bool route_find(struct route *route, const struct machine *machine, int provider, int client);

/*
 * Which function represents a host bridge, and what the kernel knows about it. The kernel takes the
 * first function on the root bus, in the order in which it found them, if that is function 00.0 or
 * a root port.
 */
struct host_bridge {
	int first;		/* the first function on the root bus; NONE; UNKNOWN */
	int function;		/* @first if the kernel takes it; NONE; UNKNOWN */
	bool assumed;		/* the lowest number, because the kernel's order is unknown */
	bool any_slot;		/* a root port other than 00.0, which the kernel takes since 5.19 */
	enum presence listed;	/* whether @first is in the list of any release */
	const struct known_bridge *known;	/* its entry if it is; NULL */
};

/* An entry of pci_p2pdma_whitelist[], of any release. */
struct known_bridge {
	int vendor, device;		/* NONE: any device */
	const char *name;
	bool same_only;			/* between devices below it, not to another host bridge */
	struct release since;		/* the first release that has it */
	struct release until;		/* the first release that has not; 0, 0: none */
};

extern const struct known_bridge known_bridges[];
extern const size_t nr_known_bridges;

/* @root: may be UNKNOWN. */
void host_bridge_find(struct host_bridge *bridge, const struct machine *machine, int root);

/*
 * Whether a kernel knows that the host bridge forwards peer requests: between devices below it
 * (@same), or to another host bridge. PRESENCE_UNKNOWN if a fact is missing or the release is.
 */
enum presence host_bridge_forwards(const struct host_bridge *bridge, const struct release *release,
				   bool same);

/* Whether the kernel has the entry; PRESENCE_UNKNOWN if the release is. */
enum presence known_bridge_in(const struct known_bridge *known, const struct release *release);

/*
 * Whether the kernel allows all host bridges because of the CPU: AMD Zen or newer, since
 * dea286bb71ba ("PCI/P2PDMA: Allow P2PDMA on AMD Zen and newer CPUs", 5.9).
 */
enum presence cpu_allows(const struct machine *machine, const struct release *release);

struct decision {
	const char *map;	/* one of decision.h; MAP_UNKNOWN if a fact is missing */
	int distance;		/* UNKNOWN if the route is */
	enum reason_id reason;	/* if the map is unknown: which fact is missing */
	int blocker;		/* the function that the reason is about; NONE */
};

/*
 * If the release is unknown, or older than 5.4, whose rules differed, the map is known where it is
 * the same by the rules of all releases from 5.4 on. A release newer than 7.3 has the rules of 7.3.
 */
void decide(struct decision *decision, const struct machine *machine,
	    const struct release *release, int provider, int client);

/* The same if @port, between two that share a bridge, redirects; but the distance is not set. */
void decide_redirected(struct decision *decision, const struct machine *machine,
		       const struct release *release, int provider, int client, int port);

/*
 * For a table of many pairs: decide() without searching the machine twice for each pair. The ends
 * are valid until the machine changes.
 */
struct end_facts {
	int function;
	int up[MAX_DEPTH];	/* as in struct route */
	size_t nr;
	bool complete;		/* the list reaches the root bus */
	struct host_bridge bridge;
};

void end_facts_find(struct end_facts *end, const struct machine *machine, int function);
/*
 * Those of many functions, with one search for each host bridge. The caller frees
 * them. NULL without memory.
 */
struct end_facts *end_facts_find_all(const struct machine *machine, const int *functions,
				     size_t nr);
void decide_ends(struct decision *decision, const struct machine *machine,
		 const struct release *release, const struct end_facts *provider,
		 const struct end_facts *client);

/*
 * Where two functions are, in the words of NCCL and of nvidia-smi topo:
 *
 *	X	the same function
 *	PIX	at most one PCIe switch between them
 *	PXB	several switches, but no host bridge
 *	PHB	a host bridge
 *	NODE	two host bridges of one NUMA node
 *	SYS	two NUMA nodes
 *	?	unknown
 *
 * This is about their places, not about the way of the data, which ACS can redirect.
 */
const char *proximity(const struct machine *machine, int a, int b);

#endif /* DECIDE_H */
