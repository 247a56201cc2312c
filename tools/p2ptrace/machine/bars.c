// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "machine/bars.h"
#include "machine/machine.h"
#include "machine/resources.h"
#include "machine/sysfs.h"

/* Config space */
#define FIRST_BAR	0x10
#define BAR_WIDE	0x6		/* the bits of the type; 64 bits have the value 4 */
#define BAR_FLAGS	0xf

struct registers {
	uint32_t bars[NR_BARS];
};

/* Zeros if they cannot be read: the registers of a virtual function are zero as well. */
static void read_registers(struct registers *registers, const char *sysfs, const char *pci)
{
	char path[PATH_MAX];
	FILE *file;

	memset(registers, 0, sizeof(*registers));
	if (sysfs_path(path, sizeof(path), "%s/" PCI_DEVICES "/%s/config", sysfs, pci))
		return;
	file = fopen(path, "re");
	if (!file)
		return;
	if (fseek(file, FIRST_BAR, SEEK_SET) ||
	    fread(registers->bars, sizeof(registers->bars), 1, file) != 1)
		memset(registers, 0, sizeof(*registers));
	fclose(file);
}

static uint64_t bus_address(const struct registers *registers, unsigned int i)
{
	uint32_t low = le32toh(registers->bars[i]);
	uint64_t high = 0;

	if ((low & BAR_WIDE) == 4 && i + 1 < NR_BARS)
		high = le32toh(registers->bars[i + 1]);
	return high << 32 | (low & ~BAR_FLAGS);
}

/* Returns false for what is no BAR of memory. */
static bool make_bar(const struct resource *r, struct p2ptrace_bar_key *key,
		     struct p2ptrace_bar *bar)
{
	uint64_t size, address;

	if (r->last <= r->first || !r->first || !(r->flags & RESOURCE_MEM) ||
	    r->flags & RESOURCE_UNSET)
		return false;
	size = r->last - r->first + 1;
	if (size & (size - 1) || r->first & (size - 1))
		return false;
	address = htobe64(r->first);
	memset(key, 0, sizeof(*key));
	key->bits = 64 - __builtin_ctzll(size);
	memcpy(key->address, &address, sizeof(key->address));
	bar->phys = r->first;
	return true;
}

static int walk_function(const char *sysfs, const char *pci, bar_visit visit, void *ctx)
{
	struct resource resources[MAX_RESOURCES];
	struct p2ptrace_bar bar = {};
	struct p2ptrace_bar_key key;
	struct registers registers;
	size_t nr;
	int rc = 0;

	if (strlen(pci) >= sizeof(bar.name.s))
		return 0;
	nr = resources_read(resources, sysfs, pci);
	strcpy(bar.name.s, pci);
	read_registers(&registers, sysfs, pci);
	for (unsigned int i = 0; i < NR_BARS && i < nr && !rc; i++) {
		if (!make_bar(&resources[i], &key, &bar))
			continue;
		bar.bus = bus_address(&registers, i);
		rc = visit(ctx, &key, &bar);
	}
	return rc;
}

int bars_walk(const char *sysfs, bar_visit visit, void *ctx)
{
	DIR *dir = sysfs_open_dir("%s/" PCI_DEVICES, sysfs);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return -errno;
	while (!rc && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			rc = walk_function(sysfs, entry->d_name, visit, ctx);
	closedir(dir);
	return rc;
}
