// SPDX-License-Identifier: GPL-2.0
/* The report of "p2ptrace check", in text and JSON, and what it counts as failed. */
#include <inttypes.h>
#include <signal.h>

#include "unit.h"
#include "event/blind.h"
#include "event/verdict.h"

static char metric_name[] = "allocs";
static struct metric metric = {
	.name = metric_name,
	.offset = offsetof(struct sample, counts.events[P2PTRACE_p2pmem_alloc]),
};
static struct metrics metrics = { &metric, 1 };
static char *command[] = { (char []){ "run" }, (char []){ "a\nb" }, NULL };

#define EXITED(status) ((status) << 8)

static struct verdict verdict;
static struct buffer out;

static int setup(void **state)
{
	(void)state;
	verdict = (struct verdict){ .mode = "stock", .command = command, .metrics = &metrics };
	verdict.difference.ts_ns = 1234567890;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buffer_free(&out);
	return 0;
}

static const char *text(void)
{
	buffer_reset(&out);
	verdict_text(&out, &verdict);
	return buffer_text(&out);
}

static const char *json(void)
{
	buffer_reset(&out);
	verdict_json(&out, &verdict);
	return buffer_text(&out);
}

static void a_clean_run_has_no_failure(void **state)
{
	(void)state;
	assert_int_equal(verdict_failed(&verdict), 0);
	assert_false(verdict_command_failed(&verdict));
	/* Allowed, but it did not happen */
	verdict.violations[LEAK].allowed = true;
	assert_string_equal(text(), "ok     command: exit status 0\n# 0 events in 1.235 s, 0 "
		"lost; 0 failed\n");
	assert_string_equal(json(), "{\"event\":\"check\",\"failed\":0,"
			    "\"command\":{\"argv\":[\"run\",\"a\\nb\"],\"status\":0,"
			    "\"signal\":null},\"mode\":\"stock\","
			    "\"violations\":{},\"allowed\":[],\"unsure\":[],\"first\":{},"
			    "\"blind\":[],\"blind_why\":{},\"expectations\":[],"
			    "\"interval_ns\":1234567890,\"metrics\":{\"allocs\":0}}\n");
}

static void a_check_that_does_not_see_all_fails(void **state)
{
	(void)state;
	blind_add(&verdict.needed, P2PTRACE_p2pdma_unmap, "dma_unmap_sg: missing");
	assert_int_equal(verdict_failed(&verdict), 1);
	assert_int_equal(verdict_pending(&verdict), 0);
	assert_true(verdict_blind(&verdict));
	assert_string_equal(text(), "ok     command: exit status 0\n"
			    "FAILED blind: p2pdma_unmap is not seen: dma_unmap_sg: missing\n"
			    "# 0 events in 1.235 s, 0 lost; 1 failed\n");
	assert_non_null(strstr(json(), "{\"event\":\"check\",\"failed\":1,"));
	assert_non_null(strstr(json(), ",\"blind\":[\"p2pdma_unmap\"],\"blind_why\":"
			       "{\"p2pdma_unmap\":\"dma_unmap_sg: missing\"},"));

	/* If the user accepts it, the report still has it */
	verdict.allow_blind = true;
	assert_int_equal(verdict_failed(&verdict), 0);
	assert_false(verdict_blind(&verdict));
	assert_non_null(strstr(text(), "\nallowed blind: p2pdma_unmap is not seen: "));
	assert_non_null(strstr(json(), "\"failed\":0,"));
	assert_non_null(strstr(json(), ",\"blind\":[\"p2pdma_unmap\"],"));
	/* Other failures remain */
	verdict.violations[LEAK].count = 1;
	assert_int_equal(verdict_failed(&verdict), 1);
}

/* A buffer may have been freed where p2ptrace did not see it. */
static void without_all_frees_a_leak_is_unsure(void **state)
{
	(void)state;
	verdict.needed.has[P2PTRACE_p2pmem_free] = true;
	verdict.allow_blind = true;
	blind_add(&verdict.needed, P2PTRACE_p2pmem_free, "lists: missing");
	verdict.violations[LEAK].count = 1;
	verdict.violations[P2PTRACE_HELD_TOO_LONG].count = 1;
	assert_int_equal(verdict_failed(&verdict), 0);
	assert_non_null(strstr(text(), "\nunsure leak: 1 buffer was not freed; "));
	assert_non_null(strstr(text(), ", or its end was not seen\n"));
	assert_non_null(strstr(json(), "\"unsure\":[\"held_too_long\",\"leak\"],"));
	verdict.violations[P2PTRACE_DOUBLE_MAP].count = 1;
	assert_int_equal(verdict_failed(&verdict), 1);
}

static void violations_that_losses_may_explain_are_unsure(void **state)
{
	(void)state;
	verdict.unsure = true;
	for (int v = 0; v < P2PTRACE_NR_VIOLATIONS; v++)
		verdict.violations[v].count = 1;
	assert_int_equal(verdict_failed(&verdict), P2PTRACE_NR_VIOLATIONS - 4);
	assert_non_null(strstr(text(), "\nunsure map_after_free: 1 DMA mapping was made of a "
			       "buffer that was not allocated, or a beginning was lost\n"));
	assert_non_null(strstr(text(), "\nunsure mapped_at_detach: 1 device was detached from a "
			       "dma-buf that it still had mapped, or its end was not seen\n"));
	assert_non_null(strstr(json(), "\"unsure\":[\"map_after_free\",\"unmap_without_map\","
			       "\"mapped_at_detach\",\"revoke_too_long\"],"));
	verdict.violations[P2PTRACE_MAP_AFTER_FREE].allowed = true;
	assert_non_null(strstr(text(), "\nallowed map_after_free: 1 "));
}

static void a_command_that_exits_nonzero_or_is_killed_fails(void **state)
{
	(void)state;
	verdict.wait_status = EXITED(1);
	assert_int_equal(verdict_failed(&verdict), 1);
	assert_string_equal(text(), "FAILED command: exit status 1\n"
			    "# 0 events in 1.235 s, 0 lost; 1 failed\n");
	assert_non_null(strstr(json(), "\"status\":1,\"signal\":null}"));
	verdict.wait_status = SIGKILL;
	assert_int_equal(verdict_failed(&verdict), 1);
	assert_string_equal(text(), "FAILED command: killed by signal 9 (Killed)\n"
			    "# 0 events in 1.235 s, 0 lost; 1 failed\n");
	assert_non_null(strstr(json(), "\"status\":null,\"signal\":9}"));
	/* 128 says that it dumped core */
	verdict.wait_status = 128 | SIGABRT;
	assert_non_null(strstr(text(), "killed by signal 6 ("));
	assert_non_null(strstr(json(), "\"status\":null,\"signal\":6}"));
}

static void each_violation_has_a_singular_and_a_plural_sentence(void **state)
{
	static const struct {
		int violation;
		const char *one, *two;
	} cases[] = {
		{ P2PTRACE_MAP_AFTER_FREE,
		  "map_after_free: 1 DMA mapping was made of a buffer that was not allocated",
		  "map_after_free: 2 DMA mappings were made of buffers that were not allocated" },
		{ P2PTRACE_DOUBLE_MAP,
		  "double_map: 1 DMA mapping was made by a client that already had it",
		  "double_map: 2 DMA mappings were made by clients that already had them" },
		{ P2PTRACE_LATE_UNMAP,
		  "late_unmap: 1 DMA mapping ended after its buffer was freed",
		  "late_unmap: 2 DMA mappings ended after their buffers were freed" },
		{ P2PTRACE_UNMAP_WITHOUT_MAP,
		  "unmap_without_map: 1 DMA mapping was ended but never made",
		  "unmap_without_map: 2 DMA mappings were ended but never made" },
		{ P2PTRACE_HELD_TOO_LONG,
		  "held_too_long: 1 buffer was held for longer than the limit; "
		  "the lives of p2ptrace trace show which",
		  "held_too_long: 2 buffers were held for longer than the limit; "
		  "the lives of p2ptrace trace show which" },
		{ P2PTRACE_MAPPED_AT_DETACH,
		  "mapped_at_detach: 1 device was detached from a dma-buf that it still had "
		  "mapped",
		  "mapped_at_detach: 2 devices were detached from dma-bufs that they still had "
		  "mapped" },
		{ P2PTRACE_REVOKE_TOO_LONG,
		  "revoke_too_long: 1 revocation of a dma-buf waited for longer than "
		  "the limit",
		  "revoke_too_long: 2 revocations of dma-bufs waited for longer than "
		  "the limit" },
		{ LEAK,
		  "leak: 1 buffer was not freed; "
		  "run p2ptrace leaks beside the command to see its stack",
		  "leak: 2 buffers were not freed; "
		  "run p2ptrace leaks beside the command to see their stacks" },
		{ MAPPED,
		  "mapped: 1 DMA mapping was not ended",
		  "mapped: 2 DMA mappings were not ended" },
		{ STALL,
		  "drain_stall: 1 time, a removal waited ten seconds, "
		  "and no buffer returned meanwhile",
		  "drain_stall: 2 times, a removal waited ten seconds, "
		  "and no buffer returned meanwhile" },
		{ LOST,
		  "lost: 1 event could not be counted",
		  "lost: 2 events could not be counted" },
	};
	char expected[512];

	assert_int_equal(ARRAY_LEN(cases), NR_VIOLATIONS);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int v = cases[i].violation;

		setup(state);
		verdict.violations[v].count = 1;
		snprintf(expected, sizeof(expected), "ok     command: exit status 0\nFAILED %s\n"
			 "# 0 events in 1.235 s, 0 lost; 1 failed\n", cases[i].one);
		assert_string_equal(text(), expected);
		verdict.violations[v].count = 2;
		verdict.violations[v].allowed = true;
		snprintf(expected, sizeof(expected), "ok     command: exit status 0\nallowed %s\n"
			 "# 0 events in 1.235 s, 0 lost; 0 failed\n", cases[i].two);
		assert_string_equal(text(), expected);
		assert_int_equal(violation_find(violation_name(v)), v);
		snprintf(expected, sizeof(expected),
			 "\"violations\":{\"%s\":2},\"allowed\":[\"%s\"],\"unsure\":[],"
			 "\"first\":{},",
			 violation_name(v), violation_name(v));
		assert_non_null(strstr(json(), expected));
		assert_true(*violation_help(v));
	}
	assert_int_equal(violation_find("nonsense"), -1);
}

static void the_first_violation_is_described(void **state)
{
	struct p2ptrace_first *first = &verdict.violations[LEAK].first;

	(void)state;
	*first = (struct p2ptrace_first){
		.id = 17, .dev.s = "p2p mem0", .pid = 123, .comm = "f\x1b",
	};
	verdict.violations[LEAK].has_first = true;
	/* The first violation is reported only if violations were counted */
	assert_null(strstr(text(), "first"));
	assert_non_null(strstr(json(), "\"first\":{},"));
	verdict.violations[LEAK].count = 1;
	assert_non_null(strstr(text(), "; first: p2p\\x20mem0 id=17, by f\\x1b-123\n"));
	assert_non_null(strstr(json(), "\"first\":{\"leak\":{\"dev\":\"p2p mem0\",\"id\":17,"
			       "\"client\":null,\"held_ns\":null,\"pid\":123,"
			       "\"comm\":\"f\\u001b\"}},"));
	/* Nobody ended it yet */
	*first->comm = '\0';
	assert_non_null(strstr(text(), "; first: p2p\\x20mem0 id=17\n"));
	assert_non_null(strstr(json(), ",\"pid\":null,\"comm\":null}},"));
	strcpy(first->comm, "f\x1b");
	strcpy(first->client.s, "0000:04:00.0");
	first->held_ns = 1500000;
	assert_non_null(strstr(text(), "; first: p2p\\x20mem0 id=17, client 0000:04:00.0, "
			       "held for 1.50ms, by f"));
	assert_non_null(strstr(json(), "\"client\":\"0000:04:00.0\",\"held_ns\":1500000,"));
}

static void expectations_are_reported_with_their_values(void **state)
{
	struct expectation expectations[] = {
		{ "allocs", EXPECT_EQ, 7 }, { "allocs", EXPECT_GT, 7 }, { "allocs", EXPECT_LE, 7 },
	};

	(void)state;
	verdict.expectations = expectations;
	verdict.nr_expectations = 3;
	verdict.difference.counts.events[P2PTRACE_p2pmem_alloc] = 7;
	assert_int_equal(verdict_failed(&verdict), 1);
	assert_string_equal(text(), "ok     command: exit status 0\n"
			    "ok     allocs == 7 (7)\n"
			    "FAILED allocs > 7 (7)\n"
			    "ok     allocs <= 7 (7)\n"
			    "# 7 events in 1.235 s, 0 lost; 1 failed\n");
	assert_non_null(strstr(json(), "\"expectations\":["
			       "{\"expect\":\"allocs == 7\",\"value\":7,\"met\":true},"
			       "{\"expect\":\"allocs > 7\",\"value\":7,\"met\":false},"
			       "{\"expect\":\"allocs <= 7\",\"value\":7,\"met\":true}],"));
	assert_non_null(strstr(json(), "\"metrics\":{\"allocs\":7}}"));
}

static void each_kind_of_failure_counts_once(void **state)
{
	struct expectation expectation = { "allocs", EXPECT_EQ, 1 };

	(void)state;
	verdict.wait_status = EXITED(3);
	verdict.expectations = &expectation;
	verdict.nr_expectations = 1;
	verdict.violations[LEAK].count = 5;
	verdict.violations[LOST].count = 6;
	verdict.difference.lost = 6;
	assert_int_equal(verdict_failed(&verdict), 4);
	assert_non_null(strstr(text(), "# 0 events in 1.235 s, 6 lost; 4 failed\n"));
	assert_non_null(strstr(json(), "\"failed\":4,"));
}

#define VERDICT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	VERDICT_TEST(a_clean_run_has_no_failure),
	VERDICT_TEST(a_command_that_exits_nonzero_or_is_killed_fails),
	VERDICT_TEST(a_check_that_does_not_see_all_fails),
	VERDICT_TEST(without_all_frees_a_leak_is_unsure),
	VERDICT_TEST(violations_that_losses_may_explain_are_unsure),
	VERDICT_TEST(each_violation_has_a_singular_and_a_plural_sentence),
	VERDICT_TEST(the_first_violation_is_described),
	VERDICT_TEST(expectations_are_reported_with_their_values),
	VERDICT_TEST(each_kind_of_failure_counts_once),
};

UNIT_MAIN(tests)
