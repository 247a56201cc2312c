// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/devices.h"
#include "machine/sysfs.h"

/* Reads one to @max hexadecimal digits at *s and moves *s behind them. */
static int hex(const char **s, int max, unsigned int *out)
{
	unsigned int n = 0;
	int i;

	for (i = 0; i < max && isxdigit((unsigned char)**s); i++, (*s)++) {
		char c = tolower((unsigned char)**s);

		n = n * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*out = n;
	return i ? 0 : -EINVAL;
}

/* BUS:SLOT.FUNCTION, without a domain. */
static int bus_slot_function(const char *s, unsigned int *bus, unsigned int *slot,
			     unsigned int *function)
{
	if (hex(&s, 2, bus) || *s++ != ':' || hex(&s, 2, slot) || *s++ != '.' ||
	    hex(&s, 1, function) || *s)
		return -EINVAL;
	return *slot > 0x1f || *function > 7 ? -EINVAL : 0;
}

int pci_name_parse(const char *s, char *name, size_t size)
{
	unsigned int domain = 0, bus, slot, function;

	if (bus_slot_function(s, &bus, &slot, &function) &&
	    (hex(&s, 8, &domain) || *s++ != ':' || bus_slot_function(s, &bus, &slot, &function)))
		return -EINVAL;
	snprintf(name, size, "%04x:%02x:%02x.%x", domain, bus, slot, function);
	return 0;
}

bool is_p2pmem_name(const char *s)
{
	static const char prefix[] = "p2pmem";
	size_t len = sizeof(prefix) - 1;

	return !strncmp(s, prefix, len) && s[len] &&
	       strspn(s + len, "0123456789") == strlen(s + len);
}

/* Cuts and pads a name as the BPF programs do, because they compare it with theirs. */
static void name_set(struct p2ptrace_name *name, const char *s)
{
	memset(name, 0, sizeof(*name));
	memcpy(name->s, s, strnlen(s, sizeof(name->s) - 1));
}

bool pci_exists(const char *sysfs, const char *pci)
{
	return sysfs_exists("%s/" PCI_DEVICES "/%s", sysfs, pci);
}

bool pci_provides(const char *sysfs, const char *pci)
{
	return sysfs_exists("%s/" PCI_DEVICES "/%s/" P2PMEM_GROUP, sysfs, pci);
}

void pci_driver(const char *sysfs, const char *pci, char *driver, size_t size)
{
	char name[NAME_MAX + 1];

	if (sysfs_link_name(name, sizeof(name), "%s/" PCI_DEVICES "/%s/driver", sysfs, pci))
		strcpy(name, "-");
	text_word(driver, size, name, strlen(name));
}

int dev_provider(const char *sysfs, const char *dev, char *provider, size_t size)
{
	return sysfs_link_name(provider, size, "%s/%s/%s/device", sysfs, p2pmem_class(sysfs), dev);
}

bool dev_passes(const struct p2ptrace_filter *filter, const char *sysfs, const char *dev)
{
	char provider[P2PTRACE_NAME_LEN];

	if (!*filter->dev.s && !*filter->provider.s)
		return true;
	if (*filter->dev.s && !strcmp(dev, filter->dev.s))
		return true;
	return *filter->provider.s && !dev_provider(sysfs, dev, provider, sizeof(provider)) &&
	       !strcmp(provider, filter->provider.s);
}

static int filter_set_p2pmem(struct p2ptrace_filter *filter, const char *sysfs, const char *dev)
{
	char provider[P2PTRACE_NAME_LEN];
	int err;

	if (strlen(dev) >= P2PTRACE_NAME_LEN ||
	    !sysfs_exists("%s/%s/%s", sysfs, p2pmem_class(sysfs), dev))
		return fail(EXIT_USAGE, "no p2pmem device '%.64s'; see 'p2ptrace peers' for those "
			    "that exist", dev);
	name_set(&filter->dev, dev);

	/* Events of decisions have only the name of the provider. */
	err = dev_provider(sysfs, dev, provider, sizeof(provider));
	if (err)
		return fail(EXIT_OTHER, "cannot find the provider of %s: "
			    "%s/%s/%s/device: %s", dev, sysfs, p2pmem_class(sysfs), dev,
			    strerror(-err));
	name_set(&filter->provider, provider);
	return 0;
}

/* A word that can be a directory of sysfs. The colons of a PCI name tell it apart from these. */
static bool is_class_name(const char *s)
{
	return *s && *s != '.' && !s[strcspn(s, "/: \t\n")];
}

/* The last PCI function on a path through sysfs: the device at its end belongs to this one. */
static int path_pci(char *path, char *name, size_t size)
{
	int err = -ENXIO;
	char *word;

	while ((word = strsep(&path, "/"))) {
		if (!strcmp(word, "virtual"))
			return -ENXIO;
		if (!pci_name_parse(word, name, size) && !strcmp(word, name))
			err = 0;
	}
	return err;
}

const char *const device_classes[NR_DEVICE_CLASSES] = {
	"nvme", "infiniband", "net", "drm", "accel",
};

bool is_class_device(const char *class, const char *name)
{
	size_t prefix = !strncmp(name, "card", 4) ? 4 : !strncmp(name, "renderD", 7) ? 7 : 0;

	return strcmp(class, "drm") ||
	       (prefix && name[prefix] && !name[prefix + strspn(name + prefix, "0123456789")]);
}

int device_pci(const char *sysfs, const char *s, char *name, size_t size)
{
	if (!pci_name_parse(s, name, size))
		return 0;
	if (!is_class_name(s))
		return -EINVAL;
	for (size_t i = 0; i <= NR_DEVICE_CLASSES; i++) {
		const char *class = i < NR_DEVICE_CLASSES ? device_classes[i] : "block";
		char *path = is_class_device(class, s) ?
			     sysfs_real_path("%s/class/%s/%s", sysfs, class, s) : NULL;
		int err;

		if (!path)
			continue;
		err = path_pci(path, name, size);
		free(path);
		return err;
	}
	return -ENODEV;
}

static int device_refused(const char *s, int err)
{
	if (is_p2pmem_name(s))
		return fail(EXIT_USAGE, "'%.64s' is a p2pmem device and cannot be a client; name a "
			    "PCI function", s);
	if (err == -ENXIO)
		return fail(EXIT_USAGE, "'%.64s' does not belong to one PCI function; name a "
			    "device that does (for a drive with several paths, a controller: "
			    "nvme0)", s);
	if (err == -ENODEV)
		return fail(EXIT_USAGE, "no device '%.64s'; name a device by PCI name "
			    "(0000:01:00.0) or by its own name (nvme0, eth0): see 'p2ptrace "
			    "peers'", s);
	return fail(EXIT_USAGE, "'%.64s' is not the name of a device; name a device by PCI name "
		    "(0000:01:00.0) or by its own name (nvme0, eth0)", s);
}

static int add_known(void *ctx, const char *name)
{
	struct known_as *known = ctx;

	if (known->nr < ARRAY_SIZE(known->names) && strlen(name) < sizeof(known->names[0]))
		strcpy(known->names[known->nr++], name);
	return 0;
}

void device_known_as(const char *sysfs, const char *pci, struct known_as *known)
{
	char path[PATH_MAX];

	known->nr = 0;
	for (size_t i = 0; i < NR_DEVICE_CLASSES; i++)
		if (!sysfs_path(path, sizeof(path), "%s/" PCI_DEVICES "/%s/%s", sysfs, pci,
				device_classes[i]))
			sysfs_for_each(path, add_known, known);
}

int dev_check_name(const char *dev)
{
	char name[P2PTRACE_NAME_LEN];

	if (!is_class_name(dev) && pci_name_parse(dev, name, sizeof(name)))
		return fail(EXIT_USAGE, "'%.64s' is not the name of a device; name a p2pmem device "
			    "(p2pmem0), or its provider by PCI name (0000:01:00.0) or by its own "
			    "name (nvme0)", dev);
	return 0;
}

int client_check_name(const char *client)
{
	char name[P2PTRACE_NAME_LEN];

	if (!is_class_name(client) && pci_name_parse(client, name, sizeof(name)))
		return device_refused(client, -EINVAL);
	return 0;
}

/* The PCI name of an existing function. Returns 0 or an exit status. */
static int pci_find(const char *sysfs, const char *s, char *name, size_t size)
{
	int err = device_pci(sysfs, s, name, size);

	if (err)
		return device_refused(s, err);
	if (!pci_exists(sysfs, name))
		return fail(EXIT_USAGE, "no PCI device '%s'; see 'lspci -D'", name);
	return 0;
}

int filter_set_dev(struct p2ptrace_filter *filter, const char *sysfs, const char *dev)
{
	char name[P2PTRACE_NAME_LEN];
	int rc;

	if (is_p2pmem_name(dev))
		return filter_set_p2pmem(filter, sysfs, dev);
	rc = pci_find(sysfs, dev, name, sizeof(name));
	if (rc)
		return rc;
	if (!pci_provides(sysfs, name))
		note("%s does not provide peer memory now; see 'p2ptrace peers' for devices that "
		     "do", dev);
	name_set(&filter->provider, name);
	return 0;
}

int filter_set_client(struct p2ptrace_filter *filter, const char *sysfs, const char *client)
{
	char name[P2PTRACE_NAME_LEN];
	int rc = pci_find(sysfs, client, name, sizeof(name));

	if (rc)
		return rc;
	name_set(&filter->client, name);
	return 0;
}
