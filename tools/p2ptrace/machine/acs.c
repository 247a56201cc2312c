// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pci/pci.h>

#include "lib/log.h"
#include "machine/acs.h"
#include "machine/sysfs.h"

/*
 * libpci calls this function for permanent errors (out of memory, no sysfs, a path that is too
 * long) and does not expect it to return. Nothing has to be undone then, so exit() is safe.
 */
static void __attribute__((noreturn, format(printf, 1, 2))) on_error(char *fmt, ...)
{
	char message[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	exit(fail(EXIT_OTHER, "cannot read PCI config space: %s; check that 'lspci -vv' can",
		  message));
}

/* Warnings are dropped. config_read() reports that it could not read. */
static void on_warning(char *fmt, ...)
{
	(void)fmt;
}

struct pci_access *config_open(const char *sysfs)
{
	struct pci_access *access = pci_alloc();
	char path[PATH_MAX], parameter[] = "sysfs.path";

	access->error = on_error;
	access->warning = on_warning;
	access->method = PCI_ACCESS_SYS_BUS_PCI;
	if (sysfs_path(path, sizeof(path), "%s/" PCI_BUS, sysfs))
		exit(fail(EXIT_OTHER, "the path of sysfs is too long: %s", sysfs));
	pci_set_param(access, parameter, path);
	pci_init(access);
	return access;
}

void config_close(struct pci_access *config)
{
	pci_cleanup(config);
}

static struct pci_dev *open_dev(struct pci_access *access, const char *pci)
{
	unsigned int domain, bus, slot, function;

	if (sscanf(pci, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return NULL;
	return pci_get_dev(access, domain, bus, slot, function);
}

/* -1 for a function that is not PCI Express. */
static int express_type(struct pci_dev *dev)
{
	struct pci_cap *cap = pci_find_cap(dev, PCI_CAP_ID_EXP, PCI_CAP_NORMAL);

	return cap ? (pci_read_word(dev, cap->addr + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4 : -1;
}

/* Like pci_bridge_has_acs_redir() in drivers/pci/p2pdma.c, which also tests endpoints. */
static bool acs_redirects(struct pci_dev *dev)
{
	struct pci_cap *cap = pci_find_cap(dev, PCI_EXT_CAP_ID_ACS, PCI_CAP_EXTENDED);

	return cap && pci_read_word(dev, cap->addr + PCI_ACS_CTRL) &
		      (PCI_ACS_CTRL_REQ_RED | PCI_ACS_CTRL_CMPLT_RED | PCI_ACS_CTRL_EGRESS);
}

static unsigned int header_type(struct pci_dev *dev)
{
	return pci_read_byte(dev, PCI_HEADER_TYPE) & 0x7f;
}

/*
 * The part of config space that every user may read. libpci returns ones for bytes that it cannot
 * read, and finds no capability in them, so config_read() tests first whether there are more.
 */
#define HEAD 64

int config_read(struct pci_access *config, const char *pci, struct config_function *function)
{
	struct pci_dev *dev = open_dev(config, pci);
	unsigned char bytes[HEAD];
	int err = 0;

	memset(function, 0, sizeof(*function));
	if (!dev || !pci_read_block(dev, 0, bytes, HEAD)) {
		err = -EIO;
	} else if (!pci_read_block(dev, HEAD, bytes, 1)) {
		err = -EACCES;
	} else {
		function->endpoint = header_type(dev) == PCI_HEADER_TYPE_NORMAL;
		function->root_port = express_type(dev) == PCI_EXP_TYPE_ROOT_PORT;
		function->redirects = acs_redirects(dev);
	}
	if (dev)
		pci_free_dev(dev);
	return err;
}

static const char *express_kind(int type)
{
	switch (type) {
	case PCI_EXP_TYPE_ROOT_PORT:
		return "root port";
	case PCI_EXP_TYPE_UPSTREAM:
		return "switch upstream port";
	case PCI_EXP_TYPE_DOWNSTREAM:
		return "switch downstream port";
	case PCI_EXP_TYPE_PCI_BRIDGE:
	case PCI_EXP_TYPE_PCIE_BRIDGE:
		return "bridge to PCI";
	case PCI_EXP_TYPE_ROOT_INT_EP:
		return "integrated endpoint";
	default:
		return "endpoint";
	}
}

const char *pci_kind(const char *sysfs, const char *pci)
{
	struct pci_access *config = config_open(sysfs);
	struct pci_dev *dev = open_dev(config, pci);
	const char *kind = "device";

	if (dev) {
		int type = express_type(dev);

		if (type >= 0)
			kind = express_kind(type);
		else if (header_type(dev) == PCI_HEADER_TYPE_BRIDGE)
			kind = "bridge";
		pci_free_dev(dev);
	}
	config_close(config);
	return kind;
}
