// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buffer.h"

#define FIRST_SIZE 1024

static char *give_up(struct buffer *buffer)
{
	buffer_free(buffer);
	buffer->failed = true;
	return NULL;
}

char *buffer_grow(struct buffer *buffer, size_t len)
{
	size_t size = buffer->size ? buffer->size : FIRST_SIZE, wanted;
	char *data;

	if (buffer->failed)
		return NULL;
	if (__builtin_add_overflow(buffer->len, len, &wanted) ||
	    __builtin_add_overflow(wanted, 1, &wanted))
		return give_up(buffer);
	while (size < wanted)
		if (__builtin_mul_overflow(size, 2, &size))
			return give_up(buffer);
	data = realloc(buffer->data, size);
	if (!data)
		return give_up(buffer);
	data[buffer->len] = '\0';
	buffer->data = data;
	buffer->size = size;
	return data + buffer->len;
}

void buffer_add(struct buffer *buffer, const char *data, size_t len)
{
	char *to = buffer_room(buffer, len);

	if (!to)
		return;
	memcpy(to, data, len);
	to[len] = '\0';
	buffer->len += len;
}

__attribute__((format(printf, 3, 0)))
static int try_printf(struct buffer *buffer, size_t len, const char *fmt, va_list ap)
{
	char *to = buffer_room(buffer, len);
	va_list again;
	int n;

	if (!to)
		return -1;
	va_copy(again, ap);
	n = vsnprintf(to, buffer->size - buffer->len, fmt, again);
	va_end(again);
	return n;
}

void buffer_vprintf(struct buffer *buffer, const char *fmt, va_list ap)
{
	int n = try_printf(buffer, 64, fmt, ap);

	if (n >= 0 && (size_t)n >= buffer->size - buffer->len)
		n = try_printf(buffer, n, fmt, ap);
	if (n >= 0)
		buffer->len += n;
	else
		give_up(buffer);
}

void buffer_printf(struct buffer *buffer, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buffer_vprintf(buffer, fmt, ap);
	va_end(ap);
}

void buffer_reset(struct buffer *buffer)
{
	buffer->len = 0;
	if (buffer->data)
		*buffer->data = '\0';
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	memset(buffer, 0, sizeof(*buffer));
}
