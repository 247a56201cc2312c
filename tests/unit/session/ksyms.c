// SPDX-License-Identifier: GPL-2.0
/* Names of addresses in the kernel, and tables that the kernel prints. */
#include <errno.h>
#include <stdlib.h>

#include "unit.h"
#include "machine/table.h"
#include "session/ksyms.h"

static const char *file_of(const char *text)
{
	static char path[64];
	int fd;

	strcpy(path, "/tmp/p2ptrace-unit-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

static int load(struct ksyms *ksyms, const char *text)
{
	const char *path = file_of(text);
	int err = ksyms_load(ksyms, path);

	unlink(path);
	return err;
}

static void assert_name(const struct ksyms *ksyms, uint64_t addr, const char *name, uint64_t offset)
{
	uint64_t off = 0;
	const char *found = ksyms_name(ksyms, addr, &off);

	if (!name) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found, name);
	assert_int_equal(off, offset);
}

static void an_address_belongs_to_the_last_function_that_begins_before_it(void **state)
{
	struct ksyms ksyms;

	(void)state;
	assert_int_equal(load(&ksyms, "ffffffff81000200 T second\n"
			      "ffffffff81000100 t first\n"
			      "ffffffff81000180 D data\n"
			      "ffffffffc0000000 t in_module\t[nvmet]\n"), 0);
	assert_int_equal(ksyms.nr, 3);
	assert_name(&ksyms, 0xffffffff810000ff, NULL, 0);
	assert_name(&ksyms, 0xffffffff81000100, "first", 0);
	assert_name(&ksyms, 0xffffffff810001ff, "first", 0xff);
	assert_name(&ksyms, 0xffffffff81000200, "second", 0);
	assert_name(&ksyms, 0xffffffffc0000010, "in_module [nvmet]", 0x10);
	ksyms_free(&ksyms);
}

static void symbols_with_hidden_addresses_are_ignored(void **state)
{
	struct ksyms ksyms;

	(void)state;
	assert_int_equal(load(&ksyms, "0000000000000000 T first\n0000000000000000 T second\n"), 0);
	assert_int_equal(ksyms.nr, 0);
	assert_name(&ksyms, 0, NULL, 0);
	ksyms_free(&ksyms);
	assert_int_equal(load(&ksyms, ""), 0);
	assert_name(&ksyms, 1, NULL, 0);
	ksyms_free(&ksyms);
	assert_int_equal(ksyms_load(&ksyms, "/nowhere"), -ENOENT);
	ksyms_free(&ksyms);
}

static void malformed_lines_are_refused(void **state)
{
	static const char *const texts[] = {
		"\n", "T first\n", "10\n", "10 T\n", "10 T \n", "10 TT first\n",
		"fffffffffffffffff T first\n", "ffffffff81000000\n",
	};
	struct ksyms ksyms;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(load(&ksyms, texts[i]), -EINVAL);
		assert_null(ksyms.syms);
	}
}

static int collect(void *ctx, char **words)
{
	char *all = ctx;

	if (!strcmp(words[0], "stop"))
		return -ECANCELED;
	strcat(all, words[0]);
	strcat(all, "|");
	strcat(all, words[1]);
	strcat(all, ";");
	return 0;
}

static int table(char *all, const char *text)
{
	const char *path = file_of(text);
	int err;

	*all = '\0';
	err = table_read(path, "first last", collect, all);
	unlink(path);
	return err;
}

static void the_last_column_of_a_table_is_the_rest_of_the_line(void **state)
{
	char all[256];

	(void)state;
	assert_int_equal(table(all, "first last\na b\nc d [e]\n"), 0);
	assert_string_equal(all, "a|b;c|d [e];");
	assert_int_equal(table(all, "first last\n"), 0);
	assert_string_equal(all, "");
	assert_int_equal(table(all, "first last\na b\nstop x\nc d\n"), -ECANCELED);
	assert_string_equal(all, "a|b;");
	assert_int_equal(table(all, ""), -EPROTO);
	assert_int_equal(table(all, "first other\na b\n"), -EPROTO);
	assert_int_equal(table(all, "first last\na\n"), -EINVAL);
	assert_int_equal(table_read("/nowhere", "a", collect, all), -ENOENT);
}

static void bad_numbers_and_long_names_are_refused(void **state)
{
	char name[4];
	int n;

	(void)state;
	assert_int_equal(word_int("-7", &n), 0);
	assert_int_equal(n, -7);
	assert_int_equal(word_int("", &n), -EINVAL);
	assert_int_equal(word_int("7x", &n), -EINVAL);
	assert_int_equal(word_int("2147483648", &n), -EINVAL);
	assert_int_equal(word_copy(name, sizeof(name), "abc"), 0);
	assert_string_equal(name, "abc");
	assert_int_equal(word_copy(name, sizeof(name), "abcd"), -EINVAL);
	/* A terminal must not obey it */
	assert_int_equal(word_copy(name, sizeof(name), "a\033b"), 0);
	assert_null(strchr(name, '\033'));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_address_belongs_to_the_last_function_that_begins_before_it),
	cmocka_unit_test(symbols_with_hidden_addresses_are_ignored),
	cmocka_unit_test(malformed_lines_are_refused),
	cmocka_unit_test(the_last_column_of_a_table_is_the_rest_of_the_line),
	cmocka_unit_test(bad_numbers_and_long_names_are_refused),
};

UNIT_MAIN(tests)
