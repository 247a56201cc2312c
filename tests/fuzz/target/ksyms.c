// SPDX-License-Identifier: GPL-2.0
/* kallsyms. */
#include <string.h>

#include "session/ksyms.h"
#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ksyms ksyms;
	uint64_t offset;

	if (ksyms_load(&ksyms, file_of(data, size))) {
		REQUIRE(!ksyms.syms && !ksyms.nr);
		return 0;
	}
	ksyms_name(&ksyms, 0, &offset);
	for (size_t i = 0; i < ksyms.nr; i++) {
		REQUIRE(!i || ksyms.syms[i].addr >= ksyms.syms[i - 1].addr);
		REQUIRE(ksyms_name(&ksyms, ksyms.syms[i].addr, &offset) && !offset);
	}
	if (ksyms.nr)
		REQUIRE(ksyms_name(&ksyms, UINT64_MAX, &offset) == ksyms.syms[ksyms.nr - 1].name);
	ksyms_free(&ksyms);
	return 0;
}
