/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes messages of protocol buffers at the end of a buffer.
 */
#ifndef PROTO_H
#define PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"

void proto_uint(struct buffer *buffer, unsigned int field, uint64_t value);
/* int32, int64: negative numbers take ten bytes. */
void proto_int(struct buffer *buffer, unsigned int field, int64_t value);
void proto_fixed64(struct buffer *buffer, unsigned int field, uint64_t value);
/* At most @size bytes of @s; the result is valid UTF-8, see text_utf8_next(). */
void proto_string(struct buffer *buffer, unsigned int field, const char *s, size_t size);

/* A message in a field: its fields are written between the two. At most 256 MiB. */
size_t proto_open(struct buffer *buffer, unsigned int field);
void proto_close(struct buffer *buffer, size_t opened);

#endif /* PROTO_H */
