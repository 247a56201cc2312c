// SPDX-License-Identifier: GPL-2.0
/* Decides all pairs of a machine of 500 functions (tests/bench/peers). Prints its peak memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "machine/decide.h"

enum { FUNCTIONS = 500, ROOTS = 8 };

static struct function *add(struct machine *machine, int root, int parent, unsigned int bus,
			    unsigned int slot, enum function_type type)
{
	char name[PCI_NAME_LEN];
	struct function *function;

	snprintf(name, sizeof(name), "0000:%02x:%02x.%x", bus, slot >> 3, slot & 7);
	function = machine_add_function(machine, name);
	if (!function)
		abort();
	function->root = root;
	function->parent = parent;
	function->vendor = 0x8086;
	function->device = 0x09a2;
	function->type = type;
	function->config = CONFIG_COMPLETE;
	function->acs = (struct acs){ PRESENT, 0x1f, slot & 8 ? 0x1d : 0 };
	function->numa_node = root / (ROOTS / 2);
	strcpy(function->physfn, "-");
	return function;
}

/* A root port, a switch, and two cards with three functions each */
static void add_slot(struct machine *machine, int root, unsigned int slot, unsigned int bus)
{
	int port, up, down;

	port = machine_index(machine, add(machine, root, NONE, root << 5, slot, TYPE_ROOT_PORT));
	up = machine_index(machine, add(machine, root, port, bus, 0, TYPE_UPSTREAM));
	for (unsigned int card = 0; card < 2; card++) {
		down = machine_index(machine, add(machine, root, up, bus + 1, card << 3,
						  TYPE_DOWNSTREAM));
		for (unsigned int n = 0; n < 3 && machine->nr < FUNCTIONS; n++)
			add(machine, root, down, bus + 2 + card, n, TYPE_ENDPOINT);
	}
}

static void make(struct machine *machine)
{
	char name[PCI_NAME_LEN];

	machine_init(machine);
	strcpy(machine->arch, "x86_64");
	strcpy(machine->cpu_vendor, "GenuineIntel");
	for (int root = 0; root < ROOTS; root++) {
		snprintf(name, sizeof(name), "pci0000:%02x", root << 5);
		if (!machine_add_root(machine, name))
			abort();
		strcpy(machine->roots[root].under, "-");
		add(machine, root, NONE, root << 5, 0, TYPE_PCI);
	}
	for (unsigned int n = 0; machine->nr < FUNCTIONS; n++)
		add_slot(machine, n % ROOTS, (1 + n / ROOTS) << 3, (n % ROOTS << 5) + 1 +
			 n / ROOTS * 4);
	/* The last ports have no cards */
	machine->nr = FUNCTIONS;
}

static const struct release release = { 7, 3 };
static unsigned int known;

/* What callgrind counts. */
void __attribute__((noinline)) with_ends(const struct machine *machine);
void __attribute__((noinline)) each_alone(const struct machine *machine);

void with_ends(const struct machine *machine)
{
	struct end_facts *ends = calloc(machine->nr, sizeof(*ends));
	struct decision decision;

	if (!ends)
		abort();
	for (size_t i = 0; i < machine->nr; i++)
		end_facts_find(&ends[i], machine, i);
	for (size_t a = 0; a < machine->nr; a++) {
		for (size_t b = 0; b < machine->nr; b++) {
			decide_ends(&decision, machine, &release, &ends[a], &ends[b]);
			known += *proximity(machine, a, b) != '?' &&
				 strcmp(decision.map, MAP_UNKNOWN);
		}
	}
	free(ends);
}

void each_alone(const struct machine *machine)
{
	struct decision decision;

	for (size_t a = 0; a < machine->nr; a++) {
		for (size_t b = 0; b < machine->nr; b++) {
			decide(&decision, machine, &release, a, b);
			known += *proximity(machine, a, b) != '?' &&
				 strcmp(decision.map, MAP_UNKNOWN);
		}
	}
}

int main(int argc, char **argv)
{
	struct machine machine;
	struct rusage usage;

	make(&machine);
	if (argc > 1 && !strcmp(argv[1], "alone"))
		each_alone(&machine);
	else
		with_ends(&machine);
	getrusage(RUSAGE_SELF, &usage);
	printf("functions %zu pairs %zu known %u peak_kib %ld\n", machine.nr,
	       machine.nr * machine.nr, known, usage.ru_maxrss);
	machine_free(&machine);
	return 0;
}
