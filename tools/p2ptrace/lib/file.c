// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/stream.h"

static void folder_of(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		strcpy(path, ".");
	else
		slash[slash == path] = '\0';
}

int file_denied(const char *what, const char *path, bool entry, int err)
{
	char barred[PATH_MAX];
	struct stat st;

	snprintf(barred, sizeof(barred), "%s", path);
	if (entry)
		folder_of(barred);
	/* Without permission to search a folder, stat() fails for everything below it */
	while (stat(barred, &st) && errno == EACCES && strcmp(barred, ".") && strcmp(barred, "/"))
		folder_of(barred);
	if (err == EROFS)
		return fail(EXIT_KERNEL, "cannot %s %s: %s is on a read-only file system; give "
			    "another name", what, path, barred);
	return fail(EXIT_KERNEL, "cannot %s %s: you may not %s %s %s; run p2ptrace as root, or "
		    "give another name", what, path, strcmp(barred, path) && !entry ? "search" :
		    what, strcmp(barred, path) ? "the folder" : "the file", barred);
}

int file_refused(const char *path, bool entry, int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
	case EROFS:
		return file_denied("write", path, entry, err);
	case ENAMETOOLONG:
	case ELOOP:
		return fail(EXIT_USAGE, "cannot write %.64s%s: %s; give another name", path,
			    strlen(path) > 64 ? "..." : "", err == ELOOP ?
			    "its links lead in a circle" : "the name is too long");
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

int file_open(const char *path, mode_t mode, bool *created, int *rc)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	*created = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_WRONLY | O_CLOEXEC);
	*rc = fd < 0 ? file_refused(path, errno == EACCES && access(path, F_OK), errno) : 0;
	return fd;
}

int file_empty(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) && ftruncate(fd, 0) ? errno : 0;
}

/* Writes into an existing file. A failed write leaves it changed. */
static int write_into(const char *path, const char *data, size_t len)
{
	struct stream stream = { .fd = open(path, O_WRONLY | O_CLOEXEC) };
	int err;

	if (stream.fd < 0)
		return file_refused(path, false, errno);
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
static int rename_over(const char *path, mode_t mode, const char *data, size_t len)
{
	char temporary[PATH_MAX];
	int fd, err;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return file_refused(path, true, ENAMETOOLONG);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return file_refused(path, true, errno);
	err = fill(fd, mode, data, len);
	if (!err && rename(temporary, path))
		err = errno;
	if (err)
		unlink(temporary);
	return err ? file_refused(path, true, err) : 0;
}

static int replace(const char *path, mode_t mode, const char *data, size_t len)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	sigset_t ending, mask;
	int rc;

	/* A signal that ends p2ptrace waits until the second file is gone */
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigaddset(&ending, SIGQUIT);
	sigprocmask(SIG_BLOCK, &ending, &mask);
	/* A file above the limit of its size (setrlimit(2)) is an error, not the end */
	sigaction(SIGXFSZ, &ignore, &before);
	rc = rename_over(path, mode, data, len);
	sigaction(SIGXFSZ, &before, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return rc;
}

int file_replace(const char *path, const char *data, size_t len)
{
	struct stat st;
	char *real;
	int rc;

	if (stat(path, &st)) {
		if (errno != ENOENT)
			return file_refused(path, false, errno);
		if (!lstat(path, &st))
			return fail(EXIT_USAGE, "cannot write %s: it is a link to a file that does "
				    "not exist; remove the link, or give another name", path);
		return replace(path, new_mode(), data, len);
	}
	if (S_ISDIR(st.st_mode))
		return file_refused(path, false, EISDIR);
	if (!S_ISREG(st.st_mode))
		return write_into(path, data, len);
	/* Not the link that leads to it */
	real = realpath(path, NULL);
	rc = real ? replace(real, st.st_mode & 07777, data, len) : file_refused(path, false, errno);
	free(real);
	return rc;
}
