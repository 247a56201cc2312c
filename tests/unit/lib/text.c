// SPDX-License-Identifier: GPL-2.0
/* Strings from the kernel and from users are escaped before they are printed. */
#include "unit.h"
#include "lib/text.h"

static void printable_keeps_blanks_and_escapes_the_rest(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(text_printable(out, sizeof(out), "a b\\c", 5), 5);
	assert_string_equal(out, "a b\\c");
	text_printable(out, sizeof(out), "\x1b[2J\r\n\x7f\xff", 8);
	assert_string_equal(out, "\\x1b[2J\\x0d\\x0a\\x7f\\xff");
}

static void a_word_has_no_blanks_and_can_be_read_back(void **state)
{
	char out[64];

	(void)state;
	text_word(out, sizeof(out), "Web Content", 11);
	assert_string_equal(out, "Web\\x20Content");
	text_word(out, sizeof(out), "a\\x20\t", 6);
	assert_string_equal(out, "a\\x5cx20\\x09");
	/* UTF-8 is escaped as well, such as this right-to-left override. */
	text_word(out, sizeof(out), "\xe2\x80\xae", 3);
	assert_string_equal(out, "\\xe2\\x80\\xae");
}

static void text_is_cut_before_an_escape_that_does_not_fit(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(text_word(out, sizeof(out), "abcdefghij", 10), 7);
	assert_string_equal(out, "abcdefg");
	assert_int_equal(text_word(out, sizeof(out), "abcd\n", 5), 4);
	assert_string_equal(out, "abcd");
	assert_int_equal(text_word(out, sizeof(out), "abc\n", 4), 7);
	assert_string_equal(out, "abc\\x0a");
	assert_int_equal(text_word(out, 1, "a", 1), 0);
	assert_string_equal(out, "");
}

static void a_whole_word_is_never_cut(void **state)
{
	char out[8] = "before";

	(void)state;
	assert_false(text_whole_word(out, sizeof(out), "abcdefgh", 8));
	assert_false(text_whole_word(out, sizeof(out), "abcd\n", 5));
	assert_string_equal(out, "before");
	assert_true(text_whole_word(out, sizeof(out), "abcdefgh", 7));
	assert_string_equal(out, "abcdefg");
	assert_true(text_whole_word(out, sizeof(out), "abc ", 4));
	assert_string_equal(out, "abc\\x20");
}

/* Replaces each byte that text_utf8_next() does not accept. */
static const char *utf8(const char *in)
{
	static char out[128];
	char *to = out;

	for (size_t len = strlen(in), taken; len; in += taken, len -= taken) {
		size_t n = text_utf8_next(in, len, &taken);

		to = n ? (char *)mempcpy(to, in, n) : stpcpy(to, TEXT_REPLACEMENT);
	}
	*to = '\0';
	return out;
}

static void well_formed_utf8_is_kept(void **state)
{
	/* The ends of each range of well-formed characters. */
	static const char good[] = "az\x01"
				   "\xc2\xa0" "\xdf\xbf"
				   "\xe0\xa0\x80" "\xed\x9f\xbf" "\xee\x80\x80" "\xef\xbf\xbf"
				   "\xf0\x90\x80\x80" "\xf4\x8f\xbf\xbf";

	(void)state;
	assert_string_equal(utf8(good), good);
}

static void malformed_utf8_is_replaced(void **state)
{
#define R "\xef\xbf\xbd"
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "a\xff" "b", "a" R "b" },
		{ "\x80", R },				/* stray continuation */
		{ "\xc0\xaf", R R },			/* overlong slash */
		{ "\xe0\x9f\xbf", R R R },		/* overlong */
		{ "\xed\xa0\x80", R R R },		/* surrogate */
		{ "\xf0\x8f\xbf\xbf", R R R R },	/* overlong */
		{ "\xf4\x90\x80\x80", R R R R },	/* beyond U+10FFFF */
		{ "\xf5\x80\x80\x80", R R R R },
		{ "\xc3", R },				/* cut */
		{ "\xe2\x82", R R },
		{ "\xc3(", R "(" },			/* the next byte is not swallowed */
		{ "\xe2\x82(", R R "(" },
		{ "\xf0\x9f\x98(", R R R "(" },
		{ "\xf0\x9f\x98", R R R },
		{ "\xc2\x9b" "2J", R "2J" },		/* CSI, which clears a screen */
		{ "a\x7f" "b", "a" R "b" },
		{ "\xc2\xa0", "\xc2\xa0" },		/* the first one after the controls */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(utf8(cases[i].in), cases[i].out);
}

static void text_utf8_next_reads_no_byte_after_the_last(void **state)
{
	size_t taken;

	(void)state;
	assert_int_equal(text_utf8_next("\xc3\xa9", 1, &taken), 0);
	assert_int_equal(taken, 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(printable_keeps_blanks_and_escapes_the_rest),
	cmocka_unit_test(a_word_has_no_blanks_and_can_be_read_back),
	cmocka_unit_test(text_is_cut_before_an_escape_that_does_not_fit),
	cmocka_unit_test(a_whole_word_is_never_cut),
	cmocka_unit_test(well_formed_utf8_is_kept),
	cmocka_unit_test(malformed_utf8_is_replaced),
	cmocka_unit_test(text_utf8_next_reads_no_byte_after_the_last),
};

UNIT_MAIN(tests)
