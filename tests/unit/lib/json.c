// SPDX-License-Identifier: GPL-2.0
/* The JSON writer, and the buffer that it writes to. */
#include <stdbool.h>

#include "unit.h"
#include "lib/json.h"

static struct buffer out;

static int teardown(void **state)
{
	(void)state;
	buffer_free(&out);
	return 0;
}

static void commas_are_between_members_only(void **state)
{
	(void)state;
	json_open(&out, NULL, '{');
	json_open(&out, "empty", '[');
	json_close(&out, ']');
	json_open(&out, "list", '[');
	json_uint(&out, NULL, 1);
	json_open(&out, NULL, '{');
	json_close(&out, '}');
	json_str(&out, NULL, "{");
	json_none(&out, NULL);
	json_close(&out, ']');
	json_bool(&out, "yes", true);
	json_bool(&out, "no", false);
	json_close(&out, '}');
	buffer_add(&out, "\n", 1);
	json_open(&out, NULL, '{');
	json_close(&out, '}');
	assert_string_equal(buffer_text(&out), "{\"empty\":[],\"list\":[1,{},\"{\",null],"
			    "\"yes\":true,\"no\":false}\n{}");
}

static void numbers_are_exact(void **state)
{
	(void)state;
	json_open(&out, NULL, '[');
	json_uint(&out, NULL, UINT64_MAX);
	json_int(&out, NULL, INT64_MIN);
	json_int(&out, NULL, INT64_MAX);
	json_int(&out, NULL, -1);
	json_uint(&out, NULL, 0);
	json_close(&out, ']');
	assert_string_equal(buffer_text(&out), "[18446744073709551615,-9223372036854775808,"
					       "9223372036854775807,-1,0]");
}

static void strings_are_escaped(void **state)
{
	(void)state;
	json_str(&out, NULL, "\b\t\n\f\r\"\\/ \x01\x1f\x7f\xff\xc3\xa9");
	assert_string_equal(buffer_text(&out), "\"\\b\\t\\n\\f\\r\\\"\\\\/ "
					       "\\u0001\\u001f\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9\"");
}

static void a_string_stops_at_its_end_or_its_size(void **state)
{
	(void)state;
	json_open(&out, NULL, '[');
	json_str_of(&out, NULL, "abc", 2);
	json_str_of(&out, NULL, "abc", 9);
	json_str_of(&out, NULL, "\xc3\xa9", 1);
	json_close(&out, ']');
	assert_string_equal(buffer_text(&out), "[\"ab\",\"abc\",\"\xef\xbf\xbd\"]");
}

static void a_long_string_is_not_cut(void **state)
{
	size_t len = 100000;
	char *s = malloc(len + 1);

	(void)state;
	assert_non_null(s);
	memset(s, '\x01', len);
	s[len] = '\0';
	json_str(&out, NULL, s);
	assert_int_equal(out.len, 6 * len + 2);
	assert_int_equal(strlen(out.data), out.len);
	free(s);
}

static void a_buffer_takes_texts_of_any_length(void **state)
{
	(void)state;
	for (int i = 0; i < 3000; i++)
		buffer_printf(&out, "%d%*s", i % 10, i, "");
	assert_int_equal(out.len, 3000 + 3000 * 2999 / 2);
	assert_int_equal(strlen(out.data), out.len);
	buffer_reset(&out);
	assert_string_equal(buffer_text(&out), "");
	assert_false(out.failed);
}

static void a_buffer_without_memory_is_empty_and_failed(void **state)
{
	(void)state;
	buffer_add(&out, "abc", 3);
	assert_null(buffer_room(&out, SIZE_MAX));
	assert_true(out.failed);
	buffer_add(&out, "def", 3);
	buffer_printf(&out, "%d", 1);
	json_open(&out, "key", '{');
	json_uint(&out, "key", 1);
	json_str(&out, "key", "value");
	assert_string_equal(buffer_text(&out), "");
	assert_int_equal(out.len, 0);
	assert_true(out.failed);
	buffer_free(&out);
	assert_false(out.failed);
}

#define JSON_TEST(name) cmocka_unit_test_teardown(name, teardown)

static const struct CMUnitTest tests[] = {
	JSON_TEST(commas_are_between_members_only),
	JSON_TEST(numbers_are_exact),
	JSON_TEST(strings_are_escaped),
	JSON_TEST(a_string_stops_at_its_end_or_its_size),
	JSON_TEST(a_long_string_is_not_cut),
	JSON_TEST(a_buffer_takes_texts_of_any_length),
	JSON_TEST(a_buffer_without_memory_is_empty_and_failed),
};

UNIT_MAIN(tests)
