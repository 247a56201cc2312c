/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes JSON at the end of a buffer. Commas are added where they belong. @key is NULL for an
 * element of an array and for the outermost value; otherwise it is a plain name that needs no
 * escapes.
 *
 * Jansson, which reads JSON, also has names that begin with json_. None may be the same as one of
 * these: the linker would take ours for calls inside of Jansson.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buffer.h"

/* @bracket is '{' or '[', and '}' or ']' at the end. */
void json_open(struct buffer *buffer, const char *key, char bracket);
void json_close(struct buffer *buffer, char bracket);

/* Numbers are exact to 64 bits. */
void json_uint(struct buffer *buffer, const char *key, uint64_t value);
void json_int(struct buffer *buffer, const char *key, int64_t value);
void json_bool(struct buffer *buffer, const char *key, bool value);
void json_none(struct buffer *buffer, const char *key);

/*
 * The result is valid UTF-8 whatever @s holds: see text_utf8_next(). The second takes at most @size
 * bytes of @s.
 */
void json_str(struct buffer *buffer, const char *key, const char *s);
void json_str_of(struct buffer *buffer, const char *key, const char *s, size_t size);

#endif /* LIB_JSON_H */
