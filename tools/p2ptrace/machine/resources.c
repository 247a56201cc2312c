// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "machine/resources.h"
#include "machine/sysfs.h"

size_t resources_read(struct resource resources[MAX_RESOURCES], const char *sysfs,
		      const char *function)
{
	char path[PATH_MAX], line[128];
	size_t nr = 0;
	FILE *file;

	if (sysfs_path(path, sizeof(path), "%s/" PCI_DEVICES "/%s/resource", sysfs, function))
		return 0;
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (nr < MAX_RESOURCES && fgets(line, sizeof(line), file)) {
		struct resource *r = &resources[nr];

		if (sscanf(line, "%" SCNx64 " %" SCNx64 " %" SCNx64, &r->first, &r->last,
			   &r->flags) != 3)
			break;
		nr++;
	}
	fclose(file);
	return nr;
}
