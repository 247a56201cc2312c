// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI topology of a machine, from bus numbers. A bridge leads to the buses from its secondary
 * to its subordinate bus, and is itself on a lower bus, so what is built here has no loops.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"
#include "machine/machine.h"

/* More than any machine has. Bounds the work on input that is made up. */
#define MAX_ROOTS	512
#define MAX_VMDS	16

#define CLASS_HOST_BRIDGE	0x0600
#define CLASS_RAID		0x0104
#define VENDOR_INTEL		0x8086
/* Domains above those of the firmware; the kernel's VMD driver begins there. */
#define FIRST_VMD_DOMAIN	0x10000

/* Where a function is. Sorted by address, so a bridge comes before all that is below it. */
struct place {
	unsigned int domain, bus, devfn;
	int index;
};

/* A bridge that leads to @secondary and up to @subordinate. */
struct lead {
	unsigned int domain, secondary, subordinate;
	int index;
};

struct tree {
	struct machine *machine;
	struct place *places;
	size_t nr;
	struct lead *leads;
	size_t nr_leads;
	/* Functions that may be bridges, but whose buses are not known; sorted like places. */
	struct place *blind;
	size_t nr_blind;
};

static bool find_place(struct place *place, const char *name)
{
	unsigned int domain, bus, device, function;
	char end;

	if (sscanf(name, "%8x:%2x:%2x.%1x%c", &domain, &bus, &device, &function, &end) != 4 ||
	    device > 31 || function > 7)
		return false;
	place->domain = domain;
	place->bus = bus;
	place->devfn = device << 3 | function;
	return true;
}

static int compare(unsigned int a, unsigned int b)
{
	return a < b ? -1 : a > b;
}

static int by_address(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	int order = compare(a->domain, b->domain) ?: compare(a->bus, b->bus) ?:
		    compare(a->devfn, b->devfn);

	return order ?: (a->index > b->index) - (a->index < b->index);
}

static int by_secondary(const void *left, const void *right)
{
	const struct lead *a = left, *b = right;
	int order = compare(a->domain, b->domain) ?: compare(a->secondary, b->secondary);

	return order ?: (a->index > b->index) - (a->index < b->index);
}

/* A bridge that was never configured leads to no bus. */
static bool leads_nowhere(const struct function *function)
{
	return !function->secondary && !function->subordinate;
}

static bool leads(const struct function *function, unsigned int bus)
{
	return function->bridge == PRESENT && function->secondary > (int)bus &&
	       function->secondary <= function->subordinate && function->subordinate <= 0xff;
}

static void tree_free(struct tree *tree)
{
	free(tree->places);
	free(tree->leads);
	free(tree->blind);
}

static void sort_bridge(struct tree *tree, const struct place *place)
{
	const struct function *function = &tree->machine->functions[place->index];

	if (leads(function, place->bus))
		tree->leads[tree->nr_leads++] = (struct lead){
			.domain = place->domain,
			.secondary = function->secondary,
			.subordinate = function->subordinate,
			.index = place->index,
		};
	else if (function->bridge != ABSENT && !leads_nowhere(function))
		tree->blind[tree->nr_blind++] = *place;
}

static bool tree_init(struct tree *tree, struct machine *machine)
{
	size_t nr = machine->nr;

	*tree = (struct tree){
		.machine = machine,
		.places = calloc(nr, sizeof(*tree->places)),
		.leads = calloc(nr, sizeof(*tree->leads)),
		.blind = calloc(nr, sizeof(*tree->blind)),
	};
	if (!tree->places || !tree->leads || !tree->blind)
		return false;
	for (size_t i = 0; i < nr; i++) {
		struct place *place = &tree->places[tree->nr];

		place->index = i;
		tree->nr += find_place(place, machine->functions[i].name);
	}
	qsort(tree->places, tree->nr, sizeof(*tree->places), by_address);
	for (size_t i = 0; i < tree->nr; i++)
		sort_bridge(tree, &tree->places[i]);
	qsort(tree->leads, tree->nr_leads, sizeof(*tree->leads), by_secondary);
	return true;
}

/* The first of the places that is not before this address. */
static const struct place *lower_bound(const struct place *places, size_t nr,
				       const struct place *address)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (by_address(&places[mid], address) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return &places[low];
}

/* The first of the leads of this domain whose secondary bus is @bus or higher. */
static size_t first_lead(const struct tree *tree, unsigned int domain, unsigned int bus)
{
	size_t low = 0, high = tree->nr_leads;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct lead *lead = &tree->leads[mid];

		if (lead->domain < domain || (lead->domain == domain && lead->secondary < bus))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* How many functions there are from this one up to the root, at most MAX_DEPTH. */
static int depth_of(const struct machine *machine, int index)
{
	int depth = 0;

	for (; index >= 0 && depth < MAX_DEPTH; depth++)
		index = machine->functions[index].parent;
	return depth;
}

/* Unless it would be too deep, or the function is known to belong to another root. */
static void set_parent(struct machine *machine, struct function *function, int parent)
{
	int root = machine->functions[parent].root;

	if (function->root != UNKNOWN && function->root != root)
		return;
	if (depth_of(machine, parent) >= MAX_DEPTH)
		return;
	function->parent = parent;
	function->root = root;
}

/* The functions of one bus, and what is known about who leads to it. */
struct bus {
	unsigned int domain, nr;
	const struct place *places, *end;
	const struct lead *lead;	/* its secondary bus is this one; NULL */
	bool ambiguous;			/* several leads claim the bus */
	/* If there is no lead: the one that is the last on the way to this bus. */
	const struct lead *container;
};

static bool is_above(const struct machine *machine, int bridge, int index)
{
	for (int depth = 0; index >= 0 && depth < MAX_DEPTH; depth++) {
		if (index == bridge)
			return true;
		index = machine->functions[index].parent;
	}
	return false;
}

/* The ranges that contain a bus are nested, or somebody made them up. */
static void find_container(struct bus *bus, const struct tree *tree)
{
	size_t first = first_lead(tree, bus->domain, 0);
	size_t end = first_lead(tree, bus->domain, bus->nr);

	for (size_t i = end; i-- > first; ) {
		const struct lead *lead = &tree->leads[i];

		if (lead->subordinate < bus->nr)
			continue;
		if (!bus->container)
			bus->container = lead;
		else if (!is_above(tree->machine, lead->index, bus->container->index))
			bus->ambiguous = true;
		if (bus->ambiguous)
			return;
	}
}

static void find_leads(struct bus *bus, const struct tree *tree)
{
	size_t at = first_lead(tree, bus->domain, bus->nr);
	const struct lead *lead = &tree->leads[at];

	if (at < tree->nr_leads && lead->domain == bus->domain && lead->secondary == bus->nr) {
		bus->lead = lead;
		bus->ambiguous = at + 1 < tree->nr_leads && lead[1].domain == bus->domain &&
				 lead[1].secondary == bus->nr;
	} else {
		find_container(bus, tree);
	}
}

/*
 * How many functions that may be bridges could lead to the bus, if it is below a bus from @first
 * on. Sets *only to the last of them.
 */
static size_t count_blind(const struct tree *tree, const struct bus *bus, unsigned int first,
			  int *only)
{
	const struct place from = { .domain = bus->domain, .bus = first, .index = NONE };
	const struct place to = { .domain = bus->domain, .bus = bus->nr, .index = NONE };
	const struct place *begin = lower_bound(tree->blind, tree->nr_blind, &from);
	const struct place *end = lower_bound(tree->blind, tree->nr_blind, &to);

	if (begin < end)
		*only = end[-1].index;
	return end - begin;
}

/* Whether one can be a virtual function of the other: they have a class and a vendor in common. */
static bool could_be_virtual_of(const struct function *vf, const struct function *pf)
{
	return vf->bridge == ABSENT && pf->bridge == ABSENT && vf->class != UNKNOWN &&
	       vf->class == pf->class &&
	       (vf->vendor == pf->vendor || vf->vendor == UNKNOWN || pf->vendor == UNKNOWN);
}

static bool has_virtual(const struct tree *tree, const struct lead *lead,
			const struct function *function)
{
	const struct place from = { .domain = lead->domain, .bus = lead->secondary,
				    .index = NONE };
	const struct place *end = tree->places + tree->nr;

	for (const struct place *place = lower_bound(tree->places, tree->nr, &from);
	     place < end && place->domain == lead->domain && place->bus == lead->secondary; place++)
		if (could_be_virtual_of(function, &tree->machine->functions[place->index]))
			return true;
	return false;
}

/*
 * A function on a bus that no bridge has as its secondary bus, within the range of a bridge. It is
 * a virtual function of something directly below the bridge, or a port between them is not shown.
 */
static void link_contained(const struct tree *tree, const struct bus *bus,
			   struct function *function)
{
	struct machine *machine = tree->machine;
	const struct lead *container = bus->container;
	int only = NONE;
	size_t nr = count_blind(tree, bus, container->secondary, &only);

	if (nr == 1 && machine->functions[only].bridge == PRESENT)
		set_parent(machine, function, only);
	else if (!nr && has_virtual(tree, container, function))
		set_parent(machine, function, container->index);
}

/* A virtual function is below the same bridge as its physical function, on whatever bus. */
static bool link_virtual(const struct tree *tree, struct function *function)
{
	const struct place *end = tree->places + tree->nr, *place;
	const struct function *physical;
	struct place address = { .index = NONE };

	if (!find_place(&address, function->physfn))
		return false;
	place = lower_bound(tree->places, tree->nr, &address);
	if (place == end || place->domain != address.domain ||
	    place->bus != address.bus || place->devfn != address.devfn)
		return false;
	physical = &tree->machine->functions[place->index];
	/* Its parent is known by now if its address is lower, as it is in hardware */
	if (physical->parent == UNKNOWN ||
	    (function->root != UNKNOWN && function->root != physical->root))
		return false;
	function->parent = physical->parent;
	function->root = physical->root;
	return true;
}

/* Whether the function can only be on a root bus. */
static bool shows_root_bus(const struct place *place, const struct function *function)
{
	if (is_given(function->physfn))
		return false;
	switch (function->type) {
	case TYPE_ROOT_PORT:
	case TYPE_RC_ENDPOINT:
	case TYPE_RC_EVENT_COLLECTOR:
		return true;
	case TYPE_UNKNOWN:
	case TYPE_PCI:
		return !place->devfn && function->class >> 8 == CLASS_HOST_BRIDGE;
	default:
		return false;
	}
}

/*
 * A listing is sorted, so a bridge comes before all that is below it. If a listing begins with the
 * first function of the domain, it shows the bridges of all that it shows, even if its end is cut
 * off.
 */
static bool listed_from_start(const struct tree *tree, const struct bus *bus)
{
	const struct place start = { .domain = bus->domain, .index = NONE };
	const struct place *place = lower_bound(tree->places, tree->nr, &start);

	return place < tree->places + tree->nr && place->domain == bus->domain && !place->bus &&
	       !place->devfn;
}

/* No bridge of which the buses are known leads to the bus. */
static bool is_root_bus(const struct tree *tree, const struct bus *bus)
{
	const struct function *functions = tree->machine->functions;
	bool conventional = false;
	int only;

	/* The secondary bus of a bridge is higher than the one it is on */
	if (!bus->nr)
		return true;
	for (const struct place *place = bus->places; place < bus->end; place++) {
		if (shows_root_bus(place, &functions[place->index]))
			return true;
		conventional |= functions[place->index].type == TYPE_PCI;
	}
	/* An endpoint has a port above it. A conventional function need not. */
	return conventional && listed_from_start(tree, bus) && !count_blind(tree, bus, 0, &only);
}

static int add_root(struct machine *machine, const struct bus *bus)
{
	char name[PCI_NAME_LEN];
	struct root *root;

	if (machine->nr_roots >= MAX_ROOTS)
		return UNKNOWN;
	snprintf(name, sizeof(name), "pci%04x:%02x", bus->domain, bus->nr);
	root = machine_add_root(machine, name);
	if (!root)
		return UNKNOWN;
	if (!*root->under && bus->domain < FIRST_VMD_DOMAIN)
		strcpy(root->under, "-");
	return root - machine->roots;
}

static void link_bus(const struct tree *tree, struct bus *bus)
{
	struct machine *machine = tree->machine;
	int root = UNKNOWN;

	find_leads(bus, tree);
	if (!bus->lead && !bus->container && is_root_bus(tree, bus))
		root = add_root(machine, bus);
	for (const struct place *place = bus->places; place < bus->end; place++) {
		struct function *function = &machine->functions[place->index];

		if (function->parent >= 0 && function->root == UNKNOWN)
			function->root = machine->functions[function->parent].root;
		if (function->parent != UNKNOWN || bus->ambiguous)
			continue;
		if (bus->lead) {
			set_parent(machine, function, bus->lead->index);
		} else if (link_virtual(tree, function)) {
			continue;
		} else if (bus->container) {
			link_contained(tree, bus, function);
		} else if (root != UNKNOWN &&
			   (function->root == UNKNOWN || function->root == root)) {
			function->parent = NONE;
			function->root = root;
		}
	}
}

/* Intel's Volume Management Device, whose driver makes a domain of what is below it. */
static bool is_vmd(const struct function *function)
{
	static const int devices[] = {
		0x201d, 0x28c0, 0x467f, 0x4c3d, 0x7d0b, 0x9a0b, 0xa77f, 0xad0b, 0xb06f, 0xb60b,
	};

	if (!strcmp(function->driver, "vmd"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (function->vendor == VENDOR_INTEL && function->device == devices[i])
			return true;
	return (function->class == UNKNOWN || function->class >> 8 == CLASS_RAID) &&
	       strstr(function->title, "Volume Management Device");
}

static bool is_inside(const struct bar *bar, uint64_t first)
{
	return bar->memory && bar->size && first >= bar->start && first - bar->start < bar->size;
}

/* Whether the function's memory lies in that of the VMD. */
static bool is_within(const struct function *function, const struct function *vmd)
{
	const struct window *window = &function->window;

	for (int i = 0; i < NR_BARS; i++) {
		if (window->presence == PRESENT && window->first && window->first < window->last &&
		    is_inside(&vmd->bars[i], window->first))
			return true;
		for (int k = 0; k < NR_BARS; k++) {
			const struct bar *bar = &function->bars[k];

			if (bar->memory && bar->size && bar->assigned &&
			    is_inside(&vmd->bars[i], bar->start))
				return true;
		}
	}
	return false;
}

/* The bits of the VMDs whose BARs contain memory of the function. */
static unsigned int vmds_around(const struct machine *machine, const int *vmds, size_t nr,
				const struct function *function)
{
	unsigned int around = 0;

	for (size_t i = 0; i < nr; i++)
		if (is_within(function, &machine->functions[vmds[i]]))
			around |= 1u << i;
	return around;
}

static bool is_virtual_root(const struct root *root)
{
	unsigned int domain;

	return !*root->under && sscanf(root->name, "pci%8x", &domain) == 1 &&
	       domain >= FIRST_VMD_DOMAIN;
}

/*
 * If there are several VMDs, a root belongs to the one whose BARs contain the memory of what is
 * below it.
 */
static void link_roots(struct machine *machine)
{
	unsigned int *around = calloc(machine->nr_roots + 1, sizeof(*around));
	int vmds[MAX_VMDS];
	size_t nr = 0;

	for (size_t i = 0; i < machine->nr && nr < MAX_VMDS; i++)
		if (is_vmd(&machine->functions[i]))
			vmds[nr++] = i;
	for (size_t i = 0; around && nr && i < machine->nr; i++) {
		int root = machine->functions[i].root;

		if (root >= 0 && is_virtual_root(&machine->roots[root]))
			around[root] |= vmds_around(machine, vmds, nr, &machine->functions[i]);
	}
	for (size_t i = 0; around && nr && i < machine->nr_roots; i++) {
		struct root *root = &machine->roots[i];
		const struct function *function;
		int vmd = nr == 1 ? 0 : __builtin_ffs(around[i]) - 1;

		/* None, or more than one */
		if (!is_virtual_root(root) || vmd < 0 || around[i] & (around[i] - 1))
			continue;
		function = &machine->functions[vmds[vmd]];
		if (function->root != (int)i)
			memcpy(root->under, function->name, sizeof(root->under));
	}
	free(around);
}

void machine_link(struct machine *machine)
{
	struct tree tree;

	if (!machine->nr)
		return;
	if (tree_init(&tree, machine)) {
		const struct place *end = tree.places + tree.nr;

		for (const struct place *place = tree.places; place < end; ) {
			struct bus bus = {
				.domain = place->domain,
				.nr = place->bus,
				.places = place,
			};

			while (place < end && place->domain == bus.domain && place->bus == bus.nr)
				place++;
			bus.end = place;
			link_bus(&tree, &bus);
		}
		link_roots(machine);
	}
	tree_free(&tree);
}
