/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Gives a file its new content as a whole: there is never half of it, even if the disk is full. A
 * file that is no regular one, such as /dev/stdout, is written to instead. Returns 0, or an exit
 * status after an error message.
 */
int file_replace(const char *path, const char *data, size_t len)
	__attribute__((warn_unused_result));

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
