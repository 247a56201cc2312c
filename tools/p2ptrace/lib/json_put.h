/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON values written to memory that the caller has made large enough. Each function returns the
 * end of what it wrote; none adds a NUL. A line per event is built from these: they are inline
 * because events come by the hundred thousand.
 */
#ifndef JSON_PUT_H
#define JSON_PUT_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A byte of a string takes at most this: \u0001 */
#define JSON_BYTE_MAX 6

/* A string with its quotes: at most JSON_BYTE_MAX * @len + 2 bytes. */
char *json_put_escaped(char *to, const char *s, size_t len);

static inline __attribute__((always_inline)) char *json_put(char *to, const char *s, size_t len)
{
	return (char *)memcpy(to, s, len) + len;
}

#define JSON_PUT(to, literal) json_put(to, literal, sizeof(literal) - 1)

/* Two digits of a number below 100. */
static inline char *json_put_pair(char *to, unsigned int value)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324"
		"25262728293031323334353637383940414243444546474849"
		"50515253545556575859606162636465666768697071727374"
		"75767778798081828384858687888990919293949596979899";

	return json_put(to, &pairs[value * 2], 2);
}

static inline char *json_put_four(char *to, unsigned int value)
{
	return json_put_pair(json_put_pair(to, value / 100), value % 100);
}

static inline char *json_put_up_to_four(char *to, unsigned int value)
{
	if (value >= 1000)
		return json_put_four(to, value);
	if (value >= 100) {
		*to = '0' + value / 100;
		return json_put_pair(to + 1, value % 100);
	}
	if (value >= 10)
		return json_put_pair(to, value);
	*to = '0' + value;
	return to + 1;
}

/* A few large steps instead of a loop over digits, which would be half of the cost of a line. */
static inline char *json_put_uint(char *to, uint64_t value)
{
	const unsigned int four = 10000, eight = 100000000;
	unsigned int low;

	if (value < four)
		return json_put_up_to_four(to, value);
	if (value < eight) {
		low = value;
		return json_put_four(json_put_up_to_four(to, low / four), low % four);
	}
	low = value % eight;
	to = json_put_uint(to, value / eight);
	return json_put_four(json_put_four(to, low / four), low % four);
}

static inline char *json_put_int(char *to, int64_t value)
{
	if (value >= 0)
		return json_put_uint(to, value);
	*to = '-';
	return json_put_uint(to + 1, -(uint64_t)value);
}

/*
 * Eight characters at a time. The byte of the first character that is not visible ASCII or that
 * JSON escapes has its high bit set in the result, and no byte before it has: sums and differences
 * carry into later bytes only.
 */
static inline uint64_t json_odd_characters(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101;

	return (word | (word - ones * ' ') | (word + ones) | ((word ^ ones * '"') - ones) |
		((word ^ ones * '\\') - ones)) & ones << 7;
}

/*
 * A string of at most @size bytes, which is a multiple of 8; all of them can be read. Nearly all
 * strings are plain.
 */
static inline char *json_put_string(char *to, const char *s, size_t size)
{
	char *start = to;
	uint64_t word, odd = 0;

	*to++ = '"';
	for (size_t i = 0; i < size && !odd; i += 8) {
		memcpy(&word, s + i, 8);
		memcpy(to, &word, 8);
		odd = json_odd_characters(le64toh(word));
		to += odd ? __builtin_ctzll(odd) / 8 : 8;
	}
	if (odd && *to)
		return json_put_escaped(start, s, strnlen(s, size));
	*to = '"';
	return to + 1;
}

#endif /* JSON_PUT_H */
