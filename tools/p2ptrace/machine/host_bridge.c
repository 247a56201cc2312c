// SPDX-License-Identifier: GPL-2.0
/* Which function represents a host bridge: for the kernel, the first one on its root bus. */
#include <string.h>

#include "machine/decide.h"

/* "00.0", of "0000:00:00.0": the number within the bus. */
static const char *slot(const struct function *function)
{
	size_t len = strlen(function->name);

	return len < 4 ? function->name : function->name + len - 4;
}

/* "0000:00", of the root pci0000:00, is what the names of the functions on its bus begin with. */
static bool has_bus_of(const struct function *function, const struct root *root)
{
	size_t prefix = strlen("pci"), len = strlen(root->name);

	return len > prefix && !strncmp(function->name, root->name + prefix, len - prefix) &&
	       function->name[len - prefix] == ':';
}

/* If the place of the function is not known, its bus number tells. */
static bool is_on_root_bus(const struct machine *machine, const struct function *function, int root)
{
	/* A virtual function is never the first on a bus */
	if ((function->root != root && function->root != UNKNOWN) || function->parent >= 0 ||
	    is_given(function->physfn))
		return false;
	return (function->parent == NONE && function->root == root) ||
	       has_bus_of(function, &machine->roots[root]);
}

static int first_on_root_bus(const struct machine *machine, int root)
{
	int first = NONE;

	for (size_t i = 0; i < machine->nr; i++) {
		const struct function *function = &machine->functions[i];

		if (!is_on_root_bus(machine, function, root))
			continue;
		if (machine->ordered)
			return i;
		if (first < 0 || strcmp(slot(function), slot(&machine->functions[first])) < 0)
			first = i;
	}
	return first;
}

static const struct known_bridge *find_known(const struct function *function)
{
	for (size_t i = 0; i < nr_known_bridges; i++) {
		const struct known_bridge *known = &known_bridges[i];

		if (known->vendor == function->vendor &&
		    (known->device == NONE || known->device == function->device))
			return known;
	}
	return NULL;
}

void host_bridge_find(struct host_bridge *bridge, const struct machine *machine, int root)
{
	const struct function *first;

	*bridge = (struct host_bridge){ .first = UNKNOWN, .function = UNKNOWN };
	if (root == UNKNOWN)
		return;
	bridge->first = first_on_root_bus(machine, root);
	/* In a part of a listing, whatever is not 00.0 may have had something before it */
	if (machine->partial &&
	    (bridge->first == NONE || strcmp(slot(&machine->functions[bridge->first]), "00.0")))
		bridge->first = UNKNOWN;
	bridge->function = bridge->first;
	if (bridge->first == UNKNOWN)
		return;
	bridge->assumed = !machine->ordered;
	if (bridge->first == NONE)
		return;
	first = &machine->functions[bridge->first];
	bridge->known = find_known(first);
	if (bridge->known)
		bridge->listed = PRESENT;
	else if (first->vendor != UNKNOWN && first->device != UNKNOWN)
		bridge->listed = ABSENT;
	if (!strcmp(slot(first), "00.0"))
		return;
	bridge->any_slot = true;
	if (first->type == TYPE_UNKNOWN)
		bridge->function = UNKNOWN;
	else if (first->type != TYPE_ROOT_PORT)
		bridge->function = NONE;
}
