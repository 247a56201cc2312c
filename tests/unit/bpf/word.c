// SPDX-License-Identifier: GPL-2.0
/* How the BPF programs clear the bytes after the end of a name in one 64-bit word. */
#include "unit.h"
#include "word.h"

static void bytes_after_the_first_nul_are_cleared(void **state)
{
	/* More NULs, and bytes that cause a borrow or a carry in the arithmetic */
	static const unsigned char name[] = { 0x01, 0x80, 0x7f, 0xff, 0x81, 0x02, 0xfe };
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
					from[i] = expected[i] = i ? name[i - 1] : first;
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
		cmocka_unit_test(bytes_after_the_first_nul_are_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
