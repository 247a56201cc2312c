// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/stream.h"

static int refused(const char *path, int err)
{
	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return fail(EXIT_USAGE, "cannot write %s: its folder does not exist; give another "
			    "name, or make the folder", path);
	case EISDIR:
		return fail(EXIT_USAGE, "cannot write %s: it is a folder; give the name of a file",
			    path);
	default:
		return fail(EXIT_OTHER, "cannot write %s: %s; it is as it was before", path,
			    strerror(err));
	}
}

/* Writes into an existing file. A failed write leaves it changed. */
static int write_into(const char *path, const char *data, size_t len)
{
	struct stream stream = { .fd = open(path, O_WRONLY | O_CLOEXEC) };
	int err;

	if (stream.fd < 0)
		return refused(path, errno);
	err = stream_write(&stream, data, len);
	if (close(stream.fd) && !err)
		err = errno;
	return err ? fail(EXIT_OTHER, "cannot write %s: %s; only a part may have been written",
			  path, strerror(err)) : 0;
}

/* Fills the temporary file and closes it. Returns 0 or an errno. */
static int fill(int fd, mode_t mode, const char *data, size_t len)
{
	struct stream stream = { .fd = fd };
	int err = fchmod(fd, mode) ? errno : stream_write(&stream, data, len);

	if (!err && fsync(fd))
		err = errno;
	if (close(fd) && !err)
		err = errno;
	return err;
}

static mode_t new_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

/* Through a second file in the same folder, which takes its place by rename(). */
static int replace(const char *path, mode_t mode, const char *data, size_t len)
{
	char temporary[PATH_MAX];
	int fd, err;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return refused(path, ENAMETOOLONG);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return refused(path, errno);
	err = fill(fd, mode, data, len);
	if (!err && rename(temporary, path))
		err = errno;
	if (err)
		unlink(temporary);
	return err ? refused(path, err) : 0;
}

int file_replace(const char *path, const char *data, size_t len)
{
	struct stat st;
	char *real;
	int rc;

	if (stat(path, &st))
		return replace(path, new_mode(), data, len);
	if (S_ISDIR(st.st_mode))
		return refused(path, EISDIR);
	if (!S_ISREG(st.st_mode))
		return write_into(path, data, len);
	/* Not the link that leads to it */
	real = realpath(path, NULL);
	rc = real ? replace(real, st.st_mode & 07777, data, len) : refused(path, errno);
	free(real);
	return rc;
}
