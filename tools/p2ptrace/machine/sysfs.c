// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/number.h"
#include "machine/sysfs.h"

static int __attribute__((format(printf, 3, 0)))
format_path(char *path, size_t size, const char *fmt, va_list ap)
{
	int len = vsnprintf(path, size, fmt, ap);

	return len >= 0 && (size_t)len < size ? 0 : -ENAMETOOLONG;
}

/* Sets @err to the result of format_path() for the arguments of the calling function. */
#define FORMAT_PATH(path, fmt, err)					\
do {									\
	va_list ap;							\
									\
	va_start(ap, fmt);						\
	(err) = format_path(path, sizeof(path), fmt, ap);		\
	va_end(ap);							\
} while (0)

int sysfs_path(char *path, size_t size, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = format_path(path, size, fmt, ap);
	va_end(ap);
	return err;
}

bool sysfs_exists(const char *fmt, ...)
{
	char path[PATH_MAX];
	int err;

	FORMAT_PATH(path, fmt, err);
	return !err && !access(path, F_OK);
}

const char *p2pmem_class(const char *sysfs)
{
	return sysfs_exists("%s/" P2PMEM_CLASS, sysfs) ? P2PMEM_CLASS : "class/p2pmem";
}

static int read_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	int err = 0;

	if (!file)
		return -errno;
	errno = 0;
	if (!fgets(text, size, file))
		err = ferror(file) ? -errno : -EINVAL;
	else if (!strchr(text, '\n') && fgetc(file) != EOF)
		err = -EINVAL;
	else
		text[strcspn(text, "\n")] = '\0';
	fclose(file);
	return err;
}

int sysfs_read_text(char *text, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	int err;

	FORMAT_PATH(path, fmt, err);
	return err ?: read_line(path, text, size);
}

int sysfs_read_number(uint64_t *value, const char *fmt, ...)
{
	char path[PATH_MAX], text[32];
	int err;

	FORMAT_PATH(path, fmt, err);
	if (!err)
		err = read_line(path, text, sizeof(text));
	return err ?: number_parse(text, value);
}

int sysfs_read_id(unsigned int *id, const char *fmt, ...)
{
	char path[PATH_MAX], text[32], *end;
	unsigned long value;
	int err;

	FORMAT_PATH(path, fmt, err);
	if (!err)
		err = read_line(path, text, sizeof(text));
	if (err)
		return err;
	if (strncmp(text, "0x", 2))
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, 16);
	if (errno || value > UINT_MAX)
		return -ERANGE;
	if (end == text + 1 || *end)
		return -EINVAL;
	*id = value;
	return 0;
}

int sysfs_link_name(char *name, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t len;
	int err;

	FORMAT_PATH(path, fmt, err);
	if (err)
		return err;
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	slash = strrchr(target, '/');
	return sysfs_path(name, size, "%s", slash ? slash + 1 : target);
}

int sysfs_inode(uint64_t *inode, const char *fmt, ...)
{
	char path[PATH_MAX];
	struct stat st;
	int err;

	FORMAT_PATH(path, fmt, err);
	if (err)
		return err;
	if (stat(path, &st))
		return -errno;
	*inode = st.st_ino;
	return 0;
}

char *sysfs_real_path(const char *fmt, ...)
{
	char path[PATH_MAX];
	int err;

	FORMAT_PATH(path, fmt, err);
	if (!err)
		return realpath(path, NULL);
	errno = -err;
	return NULL;
}

DIR *sysfs_open_dir(const char *fmt, ...)
{
	char path[PATH_MAX];
	int err;

	FORMAT_PATH(path, fmt, err);
	if (!err)
		return opendir(path);
	errno = -err;
	return NULL;
}

static int no_dots(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

int sysfs_for_each(const char *path, int (*visit)(void *ctx, const char *name), void *ctx)
{
	struct dirent **entries;
	int nr = scandir(path, &entries, no_dots, versionsort), err = 0;

	if (nr < 0)
		return -errno;
	for (int i = 0; i < nr; i++) {
		if (!err)
			err = visit(ctx, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return err;
}

bool sysfs_gone(int err)
{
	/* An open fails with ENOENT, a read from a file that was open already with ENODEV */
	return err == -ENOENT || err == -ENODEV;
}
