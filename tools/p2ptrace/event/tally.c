// SPDX-License-Identifier: GPL-2.0
#include "event/tally.h"

static unsigned int place(uint64_t value)
{
	return value < P2PTRACE_NR_VALUES ? value : P2PTRACE_NR_VALUES - 1;
}

void tally_count(struct p2ptrace_counts *counts, const struct event *event, const void *record)
{
	const struct p2ptrace_p2pdma_map *map = record;
	const struct p2ptrace_p2pmem_free *freed = record;
	const struct p2ptrace_p2pmem_mmap *user = record;
	const struct p2ptrace_p2pdma_decide *decision = record;
	size_t number = event - events, n = event_first_enum(event);

	counts->events[number]++;
	for (size_t i = 0; i < event->nr_fields; i++) {
		const struct field *field = &event->fields[i];

		if (field->kind == FIELD_ENUM)
			counts->values[n++][place((uint32_t)field_uint(field, record))]++;
		else if (field->kind == FIELD_BYTES && !strcmp(field->name, "size"))
			counts->bytes[number] += field_uint(field, record);
		else if (field->kind == FIELD_ERRNO)
			counts->failures[number] += !!field_int(field, record);
	}
	switch (number) {
	case P2PTRACE_p2pdma_map:
		counts->map_bytes[place((uint32_t)map->map)] += map->size;
		break;
	case P2PTRACE_p2pmem_free:
		counts->deferred += !!freed->pins;
		break;
	case P2PTRACE_p2pdma_decide:
		counts->failures[number] += !!decision->cached;
		break;
	case P2PTRACE_p2pmem_mmap:
		counts->failures[number] += !user->allowed;
		break;
	}
}
