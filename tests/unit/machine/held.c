// SPDX-License-Identifier: GPL-2.0
/* The buffers of all selected devices are read whole, the oldest first. */
#include "machine/tree.h"
#include "lib/log.h"
#include "machine/held.h"

#define HEAD "id size nents age_ms pins state pid owner\n"

static const struct p2ptrace_filter no_filter;

/* A p2pmem device of provider @pci, and its file in debugfs. */
static void make_dev(const char *dev, const char *pci, const char *text)
{
	char name[128], target[64];

	snprintf(name, sizeof(name), "class/p2pmem/%s/device", dev);
	snprintf(target, sizeof(target), "../../../%s", pci);
	tree_link(name, target);
	if (!text)
		return;
	snprintf(name, sizeof(name), "debug/p2pmem/%s/buffers", dev);
	tree_file(name, text);
}

static int read_held(struct held_list *list, const struct p2ptrace_filter *filter)
{
	char debugfs[PATH_MAX];

	strcpy(debugfs, in_tree("debug"));
	return held_read(list, tree, debugfs, filter);
}

/* The ids of a list in its order: "3 1 2 ". */
static const char *ids(const struct held_list *list)
{
	static char text[256];

	*text = '\0';
	for (size_t i = 0; i < list->nr; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%llu ",
			 (unsigned long long)list->held[i].id);
	return text;
}

static void assert_ids(const struct p2ptrace_filter *filter, const char *expected)
{
	struct held_list list;

	assert_int_equal(read_held(&list, filter), 0);
	assert_string_equal(ids(&list), expected);
	held_free(&list);
}

static int setup(void **state)
{
	int err = tree_setup(state);

	if (!err) {
		tree_dir("class/p2pmem");
		tree_dir("debug/p2pmem");
	}
	return err;
}

static void every_column_is_read(void **state)
{
	struct held_list list;
	struct held *held;

	(void)state;
	make_dev("p2pmem0", "0000:01:00.0",
		 HEAD "18446744073709551615 8589934592 3 1500 2 freed 4711 nvmet alloc [nvmet]\n");
	assert_int_equal(read_held(&list, &no_filter), 0);
	assert_int_equal(list.nr, 1);
	held = list.held;
	assert_string_equal(held->dev, "p2pmem0");
	assert_int_equal(held->id, UINT64_MAX);
	assert_int_equal(held->size, 8ull << 30);
	assert_int_equal(held->nents, 3);
	assert_int_equal(held->age_ms, 1500);
	assert_int_equal(held->pins, 2);
	assert_string_equal(held->state, "freed");
	assert_int_equal(held->pid, 4711);
	assert_string_equal(held->owner, "nvmet alloc [nvmet]");
	assert_false(held->known);
	held_free(&list);
	assert_int_equal(list.nr, 0);
	assert_null(list.held);
}

static void the_oldest_comes_first(void **state)
{
	(void)state;
	make_dev("p2pmem0", "0000:01:00.0", HEAD "1 4096 1 10 0 live 1 a\n2 4096 1 30 0 live 1 a\n"
		 "9 4096 1 20 0 live 1 a\n8 4096 1 20 0 live 1 a\n");
	make_dev("p2pmem1", "0000:02:00.0", HEAD "3 4096 1 25 0 live 1 a\n");
	assert_ids(&no_filter, "2 3 8 9 1 ");
}

static void the_filter_selects_devices(void **state)
{
	struct p2ptrace_filter filter = {};

	(void)state;
	make_dev("p2pmem0", "0000:01:00.0", HEAD "1 4096 1 10 0 live 1 a\n");
	make_dev("p2pmem1", "0000:02:00.0", HEAD "2 4096 1 20 0 live 1 a\n");
	/* Not a name of the series, and the files of a device that sysfs does not have */
	make_dev("other0", "0000:03:00.0", HEAD "3 4096 1 20 0 live 1 a\n");
	tree_file("debug/p2pmem/p2pmem2/buffers", HEAD "4 4096 1 20 0 live 1 a\n");
	assert_ids(&no_filter, "2 1 ");
	strcpy(filter.dev.s, "p2pmem1");
	assert_ids(&filter, "2 ");
	/* By device or by provider: one match is enough */
	strcpy(filter.provider.s, "0000:01:00.0");
	assert_ids(&filter, "2 1 ");
	*filter.dev.s = '\0';
	assert_ids(&filter, "1 ");
	strcpy(filter.provider.s, "0000:09:00.0");
	assert_ids(&filter, "");
}

static void pins_above_int_max_count_as_none(void **state)
{
	static const struct {
		const char *pins;
		int expected;
	} cases[] = {
		{ "0", 0 }, { "2147483647", INT_MAX }, { "2147483648", 0 }, { "4294967295", 0 },
		{ "18446744073709551615", 0 },
	};
	struct held_list list;
	char text[128];

	(void)state;
	make_dev("p2pmem0", "0000:01:00.0", HEAD);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(text, sizeof(text), HEAD "1 4096 1 10 %s live 1 a\n", cases[i].pins);
		tree_file("debug/p2pmem/p2pmem0/buffers", text);
		assert_int_equal(read_held(&list, &no_filter), 0);
		assert_int_equal(list.held[0].pins, cases[i].expected);
		held_free(&list);
	}
}

static void a_malformed_line_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "id size\n", HEAD "1 4096 1 10 0 live 1\n", HEAD "\n",
		HEAD "x 4096 1 10 0 live 1 a\n", HEAD "1 x 1 10 0 live 1 a\n",
		HEAD "1 4096 x 10 0 live 1 a\n", HEAD "1 4096 1 x 0 live 1 a\n",
		HEAD "1 4096 1 10 x live 1 a\n", HEAD "1 4096 1 10 0 live x a\n",
		HEAD "1 4096 1 10 -1 live 1 a\n", HEAD "-1 4096 1 10 0 live 1 a\n",
		HEAD "1 -4096 1 10 0 live 1 a\n",
		HEAD "18446744073709551616 4096 1 10 0 live 1 a\n",
		HEAD "1 4096 2147483648 10 0 live 1 a\n", HEAD "1 4096 1 10 0 live 2147483648 a\n",
		HEAD "1 4096 1 10 0 a-state-that-is-too-long 1 a\n",
		/* Good lines before a bad one do not help */
		HEAD "1 4096 1 10 0 live 1 a\n2 4096\n",
	};
	struct held_list list;
	struct capture c;

	(void)state;
	make_dev("p2pmem0", "0000:01:00.0", HEAD);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		tree_file("debug/p2pmem/p2pmem0/buffers", texts[i]);
		capture_begin(&c);
		if (read_held(&list, &no_filter) != EXIT_OTHER) {
			capture_end(&c);
			fail_msg("not refused: '%s'", texts[i]);
		}
		capture_end(&c);
		assert_one_line(c.text, "/p2pmem/p2pmem0/buffers: its format is unknown");
		assert_int_equal(list.nr, 0);
		assert_null(list.held);
	}
}

/* One of the two is not the last device in the directory. */
static void one_malformed_device_is_enough(void **state)
{
	static const char *const files[] = {
		"debug/p2pmem/p2pmem0/buffers", "debug/p2pmem/p2pmem1/buffers",
	};
	struct held_list list;
	struct capture c;

	(void)state;
	make_dev("p2pmem0", "0000:01:00.0", HEAD);
	make_dev("p2pmem1", "0000:02:00.0", HEAD);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		tree_file(files[i], "");
		capture_begin(&c);
		assert_int_equal(read_held(&list, &no_filter), EXIT_OTHER);
		capture_end(&c);
		assert_one_line(c.text, "its format is unknown");
		tree_file(files[i], HEAD);
	}
}

static void an_owner_that_is_too_long_is_refused(void **state)
{
	char owner[128 + 1], text[256];
	struct held_list list;
	struct capture c;

	(void)state;
	memset(owner, 'a', sizeof(owner) - 1);
	owner[128] = '\0';
	snprintf(text, sizeof(text), HEAD "1 4096 1 10 0 live 1 %s\n", owner);
	make_dev("p2pmem0", "0000:01:00.0", text);
	capture_begin(&c);
	assert_int_equal(read_held(&list, &no_filter), EXIT_OTHER);
	capture_end(&c);
	owner[127] = '\0';
	snprintf(text, sizeof(text), HEAD "1 4096 1 10 0 live 1 %s\n", owner);
	tree_file("debug/p2pmem/p2pmem0/buffers", text);
	assert_int_equal(read_held(&list, &no_filter), 0);
	assert_string_equal(list.held[0].owner, owner);
	held_free(&list);
}

static void words_are_printable(void **state)
{
	struct held_list list;

	(void)state;
	make_dev("p2pmem0", "0000:01:00.0", HEAD "1 4096 1 10 0 \033[2J 1 \033[1m\n");
	assert_int_equal(read_held(&list, &no_filter), 0);
	assert_string_equal(list.held[0].state, "\\x1b[2J");
	assert_string_equal(list.held[0].owner, "\\x1b[1m");
	held_free(&list);
}

static void a_device_that_is_removed_is_skipped(void **state)
{
	static const int errors[] = { ENOENT, ENODEV, EIO };

	(void)state;
	make_dev("p2pmem0", "0000:01:00.0", HEAD "1 4096 1 10 0 live 1 a\n");
	make_dev("p2pmem1", "0000:02:00.0", HEAD "2 4096 1 20 0 live 1 a\n");
	/* Its directory in debugfs goes before the one in sysfs */
	make_dev("p2pmem2", "0000:03:00.0", NULL);
	assert_ids(&no_filter, "2 1 ");
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		fail_open("/p2pmem1/buffers", errors[i]);
		assert_ids(&no_filter, "1 ");
		fail_read("/p2pmem1/buffers", errors[i]);
		assert_ids(&no_filter, "1 ");
	}
}

/* Its directory is still listed, but the link to its provider is gone. */
static void a_device_without_provider_passes_no_filter(void **state)
{
	struct p2ptrace_filter filter = {};

	(void)state;
	make_dev("p2pmem0", "0000:01:00.0", HEAD "1 4096 1 10 0 live 1 a\n");
	tree_unlink("class/p2pmem/p2pmem0/device");
	strcpy(filter.provider.s, "0000:01:00.0");
	assert_ids(&filter, "");
}

static void assert_fails(int status, const char *thing)
{
	struct held_list list;
	struct capture c;

	capture_begin(&c);
	assert_int_equal(read_held(&list, &no_filter), status);
	capture_end(&c);
	assert_one_line(c.text, thing);
	assert_int_equal(list.nr, 0);
}

static void missing_files_and_permissions_are_reported(void **state)
{
	uid_t uid = geteuid();

	(void)state;
	make_dev("p2pmem0", "0000:01:00.0", HEAD "1 4096 1 10 0 live 1 a\n");
	fail_open("/buffers", EPERM);
	assert_fails(EXIT_KERNEL, "the kernel is locked down (integrity or confidentiality)");
	fail_open("/buffers", EACCES);
	if (!uid) {
		assert_fails(EXIT_KERNEL, "the kernel is locked down");
		assert_int_equal(chmod(tree, 0755), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	assert_fails(EXIT_KERNEL, "not permitted to read /tmp/");
	assert_int_equal(seteuid(uid), 0);
	fail_open("/buffers", EMFILE);
	assert_fails(EXIT_OTHER, "/buffers: Too many open files");
	fail_nothing();

	assert_int_equal(remove_tree(in_tree("debug/p2pmem")), 0);
	assert_fails(EXIT_KERNEL, "mount -t debugfs none /tmp/");
	/* Without devices there is nothing to read */
	assert_int_equal(remove_tree(in_tree("class/p2pmem/p2pmem0")), 0);
	assert_ids(&no_filter, "");
	assert_int_equal(remove_tree(in_tree("class")), 0);
	assert_fails(EXIT_OTHER, "/class/p2pmem: No such file or directory; is /sys mounted?");
}

static void an_owner_that_our_program_saw_becomes_a_buffer(void **state)
{
	static const struct p2ptrace_owner owner = {
		.pid = 4711, .ts_ns = 5000000000, .size = 8192, .dev.s = "0000:01:00.0 \033",
	};
	struct held_list list = {};

	(void)state;
	assert_int_equal(held_add_owner(&list, 7, &owner, 6500999999), 0);
	/* The clock was read before the allocation */
	assert_int_equal(held_add_owner(&list, 8, &owner, 4999999999), 0);
	assert_int_equal(list.nr, 2);
	assert_string_equal(list.held[0].dev, "0000:01:00.0\\x20\\x1b");
	assert_int_equal(list.held[0].id, 7);
	assert_int_equal(list.held[0].size, 8192);
	assert_int_equal(list.held[0].age_ms, 1500);
	assert_int_equal(list.held[0].pid, 4711);
	assert_int_equal(list.held[0].pins, 0);
	assert_string_equal(list.held[0].state, "");
	assert_int_equal(list.held[1].age_ms, 0);
	assert_int_equal(held_add_owner(&list, 6, &owner, 9000000000), 0);
	held_sort(&list);
	assert_string_equal(ids(&list), "6 7 8 ");
	held_free(&list);
}

static void an_empty_list_can_be_sorted_and_freed(void **state)
{
	struct held_list list = {};

	(void)state;
	held_sort(&list);
	held_free(&list);
	assert_null(list.held);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)

static const struct CMUnitTest tests[] = {
	TEST(every_column_is_read),
	TEST(the_oldest_comes_first),
	TEST(the_filter_selects_devices),
	TEST(pins_above_int_max_count_as_none),
	TEST(a_malformed_line_is_refused),
	TEST(one_malformed_device_is_enough),
	TEST(an_owner_that_is_too_long_is_refused),
	TEST(words_are_printable),
	TEST(a_device_that_is_removed_is_skipped),
	TEST(a_device_without_provider_passes_no_filter),
	TEST(missing_files_and_permissions_are_reported),
	cmocka_unit_test(an_owner_that_our_program_saw_becomes_a_buffer),
	cmocka_unit_test(an_empty_list_can_be_sorted_and_freed),
};

UNIT_MAIN(tests)
