// SPDX-License-Identifier: GPL-2.0
/*
 * A line of JSON is put together by hand: events come by the hundred thousand, and with json-c, which would make an
 * object of each value, a line costs ten times as much. There is room for any line, so that nothing below looks for
 * its end, and what is short may be copied with some bytes after it, which are then written over.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "event/json.h"
#include "event/output.h"
#include "lib/text.h"

static inline __attribute__((always_inline)) char *put(char *to, const char *s, size_t len)
{
	return (char *)memcpy(to, s, len) + len;
}

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

/* In steps, with some bytes after it. */
static char *put_name(char *to, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i += ENUM_NAME_STEP)
		memcpy(to + i, s + i, ENUM_NAME_STEP);
	return to + len;
}

/* Two digits, of what is below 100. */
static inline char *put_pair(char *to, unsigned int value)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
		"4950515253545556575859606162636465666768697071727374757677787980818283848586878889909192939495969798"
		"99";

	return put(to, &pairs[value * 2], 2);
}

static inline char *put_four(char *to, unsigned int value)
{
	return put_pair(put_pair(to, value / 100), value % 100);
}

static inline char *put_up_to_four(char *to, unsigned int value)
{
	if (value >= 1000)
		return put_four(to, value);
	if (value >= 100) {
		*to = '0' + value / 100;
		return put_pair(to + 1, value % 100);
	}
	if (value >= 10)
		return put_pair(to, value);
	*to = '0' + value;
	return to + 1;
}

/* A few large steps instead of a loop for each digit: half of what a line costs would be in here. */
static char *put_uint(char *to, uint64_t value)
{
	const unsigned int four = 10000, eight = 100000000;
	unsigned int low;

	if (value < four)
		return put_up_to_four(to, value);
	if (value < eight) {
		low = value;
		return put_four(put_up_to_four(to, low / four), low % four);
	}
	low = value % eight;
	to = put_uint(to, value / eight);
	return put_four(put_four(to, low / four), low % four);
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
	char utf8[3 * P2PTRACE_NQN_LEN + 1];	/* a replacement has three bytes */
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

static char *put_enum(char *to, const struct field *field, const void *record, const struct enums *enums)
{
	uint32_t number = field_uint(field, record);
	const struct enum_value *value = enums_find(enums, field->which, number);

	*to++ = '"';
	if (value) {
		/* An identifier of C, which is plain */
		to = put_name(to, value->name, value->len < OUTPUT_ENUM ? value->len : OUTPUT_ENUM);
	} else {
		to = PUT(to, "unknown(");
		to = put_uint(to, number);
		*to++ = ')';
	}
	*to = '"';
	return to + 1;
}

/* NULL if there is no memory. */
static inline char *put_field(char *to, const struct field *field, const void *record, const struct enums *enums)
{
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
		return put_enum(to, field, record, enums);
	}
	return NULL;
}

int json_line(struct printbuf *pb, const struct event *event, const void *record, const struct enums *enums, bool stock)
{
	const struct p2ptrace_header *h = record;
	char *to = output_room(pb);

	if (!to)
		return -ENOMEM;
	to = PUT(to, "{\"ts_ns\":");
	to = put_uint(to, h->ts_ns);
	memcpy(to, event->head, sizeof(event->head));
	to += event->head_len;
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
