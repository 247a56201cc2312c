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
		.words = "both are below one bridge, and no port between them redirects peer "
			 "requests",
	},
	[REASON_ACS_REDIRECT_ALLOWED] = {
		.name = "acs_redirect_allowed",
		.words = "a port redirects peer requests to the root complex (ACS), and the host "
			 "bridge counts as able to forward them",
		.by_acs = true,
	},
	[REASON_ACS_REDIRECT_BLOCKED] = {
		.name = "acs_redirect_blocked",
		.words = "a port redirects peer requests to the root complex (ACS), and the host "
			 "bridge is not known to forward them",
		.by_acs = true,
	},
	[REASON_BRIDGE_UNREADABLE] = {
		.name = "bridge_unreadable",
		.words = "a bridge on the way cannot be read, for example while it is powered "
			 "down, so the kernel takes it for one that redirects peer requests "
			 "(ACS), and decides again once it can be read",
	},
	[REASON_HOST_BRIDGE_ALLOWED] = {
		.name = "host_bridge_allowed",
		.words = "they share no PCI bridge, and the kernel counts the host bridge as "
			 "able to forward requests",
		.by_place = true,
	},
	[REASON_CPU_ALLOWED] = {
		.name = "cpu_allowed",
		.words = "they share no PCI bridge, and the kernel counts the CPU as able to "
			 "forward requests",
		.by_place = true,
	},
	[REASON_HOST_BRIDGE_UNKNOWN] = {
		.name = "host_bridge_unknown",
		.words = "they share no PCI bridge, and the host bridge is not known to forward "
			 "requests",
		.by_place = true,
	},
	[REASON_NOT_PCI] = {
		.name = "not_pci",
		.words = "the client is not a PCI device and is not below one",
	},
	[REASON_ROUTE_UNKNOWN] = {
		.name = "route_unknown",
		.words = "the bridges between a function and its root bus are not known",
		.find_out = "record the whole machine as root: 'p2ptrace snapshot', or "
			    "'lspci -D -xxxx'",
	},
	[REASON_PORT_UNREADABLE] = {
		.name = "port_unreadable",
		.words = "the capabilities of a function on the way cannot be read, so it is not "
			 "known whether it redirects peer requests (ACS)",
		.find_out = "run it as root, or record 'lspci -D -xxxx' as root",
	},
	[REASON_PORT_ALL_ONES] = {
		.name = "port_all_ones",
		.words = "a function on the way reads all ones, so it is powered down, gone or cut "
			 "off, and it is not known whether it redirects peer requests (ACS)",
		.find_out = "on that machine, as root, keep it awake, and run p2ptrace there "
			    "again; if it still reads all ones, it is gone, its slot is switched "
			    "off, or its link is down after an error (DPC): see dmesg",
	},
	[REASON_PORT_TRUNCATED] = {
		.name = "port_truncated",
		.words = "only 256 bytes of the config space of a function on the way are shown, "
			 "so it is not known whether it redirects peer requests (ACS)",
		.find_out = "record 'lspci -D -xxxx' (with four x) as root, on a kernel with "
			    "CONFIG_PCI_MMCONFIG=y",
	},
	[REASON_HOST_BRIDGE_UNREADABLE] = {
		.name = "host_bridge_unreadable",
		.words = "the requests have to pass a host bridge, and the function that "
			 "represents it cannot be read",
		.find_out = "run it as root, or record 'lspci -D -xxxx' of the whole machine as "
			    "root",
	},
	[REASON_CPU_UNKNOWN] = {
		.name = "cpu_unknown",
		.words = "the requests have to pass a host bridge, which the kernel allows on AMD "
			 "CPUs since Zen, and the CPU is not known",
		.find_out = "see vendor_id and 'cpu family' in /proc/cpuinfo of that machine, or "
			    "record it with 'p2ptrace snapshot'",
	},
	[REASON_KERNEL_UNKNOWN] = {
		.name = "kernel_unknown",
		.words = "the requests have to pass a host bridge, and kernels differ on it",
		.find_out = "name the release that 'uname -r' prints there; the rules of releases "
			    "before 5.4 are not known here",
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
