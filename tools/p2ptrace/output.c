// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "log.h"
#include "output.h"
#include "stream.h"
#include "text.h"

#define NSEC_PER_USEC 1000ull
#define USEC_PER_SEC 1000000ull
#define COMM_WIDTH 22
#define EVENT_WIDTH 21

/* Room for any string field, each byte as \xNN. */
#define STRING_LEN (4 * P2PTRACE_NQN_LEN + 1)

static uint64_t field_uint(const struct field *field, const void *record)
{
	const char *p = (const char *)record + field->offset;
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (field->size) {
	case sizeof(u64):
		memcpy(&u64, p, sizeof(u64));
		return u64;
	case sizeof(u32):
		memcpy(&u32, p, sizeof(u32));
		return u32;
	case sizeof(u16):
		memcpy(&u16, p, sizeof(u16));
		return u16;
	default:
		return *(const unsigned char *)p;
	}
}

/* Signed fields are all 32 bits wide. */
static int32_t field_int(const struct field *field, const void *record)
{
	return (int32_t)field_uint(field, record);
}

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

void output_text(struct printbuf *pb, const struct event *event, const void *record, const struct enums *enums, bool stock)
{
	const struct p2ptrace_header *h = record;
	char comm[4 * P2PTRACE_COMM_LEN + 1], task[sizeof(comm) + 16];
	uint64_t us = h->ts_ns / NSEC_PER_USEC;

	if (!text_word(comm, sizeof(comm), h->comm, strnlen(h->comm, sizeof(h->comm))))
		strcpy(comm, "-");
	snprintf(task, sizeof(task), "%s-%" PRIu32, comm, h->pid);
	sprintbuf(pb, "%5" PRIu64 ".%06" PRIu64 " [%03" PRIu32 "] %-*s %-*s", us / USEC_PER_SEC, us % USEC_PER_SEC, h->cpu,
		  COMM_WIDTH, task, EVENT_WIDTH, event->name);
	for (size_t i = 0; i < event->nr_fields; i++)
		if (!stock || !event->fields[i].series)
			text_field(pb, &event->fields[i], record, enums);
	printbuf_memappend(pb, "\n", 1);
}

/*
 * A line of JSON is put together by hand: events come by the hundred thousand, and with json-c, which would make an
 * object of each value, a line costs ten times as much. There is room for any line, so that nothing below looks for
 * its end, and what is short may be copied with some bytes after it, which are then written over.
 */
#define JSON_BYTE 6		/* of a string, a byte is \u0001, or a replacement character */
#define JSON_ENUM 512		/* the kernel's names are no longer than KSYM_NAME_LEN */
#define JSON_LINE (JSON_BYTE * (P2PTRACE_NQN_LEN + 4 * P2PTRACE_NAME_LEN + P2PTRACE_COMM_LEN) + 2 * JSON_ENUM + 1024)

static char *put(char *to, const char *s, size_t len)
{
	return (char *)memcpy(to, s, len) + len;
}

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

static char *put_uint(char *to, uint64_t value)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
		"4950515253545556575859606162636465666768697071727374757677787980818283848586878889909192939495969798"
		"99";
	char digits[2 * 20], *first = digits + 20;

	for (; value >= 100; value /= 100)
		first = memcpy(first - 2, &pairs[value % 100 * 2], 2);
	if (value >= 10)
		first = memcpy(first - 2, &pairs[value * 2], 2);
	else
		*--first = '0' + value;
	memcpy(to, first, 20);
	return to + (digits + 20 - first);
}

static char *put_int(char *to, int32_t value)
{
	if (value >= 0)
		return put_uint(to, value);
	*to = '-';
	return put_uint(to + 1, -(int64_t)value);
}

/* For json-c to judge. NULL if there is no memory. */
static char *put_escaped(char *to, const char *s, size_t size)
{
	char utf8[STRING_LEN];
	size_t n = text_utf8(utf8, sizeof(utf8), s, strnlen(s, size));
	struct json_object *object = json_object_new_string_len(utf8, n);
	const char *json = object ? json_object_to_json_string_length(object, JSON_C_TO_STRING_PLAIN |
								      JSON_C_TO_STRING_NOSLASHESCAPE, &n) : NULL;

	to = json ? put(to, json, n) : NULL;
	json_object_put(object);
	return to;
}

/*
 * Of eight characters, the first one that is not visible ASCII, or that JSON escapes, has the high bit of its byte set,
 * and none before it has: sums and differences carry into later ones only.
 */
static uint64_t odd_characters(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101;

	return (word | (word - ones * ' ') | (word + ones) | ((word ^ ones * '"') - ones) |
		((word ^ ones * '\\') - ones)) & ones << 7;
}

_Static_assert(P2PTRACE_COMM_LEN % 8 == 0 && P2PTRACE_NAME_LEN % 8 == 0 && P2PTRACE_NQN_LEN % 8 == 0,
	       "strings are looked at eight bytes at a time");

/* Of @size bytes, to the first NUL. Nearly all strings are plain. */
static char *put_string(char *to, const char *s, size_t size)
{
	char *start = to;
	uint64_t word, odd = 0;

	*to++ = '"';
	for (size_t i = 0; i < size && !odd; i += 8) {
		memcpy(&word, s + i, 8);
		memcpy(to, &word, 8);
		odd = odd_characters(le64toh(word));
		to += odd ? __builtin_ctzll(odd) / 8 : 8;
	}
	if (odd && *to)
		return put_escaped(start, s, size);
	*to = '"';
	return to + 1;
}

static char *put_field(char *to, const struct field *field, const void *record, const struct enums *enums)
{
	char buf[32];
	const char *s;

	memcpy(to, field->key, sizeof(field->key));
	to += field->key_len;
	switch (field->kind) {
	case FIELD_UINT:
	case FIELD_BYTES:
	case FIELD_HEX:
		return put_uint(to, field_uint(field, record));
	case FIELD_INT:
	case FIELD_ERRNO:
		return put_int(to, field_int(field, record));
	case FIELD_BOOL:
		return field_uint(field, record) ? PUT(to, "true") : PUT(to, "false");
	case FIELD_STRING:
		return put_string(to, (const char *)record + field->offset, field->size);
	case FIELD_ENUM:
		/* Identifiers of C, which are plain */
		s = enums_name(enums, field->which, field_uint(field, record), buf, sizeof(buf));
		to = PUT(to, "\"");
		to = put(to, s, strnlen(s, JSON_ENUM));
		return PUT(to, "\"");
	}
	return NULL;
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

static int json_line(struct printbuf *pb, struct json_object *object)
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

/* Where a line is to be written, or NULL if there is no memory for one. */
static char *json_room(struct printbuf *pb)
{
	int used = pb->bpos;

	if (pb->size - used < JSON_LINE) {
		if (printbuf_memset(pb, used, 0, JSON_LINE))
			return NULL;
		pb->bpos = used;
	}
	return pb->buf + used;
}

int output_json(struct printbuf *pb, const struct event *event, const void *record, const struct enums *enums, bool stock)
{
	const struct p2ptrace_header *h = record;
	char *to = json_room(pb);

	if (!to)
		return -ENOMEM;
	to = PUT(to, "{\"ts_ns\":");
	to = put_uint(to, h->ts_ns);
	to = put(to, event->head, event->head_len);
	to = put_uint(to, h->cpu);
	to = PUT(to, ",\"pid\":");
	to = put_uint(to, h->pid);
	to = PUT(to, ",\"comm\":");
	to = put_string(to, h->comm, sizeof(h->comm));
	for (size_t i = 0; i < event->nr_fields && to; i++)
		if (!stock || !event->fields[i].series)
			to = put_field(to, &event->fields[i], record, enums);
	if (!to)
		return -ENOMEM;
	to = PUT(to, "}\n");
	*to = '\0';
	pb->bpos = to - pb->buf;
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
	      json_add(object, "lost", json_object_new_uint64(lost->total)) || json_line(pb, object);
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
