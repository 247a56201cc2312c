// SPDX-License-Identifier: GPL-2.0
/* Numbers from the command line are parsed whole, or not at all. */
#include <errno.h>

#include "unit.h"
#include "lib/number.h"

struct test_case {
	const char *s;
	int err;
	uint64_t value;
};

static void check(int (*parse)(const char *s, uint64_t *out), const struct test_case *c)
{
	uint64_t value = 12345;
	int err = parse(c->s, &value);

	if (err != c->err)
		fail_msg("'%s': returned %d, not %d", c->s, err, c->err);
	if (value != (err ? 12345 : c->value))
		fail_msg("'%s': is %llu", c->s, (unsigned long long)value);
}

static void a_count_has_only_digits(void **state)
{
	static const struct test_case cases[] = {
		{ "0", 0, 0 }, { "7", 0, 7 }, { "0010", 0, 10 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 }, { "99999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 }, { "10abc", -EINVAL, 0 }, { "abc", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 }, { "+1", -EINVAL, 0 }, { " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 }, { "0x10", -EINVAL, 0 }, { "1e3", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 }, { "1K", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(number_parse, &cases[i]);
}

static void a_size_may_have_a_unit(void **state)
{
	static const struct test_case cases[] = {
		{ "0", 0, 0 }, { "4096", 0, 4096 }, { "4K", 0, 4096 }, { "4k", 0, 4096 },
		{ "8M", 0, 8 << 20 }, { "3g", 0, 3ull << 30 },
		{ "17179869183G", 0, 17179869183ull << 30 },
		{ "17179869184G", -ERANGE, 0 }, { "18446744073709551616", -ERANGE, 0 },
		{ "", -EINVAL, 0 }, { "K", -EINVAL, 0 }, { "4KB", -EINVAL, 0 },
		{ "4KK", -EINVAL, 0 }, { "4 K", -EINVAL, 0 }, { "4T", -EINVAL, 0 },
		{ "1.5M", -EINVAL, 0 }, { "-4K", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(number_parse_size, &cases[i]);
}

static void a_time_may_have_a_fraction(void **state)
{
	static const struct test_case cases[] = {
		{ "0", 0, 0 }, { "10", 0, 10000000000 }, { "0.5", 0, 500000000 },
		{ ".25", 0, 250000000 }, { "5.", 0, 5000000000 },
		{ "1.000000001", 0, 1000000001 }, { "18446744073.709551615", 0, UINT64_MAX },
		{ "18446744073.709551616", -ERANGE, 0 }, { "18446744074", -ERANGE, 0 },
		{ "1.0000000001", -ERANGE, 0 }, { "99999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 }, { ".", -EINVAL, 0 }, { "1.s", -EINVAL, 0 },
		{ "1.5s", -EINVAL, 0 }, { "1..", -EINVAL, 0 }, { "1,5", -EINVAL, 0 },
		{ "1.5.2", -EINVAL, 0 }, { "-1", -EINVAL, 0 }, { "1e3", -EINVAL, 0 },
		{ "inf", -EINVAL, 0 }, { "nan", -EINVAL, 0 }, { "0x1p3", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(number_parse_seconds, &cases[i]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_count_has_only_digits),
	cmocka_unit_test(a_size_may_have_a_unit),
	cmocka_unit_test(a_time_may_have_a_fraction),
};

UNIT_MAIN(tests)
