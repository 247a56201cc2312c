// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <string.h>

#include "machine/decision.h"

const struct reason reasons[NR_REASONS] = {
	[REASON_SAME_FUNCTION] = {
		.name = "same_function",
		.words = "provider and client are the same PCI function",
	},
	[REASON_SAME_BRIDGE] = {
		.name = "same_bridge",
		.words = "both are below one bridge, and no port redirects peer requests",
	},
	[REASON_ACS_REDIRECT_ALLOWED] = {
		.name = "acs_redirect_allowed",
		.words = "a port redirects peer requests to the root complex (ACS), and the host "
			 "bridge is known to forward them",
		.by_acs = true,
	},
	[REASON_ACS_REDIRECT_BLOCKED] = {
		.name = "acs_redirect_blocked",
		.words = "a port redirects peer requests to the root complex (ACS), and the host "
			 "bridge is not known to forward them",
		.by_acs = true,
	},
	[REASON_HOST_BRIDGE_ALLOWED] = {
		.name = "host_bridge_allowed",
		.words = "they share no bridge, and the host bridge is known to forward requests",
		.by_place = true,
	},
	[REASON_CPU_ALLOWED] = {
		.name = "cpu_allowed",
		.words = "they share no bridge, and the CPU is known to forward requests",
		.by_place = true,
	},
	[REASON_HOST_BRIDGE_UNKNOWN] = {
		.name = "host_bridge_unknown",
		.words = "they share no bridge, and the host bridge is not known to forward "
			 "requests",
		.by_place = true,
	},
	[REASON_NOT_PCI] = {
		.name = "not_pci",
		.words = "the client is not a PCI device and is not below one",
	},
};

const struct reason *reason_find(const char *name)
{
	for (size_t i = 0; i < NR_REASONS; i++)
		if (!strcmp(reasons[i].name, name))
			return &reasons[i];
	return NULL;
}

bool map_supported(const char *map)
{
	return strcmp(map, MAP_NOT_SUPPORTED);
}
