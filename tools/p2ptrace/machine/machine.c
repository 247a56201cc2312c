// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine/devices.h"
#include "machine/machine.h"

void machine_init(struct machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	machine->cpu_family = UNKNOWN;
}

void machine_free(struct machine *machine)
{
	for (size_t i = 0; i < machine->nr_options; i++)
		free(machine->options[i]);
	free(machine->roots);
	free(machine->functions);
	free(machine->reported);
	machine_init(machine);
}

/* An array grows when its length reaches a power of two. NULL without memory. */
static void *grow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	return reallocarray(array, nr ? 2 * nr : 1, size);
}

void function_init(struct function *function, const char *name)
{
	*function = (struct function){
		.parent = UNKNOWN,
		.root = UNKNOWN,
		.vendor = UNKNOWN,
		.device = UNKNOWN,
		.class = UNKNOWN,
		.numa_node = UNKNOWN,
		.iommu_group = UNKNOWN,
		.secondary = UNKNOWN,
		.subordinate = UNKNOWN,
		.pool.published = UNKNOWN,
	};
	memcpy(function->name, name, strnlen(name, sizeof(function->name) - 1));
}

struct function *machine_add_function(struct machine *machine, const char *name)
{
	struct function *functions = grow(machine->functions, machine->nr, sizeof(*functions));

	if (!functions)
		return NULL;
	machine->functions = functions;
	functions += machine->nr++;
	function_init(functions, name);
	return functions;
}

struct root *machine_add_root(struct machine *machine, const char *name)
{
	struct root *roots, *root;

	for (size_t i = 0; i < machine->nr_roots; i++)
		if (!strcmp(machine->roots[i].name, name))
			return &machine->roots[i];
	roots = grow(machine->roots, machine->nr_roots, sizeof(*roots));
	if (!roots)
		return NULL;
	machine->roots = roots;
	root = &roots[machine->nr_roots++];
	*root = (struct root){};
	memcpy(root->name, name, strnlen(name, sizeof(root->name) - 1));
	return root;
}

struct reported *machine_add_reported(struct machine *machine)
{
	struct reported *reported = grow(machine->reported, machine->nr_reported,
					 sizeof(*reported));

	if (!reported)
		return NULL;
	machine->reported = reported;
	reported += machine->nr_reported++;
	*reported = (struct reported){
		.provider = UNKNOWN,
		.client = UNKNOWN,
		.distance = UNKNOWN,
	};
	return reported;
}

static int by_pair(const void *a, const void *b)
{
	const struct reported *x = a, *y = b;

	if (x->provider != y->provider)
		return x->provider < y->provider ? -1 : 1;
	return x->client < y->client ? -1 : x->client > y->client;
}

void machine_sort_reported(struct machine *machine)
{
	if (machine->nr_reported)
		qsort(machine->reported, machine->nr_reported, sizeof(*machine->reported), by_pair);
}

const struct reported *machine_find_reported(const struct machine *machine, int provider,
					     int client)
{
	const struct reported key = { .provider = provider, .client = client };

	return machine->nr_reported ? bsearch(&key, machine->reported, machine->nr_reported,
					      sizeof(key), by_pair) : NULL;
}

int machine_add_option(struct machine *machine, const char *word)
{
	char *copy;

	if (machine->nr_options == MAX_OPTIONS)
		return -ENOSPC;
	copy = strdup(word);
	if (!copy)
		return -ENOMEM;
	machine->options[machine->nr_options++] = copy;
	return 0;
}

struct function *machine_find(const struct machine *machine, const char *name)
{
	for (size_t i = 0; i < machine->nr; i++)
		if (!strcmp(machine->functions[i].name, name))
			return &machine->functions[i];
	return NULL;
}

static bool is_named(const struct function *function, const char *name)
{
	for (size_t i = 0; i < function->nr_names; i++)
		if (!strcmp(function->names[i], name))
			return true;
	return !strcmp(function->pool.dev, name);
}

size_t machine_find_all(const struct machine *machine, const char *name, int *found, size_t max)
{
	char pci[PCI_NAME_LEN];
	size_t nr = 0;

	/* What is unknown and what there is none of */
	if (!is_given(name))
		return 0;
	if (!pci_name_parse(name, pci, sizeof(pci)))
		name = pci;
	for (size_t i = 0; i < machine->nr; i++) {
		const struct function *function = &machine->functions[i];

		if (strcmp(function->name, name) && !is_named(function, name))
			continue;
		if (nr < max)
			found[nr] = i;
		nr++;
	}
	return nr;
}

int machine_find_any(const struct machine *machine, const char *name)
{
	int found = -ENODEV;
	size_t nr = machine_find_all(machine, name, &found, 1);

	return nr > 1 ? -ENOTUNIQ : found;
}

int machine_check(const struct machine *machine, const char **bad)
{
	for (size_t i = 0; i < machine->nr; i++) {
		const struct function *function = &machine->functions[i];
		int depth = 0, parent;

		*bad = function->name;
		if (function->root != UNKNOWN &&
		    (function->root < 0 || (size_t)function->root >= machine->nr_roots))
			return -EINVAL;
		for (parent = i; parent >= 0; parent = machine->functions[parent].parent) {
			if ((size_t)parent >= machine->nr ||
			    machine->functions[parent].root != function->root ||
			    depth++ == MAX_DEPTH)
				return -EINVAL;
		}
		if (parent != NONE && parent != UNKNOWN)
			return -EINVAL;
	}
	return 0;
}
