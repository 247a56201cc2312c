// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "event/enums.h"
#include "lib/units.h"
#include "p2ptrace.h"

static const struct {
	const char *name;
	const char *prefix;
} kernel_enums[NR_ENUMS] = {
	[ENUM_MAP_TYPE]		= { "pci_p2pdma_map_type", "PCI_P2PDMA_MAP_" },
	[ENUM_DECISION_REASON]	= { "pci_p2pdma_reason", "PCI_P2PDMA_REASON_" },
	[ENUM_ALLOC_ERROR]	= { "p2pmem_alloc_error", "P2PMEM_ALLOC_" },
	[ENUM_FALLBACK_REASON]	= { "nvmet_p2pmem_fallback_reason", "NVMET_P2PMEM_FALLBACK_" },
	[ENUM_UNBIND_REASON]	= { "nvmet_p2pmem_unbind_reason", "NVMET_P2PMEM_UNBIND_" },
	[ENUM_DMA_DIRECTION]	= { "dma_data_direction", "DMA_" },
};

static const char *const ids[NR_ENUMS] = {
	[ENUM_MAP_TYPE]		= "map_type",
	[ENUM_DECISION_REASON]	= "decision_reason",
	[ENUM_ALLOC_ERROR]	= "alloc_error",
	[ENUM_FALLBACK_REASON]	= "fallback_reason",
	[ENUM_UNBIND_REASON]	= "unbind_reason",
	[ENUM_DMA_DIRECTION]	= "dma_direction",
	[ENUM_MAP_KIND]		= "map_kind",
	[ENUM_MAP_WHERE]	= "map_where",
};

static const char *const kinds[] = {
	[P2PTRACE_KIND_SG]	= "sg",
	[P2PTRACE_KIND_BLOCK]	= "block",
	[P2PTRACE_KIND_HMM]	= "hmm",
	[P2PTRACE_KIND_DMABUF]	= "dmabuf",
	[P2PTRACE_KIND_VIRT]	= "virt",
};

static const char *const wheres[] = {
	[P2PTRACE_WHERE_UNKNOWN] = "unknown",
	[P2PTRACE_WHERE_BAR]	= "bar",
	[P2PTRACE_WHERE_RAM]	= "ram",
};

static int short_name(struct enum_value *value, const char *name, const char *prefix)
{
	if (!strncmp(name, prefix, strlen(prefix)))
		name += strlen(prefix);
	value->len = strlen(name);
	value->name = calloc(value->len / ENUM_NAME_STEP + 1, ENUM_NAME_STEP);
	if (!value->name)
		return -ENOMEM;
	for (uint32_t i = 0; i < value->len; i++)
		value->name[i] = tolower((unsigned char)name[i]);
	return 0;
}

static int table_load(struct enum_table *table, const struct btf *btf, const char *name,
		      const char *prefix)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_ENUM);
	const struct btf_type *type;
	const struct btf_enum *e;

	if (id < 0)
		return 0;
	type = btf__type_by_id(btf, id);
	e = btf_enum(type);
	table->values = calloc(btf_vlen(type) + 1, sizeof(*table->values));
	if (!table->values)
		return -ENOMEM;
	for (unsigned int i = 0; i < btf_vlen(type); i++) {
		const char *value_name = btf__name_by_offset(btf, e[i].name_off);

		/* libbpf does not check offsets of names when it loads BTF. */
		if (!value_name)
			continue;
		table->values[table->nr].value = e[i].val;
		if (short_name(&table->values[table->nr], value_name, prefix))
			return -ENOMEM;
		table->nr++;
	}
	return 0;
}

/* An enum that is not the kernel's */
static int names_load(struct enum_table *table, const char *const *names, size_t nr)
{
	table->values = calloc(nr, sizeof(*table->values));
	if (!table->values)
		return -ENOMEM;
	for (; table->nr < nr; table->nr++) {
		table->values[table->nr].value = table->nr;
		if (short_name(&table->values[table->nr], names[table->nr], ""))
			return -ENOMEM;
	}
	return 0;
}

int enums_load(struct enums *enums, const struct btf *btf)
{
	int err;

	memset(enums, 0, sizeof(*enums));
	err = names_load(&enums->table[ENUM_MAP_KIND], kinds, ARRAY_SIZE(kinds));
	if (!err)
		err = names_load(&enums->table[ENUM_MAP_WHERE], wheres, ARRAY_SIZE(wheres));
	for (int i = 0; i < ENUM_MAP_KIND && !err; i++)
		err = table_load(&enums->table[i], btf, kernel_enums[i].name,
				 kernel_enums[i].prefix);
	if (err)
		enums_free(enums);
	return err;
}

const char *enums_id(enum kernel_enum which)
{
	return ids[which];
}

/* As the names of the kernel's enums are shown: json_line() does not escape them. */
static bool is_identifier(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return len && !name[len] && len <= ENUM_MAX_NAME;
}

int enums_add(struct enums *enums, enum kernel_enum which, uint32_t value, const char *name)
{
	struct enum_table *table = &enums->table[which];
	struct enum_value *values;

	if (!is_identifier(name))
		return -EINVAL;
	if (table->nr >= ENUM_MAX_VALUES)
		return -ENOSPC;
	values = reallocarray(table->values, table->nr + 1, sizeof(*values));
	if (!values)
		return -ENOMEM;
	table->values = values;
	values[table->nr] = (struct enum_value){ .value = value };
	if (short_name(&values[table->nr], name, ""))
		return -ENOMEM;
	table->nr++;
	return 0;
}

void enums_free(struct enums *enums)
{
	for (int i = 0; i < NR_ENUMS; i++) {
		struct enum_table *table = &enums->table[i];

		for (size_t v = 0; v < table->nr; v++)
			free(table->values[v].name);
		free(table->values);
	}
	memset(enums, 0, sizeof(*enums));
}

const struct enum_value *enums_find(const struct enums *enums, enum kernel_enum which,
				    uint32_t value)
{
	const struct enum_table *table = &enums->table[which];

	/* The values of nearly all enums count from 0 */
	if (value < table->nr && table->values[value].value == value)
		return &table->values[value];
	for (size_t i = 0; i < table->nr; i++)
		if (table->values[i].value == value)
			return &table->values[i];
	return NULL;
}

const char *enums_name(const struct enums *enums, enum kernel_enum which, uint32_t value, char *buf,
		       size_t size)
{
	const struct enum_value *found = enums_find(enums, which, value);

	if (found)
		return found->name;
	snprintf(buf, size, "unknown(%" PRIu32 ")", value);
	return buf;
}
