/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words of a decision, and what they mean. The kernel has the same names, in lower case and
 * without their prefixes: enum pci_p2pdma_map_type and enum pci_p2pdma_reason. "unknown" and its
 * reasons are p2ptrace's own: a fact is missing that the kernel's decision depends on.
 */
#ifndef DECISION_H
#define DECISION_H

#include <stdbool.h>

#define MAP_BUS_ADDR		"bus_addr"
#define MAP_THRU_HOST_BRIDGE	"thru_host_bridge"
#define MAP_NOT_SUPPORTED	"not_supported"
#define MAP_UNKNOWN		"unknown"

enum reason_id {
	REASON_SAME_FUNCTION,
	REASON_SAME_BRIDGE,
	REASON_ACS_REDIRECT_ALLOWED,
	REASON_ACS_REDIRECT_BLOCKED,
	REASON_BRIDGE_UNREADABLE,
	REASON_HOST_BRIDGE_ALLOWED,
	REASON_CPU_ALLOWED,
	REASON_HOST_BRIDGE_UNKNOWN,
	REASON_NOT_PCI,
	/* The map is unknown: which fact is missing */
	REASON_ROUTE_UNKNOWN,
	REASON_PORT_UNREADABLE,
	REASON_PORT_ALL_ONES,
	REASON_PORT_TRUNCATED,
	REASON_HOST_BRIDGE_UNREADABLE,
	REASON_CPU_UNKNOWN,
	REASON_KERNEL_UNKNOWN,
	NR_REASONS
};

struct reason {
	const char *name;
	const char *words;	/* one clause */
	bool by_acs;		/* disabling ACS redirect gives a better map type */
	bool by_place;		/* slots below one switch give a better map type */
	const char *find_out;	/* how to learn the missing fact, as a command; NULL if none is */
};

extern const struct reason reasons[NR_REASONS];

/* NULL for a name that a newer kernel has added. */
const struct reason *reason_find(const char *name);

/* Whether DMA is possible with this map type. */
bool map_supported(const char *map);

#endif /* DECISION_H */
