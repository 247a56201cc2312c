/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output that goes out at once and reports every error. Callers with many lines collect them first.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stddef.h>

struct stream {
	int fd;
	int error;		/* errno of the first write that failed */
};

/*
 * Call it before any file is opened. Otherwise a file could become descriptor 0, 1 or 2 and receive
 * what is written there. Returns 0, or EXIT_OTHER after saying why nothing can be written to
 * standard output.
 */
int stream_open_standard(void);

/*
 * Writes all of @data. Waits if the descriptor is non-blocking. Returns 0, or an errno. After an
 * error, all further writes return the same errno.
 */
int stream_write(struct stream *stream, const char *data, size_t len);

/* Notices without writing that the reader of a pipe has gone. */
int stream_probe(struct stream *stream);

/* 0, also if the reader has gone. Otherwise EXIT_OTHER after saying what failed. */
int stream_status(const struct stream *stream);

#endif /* STREAM_H */
