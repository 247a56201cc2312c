// SPDX-License-Identifier: GPL-2.0
/* Histograms: sums, percentiles and times in words. */
#include "unit.h"
#include "lib/hist.h"

static void percentiles_of_an_empty_histogram_are_zero(void **state)
{
	struct hist hist = {};

	(void)state;
	assert_int_equal(hist_percentile(&hist, 50), 0);
	/* Read during an update: counted, but in no slot yet */
	hist.count = 1;
	assert_int_equal(hist_percentile(&hist, 50), 0);
}

static void slots_have_no_gaps(void **state)
{
	uint64_t from, to, before = 0;

	(void)state;
	for (unsigned int i = 0; i < HIST_NR_SLOTS; i++) {
		hist_slot_range(i, &from, &to);
		assert_int_equal(from, before);
		assert_true(to > from);
		before = to;
	}
	assert_true(before == UINT64_MAX);
}

static void percentiles_are_in_their_slot_and_at_most_the_maximum(void **state)
{
	struct hist hist = { .count = 100, .max_ns = 5000 };
	uint64_t p50, p90, p99;

	(void)state;
	hist.slots[4] = 60;	/* 16 to 32 */
	hist.slots[10] = 35;	/* 1024 to 2048 */
	hist.slots[12] = 5;	/* 4096 to 8192 */
	p50 = hist_percentile(&hist, 50);
	p90 = hist_percentile(&hist, 90);
	p99 = hist_percentile(&hist, 99);
	assert_between(p50, 16, 31);
	assert_between(p90, 1024, 2047);
	assert_between(p99, 4096, 5000);
	assert_int_equal(hist_percentile(&hist, 100), 5000);
	/* A maximum below its slot was read during an update */
	hist.max_ns = 4000;
	assert_int_equal(hist_percentile(&hist, 99), 4000);
}

static void one_event_is_every_percentile(void **state)
{
	struct hist hist = { .count = 1, .max_ns = 1 };

	(void)state;
	hist.slots[0] = 1;
	assert_between(hist_percentile(&hist, 50), 0, 1);
	memset(&hist, 0, sizeof(hist));
	hist.slots[HIST_NR_SLOTS - 1] = 1;
	hist.max_ns = 1ull << 60;
	assert_int_equal(hist_percentile(&hist, 1), 1ull << 60);
}

static void a_fraction_of_an_event_counts_as_one(void **state)
{
	struct hist hist = { .count = 3, .max_ns = 1024 };

	(void)state;
	hist.slots[0] = 1;
	hist.slots[10] = 2;
	/* 34 % of three events are two, and the second one is in the higher slot. */
	assert_int_equal(hist_percentile(&hist, 34), 1024);
	assert_between(hist_percentile(&hist, 33), 0, 2);
}

static void huge_counts_do_not_overflow(void **state)
{
	struct hist hist = { .max_ns = 63 };

	(void)state;
	hist.slots[3] = UINT64_MAX / 2;
	hist.slots[5] = UINT64_MAX / 2;
	assert_between(hist_percentile(&hist, 50), 8, 16);
	assert_between(hist_percentile(&hist, 99), 32, 63);
}

static void histograms_of_cpus_are_added(void **state)
{
	struct hist sum = { .count = 1, .total_ns = 10, .max_ns = 10 };
	struct hist other = { .count = 2, .total_ns = 9, .max_ns = 8 };

	(void)state;
	sum.slots[3] = 1;
	other.slots[3] = 1;
	other.slots[0] = 1;
	hist_add(&sum, &other);
	assert_int_equal(sum.count, 3);
	assert_int_equal(sum.total_ns, 19);
	assert_int_equal(sum.max_ns, 10);
	assert_int_equal(sum.slots[3], 2);
	assert_int_equal(sum.slots[0], 1);
}

static void times_are_rounded_to_three_digits(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} times[] = {
		{ 0, "0ns" }, { 999, "999ns" }, { 1000, "1.00us" }, { 1500, "1.50us" },
		{ 20000, "20.0us" }, { 999999, "1.00ms" }, { 123456789, "123ms" },
		{ 1234567890, "1.23s" }, { 3600000000000, "3600s" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		hist_time(times[i].ns, text, sizeof(text));
		assert_string_equal(text, times[i].text);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(percentiles_of_an_empty_histogram_are_zero),
	cmocka_unit_test(slots_have_no_gaps),
	cmocka_unit_test(percentiles_are_in_their_slot_and_at_most_the_maximum),
	cmocka_unit_test(one_event_is_every_percentile),
	cmocka_unit_test(a_fraction_of_an_event_counts_as_one),
	cmocka_unit_test(huge_counts_do_not_overflow),
	cmocka_unit_test(histograms_of_cpus_are_added),
	cmocka_unit_test(times_are_rounded_to_three_digits),
};

UNIT_MAIN(tests)
