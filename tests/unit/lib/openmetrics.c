// SPDX-License-Identifier: GPL-2.0
/* Text for Prometheus, byte for byte, and what tests/unit/openmetrics-strict.h refuses. */
#include "unit.h"
#include "openmetrics-strict.h"
#include "lib/openmetrics.h"

static struct openmetrics om;

static int setup(void **state)
{
	(void)state;
	memset(&om, 0, sizeof(om));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buffer_free(&om.text);
	return 0;
}

#define LABELS(...) (struct openmetrics_label []){ __VA_ARGS__, {} }

static void write_all(bool plain)
{
	buffer_reset(&om.text);
	om.plain = plain;
	openmetrics_family(&om, OPENMETRICS_GAUGE, "a_held_bytes", "bytes", "a gauge");
	openmetrics_uint(&om, NULL, UINT64_MAX);
	openmetrics_family(&om, OPENMETRICS_COUNTER, "a_maps", NULL, "a \"counter\"\\\nof two");
	openmetrics_uint(&om, LABELS({ "map", "bus_addr" }, { "client", "a\"b\\c\nd\xff" }), 7);
	openmetrics_uint(&om, LABELS({ "map", "" }, { "client", "" }), 0);
	openmetrics_family(&om, OPENMETRICS_INFO, "a_build", NULL, "versions");
	openmetrics_uint(&om, LABELS({ "version", "1" }), 1);
	openmetrics_family(&om, OPENMETRICS_GAUGE, "a_age_seconds", "seconds", "a time");
	openmetrics_ns(&om, NULL, 12000000034);
	openmetrics_end(&om);
}

static void the_format_is_openmetrics(void **state)
{
	(void)state;
	write_all(false);
	assert_string_equal(buffer_text(&om.text),
		"# TYPE a_held_bytes gauge\n"
		"# UNIT a_held_bytes bytes\n"
		"# HELP a_held_bytes a gauge\n"
		"a_held_bytes 18446744073709551615\n"
		"# TYPE a_maps counter\n"
		"# HELP a_maps a \\\"counter\\\"\\\\\\nof two\n"
		"a_maps_total{map=\"bus_addr\",client=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"} 7\n"
		"a_maps_total{map=\"\",client=\"\"} 0\n"
		"# TYPE a_build info\n"
		"# HELP a_build versions\n"
		"a_build_info{version=\"1\"} 1\n"
		"# TYPE a_age_seconds gauge\n"
		"# UNIT a_age_seconds seconds\n"
		"# HELP a_age_seconds a time\n"
		"a_age_seconds 12.000000034\n"
		"# EOF\n");
}

static void the_older_format_has_other_names_and_no_end(void **state)
{
	(void)state;
	write_all(true);
	assert_string_equal(buffer_text(&om.text),
		"# TYPE a_held_bytes gauge\n"
		"# HELP a_held_bytes a gauge\n"
		"a_held_bytes 18446744073709551615\n"
		"# TYPE a_maps_total counter\n"
		"# HELP a_maps_total a \"counter\"\\\\\\nof two\n"
		"a_maps_total{map=\"bus_addr\",client=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"} 7\n"
		"a_maps_total{map=\"\",client=\"\"} 0\n"
		"# TYPE a_build_info gauge\n"
		"# HELP a_build_info versions\n"
		"a_build_info{version=\"1\"} 1\n"
		"# TYPE a_age_seconds gauge\n"
		"# HELP a_age_seconds a time\n"
		"a_age_seconds 12.000000034\n");
}

static uint64_t number_after(const char *text)
{
	const char *at = strstr(buffer_text(&om.text), text);

	if (!at)
		fail_msg("'%s' is not in: %s", text, buffer_text(&om.text));
	return strtoull(at + strlen(text), NULL, 10);
}

static void buckets_are_cumulative_and_bounds_are_exact(void **state)
{
	/* A time of 1023 ns is in slot 9, 1024 ns in slot 10, 2^42 ns in slot 42 */
	struct hist hist = { .count = 99, .total_ns = 5000000001 };

	(void)state;
	hist.slots[0] = 1;
	hist.slots[9] = 2;
	hist.slots[10] = 4;
	hist.slots[11] = 8;
	hist.slots[41] = 16;
	hist.slots[42] = 32;
	hist.slots[HIST_NR_SLOTS - 1] = 64;
	openmetrics_family(&om, OPENMETRICS_HISTOGRAM, "a_seconds", "seconds", "times");
	openmetrics_hist(&om, LABELS({ "dev", "x" }), &hist);
	openmetrics_hist(&om, LABELS({ "dev", "y" }), &hist);
	openmetrics_family(&om, OPENMETRICS_HISTOGRAM, "b_seconds", "seconds", "times");
	openmetrics_hist(&om, NULL, &hist);
	openmetrics_end(&om);
	assert_null(openmetrics_error(buffer_text(&om.text), false));
	assert_int_equal(number_after("a_seconds_bucket{dev=\"x\",le=\"1.024e-06\"} "), 3);
	assert_int_equal(number_after("a_seconds_bucket{dev=\"x\",le=\"4.096e-06\"} "), 15);
	assert_int_equal(number_after("a_seconds_bucket{dev=\"x\",le=\"68.719476736\"} "), 15);
	assert_int_equal(number_after("a_seconds_bucket{dev=\"x\",le=\"4398.046511104\"} "), 31);
	assert_int_equal(number_after("a_seconds_bucket{dev=\"x\",le=\"+Inf\"} "), 127);
	assert_int_equal(number_after("a_seconds_count{dev=\"x\"} "), 127);
	assert_int_equal(number_after("b_seconds_bucket{le=\"+Inf\"} "), 127);
	assert_non_null(strstr(buffer_text(&om.text), "\na_seconds_sum{dev=\"y\"} 5.000000001\n"));
}

static void both_formats_are_well_formed(void **state)
{
	const char *error;

	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		write_all(plain);
		error = openmetrics_error(buffer_text(&om.text), plain);
		if (error)
			fail_msg("%s", error);
		/* And not in the other format */
		assert_non_null(openmetrics_error(buffer_text(&om.text), !plain));
	}
}

/* The parser is a part of the tests, so it is tested itself. */
static void the_parser_is_strict(void **state)
{
	static const char *const bad[] = {
		"",
		"# EOF",
		"# EOF\n# EOF\n",
		"a 1\n# EOF\n",
		"# TYPE a gauge\na 1\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\nb 1\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na 1 2\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na  1\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na nan\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na 1\na 2\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na{b=\"1\",b=\"2\"} 1\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na{b=\"\\x\"} 1\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na{b=\"\xff\"} 1\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na{b=\"1\"\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na{b=\"1} 1\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na{1b=\"1\"} 1\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na_total 1\n# EOF\n",
		"# TYPE a counter\n# HELP a x\na 1\n# EOF\n",
		"# TYPE a counter\n# HELP a x\na_total -1\n# EOF\n",
		"# TYPE a info\n# HELP a x\na_info 2\n# EOF\n",
		"# TYPE a summary\n# HELP a x\na 2\n# EOF\n",
		"# TYPE a gauge\n# TYPE a gauge\n# HELP a x\na 2\n# EOF\n",
		"# HELP a x\n# TYPE a gauge\na 2\n# EOF\n",
		"# TYPE a gauge\n# UNIT a bytes\n# HELP a x\na 2\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\na 2\n# UNIT a a\n# EOF\n",
		"# TYPE a gauge\n# HELP a x\n# TYPE b gauge\n# HELP b x\n# TYPE a gauge\n# EOF\n",
		"# TYPE a counter\n# HELP a x\n# TYPE a_total gauge\n# HELP a_total x\n# EOF\n",
		"# TYPE a histogram\n# HELP a x\na_bucket{le=\"1\"} 1\n# EOF\n",
		"# TYPE a histogram\n# HELP a x\na_bucket{le=\"+Inf\"} 1\na_count 2\na_sum 1\n"
		"# EOF\n",
		"# TYPE a histogram\n# HELP a x\na_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\n"
		"# EOF\n",
		"# TYPE a histogram\n# HELP a x\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n"
		"a_count 1\na_sum 1\n# EOF\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (!openmetrics_error(bad[i], false))
			fail_msg("accepted: %s", bad[i]);
}

static void a_client_gets_the_format_that_it_accepts(void **state)
{
	(void)state;
	assert_true(openmetrics_wants_plain(NULL));
	assert_true(openmetrics_wants_plain(""));
	assert_true(openmetrics_wants_plain("*/*"));
	assert_false(openmetrics_wants_plain("application/openmetrics-text;version=1.0.0,"
					     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_format_is_openmetrics),
		TEST(the_older_format_has_other_names_and_no_end),
		TEST(buckets_are_cumulative_and_bounds_are_exact),
		TEST(both_formats_are_well_formed),
		TEST(the_parser_is_strict),
		TEST(a_client_gets_the_format_that_it_accepts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
