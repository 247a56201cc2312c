// SPDX-License-Identifier: GPL-2.0
/* Each way in which debugfs can fail is told apart: removed device, not root, lockdown, format. */
#include "machine/tree.h"
#include "lib/log.h"
#include "machine/debugfs.h"

static int count_row(void *ctx, char **words)
{
	(void)words;
	++*(int *)ctx;
	return 0;
}

/* debugfs_refused() for a tree in which debugfs has the series' directory, or has not. */
static int refused(bool mounted, int err, struct capture *c)
{
	int rc;

	capture_begin(c);
	rc = debugfs_refused(mounted ? tree : "/nowhere", "/d/p2pmem0/peers", err);
	capture_end(c);
	return rc;
}

static void a_removed_device_is_not_an_error(void **state)
{
	static const int errors[] = { -ENODEV, -EIO, -ENOENT };
	struct capture c;

	(void)state;
	tree_dir("p2pmem");
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		assert_int_equal(refused(true, errors[i], &c), DEBUGFS_GONE);
		assert_string_equal(c.text, "");
	}
}

static void without_debugfs_the_remedy_is_to_mount_it(void **state)
{
	struct capture c;

	(void)state;
	assert_int_equal(refused(false, -ENOENT, &c), EXIT_KERNEL);
	assert_one_line(c.text, "cannot read /d/p2pmem0/peers: No such file or directory");
	assert_one_line(c.text, "mount -t debugfs none /nowhere");
}

static void lockdown_is_named_for_every_user(void **state)
{
	uid_t uid = geteuid();
	struct capture c;

	(void)state;
	assert_int_equal(refused(true, -EPERM, &c), EXIT_KERNEL);
	assert_one_line(c.text, "the kernel is locked down (integrity or confidentiality): "
			"debugfs cannot be read (/d/p2pmem0/peers: Operation not permitted)");
	assert_one_line(c.text, "see /sys/kernel/security/lockdown, and boot without lockdown= ");
	assert_null(strstr(c.text, "as root"));
	if (!uid)
		assert_int_equal(seteuid(65534), 0);
	assert_int_equal(refused(true, -EPERM, &c), EXIT_KERNEL);
	assert_int_equal(seteuid(uid), 0);
	assert_one_line(c.text, "the kernel is locked down");
}

static void missing_permission_is_lockdown_only_for_root(void **state)
{
	uid_t uid = geteuid();
	struct capture c;

	(void)state;
	if (!uid) {
		assert_int_equal(refused(true, -EACCES, &c), EXIT_KERNEL);
		assert_one_line(c.text, "the kernel is locked down");
		assert_one_line(c.text, "Permission denied");
		assert_int_equal(seteuid(65534), 0);
	}
	assert_int_equal(refused(true, -EACCES, &c), EXIT_KERNEL);
	assert_int_equal(seteuid(uid), 0);
	assert_one_line(c.text, "not permitted to read /d/p2pmem0/peers; run it as root");
	assert_null(strstr(c.text, "locked down"));
}

static void other_errors_are_reported_as_they_are(void **state)
{
	struct capture c;

	(void)state;
	assert_int_equal(refused(true, -EPROTO, &c), EXIT_OTHER);
	assert_one_line(c.text, "cannot parse /d/p2pmem0/peers");
	assert_int_equal(refused(true, -EINVAL, &c), EXIT_OTHER);
	assert_one_line(c.text, "cannot parse /d/p2pmem0/peers");
	assert_int_equal(refused(true, -EMFILE, &c), EXIT_OTHER);
	assert_one_line(c.text, "cannot read /d/p2pmem0/peers: Too many open files");
}

static void rows_of_a_file_are_read(void **state)
{
	struct capture c;
	int rows = 0;

	(void)state;
	tree_file("p2pmem/p2pmem0/pool", "a b\n1 2\n3 4\n");
	assert_int_equal(debugfs_read(tree, "p2pmem0", "pool", "a b", count_row, &rows), 0);
	assert_int_equal(rows, 2);
	assert_int_equal(debugfs_read(tree, "p2pmem1", "pool", "a b", count_row, &rows),
			 DEBUGFS_GONE);
	capture_begin(&c);
	assert_int_equal(debugfs_read(tree, "p2pmem0", "pool", "a c", count_row, &rows),
			 EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "/p2pmem/p2pmem0/pool: its format is unknown");
	fail_open("/pool", EPERM);
	capture_begin(&c);
	assert_int_equal(debugfs_read(tree, "p2pmem0", "pool", "a b", count_row, &rows),
			 EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "locked down");
	assert_int_equal(rows, 2);
}

static void a_long_path_is_refused(void **state)
{
	static char name[PATH_MAX];
	struct capture c;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	capture_begin(&c);
	assert_int_equal(debugfs_read(name, "p2pmem0", "pool", "a", count_row, NULL), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "too long");
}

static const struct CMUnitTest tests[] = {
	TREE_TEST(a_removed_device_is_not_an_error),
	TREE_TEST(without_debugfs_the_remedy_is_to_mount_it),
	TREE_TEST(lockdown_is_named_for_every_user),
	TREE_TEST(missing_permission_is_lockdown_only_for_root),
	TREE_TEST(other_errors_are_reported_as_they_are),
	TREE_TEST(rows_of_a_file_are_read),
	cmocka_unit_test(a_long_path_is_refused),
};

UNIT_MAIN(tests)
