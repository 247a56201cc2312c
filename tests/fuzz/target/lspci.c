// SPDX-License-Identifier: GPL-2.0
/* The output of lspci, as people paste it. */
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
	rc = lspci_read(&machine, (const char *)data, size, "FILE");
	REQUIRE(rc == 0 || rc == 4);
	for (size_t i = 0; !rc && i < machine.nr; i++) {
		const struct function *function = &machine.functions[i];

		/* Each name once */
		REQUIRE(machine_find(&machine, function->name) == function);
		REQUIRE(memchr(function->title, '\0', sizeof(function->title)));
		REQUIRE(function->acs.presence == PRESENT ||
			!(function->acs.cap || function->acs.ctrl));
		REQUIRE(function->config != CONFIG_ALL_ONES ||
			function->acs.presence == PRESENCE_UNKNOWN);
	}
	if (!rc) {
		REQUIRE(machine.nr > 0 && *machine.source);
		REQUIRE(!machine_check(&machine, &bad));
	}
	machine_free(&machine);
	return 0;
}
