// SPDX-License-Identifier: GPL-2.0
/* Snapshots from other machines: what is read can be written, and is then read as the same. */
#include <string.h>

#include "lib/buffer.h"
#include "machine/snapshot.h"
#include "tree.h"

static void require_sound(const struct machine *machine)
{
	const char *bad;

	REQUIRE(!machine_check(machine, &bad));
	REQUIRE(machine->nr <= MAX_FUNCTIONS && machine->nr_options <= MAX_OPTIONS);
	for (size_t i = 0; i < machine->nr; i++) {
		const struct function *function = &machine->functions[i];

		REQUIRE(strlen(function->name) < sizeof(function->name));
		REQUIRE(strlen(function->title) < sizeof(function->title));
		REQUIRE(function->nr_names <= MAX_NAMES);
		REQUIRE(function->vendor == UNKNOWN || (function->vendor & ~0xffff) == 0);
		REQUIRE(function->config <= CONFIG_COMPLETE && function->type <= TYPE_PCI);
		REQUIRE(function->secondary < 256 && function->secondary >= UNKNOWN);
	}
	for (size_t i = 0; i < machine->nr_reported; i++) {
		REQUIRE((size_t)machine->reported[i].provider < machine->nr);
		REQUIRE((size_t)machine->reported[i].client < machine->nr);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer first = {}, second = {};
	struct machine machine, again;
	int rc;

	machine_init(&machine);
	machine_init(&again);
	rc = snapshot_read(&machine, "FILE", (const char *)data, size);
	REQUIRE(rc == 0 || rc == 4);
	if (!rc) {
		require_sound(&machine);
		snapshot_write(&first, &machine);
		REQUIRE(!snapshot_read(&again, "FILE", first.data, first.len));
		snapshot_write(&second, &again);
		REQUIRE(!strcmp(first.data, second.data));
	}
	buffer_free(&first);
	buffer_free(&second);
	machine_free(&machine);
	machine_free(&again);
	return 0;
}
