/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A directory tree that stands in for sysfs and debugfs, and files that fail as the kernel's do.
 */
#ifndef TREE_H
#define TREE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "unit.h"

static char tree[64];

/* The absolute path of a file in the tree. Valid until the next call. */
static inline const char *in_tree(const char *name)
{
	static char path[PATH_MAX];

	assert_true(snprintf(path, sizeof(path), "%s/%s", tree, name) < (int)sizeof(path));
	return path;
}

/* Makes a directory and its parents. */
static inline void tree_dir(const char *name)
{
	char path[PATH_MAX];

	strcpy(path, in_tree(name));
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		assert_true(!mkdir(path, 0755) || errno == EEXIST);
		*slash = '/';
	}
	assert_true(!mkdir(path, 0755) || errno == EEXIST);
}

static inline void tree_parent(const char *name)
{
	const char *slash = strrchr(name, '/');
	char dir[PATH_MAX];

	if (!slash)
		return;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - name), name);
	tree_dir(dir);
}

static inline void tree_file(const char *name, const char *text)
{
	tree_parent(name);
	write_text(tree, name, text);
}

static inline void tree_link(const char *name, const char *target)
{
	tree_parent(name);
	assert_int_equal(symlink(target, in_tree(name)), 0);
}

static inline void tree_unlink(const char *name)
{
	assert_int_equal(unlink(in_tree(name)), 0);
}

/*
 * The tests' own fopen(): reading a file whose path ends in @suffix fails, at open or at the first
 * read. This is how the kernel fails when a device is removed, and when it is locked down. With
 * @call, a function runs before the file is opened.
 */
static struct {
	const char *suffix;
	int err;
	bool at_read;
	void (*call)(void);
} failing;

static inline ssize_t failing_read(void *cookie, char *buf, size_t size)
{
	(void)cookie;
	(void)buf;
	(void)size;
	errno = failing.err;
	return -1;
}

static inline bool fails(const char *path, const char *mode)
{
	size_t len = failing.suffix ? strlen(failing.suffix) : SIZE_MAX;

	return *mode == 'r' && len <= strlen(path) &&
	       !strcmp(path + strlen(path) - len, failing.suffix);
}

FILE *fopen(const char *path, const char *mode)
{
	int fd, flags = *mode == 'r' ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
	cookie_io_functions_t io = { .read = failing_read };

	if (fails(path, mode)) {
		if (failing.at_read)
			return fopencookie(NULL, "r", io);
		if (!failing.call) {
			errno = failing.err;
			return NULL;
		}
		failing.call();
	}
	fd = open(path, flags | O_CLOEXEC, 0666);
	return fd < 0 ? NULL : fdopen(fd, mode);
}

static inline void fail_open(const char *suffix, int err)
{
	failing.suffix = suffix;
	failing.err = err;
	failing.at_read = false;
	failing.call = NULL;
}

static inline void fail_read(const char *suffix, int err)
{
	fail_open(suffix, err);
	failing.at_read = true;
}

static inline void call_at_open(const char *suffix, void (*call)(void))
{
	fail_open(suffix, 0);
	failing.call = call;
}

static inline void fail_nothing(void)
{
	failing.suffix = NULL;
}

static inline int tree_setup(void **state)
{
	(void)state;
	strcpy(tree, "/tmp/p2ptrace-unit-XXXXXX");
	fail_nothing();
	return mkdtemp(tree) ? 0 : -1;
}

static inline int tree_teardown(void **state)
{
	(void)state;
	return remove_tree(tree);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)

#endif /* TREE_H */
