// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/stream.h"

int stream_open_standard(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	/* First: if 1 is closed, the file that we open for 2 would become 1 */
	if (flags < 0)
		return fail(EXIT_OTHER, "standard output is closed; redirect it, for example to "
			    "/dev/null");
	if ((flags & O_ACCMODE) == O_RDONLY)
		return fail(EXIT_OTHER, "standard output is not open for writing; redirect it with "
					"'>', not '<'");
	/* open() returns the lowest free descriptor, which is the missing one */
	if ((fcntl(STDIN_FILENO, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != STDIN_FILENO) ||
	    (fcntl(STDERR_FILENO, F_GETFD) < 0 && open("/dev/null", O_WRONLY) != STDERR_FILENO))
		return fail(EXIT_OTHER, "cannot open /dev/null: %s", strerror(errno));
	return 0;
}

/* A signal ends the wait, but not the write: no line may be cut. */
static int wait_for_room(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };

	return poll(&pollfd, 1, -1) < 0 && errno != EINTR ? errno : 0;
}

int stream_write(struct stream *stream, const char *data, size_t len)
{
	while (len && !stream->error) {
		ssize_t n = write(stream->fd, data, len);

		if (n >= 0) {
			data += n;
			len -= n;
		} else if (errno == EAGAIN) {
			stream->error = wait_for_room(stream->fd);
		} else if (errno != EINTR) {
			stream->error = errno;
		}
	}
	return stream->error;
}

int stream_probe(struct stream *stream)
{
	struct pollfd pollfd = { .fd = stream->fd };

	if (!stream->error && poll(&pollfd, 1, 0) > 0 && (pollfd.revents & POLLERR))
		stream->error = EPIPE;
	return stream->error;
}

int stream_status(const struct stream *stream)
{
	if (!stream->error || stream->error == EPIPE)
		return 0;
	return fail(EXIT_OTHER, "cannot write to standard output: %s; the output is not "
		    "whole, so run it again with another output", strerror(stream->error));
}
