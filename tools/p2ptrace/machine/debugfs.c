// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "machine/debugfs.h"
#include "machine/sysfs.h"
#include "machine/table.h"

int debugfs_refused(const char *debugfs, const char *path, int err)
{
	switch (-err) {
	case ENODEV:
	case EIO:
		return DEBUGFS_GONE;
	case ENOENT:
		/* It exists if debugfs is mounted */
		if (sysfs_exists("%s/" P2PMEM_DEBUG, debugfs))
			return DEBUGFS_GONE;
		return fail(EXIT_KERNEL, "cannot read %s: %s; if debugfs is not mounted, run: "
			    "mount -t debugfs none %s", path, strerror(-err), debugfs);
	case EACCES:
		if (geteuid())
			return fail(EXIT_KERNEL, "not permitted to read %s; run it as root", path);
		__attribute__((fallthrough));
	case EPERM:
		return fail(EXIT_KERNEL, "the kernel is locked down (integrity or "
			    "confidentiality): debugfs cannot be read (%s: %s); see " LOCKDOWN ", "
			    "and boot without lockdown= on the kernel command line and without "
			    "Secure Boot; in a container, run it on the host", path,
			    strerror(-err));
	case EPROTO:
	case EINVAL:
		return fail(EXIT_OTHER, "cannot parse %s: its format is unknown; install a "
			    "p2ptrace as new as the kernel", path);
	default:
		return fail(EXIT_OTHER, "cannot read %s: %s; run it again, and see dmesg", path,
			    strerror(-err));
	}
}

int debugfs_read(const char *debugfs, const char *dev, const char *file, const char *columns,
		 int (*row)(void *ctx, char **words), void *ctx)
{
	char path[PATH_MAX];
	int err = sysfs_path(path, sizeof(path), "%s/" P2PMEM_DEBUG "/%s/%s", debugfs, dev, file);

	if (err)
		return fail(EXIT_OTHER, "the path of debugfs is too long: %s", debugfs);
	err = table_read(path, columns, row, ctx);
	return err ? debugfs_refused(debugfs, path, err) : 0;
}
