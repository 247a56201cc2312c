// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pci/pci.h>

#include "lib/log.h"
#include "lib/text.h"
#include "machine/sysfs.h"
#include "machine/titles.h"

/*
 * libpci calls this function if there is no memory, and does not expect it to return. Nothing has
 * to be undone then, so exit() is safe.
 */
static void __attribute__((noreturn, format(printf, 1, 2))) on_error(char *fmt, ...)
{
	char message[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	exit(fail(EXIT_OTHER, "cannot look up the names of PCI devices: %s", message));
}

static void on_warning(char *fmt, ...)
{
	(void)fmt;
}

/* From pci.ids alone. libpci leaks memory for each name that udev's database does not have. */
#define LOOKUP (PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB)

void titles_read(struct machine *machine, const char *sysfs, const char *pci_ids)
{
	char path[PATH_MAX], parameter[] = "sysfs.path", cache[] = "net.cache_name", *ids = NULL;
	struct pci_access *access;

	/* libpci wants this directory, although the names come from a file */
	if (!machine->nr || sysfs_path(path, sizeof(path), "%s/" PCI_BUS, sysfs))
		return;
	access = pci_alloc();
	access->error = on_error;
	access->warning = on_warning;
	access->method = PCI_ACCESS_SYS_BUS_PCI;
	pci_set_param(access, parameter, path);
	/* Not from a user's cache either, whose name libpci 3.13 leaks */
	pci_set_param(access, cache, cache + strlen(cache));
	pci_init(access);
	if (pci_ids)
		ids = strdup(pci_ids);
	if (ids)
		pci_set_name_list_path(access, ids, 1);
	for (size_t i = 0; i < machine->nr; i++) {
		struct function *function = &machine->functions[i];
		const char *title;
		char text[256];

		if (function->vendor < 0 || function->device < 0 || *function->title)
			continue;
		title = pci_lookup_name(access, text, sizeof(text), LOOKUP, function->vendor,
					function->device);
		if (title)
			text_printable(function->title, sizeof(function->title), title,
				       strlen(title));
	}
	pci_cleanup(access);
}
