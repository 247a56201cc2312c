// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pci/pci.h>

#include "acs.h"
#include "log.h"

static void __attribute__((noreturn)) on_error(char *message, ...)
{
	exit(fail(EXIT_OTHER, "cannot read PCI config space: %s", message));
}

static void on_warning(char *message, ...)
{
	(void)message;
}

static struct pci_access *open_access(const char *sysfs)
{
	struct pci_access *access = pci_alloc();
	char path[256], sysfs_path[] = "sysfs.path";

	access->error = on_error;
	access->warning = on_warning;
	access->method = PCI_ACCESS_SYS_BUS_PCI;
	snprintf(path, sizeof(path), "%s/bus/pci", sysfs);
	pci_set_param(access, sysfs_path, path);
	pci_init(access);
	return access;
}

static struct pci_dev *open_dev(struct pci_access *access, const char *pci)
{
	unsigned int domain, bus, slot, function;

	if (sscanf(pci, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return NULL;
	return pci_get_dev(access, domain, bus, slot, function);
}

bool acs_redirects(const char *sysfs, const char *pci)
{
	struct pci_access *access = open_access(sysfs);
	struct pci_dev *dev = open_dev(access, pci);
	struct pci_cap *cap;
	bool redirects = false;

	if (dev) {
		cap = pci_find_cap(dev, PCI_EXT_CAP_ID_ACS, PCI_CAP_EXTENDED);
		if (cap)
			redirects = pci_read_word(dev, cap->addr + PCI_ACS_CTRL) &
				    (PCI_ACS_CTRL_REQ_RED | PCI_ACS_CTRL_CMPLT_RED | PCI_ACS_CTRL_EGRESS);
		pci_free_dev(dev);
	}
	pci_cleanup(access);
	return redirects;
}

static const char *express_kind(unsigned int type)
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
	struct pci_access *access = open_access(sysfs);
	struct pci_dev *dev = open_dev(access, pci);
	const char *kind = "device";
	struct pci_cap *cap;

	if (dev) {
		cap = pci_find_cap(dev, PCI_CAP_ID_EXP, PCI_CAP_NORMAL);
		if (cap)
			kind = express_kind((pci_read_word(dev, cap->addr + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4);
		else if ((pci_read_byte(dev, PCI_HEADER_TYPE) & 0x7f) == PCI_HEADER_TYPE_BRIDGE)
			kind = "bridge";
		pci_free_dev(dev);
	}
	pci_cleanup(access);
	return kind;
}
