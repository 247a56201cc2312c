// SPDX-License-Identifier: GPL-2.0
/* Tables of buffers in debugfs. */
#include <string.h>

#include "machine/held.h"
#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct p2ptrace_filter filter = {};
	struct held_list list;
	struct tree tree;
	int rc;

	tree_make(&tree, data, size);
	rc = held_read(&list, tree_dir(), tree_path("debug"), &filter);
	REQUIRE(rc == 0 || rc == 3 || rc == 4);
	REQUIRE(!rc || !list.nr);
	for (size_t i = 0; i < list.nr; i++) {
		const struct held *held = &list.held[i];

		REQUIRE(!i || held->age_ms <= held[-1].age_ms);
		REQUIRE(held->pins >= 0 && !held->known);
		REQUIRE(strlen(held->owner) < sizeof(held->owner));
	}
	held_free(&list);
	tree_remove(&tree);
	return 0;
}
