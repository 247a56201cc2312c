// SPDX-License-Identifier: GPL-2.0
/*
 * The entries of pci_p2pdma_whitelist[] in drivers/pci/p2pdma.c, of all mainline releases from 5.4
 * to 7.3. Kernels of stable series and of distributions may have entries of later releases: 7.1.y
 * has got the accelerators of 7.2. No vendor and device is listed twice.
 */
#include "lib/units.h"
#include "machine/decide.h"

#define INTEL	0x8086
#define AMD	0x1022
#define GOOGLE	0x1ae0
#define NVIDIA	0x10de

const struct known_bridge known_bridges[] = {
	/*
	 * 0f97da831026 ("PCI/P2PDMA: Allow P2P DMA between any devices under AMD ZEN Root Complex",
	 * 5.2), until dea286bb71ba replaced them by a test of the CPU (5.9); see cpu_allows()
	 */
	{ AMD, 0x1450, "AMD Zen root complex", .since = { 5, 2 }, .until = { 5, 9 } },
	/* 7d5b10fcb81e ("PCI/P2PDMA: Add AMD Zen Raven and Renoir Root Ports to whitelist") */
	{ AMD, 0x15d0, "AMD Raven root complex", .since = { 5, 8 }, .until = { 5, 9 } },
	{ AMD, 0x1630, "AMD Renoir root complex", .since = { 5, 8 }, .until = { 5, 9 } },

	/* 494d63b0d5d0 ("PCI/P2PDMA: Whitelist some Intel host bridges") */
	{ INTEL, 0x3c00, "Intel Sandy Bridge-E DMI", true, .since = { 5, 4 } },
	{ INTEL, 0x3c01, "Intel Sandy Bridge-E DMI, as a root port", true, .since = { 5, 4 } },
	{ INTEL, 0x2f00, "Intel Haswell-E DMI", true, .since = { 5, 4 } },
	{ INTEL, 0x2f01, "Intel Haswell-E root port 0", true, .since = { 5, 4 } },

	/* bc123a515cb7 ("PCI/P2PDMA: Add Intel SkyLake-E to the whitelist") */
	{ INTEL, 0x2030, "Intel Sky Lake-E root port A", .since = { 5, 6 } },
	{ INTEL, 0x2020, "Intel Sky Lake-E DMI", .since = { 5, 6 } },
	/* 7b94b53db34f ("PCI/P2PDMA: Add Intel Sky Lake-E Root Ports B, C, D to the whitelist") */
	{ INTEL, 0x2031, "Intel Sky Lake-E root port B", .since = { 5, 7 } },
	{ INTEL, 0x2032, "Intel Sky Lake-E root port C", .since = { 5, 7 } },
	{ INTEL, 0x2033, "Intel Sky Lake-E root port D", .since = { 5, 7 } },

	/*
	 * feaea1fe8b36 ("PCI/P2PDMA: Add Intel 3rd Gen Intel Xeon Scalable Processors to
	 * whitelist"). All later Xeons have it, too.
	 */
	{ INTEL, 0x09a2, "Intel Xeon since Ice Lake", .since = { 5, 18 } },

	/*
	 * 70cf146a674c ("PCI/P2PDMA: Add Google SoCs to the P2P DMA host bridge list"), with
	 * 1a1f96e3e2a8 ("PCI/P2PDMA: Allow wildcard Device IDs in host bridge list")
	 */
	{ GOOGLE, NONE, "Google SoC", .since = { 7, 1 } },

	/*
	 * 0ba76b19fd4c ("PCI/P2PDMA: Add Intel QAT, DSA, IAA devices to whitelist"): accelerators
	 * in a Xeon, each the first function on a root bus of its own
	 */
	{ INTEL, 0x0b25, "Intel DSA (Sapphire Rapids)", .since = { 7, 2 } },
	{ INTEL, 0x0cfe, "Intel IAA (Sapphire Rapids)", .since = { 7, 2 } },
	{ INTEL, 0x11fb, "Intel DSA (Granite Rapids-D)", .since = { 7, 2 } },
	{ INTEL, 0x1212, "Intel DSA (Diamond Rapids)", .since = { 7, 2 } },
	{ INTEL, 0x1216, "Intel IAA (Diamond Rapids)", .since = { 7, 2 } },
	{ INTEL, 0x4940, "Intel QAT 4xxx", .since = { 7, 2 } },
	{ INTEL, 0x4942, "Intel QAT 401xx", .since = { 7, 2 } },
	{ INTEL, 0x4944, "Intel QAT 402xx", .since = { 7, 2 } },
	{ INTEL, 0x4946, "Intel QAT 420xx", .since = { 7, 2 } },
	{ INTEL, 0x4948, "Intel QAT 6xxx", .since = { 7, 2 } },

	/* 894a78088fc3 ("PCI/P2PDMA: Add Nvidia Vera Rubin to whitelist") */
	{ NVIDIA, 0x2f95, "NVIDIA Vera Rubin root port", .since = { 7, 3 } },
	{ NVIDIA, 0x2f96, "NVIDIA Vera Rubin root port", .since = { 7, 3 } },
	{ NVIDIA, 0x2f97, "NVIDIA Vera Rubin root port", .since = { 7, 3 } },
	{ NVIDIA, 0x2f98, "NVIDIA Vera Rubin root port", .since = { 7, 3 } },
};

const size_t nr_known_bridges = ARRAY_SIZE(known_bridges);
