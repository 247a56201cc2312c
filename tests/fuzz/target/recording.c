// SPDX-License-Identifier: GPL-2.0
/*
 * The file of p2ptrace record. Checksums are made right first, so that what is behind them is
 * reached: the input is a file whose heads of chunks have them wrong or right.
 */
#include <stdlib.h>
#include <string.h>

#include "event/html.h"
#include "event/json.h"
#include "event/lives.h"
#include "event/page.h"
#include "event/perfetto.h"
#include "event/recording.h"
#include "event/summary.h"
#include "json.h"
#include "tree.h"

static void fix_sums(char *data, size_t size)
{
	size_t at = sizeof(struct chunk_file_head);
	uint32_t number = 0;

	while (at + sizeof(struct chunk_head) <= size) {
		struct chunk_head head;

		memcpy(&head, data + at, sizeof(head));
		if (head.size > size - at - sizeof(head))
			return;
		/* Leave the checksums of one chunk in eight wrong */
		if (head.sum % 8) {
			head.number = number;
			head.sum = 0;
			head.sum = chunk_sum(chunk_sum(0, &head, sizeof(head)),
					     data + at + sizeof(head), head.size);
			memcpy(data + at, &head, sizeof(head));
		}
		number++;
		at += sizeof(head) + head.size;
	}
}

static void read_all(struct recording *recording)
{
	struct summary *summary = calloc(1, sizeof(*summary));
	struct lives lives = { .stock = recording->set.stock };
	struct buffer lines = {}, trace = {};
	struct perfetto perfetto;
	const void *record;
	uint64_t nr = 0;

	REQUIRE(summary);
	summary->stock = recording->set.stock;
	summary->start_ns = recording->about.start_ns;
	summary->beginnings_known = recording->about.held_known;
	summary->older_than_ns = 1000;
	summary_begin(summary);
	perfetto_begin(&perfetto, recording, &trace);
	for (size_t i = 0; i < recording->about.nr_held; i++)
		summary_before(summary, recording->about.held[i]);
	while ((record = recording_next(recording))) {
		const struct p2ptrace_header *h = record;
		const struct event *event = &events[h->event];

		REQUIRE(h->event < P2PTRACE_NR_EVENTS);
		REQUIRE(event_of_record(record, event->size) == event);
		buffer_reset(&lines);
		REQUIRE(!json_line(&lines, &recording->shown[h->event], record, &recording->enums,
				   recording->set.stock));
		REQUIRE(is_json_object(lines.data, lines.len - 1));
		life_free(lives_add(&lives, event, record));
		summary_add(summary, event, record);
		perfetto_add(&perfetto, record);
		nr++;
	}
	REQUIRE(nr == recording->events);
	REQUIRE(recording->ended || *recording->trouble);
	buffer_reset(&lines);
	page_text(&lines, recording, summary);
	for (size_t i = 0; i < lines.len; i++)
		REQUIRE(lines.data[i] == '\n' || (unsigned char)lines.data[i] >= ' ');
	buffer_reset(&lines);
	html_page(&lines, recording, summary);
	/* Whatever the names are, there is no script */
	REQUIRE(!lines.failed && !strstr(lines.data, "<script"));
	perfetto_end(&perfetto);
	REQUIRE(!trace.failed);
	perfetto_free(&perfetto);
	buffer_free(&trace);
	buffer_free(&lines);
	lives_free(&lives);
	summary_free(summary);
	free(summary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recording recording;
	char *copy = malloc(size + 1);
	FILE *file;
	int rc;

	REQUIRE(copy);
	memcpy(copy, data, size);
	fix_sums(copy, size);
	file = size ? fmemopen(copy, size, "r") : fopen("/dev/null", "r");
	REQUIRE(file);
	rc = recording_open(&recording, "FILE", file);
	REQUIRE(rc == 0 || rc == 4);
	if (!rc)
		read_all(&recording);
	recording_close(&recording);
	fclose(file);
	free(copy);
	return 0;
}
