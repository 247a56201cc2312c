/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Gives a file its new content as a whole: there is never half of it, even if the disk is full. A
 * file that is no regular one, such as /dev/stdout, is written to instead. Returns 0, or an exit
 * status after an error message.
 */
int file_replace(const char *path, const char *data, size_t len)
	__attribute__((warn_unused_result));

/*
 * Opens a file for writing. One that exists is not changed before file_empty(). @mode: of a new
 * file. Returns the descriptor, or -1 after an error message and setting *@rc to an exit status.
 */
int file_open(const char *path, mode_t mode, bool *created, int *rc);

/* Only a regular file: a pipe has nothing to remove. Returns 0 or an errno. */
int file_empty(int fd);

/*
 * For EACCES, EPERM and EROFS: says which folder or file denies it. @what: "read" or "write".
 * @entry: the file would have been added to its folder. Returns an exit status.
 */
int file_denied(const char *what, const char *path, bool entry, int err)
	__attribute__((warn_unused_result));

/*
 * Says why a file could not be opened for writing. @entry: its folder had to be changed, not the
 * file. Returns an exit status.
 */
int file_refused(const char *path, bool entry, int err) __attribute__((warn_unused_result));

#endif /* FILE_H */
