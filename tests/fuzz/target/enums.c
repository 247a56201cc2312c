// SPDX-License-Identifier: GPL-2.0
/* BTF: enums of the kernel, and what the kernel is taken for. */
#include <stdbool.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "event/enums.h"
#include "event/events.h"
#include "machine/kernel.h"
#include "session/hooks.h"
#include "tree.h"

static int silent(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static void look_up(const struct enums *enums)
{
	char buf[32];

	for (int which = 0; which < NR_ENUMS; which++) {
		const struct enum_table *table = &enums->table[which];

		REQUIRE(enums_name(enums, which, UINT32_MAX, buf, sizeof(buf)));
		for (size_t i = 0; i < table->nr; i++) {
			const struct enum_value *value = &table->values[i];

			REQUIRE(strlen(value->name) == value->len);
			REQUIRE(enums_find(enums, which, value->value)->value == value->value);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct enums enums;
	struct btf *btf;

	libbpf_set_print(silent);
	btf = btf__new(data, size);
	if (!btf)
		return 0;
	if (!enums_load(&enums, btf)) {
		look_up(&enums);
		enums_free(&enums);
	}
	kernel_support(btf);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		btf_has_tracepoint(btf, events[i].name);
	for (int i = 0; stock_hooks[i].program; i++)
		btf_has_hook(btf, stock_hooks[i].section);
	btf__free(btf);
	return 0;
}
