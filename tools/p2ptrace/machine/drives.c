// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/drives.h"
#include "machine/sysfs.h"

#define SECTOR_SIZE 512

/* Whether @name is that of a block device of the controller @nvme: nvme0n1, or nvme0c0n1. */
static bool is_namespace(const char *name, const char *nvme)
{
	size_t len = strlen(nvme);

	return !strncmp(name, nvme, len) && (name[len] == 'n' || name[len] == 'c') &&
	       isdigit((unsigned char)name[len + 1]);
}

/* Documentation/block/stat.rst: sectors read and written are the third and the seventh number. */
static uint64_t namespace_bytes(const char *sysfs, const char *nvme, const char *name)
{
	uint64_t read = 0, written = 0;
	char text[512];

	if (sysfs_read_text(text, sizeof(text), "%s/class/nvme/%s/%s/stat", sysfs, nvme, name) ||
	    sscanf(text, "%*s %*s %" SCNu64 " %*s %*s %*s %" SCNu64, &read, &written) != 2)
		return 0;
	return (read + written) * SECTOR_SIZE;
}

static int drive_add(struct drives *drives, const char *sysfs, const char *nvme)
{
	char transport[16], pci[P2PTRACE_NAME_LEN];
	struct drive *drive;
	struct dirent *entry;
	DIR *dir;

	if (sysfs_read_text(transport, sizeof(transport), "%s/class/nvme/%s/transport", sysfs,
			    nvme) || strcmp(transport, "pcie") ||
	    sysfs_read_text(pci, sizeof(pci), "%s/class/nvme/%s/address", sysfs, nvme))
		return 0;
	dir = sysfs_open_dir("%s/class/nvme/%s", sysfs, nvme);
	if (!dir)
		return 0;
	drive = reallocarray(drives->drives, drives->nr + 1, sizeof(*drive));
	if (!drive) {
		closedir(dir);
		return -ENOMEM;
	}
	drives->drives = drive;
	drive += drives->nr++;
	memset(drive, 0, sizeof(*drive));
	strcpy(drive->pci, pci);
	while ((entry = readdir(dir)))
		if (is_namespace(entry->d_name, nvme))
			drive->bytes += namespace_bytes(sysfs, nvme, entry->d_name);
	closedir(dir);
	return 0;
}

int drives_read(struct drives *drives, const char *sysfs)
{
	DIR *dir = sysfs_open_dir("%s/class/nvme", sysfs);
	struct dirent *entry;
	int err = 0;

	memset(drives, 0, sizeof(*drives));
	while (dir && !err && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			err = drive_add(drives, sysfs, entry->d_name);
	if (dir)
		closedir(dir);
	return err;
}

void drives_free(struct drives *drives)
{
	free(drives->drives);
	memset(drives, 0, sizeof(*drives));
}

static const struct drive *drives_find(const struct drives *drives, const char *pci)
{
	for (size_t i = 0; i < drives->nr; i++)
		if (!strcmp(drives->drives[i].pci, pci))
			return &drives->drives[i];
	return NULL;
}

bool drives_moved(const struct drives *to, const struct drives *from, const char *pci,
		  uint64_t *bytes)
{
	const struct drive *now = drives_find(to, pci), *then = drives_find(from, pci);

	/* A drive that was reset or replaced counts from 0 again */
	if (!now || !then || now->bytes < then->bytes)
		return false;
	*bytes = now->bytes - then->bytes;
	return true;
}
