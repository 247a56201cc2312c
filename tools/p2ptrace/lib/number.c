// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "lib/number.h"
#include "lib/units.h"

/* Reads digits and moves *s behind them. strtoull() also accepts signs, blanks and hex. */
static int digits(const char **s, uint64_t *out)
{
	uint64_t n = 0;

	if (**s < '0' || **s > '9')
		return -EINVAL;
	for (; **s >= '0' && **s <= '9'; (*s)++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(**s - '0'), &n))
			return -ERANGE;
	*out = n;
	return 0;
}

int number_parse(const char *s, uint64_t *out)
{
	uint64_t n;
	int err = digits(&s, &n);

	if (err)
		return err;
	if (*s)
		return -EINVAL;
	*out = n;
	return 0;
}

int number_parse_size(const char *s, uint64_t *bytes)
{
	unsigned int shift = 0;
	uint64_t n;
	int err = digits(&s, &n);

	if (err)
		return err;
	switch (*s) {
	case 'K':
	case 'k':
		shift = 10;
		break;
	case 'M':
	case 'm':
		shift = 20;
		break;
	case 'G':
	case 'g':
		shift = 30;
		break;
	}
	if (shift)
		s++;
	if (*s)
		return -EINVAL;
	if (n > UINT64_MAX >> shift)
		return -ERANGE;
	*bytes = n << shift;
	return 0;
}

int number_parse_seconds(const char *s, uint64_t *ns)
{
	uint64_t seconds = 0, scale = NSEC_PER_SEC, fraction = 0;
	int err = 0;

	/* There may be no digits before or behind the point, but not both */
	if (*s != '.' || s[1] < '0' || s[1] > '9')
		err = digits(&s, &seconds);
	if (err)
		return err;
	if (*s == '.') {
		for (s++; *s >= '0' && *s <= '9'; s++) {
			scale /= 10;
			if (!scale)
				return -ERANGE;
			fraction += (uint64_t)(*s - '0') * scale;
		}
	}
	if (*s)
		return -EINVAL;
	if (__builtin_mul_overflow(seconds, NSEC_PER_SEC, &seconds) ||
	    __builtin_add_overflow(seconds, fraction, &seconds))
		return -ERANGE;
	*ns = seconds;
	return 0;
}
