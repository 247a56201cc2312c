// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"

/* Whether the character needs no escape. */
static bool stays(char c, char lowest, bool backslash)
{
	return c >= lowest && c <= '~' && !(backslash && c == '\\');
}

static size_t escape(char *dst, size_t size, const char *src, size_t len, char lowest,
		     bool backslash)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = src[i];

		if (stays(c, lowest, backslash)) {
			if (n + 1 >= size)
				break;
			dst[n++] = c;
		} else {
			if (n + 4 >= size)
				break;
			n += sprintf(dst + n, "\\x%02x", (unsigned char)c);
		}
	}
	dst[n] = '\0';
	return n;
}

size_t text_printable(char *dst, size_t size, const char *src, size_t len)
{
	return escape(dst, size, src, len, ' ', false);
}

size_t text_word(char *dst, size_t size, const char *src, size_t len)
{
	return escape(dst, size, src, len, '!', true);
}

bool text_whole_word(char *dst, size_t size, const char *src, size_t len)
{
	size_t needed = 1;

	for (size_t i = 0; i < len && needed <= size; i++)
		needed += stays(src[i], '!', true) ? 1 : 4;
	if (needed > size)
		return false;
	text_word(dst, size, src, len);
	return true;
}

/* The length of the well-formed character at @s, 0 if there is none (Unicode 15, table 3-7). */
static size_t utf8_char(const unsigned char *s, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;

	/* The second byte shows overlong forms, surrogates and values above U+10FFFF */
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

size_t text_utf8_next(const char *s, size_t len, size_t *taken)
{
	const unsigned char *c = (const unsigned char *)s;
	size_t n = utf8_char(c, len);
	/* JSON leaves DEL and C1 controls as they are, and terminals obey them */
	bool control = (n == 1 && c[0] == 0x7f) || (n == 2 && c[0] == 0xc2 && c[1] < 0xa0);

	*taken = n ? n : 1;
	return control ? 0 : n;
}
