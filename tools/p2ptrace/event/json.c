// SPDX-License-Identifier: GPL-2.0
/*
 * Events come by the hundred thousand, so a line is written straight into memory that has room for
 * any line. Nothing below checks for its end. Short texts may be copied with some bytes after them,
 * which the next value overwrites.
 */
#include <errno.h>
#include <string.h>

#include "event/json.h"
#include "event/output.h"
#include "lib/json_put.h"

/* Copies whole steps, hence some bytes more than @len. */
static char *put_name(char *to, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i += ENUM_NAME_STEP)
		memcpy(to + i, s + i, ENUM_NAME_STEP);
	return to + len;
}

_Static_assert(P2PTRACE_COMM_LEN % 8 == 0 && P2PTRACE_NAME_LEN % 8 == 0 &&
		       P2PTRACE_NQN_LEN % 8 == 0,
	       "json_put_string() reads eight bytes at a time");

_Static_assert(sizeof("\"unknown(4294967295)\"") <= JSON_MAX_ENUM, "JSON_MAX_ENUM is too small");

#define FITS(e) \
	_Static_assert(sizeof(((union json_longest *)0)->e) > sizeof(struct p2ptrace_##e), \
		       "the longest line of " #e " is shorter than its record");
P2PTRACE_EVENTS(FITS)
#undef FITS

static char *put_enum(char *to, const struct field *field, const void *record,
		      const struct enums *enums)
{
	uint32_t number = field_uint(field, record);
	const struct enum_value *value = enums_find(enums, field->which, number);

	*to++ = '"';
	if (value) {
		/* A C identifier needs no escapes */
		to = put_name(to, value->name,
			      value->len < JSON_ENUM_LEN ? value->len : JSON_ENUM_LEN);
	} else {
		to = JSON_PUT(to, "unknown(");
		to = json_put_uint(to, number);
		*to++ = ')';
	}
	*to = '"';
	return to + 1;
}

static inline char *put_field(char *to, const struct field *field, const void *record,
			      const struct enums *enums)
{
	memcpy(to, field->key, sizeof(field->key));
	to += field->key_len;
	switch (field->kind) {
	case FIELD_UINT:
	case FIELD_BYTES:
	case FIELD_HEX:
	case FIELD_ADDR:
		return json_put_uint(to, field_uint(field, record));
	case FIELD_INT:
	case FIELD_ERRNO:
		return json_put_int(to, field_int(field, record));
	case FIELD_BOOL:
		return field_uint(field, record) ? JSON_PUT(to, "true") : JSON_PUT(to, "false");
	case FIELD_STRING:
		return json_put_string(to, (const char *)record + field->offset, field->size);
	case FIELD_ENUM:
		return put_enum(to, field, record, enums);
	}
	return to;
}

int json_line(struct buffer *lines, const struct event *event, const void *record,
	      const struct enums *enums, bool stock)
{
	const struct p2ptrace_header *h = record;
	char *to = buffer_room(lines, sizeof(union json_longest));

	if (!to)
		return -ENOMEM;
	to = JSON_PUT(to, "{\"ts_ns\":");
	to = json_put_uint(to, h->ts_ns);
	memcpy(to, event->head, sizeof(event->head));
	to += event->head_len;
	to = json_put_uint(to, h->cpu);
	to = JSON_PUT(to, ",\"pid\":");
	to = json_put_uint(to, h->pid);
	to = JSON_PUT(to, ",\"comm\":");
	to = json_put_string(to, h->comm, sizeof(h->comm));
	for (size_t i = 0; i < event->nr_fields; i++)
		if (!field_absent(&event->fields[i], record, stock))
			to = put_field(to, &event->fields[i], record, enums);
	to = JSON_PUT(to, "}\n");
	*to = '\0';
	lines->len = to - lines->data;
	return 0;
}
