// SPDX-License-Identifier: GPL-2.0
/* Sizes and counts of p2pmem devices in sysfs, on either kind of kernel. */
#include <string.h>

#include "machine/gauges.h"
#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct p2ptrace_filter filter = {};
	struct gauges gauges;
	struct tree tree;
	int rc;

	tree_make(&tree, data, size);
	if (tree.nr_args)
		strncpy(filter.provider.s, tree.args[0], sizeof(filter.provider.s) - 1);
	for (int stock = 0; stock < 2; stock++) {
		rc = gauges_read(&gauges, stock, tree_dir(), &filter);
		REQUIRE(rc == 0 || rc == 4);
		REQUIRE(!stock || !gauges.held);
	}
	tree_remove(&tree);
	return 0;
}
