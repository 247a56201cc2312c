/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine, as far as peer-to-peer DMA depends on it: its PCI functions and what the kernel says
 * of them. It comes from the running kernel (live.h), from a snapshot (snapshot.h), or from what
 * people paste into reports (dump.h). All answers are computed from this structure alone, so the
 * answer from a snapshot is the one that was given on the machine.
 *
 * A source may not show everything. What it does not show is unknown, never a guess:
 *
 *	char []		"" is unknown, "-" is none
 *	int		UNKNOWN
 *	enum presence	PRESENCE_UNKNOWN
 *	a size, a mask	0 is unknown, unless the comment says otherwise
 *
 * Zeroed memory is not a machine or function of which nothing is known: see machine_init() and
 * machine_add_function().
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define UNKNOWN		(-2)
#define NONE		(-1)

#define PCI_NAME_LEN	32
#define WORD_LEN	48
#define MAX_NAMES	8
#define NR_BARS		6

enum presence { PRESENCE_UNKNOWN, ABSENT, PRESENT };

/* How much of a function's config space the source shows. */
enum config_state {
	CONFIG_MISSING,		/* nothing: the source has no config space for it */
	CONFIG_UNREADABLE,	/* the kernel returned no byte */
	CONFIG_ALL_ONES,	/* powered down, or it has fallen off the bus */
	CONFIG_HEAD,		/* 64 bytes: the reader was not root */
	CONFIG_CONVENTIONAL,	/* 256 bytes: no extended capabilities, such as ACS */
	CONFIG_COMPLETE,	/* as much as the function has */
};

/* The device type of the PCI Express capability, or TYPE_PCI if the function has none. */
enum function_type {
	TYPE_UNKNOWN,
	TYPE_ENDPOINT,
	TYPE_LEGACY_ENDPOINT,
	TYPE_ROOT_PORT,
	TYPE_UPSTREAM,		/* port of a switch */
	TYPE_DOWNSTREAM,
	TYPE_TO_PCI,		/* bridge from PCI Express */
	TYPE_FROM_PCI,
	TYPE_RC_ENDPOINT,	/* integrated into the root complex */
	TYPE_RC_EVENT_COLLECTOR,
	TYPE_PCI,
};

/* A bit of the ACS control register for each reason that makes the kernel see a redirect. */
#define ACS_REDIRECTS	(0x0004 | 0x0008 | 0x0020)	/* RR, CR, EC */

/* Access Control Services. @cap and @ctrl are the registers, valid only if PRESENT. */
struct acs {
	enum presence presence;
	uint16_t cap, ctrl;
};

/* Speeds in MT/s, widths in lanes; what runs now, and the most that the function supports. */
struct link {
	unsigned int speed, max_speed;
	unsigned int width, max_width;
};

/* A BAR. Not implemented if @size is 0, unless @unsized; then nothing else is valid. */
struct bar {
	uint64_t start, size;		/* in bytes; @start as the CPU sees it */
	bool unsized;			/* implemented, and its size is unknown: @size is 0 */
	bool memory, prefetchable, wide;	/* @wide: 64 bits */
	bool assigned;
	/*
	 * Resizable BAR: bit n means that 2^n MiB are possible; 0 if the BAR cannot be resized.
	 * Valid only if @resizable is not PRESENCE_UNKNOWN.
	 */
	enum presence resizable;
	uint64_t sizes;
};

/* What a bridge forwards to its secondary bus; empty if @last < @first. */
struct window {
	enum presence presence;
	uint64_t first, last;
};

/* Peer memory that the function provides through p2pdma: /sys/bus/pci/devices/NAME/p2pmem/ */
struct pool {
	enum presence presence;
	uint64_t size, available;
	int published;			/* 0 or 1, UNKNOWN */
	char dev[PCI_NAME_LEN];		/* p2pmem0; "-" on a kernel without the series */
};

/* Controller memory buffer of an NVMe drive: the registers, valid only if PRESENT. */
struct cmb {
	enum presence presence;
	uint32_t loc, sz;
};

struct function {
	char name[PCI_NAME_LEN];	/* 0000:01:00.0 */
	int parent;			/* index of the bridge above; NONE on a root bus; UNKNOWN */
	int root;			/* index of its host bridge */
	int vendor, device;		/* ids */
	int class;			/* 24 bits */
	char title[96];			/* "Intel Corporation Sky Lake-E DMI3 Registers" */
	char driver[PCI_NAME_LEN];
	char names[MAX_NAMES][PCI_NAME_LEN];	/* nvme0, mlx5_0, eth0, card1, renderD128 */
	size_t nr_names;
	char physfn[PCI_NAME_LEN];	/* whose virtual function this is */
	enum config_state config;
	enum function_type type;
	enum presence bridge;		/* by its header type, or by its class */
	struct acs acs;
	struct link link;
	int numa_node;
	int iommu_group;
	char iommu_domain[16];		/* "identity", "DMA", "DMA-FQ" and so on */
	int dma_mask_bits;
	struct bar bars[NR_BARS];
	enum presence bars_known;	/* ABSENT means the same as no BARs */
	struct window window, prefetchable_window;	/* of a bridge */
	struct pool pool;
	struct cmb cmb;
	/* The lowest and the highest bus below a bridge: UNKNOWN, or as in its header. */
	int secondary, subordinate;
};

struct root {
	char name[PCI_NAME_LEN];	/* pci0000:00 */
	char under[PCI_NAME_LEN];	/* the function that it belongs to (VMD); "-" */
};

/* A decision that the kernel itself reports. Indices of functions; the words are the kernel's. */
struct reported {
	int provider, client;
	char map[WORD_LEN];
	int distance;
	char reason[WORD_LEN];
	char blocker[PCI_NAME_LEN];	/* "-" if there is none */
};

#define MAX_OPTIONS	32
#define MAX_FUNCTIONS	65536	/* a source with more is refused */

struct machine {
	char source[32];		/* "live", "snapshot", "lspci -xxxx" and so on */
	char kernel[64];		/* release, as uname -r prints it */
	char arch[16];			/* as uname -m prints it */
	enum presence p2pdma;		/* CONFIG_PCI_P2PDMA */
	char cpu_vendor[32];		/* vendor_id of the first CPU in /proc/cpuinfo; "-" */
	int cpu_family;
	char hypervisor[32];		/* "-" on bare metal */
	/* Words of the kernel's command line about PCI and the IOMMU: see host.c */
	char *options[MAX_OPTIONS];
	size_t nr_options;
	bool options_known;
	bool ordered;			/* the functions are in the kernel's order */
	/*
	 * Functions may be missing: people paste parts of a listing. So the lowest function shown
	 * of a root bus need not be its first.
	 */
	bool partial;
	struct root *roots;
	size_t nr_roots;
	struct function *functions;
	size_t nr;
	enum presence reports;		/* the kernel reports decisions: it has the series */
	/* None, if they could not be read. Sorted by machine_sort_reported() */
	struct reported *reported;
	size_t nr_reported;
};

/* Whether a char [] is neither unknown nor none. */
static inline bool is_given(const char *word)
{
	return *word && strcmp(word, "-");
}

/* A machine of which nothing is known. machine_free() may be called more than once. */
void machine_init(struct machine *machine);
void machine_free(struct machine *machine);

/*
 * Add an entry of which nothing is known but its name. Return it, or NULL if there is no memory.
 * The pointer is valid until the next call. machine_add_root() returns the root that exists
 * already.
 */
struct function *machine_add_function(struct machine *machine, const char *name);
void function_init(struct function *function, const char *name);
struct root *machine_add_root(struct machine *machine, const char *name);
struct reported *machine_add_reported(struct machine *machine);
/* 0 or -ENOMEM; -ENOSPC if there are more than MAX_OPTIONS. */
int machine_add_option(struct machine *machine, const char *word);

/* Call it once all decisions are added. */
void machine_sort_reported(struct machine *machine);
/* NULL if the kernel does not report the decision. */
const struct reported *machine_find_reported(const struct machine *machine, int provider,
					     int client);

/* NULL if there is none. @name: the full PCI name. */
struct function *machine_find(const struct machine *machine, const char *name);

/*
 * The function that a user means: a PCI name with or without its domain, or a name of one of its
 * devices. Returns its index; -ENODEV if there is none; -ENOTUNIQ if there are several.
 */
int machine_find_any(const struct machine *machine, const char *name);
/* How many functions that name means; the first @max of them in @found. */
size_t machine_find_all(const struct machine *machine, const char *name, int *found, size_t max);

/* The index of a function that the pointer belongs to. */
static inline int machine_index(const struct machine *machine, const struct function *function)
{
	return function - machine->functions;
}

/*
 * Sets the parents and roots of functions whose source has only bus numbers, from the secondary and
 * subordinate buses of the bridges. What remains UNKNOWN had no bridge that leads to it.
 */
void machine_link(struct machine *machine);

/*
 * Returns 0 if each parent is a function of this machine, comes from the same root, and leads to
 * the root in at most MAX_DEPTH steps; otherwise -EINVAL, with the name of a function that does
 * not in *@bad.
 */
#define MAX_DEPTH 64
int machine_check(const struct machine *machine, const char **bad);

#endif /* MACHINE_H */
