// SPDX-License-Identifier: GPL-2.0
/* Devices in sysfs, and names that a user gives them: the arguments before the tree. */
#include <string.h>

#include "machine/devices.h"
#include "machine/machine.h"
#include "tree.h"

static void ask(const char *name)
{
	struct p2ptrace_filter filter = {};
	struct known_as known;
	char pci[PCI_NAME_LEN], driver[WORD_LEN];
	int rc;

	rc = dev_check_name(name);
	REQUIRE(rc == 0 || rc == 2);
	rc = client_check_name(name);
	REQUIRE(rc == 0 || rc == 2);
	rc = filter_set_dev(&filter, tree_dir(), name);
	REQUIRE(rc || *filter.dev.s || *filter.provider.s);
	REQUIRE(memchr(filter.dev.s, '\0', sizeof(filter.dev.s)));
	dev_passes(&filter, tree_dir(), name);
	rc = filter_set_client(&filter, tree_dir(), name);
	REQUIRE(rc || *filter.client.s);
	if (device_pci(tree_dir(), name, pci, sizeof(pci)))
		return;

	device_known_as(tree_dir(), pci, &known);
	REQUIRE(known.nr <= sizeof(known.names) / sizeof(known.names[0]));
	pci_driver(tree_dir(), pci, driver, sizeof(driver));
	REQUIRE(strlen(driver) < sizeof(driver));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree tree;

	tree_make(&tree, data, size);
	for (size_t i = 0; i < tree.nr_args; i++)
		ask(tree.args[i]);
	tree_remove(&tree);
	return 0;
}
