// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "lib/log.h"
#include "lib/number.h"
#include "machine/devices.h"
#include "machine/gauges.h"
#include "machine/sysfs.h"

/* Reads an attribute of the p2pmem device @dev or, on a stock kernel, of the provider @dev. */
static int read_gauge(bool stock, const char *sysfs, const char *dev, const char *attribute,
		      uint64_t *value)
{
	char text[32];
	int err;

	if (stock)
		err = sysfs_read_text(text, sizeof(text),
				      "%s/" PCI_DEVICES "/%s/" P2PMEM_GROUP "/%s", sysfs, dev,
				      attribute);
	else
		err = sysfs_read_text(text, sizeof(text), "%s/%s/%s/%s", sysfs, p2pmem_class(sysfs),
				      dev, attribute);
	if (err)
		return err;
	if (*text != '-')
		return number_parse(text, value);
	/* The kernel sums over CPUs without a lock, so a sum can be below 0 for a moment */
	err = number_parse(text + 1, value);
	*value = 0;
	return err;
}

static int gauges_add(struct gauges *gauges, bool stock, const char *sysfs, const char *dev)
{
	uint64_t size, available, held = 0, pinned = 0;
	int err = stock ? 0 : read_gauge(stock, sysfs, dev, "pinned", &pinned);

	/* The series need not have pins since 7.3. If the device is gone, the others are missing */
	if (!err || err == -ENOENT)
		err = read_gauge(stock, sysfs, dev, "size", &size);
	if (!err)
		err = read_gauge(stock, sysfs, dev, "available", &available);
	if (!err && !stock)
		err = read_gauge(stock, sysfs, dev, "buffers", &held);
	if (err)
		return sysfs_gone(err) ? 0 : err;
	gauges->devices++;
	gauges->size += size;
	gauges->held += held;
	/* The two are read one after the other, so @available can be the larger one */
	gauges->held_bytes += size > available ? size - available : 0;
	gauges->pinned += pinned;
	return 0;
}

/*
 * A function that does not provide memory passes on a stock kernel. It has no attributes, so
 * gauges_add() skips it like a removed device.
 */
static bool selected(const struct p2ptrace_filter *filter, bool stock, const char *sysfs,
		     const char *dev)
{
	if (stock)
		return !*filter->provider.s || !strcmp(filter->provider.s, dev);
	return is_p2pmem_name(dev) && dev_passes(filter, sysfs, dev);
}

int gauges_read(struct gauges *gauges, bool stock, const char *sysfs,
		const struct p2ptrace_filter *filter)
{
	const char *class = stock ? PCI_DEVICES : p2pmem_class(sysfs);
	DIR *dir = sysfs_open_dir("%s/%s", sysfs, class);
	struct dirent *entry;
	int err = 0;

	memset(gauges, 0, sizeof(*gauges));
	if (!dir)
		return fail(EXIT_OTHER, "cannot read %s/%s: %s; is /sys mounted?", sysfs, class,
			    strerror(errno));
	while (!err && (entry = readdir(dir)))
		if (selected(filter, stock, sysfs, entry->d_name))
			err = gauges_add(gauges, stock, sysfs, entry->d_name);
	closedir(dir);
	if (err)
		return fail(EXIT_OTHER, "cannot read the use of peer memory below %s/%s: %s; "
			    "run it again", sysfs, class, strerror(-err));
	return 0;
}
