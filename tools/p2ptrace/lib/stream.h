/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Standard output of a long-running command, and every error noticed. What is written goes out at once: who has many
 * lines gathers them.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stddef.h>
#include <stdio.h>

struct stream {
	FILE *file;
	int error;		/* errno of the first write that failed */
};

/*
 * To be called before any file is opened, lest it becomes one of 0 to 2 and what is written there ends up in it.
 * Returns 0, or EXIT_OTHER after saying why nothing can be written to standard output.
 */
int stream_open_standard(void);

void stream_init(struct stream *stream, FILE *file);

/* Return 0, or the errno that all further writes fail with. */
int stream_write(struct stream *stream, const char *data, size_t len);
int stream_flush(struct stream *stream);

/* Notices without writing when the reader of a pipe has gone. */
int stream_probe(struct stream *stream);

/* 0, also if the reader has gone: it has had enough, and that is fine. Otherwise EXIT_OTHER after saying what failed. */
int stream_status(const struct stream *stream);

#endif /* STREAM_H */
