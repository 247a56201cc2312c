// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>

#include "tree.h"

void require_failed(const char *condition, const char *file, int line)
{
	char text[512];

	/* To where the sanitizers report: stderr is closed while a fuzzer runs */
	snprintf(text, sizeof(text), "%s:%d: not true: %s\n", file, line, condition);
	__sanitizer_report_error_summary(text);
	abort();
}

static char scratch[64];

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level ? remove(path) : 0;
}

static void remove_all(void)
{
	nftw(scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void at_exit(void)
{
	remove_all();
	rmdir(scratch);
}

const char *tree_dir(void)
{
	if (!*scratch) {
		snprintf(scratch, sizeof(scratch), "%s/p2ptrace-fuzz-XXXXXX",
			 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
		if (!mkdtemp(scratch)) {
			perror(scratch);
			abort();
		}
		atexit(at_exit);
	}
	return scratch;
}

const char *tree_path(const char *name)
{
	static char paths[4][PATH_MAX];
	static size_t next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", tree_dir(), name);
	return path;
}

/*
 * Opens the directory that a path leads through, and makes what is missing. Never follows a
 * symbolic link, so that nothing is written outside of the tree. The last word is at @path then.
 */
static int open_parent(char **path)
{
	int fd = open(tree_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *slash;

	while (fd >= 0 && (slash = strchr(*path, '/'))) {
		int next;

		*slash = '\0';
		if (!**path || !strcmp(*path, "..")) {
			close(fd);
			return -1;
		}
		mkdirat(fd, *path, 0700);
		next = openat(fd, *path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
		*path = slash + 1;
	}
	return fd;
}

static void make_file(char *path, const char *data, size_t size)
{
	int dir = open_parent(&path), fd;

	if (dir < 0)
		return;
	fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0) {
		(void)!write(fd, data, size);
		close(fd);
	}
	close(dir);
}

/* Up from @path no further than to the top of the tree: a reader must not end up in /dev. */
static bool stays_inside(const char *path, const char *target)
{
	int depth = 0;

	for (const char *c = path; *c; c++)
		depth += *c == '/';
	for (const char *up = strstr(target, ".."); up; up = strstr(up + 2, ".."))
		depth--;
	return *target != '/' && depth >= 0;
}

static void make_link(char *path)
{
	char *target = strchr(path, ' ');
	int dir;

	if (!target)
		return;
	*target++ = '\0';
	if (!stays_inside(path, target))
		return;
	dir = open_parent(&path);
	if (dir < 0)
		return;
	(void)!symlinkat(target, dir, path);
	close(dir);
}

static void make_dir(char *path)
{
	int dir = open_parent(&path);

	if (dir < 0)
		return;
	mkdirat(dir, path, 0700);
	close(dir);
}

static void make_config(char *path, char *lines)
{
	char *blank = strchr(path, ' '), *line;
	unsigned char bytes[4096] = {};
	size_t size;

	if (!blank)
		return;
	*blank = '\0';
	size = strtoul(blank + 1, NULL, 10);
	while ((line = strsep(&lines, "\n"))) {
		unsigned long at = strtoul(line, &line, 16);

		for (char *end; at < sizeof(bytes); at++, line = end) {
			unsigned long byte = strtoul(line, &end, 16);

			if (end == line)
				break;
			bytes[at] = byte;
		}
	}
	make_file(path, (char *)bytes, size < sizeof(bytes) ? size : sizeof(bytes));
}

static void make_item(char *item)
{
	char *lines = item + strcspn(item, "\n");

	if (*lines)
		*lines++ = '\0';
	if (!strncmp(item, "file ", 5))
		make_file(item + 5, lines, strlen(lines));
	else if (!strncmp(item, "link ", 5))
		make_link(item + 5);
	else if (!strncmp(item, "dir ", 4))
		make_dir(item + 4);
	else if (!strncmp(item, "config ", 7))
		make_config(item + 7, lines);
}

/* The item that follows, cut off from the rest; NULL if there is none. */
static char *next_item(char **rest)
{
	char *item = *rest, *end;

	if (!item)
		return NULL;
	end = strstr(item, "\n@");
	if (end)
		end[1] = '\0';
	*rest = end ? end + 2 : NULL;
	return item;
}

void tree_make(struct tree *tree, const uint8_t *data, size_t size)
{
	char *rest, *item, *line;

	memset(tree, 0, sizeof(*tree));
	tree->text = string_of(data, size);
	rest = tree->text;
	if (*rest == '@') {
		rest++;
	} else {
		item = next_item(&rest);
		while (tree->nr_args < TREE_MAX_ARGS && (line = strsep(&item, "\n")) && item)
			tree->args[tree->nr_args++] = line;
	}
	for (int i = 0; i < TREE_MAX_ITEMS && (item = next_item(&rest)); i++)
		make_item(item);
}

void tree_remove(struct tree *tree)
{
	free(tree->text);
	remove_all();
}

const char *file_of(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("p2ptrace-fuzz", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	REQUIRE(!ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size);
	return path;
}

char *string_of(const uint8_t *data, size_t size)
{
	char *s = strndup((const char *)data, size);

	REQUIRE(s);
	return s;
}
