/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text that grows at its end. It ends in a NUL byte. If memory runs out, the text is dropped, and
 * failed is set and stays set. So a caller needs only one check, before it uses the text.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buffer {
	char *data;		/* NULL until something is added */
	size_t len, size;
	bool failed;		/* out of memory */
};

char *buffer_grow(struct buffer *buffer, size_t len);

/* The end of the text, with room for @len bytes and a NUL after it; NULL without memory. */
static inline char *buffer_room(struct buffer *buffer, size_t len)
{
	if (buffer->size - buffer->len > len)
		return buffer->data + buffer->len;
	return buffer_grow(buffer, len);
}

void buffer_add(struct buffer *buffer, const char *data, size_t len);
void buffer_printf(struct buffer *buffer, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buffer_vprintf(struct buffer *buffer, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static inline const char *buffer_text(const struct buffer *buffer)
{
	return buffer->data ? buffer->data : "";
}

/* Removes the text, and keeps its memory. */
void buffer_reset(struct buffer *buffer);
void buffer_free(struct buffer *buffer);

#endif /* BUFFER_H */
