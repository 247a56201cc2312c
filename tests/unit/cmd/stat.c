// SPDX-License-Identifier: GPL-2.0
/* What "p2ptrace stat" prints: rows, totals, and JSON, for given samples. */
#include "fake-counter.h"
#include "cmd/stat.c"

#define STAT(...) RUN(cmd_stat, (char []){ "stat" }, ##__VA_ARGS__)
#define W(text) (char []){ text }

#define HEAD " seconds  allocs   fails    maps busaddr  hostbr      MB  fallbk    held  pinned\n"

/* Sample number @i is taken @seconds after the start. */
static struct sample *sample(size_t i, double seconds)
{
	fake.samples[i] = fake.samples[i ? i - 1 : 0];
	fake.samples[i].ts_ns = 100 * NSEC_PER_SEC + seconds * NSEC_PER_SEC;
	fake.nr_samples = i + 1;
	return &fake.samples[i];
}

static void assert_begins(const char *part)
{
	if (strncmp(command_out, part, strlen(part)))
		fail_msg("'%s' does not begin: %s", part, command_out);
}

static void assert_line(int nr, const char *begin)
{
	const char *line = command_out;

	while (nr--)
		line = strchr(line, '\n') + 1;
	if (strncmp(line, begin, strlen(begin)))
		fail_msg("'%s' does not begin: %s", begin, line);
}

static void a_row_shows_rates_and_present_values(void **state)
{
	struct sample *s;
	char counting[64];

	(void)state;
	sample(0, 0)->counts.events[P2PTRACE_p2pmem_alloc] = 1000;
	s = sample(1, 2);
	s->counts.events[P2PTRACE_p2pmem_alloc] = 1007;
	s->counts.events[P2PTRACE_p2pmem_alloc_fail] = 2;
	s->counts.events[P2PTRACE_p2pdma_map] = 12;
	set_metric(s, "maps.bus_addr", 8);
	set_metric(s, "maps.thru_host_bridge", 4);
	s->counts.bytes[P2PTRACE_p2pdma_map] = 3000000;
	s->counts.events[P2PTRACE_nvmet_p2pmem_fallback] = 20;
	s->gauges.held = 5;
	s->gauges.pinned = 6;
	/* Nothing happens in the second interval, of a quarter of a second */
	sample(2, 2.25);
	assert_int_equal(STAT(W("2"), W("2")), 0);
	assert_begins(HEAD
	      "    2.00       4       1       6       4       2     1.5      10       5       6\n"
	      "    2.25       0       0       0       0       0     0.0       0       5       6\n"
	      "# 41 events in 2.250 s, 0 lost\n");
	assert_int_equal(fake.config.interval_ns, 2 * NSEC_PER_SEC);
	assert_int_equal(fake.config.duration_ns, 0);
	assert_false(fake.follow);
	snprintf(counting, sizeof(counting), "counting %d events, mode tracepoint (Ctrl-C ends)",
		 P2PTRACE_NR_EVENTS);
	assert_one_line(command_err.text, counting);
}

static void totals_omit_what_is_zero(void **state)
{
	struct sample *s;
	int lines = 0;

	(void)state;
	sample(0, 0)->counts.events[P2PTRACE_p2pmem_alloc] = 3;
	s = sample(1, 1.5);
	s->counts.events[P2PTRACE_p2pmem_alloc] = 4;
	s->gauges.held = 7;
	fake.interrupted_after = -1;
	assert_int_equal(STAT(W("--duration"), W("3")), 0);
	assert_line(0, "# 1 event in 1.500 s, 0 lost\n");
	assert_line(1, "allocs                                        1  ");
	assert_line(2, "held                                          7  ");
	for (char *c = command_out; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 3);
	assert_int_equal(fake.config.interval_ns, 0);
	assert_int_equal(fake.config.duration_ns, 3 * NSEC_PER_SEC);
}

static void the_heading_comes_every_twenty_rows(void **state)
{
	size_t rows = 0;

	(void)state;
	assert_int_equal(STAT(W("1"), W("41")), 0);
	for (char *line = command_out; *line != '#'; line = strchr(line, '\n') + 1, rows++)
		assert_int_equal(!strncmp(line, HEAD, strlen(HEAD)),
			rows == 0 || rows == 21 || rows == 42);
	assert_int_equal(rows, 41 + 3);
	assert_int_equal(fake.pauses, 41);
}

static void large_numbers_stay_in_their_columns(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0, "       0" }, { 0.4, "       0" }, { 999999, "  999999" },
		{ 999999.4, "  999999" }, { 999999.5, "   1000K" }, { 99999499, "  99999K" },
		{ 99999500, "    100M" }, { 1e12, "   1000G" }, { 123456789012, "    123G" },
		{ 18446744073709551615.0, "  18447P" }, { 1e30, " 1000000000000E" },
	};
	struct buffer line = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buffer_reset(&line);
		short_number(&line, cases[i].value);
		assert_string_equal(buffer_text(&line), cases[i].text);
	}
	buffer_free(&line);
}

static void json_has_exact_counts_of_the_interval(void **state)
{
	struct sample *s;

	(void)state;
	sample(0, 0);
	s = sample(1, 1);
	s->counts.events[P2PTRACE_p2pmem_alloc] = 3;
	s = sample(2, 2);
	s->counts.events[P2PTRACE_p2pmem_alloc] = 7;
	s->gauges.pinned = 9;
	assert_int_equal(STAT(W("--json"), W("1"), W("2")), 0);
	assert_line(0, "{\"ts_ns\":101000000000,\"event\":\"stat\",\"interval_ns\":1000000000,"
		    "\"metrics\":{\"allocs\":3,");
	assert_line(1, "{\"ts_ns\":102000000000,\"event\":\"stat\",\"interval_ns\":1000000000,"
		    "\"metrics\":{\"allocs\":4,");
	assert_line(2, "{\"ts_ns\":102000000000,\"event\":\"total\",\"interval_ns\":2000000000,"
		    "\"metrics\":{\"allocs\":7,");
	assert_line(3, "{\"event\":\"end\",\"events\":7,\"lost\":0,\"blind\":[]}\n");
	assert_non_null(strstr(command_out, ",\"pinned\":9,\"lost\":0},\"pairs\":[]}\n"
					    "{\"event\":\"end\""));
}

static void totals_tell_who_maps_whose_memory(void **state)
{
	(void)state;
	fake.pairs[0] = (struct pair_sum){
		.key = { .provider.s = "0000:03:00.0", .client.s = "0000:04:00.0", .map = 2 },
		.maps = 53, .bytes = 5300000,
	};
	fake.pairs[1] = (struct pair_sum){
		.key = { .provider.s = "0000:03:00.0", .client.s = "bad client", .map = 9 },
		.maps = 1, .bytes = 4096,
	};
	fake.nr_pairs = 2;
	sample(0, 0);
	sample(1, 2);
	fake.interrupted_after = -1;
	assert_int_equal(STAT(W("--duration"), W("2")), 0);
	assert_line(1, "provider                 client                   map             "
		       "      maps        MB      MB/s  share\n");
	assert_line(2, "0000:03:00.0             0000:04:00.0             bus_addr        "
		       "        53       5.3       2.6      -\n");
	assert_line(3, "0000:03:00.0             bad\\x20client            unknown(9)      "
		       "         1       0.0       0.0      -\n");
	assert_int_equal(STAT(W("--json"), W("--duration"), W("2")), 0);
	assert_non_null(strstr(command_out, "},\"pairs\":[{\"provider\":\"0000:03:00.0\","
		"\"client\":\"0000:04:00.0\",\"map\":\"bus_addr\",\"maps\":53,\"bytes\":5300000},"
		"{\"provider\":\"0000:03:00.0\",\"client\":\"bad client\",\"map\":\"unknown(9)\","
		"\"maps\":1,\"bytes\":4096}]}\n"));
}

static void losses_are_reported(void **state)
{
	(void)state;
	fake.lost = 2;
	assert_int_equal(STAT(W("--json"), W("1"), W("1")), 0);
	assert_non_null(strstr(command_out, "\"lost\":2,\"blind\":[]}\n"));
	assert_non_null(strstr(command_err.text, "2 events were not counted (nested 2)\n"));
	fake.lost = 1;
	assert_int_equal(STAT(W("1"), W("1")), 0);
	assert_non_null(strstr(command_err.text, "1 event was not counted (nested 1)\n"));
}

/* A total of 0 is no news if nothing could be counted. */
static void what_is_not_counted_is_named(void **state)
{
	(void)state;
	fake.left_out[P2PTRACE_p2pdma_map] = fake.in_part[P2PTRACE_p2pmem_free] = true;
	assert_int_equal(STAT(W("--json"), W("1"), W("1")), 0);
	assert_non_null(strstr(command_out, "\"lost\":0,\"blind\":[\"p2pmem_free\","
			       "\"p2pdma_map\"]}\n"));
	assert_null(strstr(command_out, "\"maps\""));
	assert_non_null(strstr(command_out, "\"frees\""));
	assert_int_equal(STAT(W("1"), W("1")), 0);
	assert_non_null(strstr(command_out, "# p2pmem_free is seen in part, without a test\n"
			       "# p2pdma_map is not seen: a test\n# 0 events in "));
}

static void errors_end_it(void **state)
{
	(void)state;
	fake.failing_sample = 2;
	assert_int_equal(STAT(W("1"), W("5")), EXIT_OTHER);
	assert_string_equal(command_out, "");
	fake.sampled = 0;
	fake.failing_sample = 1;
	assert_int_equal(STAT(W("1"), W("5")), EXIT_OTHER);
	assert_int_equal(fake.sampled, 1);
	fake.start_rc = EXIT_KERNEL;
	assert_int_equal(STAT(W("1")), EXIT_KERNEL);
	assert_int_equal(fake.sampled, 1);
	fake.open_rc = EXIT_KERNEL;
	assert_int_equal(STAT(W("--list-metrics")), EXIT_KERNEL);
	assert_string_equal(command_out, "");
}

static void metrics_are_listed_without_counting(void **state)
{
	(void)state;
	assert_int_equal(STAT(W("--list-metrics")), 0);
	assert_non_null(strstr(command_out, "\nmaps.bus_addr  "));
	assert_false(fake.opened_to_start || fake.started);
}

static const struct CMUnitTest tests[] = {
	FAKE_TEST(a_row_shows_rates_and_present_values),
	FAKE_TEST(totals_omit_what_is_zero),
	FAKE_TEST(the_heading_comes_every_twenty_rows),
	FAKE_TEST(large_numbers_stay_in_their_columns),
	FAKE_TEST(json_has_exact_counts_of_the_interval),
	FAKE_TEST(totals_tell_who_maps_whose_memory),
	FAKE_TEST(losses_are_reported),
	FAKE_TEST(what_is_not_counted_is_named),
	FAKE_TEST(errors_end_it),
	FAKE_TEST(metrics_are_listed_without_counting),
};

UNIT_MAIN(tests)
