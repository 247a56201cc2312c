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

	/* First: with 1 closed, what we open for 2 would become 1. */
	if (flags < 0)
		return fail(EXIT_OTHER, "standard output is closed; give it a place to go, for example >/dev/null");
	if ((flags & O_ACCMODE) == O_RDONLY)
		return fail(EXIT_OTHER, "standard output is not open for writing; redirect it with '>', not '<'");
	/* The lowest free descriptor is the one that is missing. */
	if ((fcntl(STDIN_FILENO, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != STDIN_FILENO) ||
	    (fcntl(STDERR_FILENO, F_GETFD) < 0 && open("/dev/null", O_WRONLY) != STDERR_FILENO))
		return fail(EXIT_OTHER, "cannot open /dev/null: %s", strerror(errno));
	return 0;
}

void stream_init(struct stream *stream, FILE *file)
{
	stream->file = file;
	stream->error = 0;
	setvbuf(file, NULL, _IONBF, 0);
}

int stream_write(struct stream *stream, const char *data, size_t len)
{
	if (!stream->error && fwrite_unlocked(data, 1, len, stream->file) != len)
		stream->error = errno;
	return stream->error;
}

int stream_flush(struct stream *stream)
{
	if (!stream->error && fflush(stream->file))
		stream->error = errno;
	return stream->error;
}

int stream_probe(struct stream *stream)
{
	struct pollfd pollfd = { .fd = fileno(stream->file) };

	if (!stream->error && poll(&pollfd, 1, 0) > 0 && (pollfd.revents & POLLERR))
		stream->error = EPIPE;
	return stream->error;
}

int stream_status(const struct stream *stream)
{
	if (!stream->error || stream->error == EPIPE)
		return 0;
	return fail(EXIT_OTHER, "cannot write %s: %s", stream->file == stdout ? "to standard output" : "the report",
		    strerror(stream->error));
}
