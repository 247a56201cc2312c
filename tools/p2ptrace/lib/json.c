// SPDX-License-Identifier: GPL-2.0
#include "lib/json.h"
#include "lib/json_put.h"
#include "lib/text.h"

/* The longest number: -9223372036854775808 */
#define NUMBER_MAX 20

/* ASCII only */
static char *put_character(char *to, char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char short_form[] = "\bb\ff\nn\rr\tt\"\"\\\\";

	for (const char *s = short_form; *s; s += 2) {
		if (*s != c)
			continue;
		*to++ = '\\';
		*to++ = s[1];
		return to;
	}
	if (c >= ' ') {
		*to++ = c;
		return to;
	}
	to = JSON_PUT(to, "\\u00");
	*to++ = hex[c >> 4];
	*to++ = hex[c & 15];
	return to;
}

char *json_put_escaped(char *to, const char *s, size_t len)
{
	*to++ = '"';
	for (size_t i = 0, taken; i < len; i += taken) {
		size_t n = text_utf8_next(s + i, len - i, &taken);

		if (!n)
			to = JSON_PUT(to, TEXT_REPLACEMENT);
		else if (n == 1)
			to = put_character(to, s[i]);
		else
			to = json_put(to, s + i, n);
	}
	*to++ = '"';
	return to;
}

static void add_key(struct buffer *buffer, const char *key)
{
	char last = buffer->len ? buffer->data[buffer->len - 1] : '\n';

	if (last != '{' && last != '[' && last != '\n')
		buffer_add(buffer, ",", 1);
	if (key)
		buffer_printf(buffer, "\"%s\":", key);
}

void json_open(struct buffer *buffer, const char *key, char bracket)
{
	add_key(buffer, key);
	buffer_add(buffer, &bracket, 1);
}

void json_close(struct buffer *buffer, char bracket)
{
	buffer_add(buffer, &bracket, 1);
}

/* Takes over what was written from the room on, up to @end. */
static void add_until(struct buffer *buffer, char *end)
{
	*end = '\0';
	buffer->len = end - buffer->data;
}

void json_uint(struct buffer *buffer, const char *key, uint64_t value)
{
	char *to;

	add_key(buffer, key);
	to = buffer_room(buffer, NUMBER_MAX);
	if (to)
		add_until(buffer, json_put_uint(to, value));
}

void json_int(struct buffer *buffer, const char *key, int64_t value)
{
	char *to;

	add_key(buffer, key);
	to = buffer_room(buffer, NUMBER_MAX);
	if (to)
		add_until(buffer, json_put_int(to, value));
}

static void add_word(struct buffer *buffer, const char *key, const char *word)
{
	add_key(buffer, key);
	buffer_add(buffer, word, strlen(word));
}

void json_bool(struct buffer *buffer, const char *key, bool value)
{
	add_word(buffer, key, value ? "true" : "false");
}

void json_none(struct buffer *buffer, const char *key)
{
	add_word(buffer, key, "null");
}

void json_str_of(struct buffer *buffer, const char *key, const char *s, size_t size)
{
	size_t len = strnlen(s, size);
	char *to;

	add_key(buffer, key);
	to = buffer_room(buffer, JSON_BYTE_MAX * len + 2);
	if (to)
		add_until(buffer, json_put_escaped(to, s, len));
}

void json_str(struct buffer *buffer, const char *key, const char *s)
{
	json_str_of(buffer, key, s, strlen(s));
}
