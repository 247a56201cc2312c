/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of enum values, most of them from the BTF of the running kernel. PCI_P2PDMA_MAP_BUS_ADDR is
 * shown as "bus_addr".
 */
#ifndef ENUMS_H
#define ENUMS_H

#include <stddef.h>
#include <stdint.h>

struct btf;

enum kernel_enum {
	ENUM_MAP_TYPE,
	ENUM_DECISION_REASON,
	ENUM_ALLOC_ERROR,
	ENUM_FALLBACK_REASON,
	ENUM_UNBIND_REASON,
	ENUM_DMA_DIRECTION,
	ENUM_MAP_KIND,		/* not the kernel's: enum p2ptrace_kind in p2ptrace.h */
	ENUM_MAP_WHERE,		/* enum p2ptrace_where */
	NR_ENUMS,
	ENUM_NONE = NR_ENUMS
};

/* The memory of a name is a multiple of this size, so that it can be copied in steps. */
#define ENUM_NAME_STEP 16

struct enum_value {
	uint32_t value;
	uint32_t len;		/* of the name */
	char *name;
};

struct enum_table {
	struct enum_value *values;
	size_t nr;
};

struct enums {
	struct enum_table table[NR_ENUMS];
};

/* An enum that @btf lacks stays empty: its values are shown as "unknown(N)". 0 or -ENOMEM. */
int enums_load(struct enums *enums, const struct btf *btf);
void enums_free(struct enums *enums);

/* Its name in recordings: "map_type". */
const char *enums_id(enum kernel_enum which);

/* Adds a value of a file. 0; -EINVAL if the name is no identifier; -ENOMEM; -ENOSPC. */
#define ENUM_MAX_VALUES 256
#define ENUM_MAX_NAME 512	/* KSYM_NAME_LEN */
int enums_add(struct enums *enums, enum kernel_enum which, uint32_t value, const char *name);

/* NULL if the kernel has no such value. */
const struct enum_value *enums_find(const struct enums *enums, enum kernel_enum which,
				    uint32_t value);

/* Never NULL. Writes "unknown(N)" to @buf and returns it if the kernel has no such value. */
const char *enums_name(const struct enums *enums, enum kernel_enum which, uint32_t value, char *buf,
		       size_t size);

#endif /* ENUMS_H */
