// SPDX-License-Identifier: GPL-2.0
/* Paths are whole or refused, and values of sysfs are parsed whole. */
#include "machine/tree.h"
#include "machine/sysfs.h"

static void a_path_fits_or_is_refused(void **state)
{
	char path[8];

	(void)state;
	assert_int_equal(sysfs_path(path, sizeof(path), "%s/%d", "/sys", 12), 0);
	assert_string_equal(path, "/sys/12");
	assert_int_equal(sysfs_path(path, sizeof(path), "%s/%d", "/sys", 123), -ENAMETOOLONG);
}

static void a_long_name_does_not_exist(void **state)
{
	static char name[PATH_MAX + 16];
	char text[8];
	unsigned int id;
	uint64_t value;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	assert_false(sysfs_exists("/%s", name));
	assert_int_equal(sysfs_read_text(text, sizeof(text), "/%s", name), -ENAMETOOLONG);
	assert_int_equal(sysfs_read_number(&value, "/%s", name), -ENAMETOOLONG);
	assert_int_equal(sysfs_read_id(&id, "/%s", name), -ENAMETOOLONG);
	assert_int_equal(sysfs_link_name(text, sizeof(text), "/%s", name), -ENAMETOOLONG);
	assert_null(sysfs_real_path("/%s", name));
	assert_int_equal(errno, ENAMETOOLONG);
	errno = 0;
	assert_null(sysfs_open_dir("/%s", name));
	assert_int_equal(errno, ENAMETOOLONG);
}

static void a_dangling_link_does_not_exist(void **state)
{
	(void)state;
	tree_file("bus/file", "");
	tree_link("bus/good", "file");
	tree_link("bus/dangling", "gone");
	assert_true(sysfs_exists("%s/bus", tree));
	assert_true(sysfs_exists("%s/bus/%s", tree, "good"));
	assert_false(sysfs_exists("%s/bus/%s", tree, "dangling"));
	assert_false(sysfs_exists("%s/bus/%s", tree, "missing"));
}

static void text_is_one_line_without_its_newline(void **state)
{
	char text[8];

	(void)state;
	tree_file("d/line", "abc\n");
	assert_int_equal(sysfs_read_text(text, sizeof(text), "%s/d/line", tree), 0);
	assert_string_equal(text, "abc");
	tree_file("d/line", "abcdefg");
	assert_int_equal(sysfs_read_text(text, sizeof(text), "%s/d/line", tree), 0);
	assert_string_equal(text, "abcdefg");
	tree_file("d/line", "abc\ndef\n");
	assert_int_equal(sysfs_read_text(text, sizeof(text), "%s/d/line", tree), 0);
	assert_string_equal(text, "abc");
	tree_file("d/line", "abcdefgh\n");
	assert_int_equal(sysfs_read_text(text, sizeof(text), "%s/d/line", tree), -EINVAL);
	tree_file("d/line", "");
	assert_int_equal(sysfs_read_text(text, sizeof(text), "%s/d/line", tree), -EINVAL);
	assert_int_equal(sysfs_read_text(text, sizeof(text), "%s/d/none", tree), -ENOENT);
	fail_read("/line", ENODEV);
	assert_int_equal(sysfs_read_text(text, sizeof(text), "%s/d/line", tree), -ENODEV);
}

static void numbers_are_parsed_whole(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint64_t value;
	} cases[] = {
		{ "65536\n", 0, 65536 }, { "0", 0, 0 },
		{ "18446744073709551615\n", 0, UINT64_MAX },
		{ "18446744073709551616\n", -ERANGE, 0 },
		{ "", -EINVAL, 0 }, { "\n", -EINVAL, 0 }, { "-1\n", -EINVAL, 0 },
		{ "1 \n", -EINVAL, 0 }, { "0x10\n", -EINVAL, 0 },
		{ "00000000000000000000000000000000000001\n", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t value = 7;

		tree_file("d/number", cases[i].text);
		assert_int_equal(sysfs_read_number(&value, "%s/d/number", tree), cases[i].err);
		if (!cases[i].err)
			assert_int_equal(value, cases[i].value);
	}
}

static void ids_are_hexadecimal(void **state)
{
	static const struct {
		const char *text;
		int err;
		unsigned int id;
	} cases[] = {
		{ "0x8086\n", 0, 0x8086 }, { "0xffffffff\n", 0, 0xffffffff }, { "0x0", 0, 0 },
		{ "0x100000000\n", -ERANGE, 0 }, { "0x10000000000000000\n", -ERANGE, 0 },
		{ "8086\n", -EINVAL, 0 }, { "0x\n", -EINVAL, 0 }, { "0x80g6\n", -EINVAL, 0 },
		{ "0x-1\n", -EINVAL, 0 }, { "", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned int id = 7;

		tree_file("d/id", cases[i].text);
		if (sysfs_read_id(&id, "%s/d/id", tree) != cases[i].err)
			fail_msg("wrong result for '%s'", cases[i].text);
		if (!cases[i].err)
			assert_int_equal(id, cases[i].id);
	}
}

static void a_link_is_named_by_the_end_of_its_target(void **state)
{
	char name[8];

	(void)state;
	tree_link("d/driver", "../../bus/pci/drivers/nvme");
	tree_link("d/short", "e1000e");
	tree_link("d/long", "../12345678");
	tree_file("d/file", "");
	assert_int_equal(sysfs_link_name(name, sizeof(name), "%s/d/driver", tree), 0);
	assert_string_equal(name, "nvme");
	assert_int_equal(sysfs_link_name(name, sizeof(name), "%s/d/short", tree), 0);
	assert_string_equal(name, "e1000e");
	assert_int_equal(sysfs_link_name(name, sizeof(name), "%s/d/long", tree), -ENAMETOOLONG);
	assert_int_equal(sysfs_link_name(name, sizeof(name), "%s/d/file", tree), -EINVAL);
	assert_int_equal(sysfs_link_name(name, sizeof(name), "%s/d/none", tree), -ENOENT);
}

static void only_a_removed_device_is_gone(void **state)
{
	(void)state;
	assert_true(sysfs_gone(-ENOENT));
	assert_true(sysfs_gone(-ENODEV));
	assert_false(sysfs_gone(0));
	assert_false(sysfs_gone(-EACCES));
	assert_false(sysfs_gone(-EINVAL));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_path_fits_or_is_refused),
	cmocka_unit_test(a_long_name_does_not_exist),
	TREE_TEST(a_dangling_link_does_not_exist),
	TREE_TEST(text_is_one_line_without_its_newline),
	TREE_TEST(numbers_are_parsed_whole),
	TREE_TEST(ids_are_hexadecimal),
	TREE_TEST(a_link_is_named_by_the_end_of_its_target),
	cmocka_unit_test(only_a_removed_device_is_gone),
};

UNIT_MAIN(tests)
