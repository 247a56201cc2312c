// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "event/output.h"
#include "lib/log.h"
#include "lib/stream.h"
#include "lib/text.h"
#include "lib/units.h"

#define COMM_WIDTH 22
#define EVENT_WIDTH 21

/* Room for any string field, each byte as \xNN. */
#define STRING_LEN (4 * P2PTRACE_NQN_LEN + 1)

static const char *field_string(const struct field *field, const void *record, size_t *len)
{
	const char *s = (const char *)record + field->offset;

	*len = strnlen(s, field->size);
	return s;
}

static void text_bytes(struct printbuf *pb, uint64_t bytes)
{
	static const char unit[] = "KMGT";
	int i = -1;

	while (bytes && bytes % 1024 == 0 && unit[i + 1]) {
		bytes /= 1024;
		i++;
	}
	sprintbuf(pb, "%" PRIu64, bytes);
	if (i >= 0)
		printbuf_memappend(pb, &unit[i], 1);
}

static void text_errno(struct printbuf *pb, int err)
{
	const char *name = err < 0 ? strerrorname_np(-(int64_t)err) : NULL;

	if (name)
		sprintbuf(pb, "-%s", name);
	else
		sprintbuf(pb, "%d", err);
}

static void text_string(struct printbuf *pb, const char *s, size_t len)
{
	char word[STRING_LEN];
	size_t n = text_word(word, sizeof(word), s, len);

	if (n)
		printbuf_memappend(pb, word, n);
	else
		printbuf_memappend(pb, "-", 1);
}

static void text_field(struct printbuf *pb, const struct field *field, const void *record, const struct enums *enums)
{
	char buf[32];
	const char *s;
	size_t len;

	sprintbuf(pb, " %s=", field->name);
	switch (field->kind) {
	case FIELD_UINT:
		sprintbuf(pb, "%" PRIu64, field_uint(field, record));
		break;
	case FIELD_INT:
		sprintbuf(pb, "%" PRId32, field_int(field, record));
		break;
	case FIELD_BYTES:
		text_bytes(pb, field_uint(field, record));
		break;
	case FIELD_HEX:
		sprintbuf(pb, "0x%" PRIx64, field_uint(field, record));
		break;
	case FIELD_ERRNO:
		text_errno(pb, field_int(field, record));
		break;
	case FIELD_BOOL:
		sprintbuf(pb, "%s", field_uint(field, record) ? "yes" : "no");
		break;
	case FIELD_STRING:
		s = field_string(field, record, &len);
		text_string(pb, s, len);
		break;
	case FIELD_ENUM:
		sprintbuf(pb, "%s", enums_name(enums, field->which, field_uint(field, record), buf, sizeof(buf)));
		break;
	}
}

char *output_room(struct printbuf *pb)
{
	int used = pb->bpos;

	if (pb->size - used < OUTPUT_LINE) {
		if (printbuf_memset(pb, used, 0, OUTPUT_LINE))
			return NULL;
		pb->bpos = used;
	}
	return pb->buf + used;
}

int output_text(struct printbuf *pb, const struct event *event, const void *record, const struct enums *enums, bool stock)
{
	const struct p2ptrace_header *h = record;
	char comm[4 * P2PTRACE_COMM_LEN + 1], task[sizeof(comm) + 16];
	uint64_t us = h->ts_ns / NSEC_PER_USEC;

	/* A line without its end would be taken for a whole one */
	if (!output_room(pb))
		return -ENOMEM;
	if (!text_word(comm, sizeof(comm), h->comm, strnlen(h->comm, sizeof(h->comm))))
		strcpy(comm, "-");
	snprintf(task, sizeof(task), "%s-%" PRIu32, comm, h->pid);
	sprintbuf(pb, "%5" PRIu64 ".%06" PRIu64 " [%03" PRIu32 "] %-*s %-*s", us / USEC_PER_SEC, us % USEC_PER_SEC, h->cpu,
		  COMM_WIDTH, task, EVENT_WIDTH, event->name);
	for (size_t i = 0; i < event->nr_fields; i++)
		if (!stock || !event->fields[i].series)
			text_field(pb, &event->fields[i], record, enums);
	printbuf_memappend(pb, "\n", 1);
	return 0;
}

/* Takes @value over, also if it fails. The keys are ours and constant, so json-c need not copy them. */
static int json_add(struct json_object *object, const char *key, struct json_object *value)
{
	if (value && !json_object_object_add_ex(object, key, value,
						JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY))
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

static int json_append(struct printbuf *pb, struct json_object *object)
{
	size_t len;
	const char *s = json_object_to_json_string_length(object, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	if (!s)
		return -ENOMEM;
	printbuf_memappend(pb, s, len);
	printbuf_memappend(pb, "\n", 1);
	return 0;
}

void output_lost_detail(struct printbuf *pb, const struct lost *lost)
{
	const char *separator = "";

	for (size_t i = 0; i < lost->nr_cpus; i++) {
		if (!lost->per_cpu[i])
			continue;
		sprintbuf(pb, "%scpu%zu %" PRIu64, separator, i, lost->per_cpu[i]);
		separator = ", ";
	}
	if (lost->nested)
		sprintbuf(pb, "%snested %" PRIu64, separator, lost->nested);
}

void output_text_end(struct printbuf *pb, uint64_t nr_events, const struct lost *lost)
{
	sprintbuf(pb, "# %" PRIu64 " event%s, %" PRIu64 " lost", nr_events, nr_events == 1 ? "" : "s", lost->total);
	if (lost->total) {
		printbuf_memappend(pb, " (", 2);
		output_lost_detail(pb, lost);
		printbuf_memappend(pb, ")", 1);
	}
	printbuf_memappend(pb, "\n", 1);
}

int output_json_end(struct printbuf *pb, uint64_t nr_events, const struct lost *lost)
{
	struct json_object *object = json_object_new_object();
	int err;

	if (!object)
		return -ENOMEM;
	err = json_add(object, "event", json_object_new_string("end")) ||
	      json_add(object, "events", json_object_new_uint64(nr_events)) ||
	      json_add(object, "lost", json_object_new_uint64(lost->total)) || json_append(pb, object);
	json_object_put(object);
	return err ? -ENOMEM : 0;
}

struct json_object *output_json_string(const char *s)
{
	/* A byte that is no part of a character becomes three */
	size_t len = strlen(s), size = 3 * len + 1;
	struct json_object *object = NULL;
	char *utf8 = malloc(size);

	if (utf8) {
		text_utf8(utf8, size, s, len);
		object = json_object_new_string(utf8);
	}
	free(utf8);
	return object;
}

int output_json_document(struct json_object *document, FILE *out)
{
	const char *text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	struct stream stream = { .file = out };
	int rc;

	if (text) {
		/* Here and now: what is too large for a buffer is gone from it when the error is noticed elsewhere */
		stream_write(&stream, text, strlen(text));
		stream_write(&stream, "\n", 1);
		stream_flush(&stream);
		rc = stream_status(&stream);
	} else {
		rc = fail(EXIT_OTHER, "out of memory");
	}
	json_object_put(document);
	return rc;
}
