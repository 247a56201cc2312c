// SPDX-License-Identifier: GPL-2.0
/* The bytes of config space, in any number. */
#include "machine/config.h"
#include "machine/machine.h"
#include "tree.h"

static void require_sound(const struct function *function)
{
	REQUIRE(function->config != CONFIG_MISSING);
	REQUIRE(function->vendor == UNKNOWN ||
		(function->vendor >= 0 && function->vendor < 0xffff));
	REQUIRE(function->type <= TYPE_PCI && function->acs.presence <= PRESENT);
	REQUIRE(function->secondary >= UNKNOWN && function->secondary < 256);
	REQUIRE(function->link.max_speed <= 128000 && function->link.max_width < 64);
	for (int i = 0; i < NR_BARS; i++) {
		const struct bar *bar = &function->bars[i];

		REQUIRE(bar->resizable == PRESENT || (!bar->sizes && !bar->size));
		REQUIRE(!(bar->sizes >> 44) && !(bar->size & (bar->size - 1)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct function *function;
	struct machine machine;

	machine_init(&machine);
	function = machine_add_function(&machine, "0000:00:01.0");
	REQUIRE(function);
	config_parse(function, data, size);
	require_sound(function);
	/* ACS is known from extended config space, or if there can be none */
	REQUIRE(!function->acs.presence || function->type == TYPE_PCI || size > 256);
	machine_free(&machine);
	return 0;
}
