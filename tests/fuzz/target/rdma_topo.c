// SPDX-License-Identifier: GPL-2.0
/* The dump of rdma_topo. */
#include <string.h>

#include "machine/dump.h"
#include "machine/machine.h"
#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine machine;
	const char *bad;
	int rc;

	machine_init(&machine);
	rc = rdma_topo_read(&machine, (const char *)data, size, "FILE");
	REQUIRE(rc == 0 || rc == 4);
	for (size_t i = 0; !rc && i < machine.nr; i++) {
		const struct function *function = &machine.functions[i];

		REQUIRE(machine_find(&machine, function->name) == function);
		REQUIRE(function->nr_names <= MAX_NAMES);
		REQUIRE(function->vendor >= 0 && function->device >= 0);
	}
	if (!rc)
		REQUIRE(!machine_check(&machine, &bad));
	machine_free(&machine);
	return 0;
}
