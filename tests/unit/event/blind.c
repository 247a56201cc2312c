// SPDX-License-Identifier: GPL-2.0
/* What an answer says about events that were not seen. */
#include "unit.h"
#include "event/blind.h"
#include "lib/json.h"

static struct buffer out;

static int teardown(void **state)
{
	(void)state;
	buffer_free(&out);
	out = (struct buffer){};
	return 0;
}

static void nothing_is_said_if_all_is_seen(void **state)
{
	struct event_set set = { .has[P2PTRACE_p2pmem_free] = true };

	(void)state;
	assert_false(blind_any(&set));
	blind_text(&out, &set, "# ");
	assert_int_equal(out.len, 0);
	json_open(&out, NULL, '{');
	blind_json(&out, &set);
	blind_json_why(&out, &set);
	json_close(&out, '}');
	assert_string_equal(out.data, "{\"blind\":[],\"blind_why\":{}}");
}

static void each_event_has_its_reasons_once(void **state)
{
	struct event_set set = {};

	(void)state;
	blind_add(&set, P2PTRACE_p2pdma_map, "%s: %s", "a", "gone");
	blind_add(&set, P2PTRACE_p2pdma_map, "b: gone");
	blind_add(&set, P2PTRACE_p2pdma_map, "a: gone");
	assert_true(blind_any(&set));
	blind_text(&out, &set, "> ");
	assert_string_equal(out.data, "> p2pdma_map is not seen: a: gone; b: gone\n");
	buffer_reset(&out);
	set.has[P2PTRACE_p2pdma_map] = true;
	blind_text(&out, &set, "");
	assert_string_equal(out.data, "p2pdma_map is seen in part, without a: gone; b: gone\n");
	buffer_reset(&out);
	json_open(&out, NULL, '{');
	blind_json(&out, &set);
	blind_json_why(&out, &set);
	json_close(&out, '}');
	assert_string_equal(out.data, "{\"blind\":[\"p2pdma_map\"],"
			    "\"blind_why\":{\"p2pdma_map\":\"a: gone; b: gone\"}}");
}

static void reasons_that_are_too_long_are_cut(void **state)
{
	struct event_set set = {};
	char reason[2 * EVENT_WHY_LEN];

	(void)state;
	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	blind_add(&set, P2PTRACE_p2pmem_free, "first");
	blind_add(&set, P2PTRACE_p2pmem_free, "%s", reason);
	blind_add(&set, P2PTRACE_p2pmem_free, "%s, again", reason);
	assert_int_equal(strlen(set.why[P2PTRACE_p2pmem_free]), EVENT_WHY_LEN - 1);
	assert_int_equal(strncmp(set.why[P2PTRACE_p2pmem_free], "first; xxx", 10), 0);
	assert_false(set.blind[P2PTRACE_p2pmem_reclaim]);
	assert_string_equal(set.why[P2PTRACE_p2pmem_reclaim], "");
}

#define BLIND_TEST(name) cmocka_unit_test_teardown(name, teardown)

static const struct CMUnitTest tests[] = {
	BLIND_TEST(nothing_is_said_if_all_is_seen),
	BLIND_TEST(each_event_has_its_reasons_once),
	BLIND_TEST(reasons_that_are_too_long_are_cut),
};

UNIT_MAIN(tests)
