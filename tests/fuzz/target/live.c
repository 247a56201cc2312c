// SPDX-License-Identifier: GPL-2.0
/* A machine whose files hold anything: it is read, and its snapshot is read as the same. */
#include <string.h>

#include "lib/buffer.h"
#include "machine/live.h"
#include "machine/snapshot.h"
#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct live_roots roots;
	struct buffer first = {}, second = {};
	struct machine machine, again;
	struct tree tree;
	const char *bad;
	int rc;

	tree_make(&tree, data, size);
	roots = (struct live_roots){
		.sysfs = tree_dir(),
		.procfs = tree_path("proc"),
		.debugfs = tree_path("debug"),
		.boot = tree_path("boot"),
		.btf = "/nowhere/vmlinux",
		.pci_ids = "/nowhere/pci.ids",
	};
	machine_init(&machine);
	machine_init(&again);
	rc = machine_read_live(&machine, &roots);
	REQUIRE(rc == 0 || rc == 4);
	if (!rc) {
		REQUIRE(!machine_check(&machine, &bad));
		snapshot_write(&first, &machine);
		REQUIRE(!snapshot_read(&again, "FILE", first.data, first.len));
		snapshot_write(&second, &again);
		REQUIRE(!strcmp(first.data, second.data));
	}
	buffer_free(&first);
	buffer_free(&second);
	machine_free(&machine);
	machine_free(&again);
	tree_remove(&tree);
	return 0;
}
