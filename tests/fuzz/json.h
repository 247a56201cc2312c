/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether a text is JSON (RFC 8259), and nothing else. Does not share code with what it judges.
 */
#ifndef FUZZ_JSON_H
#define FUZZ_JSON_H

#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static inline const char *json_value(const char *s, const char *end);

/* Each of these returns what follows, or NULL if this is not there. */
static inline const char *json_literal(const char *s, const char *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - s) >= len && !memcmp(s, word, len) ? s + len : NULL;
}

static inline const char *json_text(const char *s, const char *end)
{
	if (s == end || *s++ != '"')
		return NULL;
	for (; s < end && *s != '"'; s++) {
		if ((unsigned char)*s < ' ')
			return NULL;
		if (*s != '\\')
			continue;
		if (++s == end || !*s || !strchr("\"\\/bfnrtu", *s))
			return NULL;
		if (*s != 'u')
			continue;
		for (int i = 0; i < 4; i++)
			if (++s == end || !*s || !strchr("0123456789abcdefABCDEF", *s))
				return NULL;
	}
	return s < end ? s + 1 : NULL;
}

/* Integers alone, which is what we print. */
static inline const char *json_number(const char *s, const char *end)
{
	const char *first;

	s += s < end && *s == '-';
	first = s;
	while (s < end && *s >= '0' && *s <= '9')
		s++;
	return s == first || (*first == '0' && s != first + 1) ? NULL : s;
}

static inline const char *json_list(const char *s, const char *end, char close)
{
	if (s < end && *s == close)
		return s + 1;
	while (s) {
		if (close == '}') {
			s = json_text(s, end);
			s = s ? json_literal(s, end, ":") : NULL;
		}
		s = s ? json_value(s, end) : NULL;
		if (s && s < end && *s == close)
			return s + 1;
		s = s ? json_literal(s, end, ",") : NULL;
	}
	return NULL;
}

static inline const char *json_value(const char *s, const char *end)
{
	switch (s < end ? *s : '\0') {
	case '{':
		return json_list(s + 1, end, '}');
	case '[':
		return json_list(s + 1, end, ']');
	case '"':
		return json_text(s, end);
	case 't':
		return json_literal(s, end, "true");
	case 'f':
		return json_literal(s, end, "false");
	case 'n':
		return json_literal(s, end, "null");
	default:
		return json_number(s, end);
	}
}

static inline bool is_utf8(const char *s, size_t len)
{
	char *in = strndup(s, len), *out = malloc(4 * len + 4), *from = in, *to = out;
	size_t left = len, room = 4 * len + 4;
	iconv_t cd = iconv_open("UTF-32LE", "UTF-8");
	bool good = in && out && strlen(in) == len &&
		    iconv(cd, &from, &left, &to, &room) != (size_t)-1;

	iconv_close(cd);
	free(in);
	free(out);
	return good;
}

static inline bool is_json_object(const char *s, size_t len)
{
	return len && *s == '{' && json_value(s, s + len) == s + len && is_utf8(s, len);
}

#endif /* FUZZ_JSON_H */
