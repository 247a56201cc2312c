// SPDX-License-Identifier: GPL-2.0
/* What the BPF programs make of a word of a name. */
#include "unit.h"
#include "word.h"

static void what_comes_after_the_first_nul_is_gone(void **state)
{
	/* All that may confuse: other NULs, and bytes that borrow from, or carry into, their neighbours */
	static const unsigned char after[] = { 0x00, 0x01, 0x7f, 0x80, 0x81, 0xff };

	(void)state;
	for (size_t len = 0; len <= 8; len++) {
		for (size_t b = 0; b < sizeof(after); b++) {
			for (int first = 1; first < 256; first++) {
				unsigned char from[8], expected[8] = {};
				__u64 word;
				_Bool end;

				memset(from, after[b], sizeof(from));
				for (size_t i = 0; i < len; i++)
					from[i] = expected[i] = i ? "\x01\x80\x7f\xff\x81\x02\xfe"[i - 1] : first;
				if (len < 8)
					from[len] = 0;
				memcpy(&word, from, sizeof(word));
				word = word_before_nul(word, &end);
				assert_memory_equal(&word, expected, sizeof(word));
				assert_int_equal(end, len < 8);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_after_the_first_nul_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
