// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "lib/proto.h"
#include "lib/text.h"

/* Wire types */
#define VARINT	0
#define FIXED64	1
#define BYTES	2

#define LENGTH_BYTES 4	/* of a message: room for its length, written when it is closed */

static void add_varint(struct buffer *buffer, uint64_t value)
{
	char bytes[10];
	size_t n = 0;

	do {
		bytes[n++] = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
		value >>= 7;
	} while (value);
	buffer_add(buffer, bytes, n);
}

static void add_tag(struct buffer *buffer, unsigned int field, unsigned int type)
{
	add_varint(buffer, field << 3 | type);
}

void proto_uint(struct buffer *buffer, unsigned int field, uint64_t value)
{
	add_tag(buffer, field, VARINT);
	add_varint(buffer, value);
}

void proto_int(struct buffer *buffer, unsigned int field, int64_t value)
{
	proto_uint(buffer, field, value);
}

void proto_fixed64(struct buffer *buffer, unsigned int field, uint64_t value)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = value >> 8 * i;
	add_tag(buffer, field, FIXED64);
	buffer_add(buffer, (char *)bytes, sizeof(bytes));
}

size_t proto_open(struct buffer *buffer, unsigned int field)
{
	static const char room[LENGTH_BYTES];

	add_tag(buffer, field, BYTES);
	buffer_add(buffer, room, sizeof(room));
	return buffer->len;
}

/* All bytes of the length but the last say that another one follows, even if the rest is zero. */
void proto_close(struct buffer *buffer, size_t opened)
{
	size_t len = buffer->len - opened;

	if (buffer->failed)
		return;
	for (size_t i = 0; i < LENGTH_BYTES; i++)
		buffer->data[opened - LENGTH_BYTES + i] =
			(len >> 7 * i & 0x7f) | (i < LENGTH_BYTES - 1 ? 0x80 : 0);
}

void proto_string(struct buffer *buffer, unsigned int field, const char *s, size_t size)
{
	size_t len = strnlen(s, size), opened = proto_open(buffer, field);

	for (size_t i = 0, taken; i < len; i += taken) {
		size_t n = text_utf8_next(s + i, len - i, &taken);

		if (n)
			buffer_add(buffer, s + i, n);
		else
			buffer_add(buffer, TEXT_REPLACEMENT, strlen(TEXT_REPLACEMENT));
	}
	proto_close(buffer, opened);
}
