// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/number.h"
#include "machine/devices.h"
#include "machine/gauges.h"

/* Where the attributes of a device are: of a p2pmem device, or on a stock kernel of the PCI function. */
static bool attribute_path(char *path, size_t size, bool stock, const char *sysfs, const char *dev, const char *attribute)
{
	return snprintf(path, size, stock ? "%s/bus/pci/devices/%s/p2pmem/%s" : "%s/class/p2pmem/%s/%s", sysfs, dev,
			attribute) < (int)size;
}

/*
 * Sums over CPUs that are made without a lock may come out below 0 for a moment, which is as good as 0. -ENODEV if the
 * device has gone.
 */
static int read_number(bool stock, const char *sysfs, const char *dev, const char *attribute, uint64_t *value)
{
	char path[PATH_MAX], text[32] = "";
	FILE *file;
	int err = 0;

	*value = 0;
	if (!attribute_path(path, sizeof(path), stock, sysfs, dev, attribute))
		return -ENAMETOOLONG;
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? -ENODEV : -errno;
	if (!fgets(text, sizeof(text), file))
		err = ferror(file) ? -errno : -EINVAL;
	fclose(file);
	if (err)
		return err;
	text[strcspn(text, "\n")] = '\0';
	if (*text == '-')
		return number_parse(text + 1, value) ? -EINVAL : (*value = 0, 0);
	return number_parse(text, value);
}

static int gauges_add(struct gauges *gauges, bool stock, const char *sysfs, const char *dev)
{
	uint64_t size, available, held = 0, pinned = 0;
	int err = read_number(stock, sysfs, dev, "size", &size);

	if (!err)
		err = read_number(stock, sysfs, dev, "available", &available);
	if (!err && !stock)
		err = read_number(stock, sysfs, dev, "buffers", &held);
	if (!err && !stock)
		err = read_number(stock, sysfs, dev, "pinned", &pinned);
	if (err)
		return err == -ENODEV ? 0 : err;
	gauges->devices++;
	gauges->size += size;
	gauges->held += held;
	/* Read one after the other, so they need not fit together */
	gauges->held_bytes += size > available ? size - available : 0;
	gauges->pinned += pinned;
	return 0;
}

/* Of all PCI functions, most lend no memory */
static bool dev_lends(const struct p2ptrace_filter *filter, const char *sysfs, const char *pci)
{
	char path[PATH_MAX];

	return (!*filter->provider.s || !strcmp(filter->provider.s, pci)) &&
	       attribute_path(path, sizeof(path), true, sysfs, pci, "size") && !access(path, F_OK);
}

int gauges_read(struct gauges *gauges, bool stock, const char *sysfs, const struct p2ptrace_filter *filter)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	memset(gauges, 0, sizeof(*gauges));
	snprintf(path, sizeof(path), stock ? "%s/bus/pci/devices" : "%s/class/p2pmem", sysfs);
	dir = opendir(path);
	if (!dir)
		return fail(EXIT_OTHER, "cannot read %s: %s; is /sys mounted?", path, strerror(errno));
	while (!err && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && (stock ? dev_lends(filter, sysfs, entry->d_name) :
							dev_passes(filter, sysfs, entry->d_name)))
			err = gauges_add(gauges, stock, sysfs, entry->d_name);
	closedir(dir);
	if (err)
		return fail(EXIT_OTHER, "cannot read what is in use below %s: %s", path, strerror(-err));
	return 0;
}
