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
static void require_text(const struct printbuf *pb)
{
	int len = pb->bpos;

	REQUIRE(len > 0 && pb->buf[len - 1] == '\n');
	for (int i = 0; i < len - 1; i++)
		REQUIRE(pb->buf[i] >= ' ' && pb->buf[i] <= '~');
}

/* A line of JSON is one object. */
static void require_json(const struct printbuf *pb)
{
	REQUIRE(pb->bpos > 0 && pb->buf[pb->bpos - 1] == '\n');
	REQUIRE(is_json_object(pb->buf, pb->bpos - 1));
}

static void print_record(struct printbuf *pb, const struct event *event, const void *record,
			 bool stock)
{
	printbuf_reset(pb);
	REQUIRE(!output_text(pb, event, record, some_enums(), stock));
	require_text(pb);
	printbuf_reset(pb);
	REQUIRE(!json_line(pb, event, record, some_enums(), stock));
	require_json(pb);
}

static void print_life(struct printbuf *pb, struct life *life, bool stock)
{
	printbuf_reset(pb);
	life_text(pb, life, some_enums());
	require_text(pb);
	printbuf_reset(pb);
	REQUIRE(!life_json(pb, life, some_enums(), stock));
	require_json(pb);
	life_free(life);
}

static void take(struct lives *lives, struct printbuf *pb, const void *record, size_t size)
{
	const struct event *event = event_of_record(record, size);
	struct life *life;

	if (!event)
		return;
	REQUIRE(event->size == size);
	print_record(pb, event, record, lives->stock);
	life = lives_add(lives, event, record);
	if (life)
		print_life(pb, life, lives->stock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct printbuf *pb = printbuf_new();
	struct lives lives = { .stock = size % 2 };

	REQUIRE(pb);
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
		take(&lives, pb, record, len);
		free(record);
		data += there;
		size -= there;
	}
	lives_free(&lives);
	printbuf_free(pb);
	return 0;
}
