// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/machine.h"
#include "machine/order.h"
#include "machine/sysfs.h"

struct number {
	unsigned int domain, bus, devfn;
};

static struct number number_of(const char *name)
{
	struct number number = {};
	unsigned int slot = 0, function = 0;

	sscanf(name, "%8x:%2x:%2x.%1x", &number.domain, &number.bus, &slot, &function);
	number.devfn = slot << 3 | function;
	return number;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_number(const void *a, const void *b)
{
	struct number x = number_of(((const struct function *)a)->name);
	struct number y = number_of(((const struct function *)b)->name);

	return compare(x.domain, y.domain) ?: compare(x.bus, y.bus) ?: compare(x.devfn, y.devfn);
}

void order_by_number(struct machine *machine)
{
	if (machine->nr)
		qsort(machine->functions, machine->nr, sizeof(*machine->functions), by_number);
}

int order_apply(struct machine *machine, const size_t *indices, size_t nr)
{
	struct function *functions = calloc(nr + !nr, sizeof(*functions));
	int *moved = malloc((machine->nr + 1) * sizeof(*moved));

	if (!functions || !moved) {
		free(functions);
		free(moved);
		return -ENOMEM;
	}
	for (size_t i = 0; i < machine->nr; i++)
		moved[i] = UNKNOWN;
	for (size_t i = 0; i < nr; i++) {
		functions[i] = machine->functions[indices[i]];
		moved[indices[i]] = i;
	}
	for (size_t i = 0; i < nr; i++)
		if (functions[i].parent >= 0)
			functions[i].parent = moved[functions[i].parent];
	/* Not the new array: only machine_add_function() knows how large one is */
	memcpy(machine->functions, functions, nr * sizeof(*functions));
	machine->nr = nr;
	free(functions);
	free(moved);
	return 0;
}

/* What both a line of the list and a function in sysfs show. The line of the list has no domain. */
struct entry {
	unsigned int bus, devfn;
	unsigned int vendor, device;
	uint64_t start[NR_BARS];	/* 0 for a BAR that is not implemented */
	uint64_t rank;			/* of a line: its number; of a function: its inode number */
	size_t index;			/* of a function */
};

/* The lowest bits are those of the address for the one, and flags for the other. */
#define START_MASK (~(uint64_t)0xf)

static int by_key(const struct entry *a, const struct entry *b)
{
	int order = compare(a->bus, b->bus) ?: compare(a->devfn, b->devfn) ?:
		    compare(a->vendor, b->vendor) ?: compare(a->device, b->device);

	for (int i = 0; !order && i < NR_BARS; i++)
		order = compare(a->start[i], b->start[i]);
	return order;
}

static int by_key_and_rank(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return by_key(x, y) ?: compare(x->rank, y->rank);
}

/* "0008 1af41042 b" and the start and the size of seven resources. */
static int parse_line(const char *line, struct entry *entry)
{
	unsigned int irq;
	int used = 0;
	char *end;

	if (sscanf(line, "%2x%2x %4x%4x %x%n", &entry->bus, &entry->devfn, &entry->vendor,
		   &entry->device, &irq, &used) != 5)
		return -EINVAL;
	line += used;
	for (int i = 0; i < 2 * (NR_BARS + 1); i++, line = end) {
		uint64_t value = strtoull(line, &end, 16);
		int bar = i % (NR_BARS + 1);

		if (end == line)
			return -EINVAL;
		if (bar == NR_BARS)
			continue;
		if (i < NR_BARS)
			entry->start[bar] = value & START_MASK;
		else if (!value)
			entry->start[bar] = 0;
	}
	return 0;
}

#define MAX_LINES 65536

/* Returns the number of lines, or a negative errno. */
static int read_list(struct entry **entries, const char *procfs)
{
	size_t size = 0, nr = 0, room = 0;
	char path[PATH_MAX], *line = NULL;
	int err = sysfs_path(path, sizeof(path), "%s/bus/pci/devices", procfs);
	FILE *file = err ? NULL : fopen(path, "re");

	*entries = NULL;
	if (!file)
		return -ENOENT;
	while (!err && nr < MAX_LINES && getline(&line, &size, file) > 0) {
		if (nr == room) {
			struct entry *more;

			room = room ? 2 * room : 64;
			more = reallocarray(*entries, room, sizeof(*more));
			if (!more) {
				err = -ENOMEM;
				break;
			}
			*entries = more;
		}
		(*entries)[nr] = (struct entry){ .rank = nr };
		err = parse_line(line, &(*entries)[nr]);
		nr++;
	}
	free(line);
	fclose(file);
	return err ?: (int)nr;
}

static struct entry entry_of(const struct function *function, size_t index, const char *sysfs)
{
	struct number number = number_of(function->name);
	struct entry entry = {
		.bus = number.bus,
		.devfn = number.devfn,
		.vendor = function->vendor,
		.device = function->device,
		.index = index,
	};

	for (int i = 0; i < NR_BARS; i++)
		if (function->bars[i].size)
			entry.start[i] = function->bars[i].start & START_MASK;
	if (sysfs_inode(&entry.rank, "%s/" PCI_DEVICES "/%s", sysfs, function->name))
		entry.rank = 0;
	return entry;
}

/*
 * Sets the index of each line to that of its function, both sorted by key. Returns -EINVAL if a
 * function has no line, or a line may belong to another function than to those that are known.
 */
static int match(struct entry *lines, size_t nr_lines, const struct entry *functions, size_t nr,
		 bool *ambiguous)
{
	size_t line = 0;

	for (size_t i = 0, same; i < nr; i += same) {
		size_t last = i + 1, found = 0;

		while (last < nr && !by_key(&functions[i], &functions[last]))
			last++;
		same = last - i;
		for (; line < nr_lines && by_key(&lines[line], &functions[i]) < 0; line++)
			lines[line].index = SIZE_MAX;
		for (; line < nr_lines && !by_key(&lines[line], &functions[i]); line++, found++)
			if (found < same)
				lines[line].index = functions[i + found].index;
		if (found != same)
			return -EINVAL;
		*ambiguous |= same > 1;
	}
	for (; line < nr_lines; line++)
		lines[line].index = SIZE_MAX;
	return 0;
}

/*
 * The indices of functions in the order of their lines. Returns -EINVAL if @inodes, by index, do
 * not rise; NULL if they do not matter.
 */
static int indices_of(size_t *indices, size_t nr, const struct entry *lines, size_t nr_lines,
		      const uint64_t *inodes, size_t *by_line)
{
	size_t used = 0;

	/* The lines are sorted by key: put them back */
	for (size_t i = 0; i < nr_lines; i++)
		by_line[lines[i].rank] = lines[i].index;
	for (size_t i = 0; i < nr_lines; i++) {
		if (by_line[i] == SIZE_MAX)
			continue;
		if (inodes && (!inodes[by_line[i]] ||
			       (used && inodes[by_line[i]] <= inodes[indices[used - 1]])))
			return -EINVAL;
		indices[used++] = by_line[i];
	}
	return used == nr ? 0 : -EINVAL;
}

static int order(struct machine *machine, const char *sysfs, struct entry *lines, size_t nr_lines)
{
	size_t nr = machine->nr;
	struct entry *functions = calloc(nr + 1, sizeof(*functions));
	uint64_t *inodes = calloc(nr + 1, sizeof(*inodes));
	size_t *indices = calloc(nr + 1, sizeof(*indices));
	size_t *by_line = calloc(nr_lines + 1, sizeof(*by_line));
	bool ambiguous = false;
	int err = functions && inodes && indices && by_line ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < nr; i++) {
		functions[i] = entry_of(&machine->functions[i], i, sysfs);
		inodes[i] = functions[i].rank;
	}
	if (!err) {
		qsort(functions, nr, sizeof(*functions), by_key_and_rank);
		qsort(lines, nr_lines, sizeof(*lines), by_key_and_rank);
		err = match(lines, nr_lines, functions, nr, &ambiguous);
	}
	if (!err)
		err = indices_of(indices, nr, lines, nr_lines, ambiguous ? inodes : NULL, by_line);
	if (!err)
		err = order_apply(machine, indices, nr);
	free(functions);
	free(inodes);
	free(indices);
	free(by_line);
	return err;
}

int order_by_kernel(struct machine *machine, const char *sysfs, const char *procfs)
{
	struct entry *lines;
	int nr = read_list(&lines, procfs), err;

	err = nr > 0 && machine->nr ? order(machine, sysfs, lines, nr) : nr < 0 ? nr : -EINVAL;
	free(lines);
	machine->ordered = !err;
	return err == -ENOMEM ? err : 0;
}
