// SPDX-License-Identifier: GPL-2.0
/*
 * Records of the ring buffer. The input is a number of them: the event and the length, a byte
 * each (0: as long as the event is), and the bytes of the record, or zeros where the input ends.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "event/events.h"
#include "event/json.h"
#include "event/lives.h"
#include "event/output.h"
#include "json.h"
#include "tree.h"

/* All of the enums there are, with a value of two of them. */
static const struct enums *some_enums(void)
{
	static struct enums enums;
	struct btf *btf;

	if (enums.table[ENUM_MAP_TYPE].nr)
		return &enums;
	btf = btf__new_empty();
	REQUIRE(btf);
	REQUIRE(btf__add_enum(btf, "pci_p2pdma_map_type", 4) > 0);
	REQUIRE(!btf__add_enum_value(btf, "PCI_P2PDMA_MAP_UNKNOWN", 0));
	REQUIRE(!btf__add_enum_value(btf, "PCI_P2PDMA_MAP_BUS_ADDR", 2));
	REQUIRE(btf__add_enum(btf, "dma_data_direction", 4) > 0);
	REQUIRE(!btf__add_enum_value(btf, "DMA_TO_DEVICE", 1));
	REQUIRE(!enums_load(&enums, btf));
	btf__free(btf);
	return &enums;
}

/* A line of text is one line, and visible. */
static void require_text(const struct buffer *lines)
{
	size_t len = lines->len;

	REQUIRE(len > 0 && lines->data[len - 1] == '\n');
	for (size_t i = 0; i < len - 1; i++)
		REQUIRE(lines->data[i] >= ' ' && lines->data[i] <= '~');
}

/* A line of JSON is one object. */
static void require_json(const struct buffer *lines)
{
	REQUIRE(lines->len > 0 && lines->data[lines->len - 1] == '\n');
	REQUIRE(is_json_object(lines->data, lines->len - 1));
}

static void print_record(struct buffer *lines, const struct event *event, const void *record,
			 bool stock)
{
	buffer_reset(lines);
	REQUIRE(!output_text(lines, event, record, some_enums(), stock));
	require_text(lines);
	buffer_reset(lines);
	REQUIRE(!json_line(lines, event, record, some_enums(), stock));
	require_json(lines);
}

static void print_life(struct buffer *lines, struct life *life, bool stock)
{
	buffer_reset(lines);
	life_text(lines, life, some_enums());
	require_text(lines);
	buffer_reset(lines);
	life_json(lines, life, some_enums(), stock);
	require_json(lines);
	life_free(life);
}

static void take(struct lives *lives, struct buffer *lines, const void *record, size_t size)
{
	const struct event *event = event_of_record(record, size);
	struct life *life;

	if (!event)
		return;
	REQUIRE(event->size == size);
	print_record(lines, event, record, lives->stock);
	life = lives_add(lives, event, record);
	if (life)
		print_life(lines, life, lives->stock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer lines = {};
	struct lives lives = { .stock = size % 2 };

	while (size >= 2) {
		uint32_t event = data[0];
		size_t len = data[1], there;
		unsigned char *record;

		if (!len && event < P2PTRACE_NR_EVENTS)
			len = events[event].size;
		record = calloc(1, len + 1);
		REQUIRE(record);
		data += 2;
		size -= 2;
		there = size < len ? size : len;
		memcpy(record, data, there);
		if (len >= sizeof(struct p2ptrace_header))
			((struct p2ptrace_header *)record)->event = event;
		take(&lives, &lines, record, len);
		free(record);
		data += there;
		size -= there;
	}
	lives_free(&lives);
	buffer_free(&lines);
	return 0;
}
