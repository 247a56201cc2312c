// SPDX-License-Identifier: GPL-2.0
/* Expectations (--expect): how they are parsed, refused and compared. */
#include "unit.h"
#include "event/expect.h"
#include "lib/log.h"

static void an_expectation_is_a_metric_a_comparison_and_a_number(void **state)
{
	static const struct {
		const char *text, *metric;
		enum expect_op op;
		uint64_t value;
	} good[] = {
		{ "fallbacks == 0", "fallbacks", EXPECT_EQ, 0 },
		{ "maps.bus_addr>100", "maps.bus_addr", EXPECT_GT, 100 },
		{ "  held<= 7 ", "held", EXPECT_LE, 7 },
		{ "alloc_bytes >=64K", "alloc_bytes", EXPECT_GE, 65536 },
		{ "a != 18446744073709551615", "a", EXPECT_NE, UINT64_MAX },
		{ "a\t<\t1", "a", EXPECT_LT, 1 },
	};
	struct expectation e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(expect_parse(&e, good[i].text), 0);
		assert_string_equal(e.metric, good[i].metric);
		assert_int_equal(e.op, good[i].op);
		assert_int_equal(e.value, good[i].value);
	}
}

static void a_name_of_63_bytes_fits_and_one_of_64_does_not(void **state)
{
	char text[80];
	struct expectation e;
	struct capture c;

	(void)state;
	snprintf(text, sizeof(text), "%063d == 1", 0);
	assert_int_equal(expect_parse(&e, text), 0);
	assert_int_equal(strlen(e.metric), 63);
	snprintf(text, sizeof(text), "%064d == 1", 0);
	capture_begin(&c);
	assert_int_equal(expect_parse(&e, text), EXIT_USAGE);
	capture_end(&c);
	assert_one_line(c.text, "the name of the metric is too long");
}

static void a_bad_expectation_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "metric is missing" },
		{ "   ", "metric is missing" },
		{ "== 0", "metric is missing" },
		{ "held", "comparison" },
		{ "held 0", "comparison" },
		{ "held = 0", "comparison" },
		{ "held === 0", "comparison" },
		{ "held =< 0", "comparison" },
		{ "held ==", "not a number" },
		{ "held == x", "not a number" },
		{ "held == -1", "not a number" },
		{ "held == 1 2", "not a number" },
		{ "held == 1 and more", "not a number" },
		{ "held == 18446744073709551616", "range" },
		{ "a123456789012345678901234567890123456789012345678901234567890123456789 == 0",
		  "too long" },
	};
	struct expectation e;
	struct capture c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		capture_begin(&c);
		assert_int_equal(expect_parse(&e, bad[i].text), EXIT_USAGE);
		capture_end(&c);
		assert_one_line(c.text, bad[i].why);
		assert_one_line(c.text, "such as 'fallbacks == 0'");
	}
}

static void comparisons_are_unsigned(void **state)
{
	static const bool expected[][3] = {
		[EXPECT_EQ] = { false, true, false }, [EXPECT_NE] = { true, false, true },
		[EXPECT_LT] = { true, false, false }, [EXPECT_LE] = { true, true, false },
		[EXPECT_GT] = { false, false, true }, [EXPECT_GE] = { false, true, true },
	};

	(void)state;
	for (int op = EXPECT_EQ; op <= EXPECT_GE; op++) {
		struct expectation e = { .op = op, .value = 1ull << 63 };

		for (int i = 0; i < 3; i++)
			assert_int_equal(expect_met(&e, (1ull << 63) + i - 1), expected[op][i]);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_expectation_is_a_metric_a_comparison_and_a_number),
	cmocka_unit_test(a_name_of_63_bytes_fits_and_one_of_64_does_not),
	cmocka_unit_test(a_bad_expectation_is_refused),
	cmocka_unit_test(comparisons_are_unsigned),
};

UNIT_MAIN(tests)
