/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The files that the p2pmem series has in debugfs: one directory for each p2pmem device.
 */
#ifndef DEBUGFS_H
#define DEBUGFS_H

/* The device was removed, which is not an error. */
#define DEBUGFS_GONE	(-1)

/*
 * Reads @file of @dev by table_read(). Returns 0, DEBUGFS_GONE, or an exit status after an error
 * message.
 */
int debugfs_read(const char *debugfs, const char *dev, const char *file, const char *columns,
		 int (*row)(void *ctx, char **words), void *ctx)
	__attribute__((warn_unused_result));

/* Returns the same for an error of table_read(), and prints what it means. @err is negative. */
int debugfs_refused(const char *debugfs, const char *path, int err)
	__attribute__((warn_unused_result));

#endif /* DEBUGFS_H */
