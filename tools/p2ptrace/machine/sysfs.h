/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the kernel's files are, and readers for the files of sysfs that hold one value.
 */
#ifndef SYSFS_H
#define SYSFS_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Functions take these roots as arguments, so that tests can pass trees of their own. */
#define SYSFS		"/sys"
#define DEBUGFS		SYSFS "/kernel/debug"
#define CONFIGFS	SYSFS "/kernel/config"
#ifndef VMLINUX_BTF	/* see tests/unit/roots.h */
#define VMLINUX_BTF	SYSFS "/kernel/btf/vmlinux"
#endif
#ifndef NVMET_BTF
#define NVMET_BTF	SYSFS "/kernel/btf/nvmet"
#endif
#define LOCKDOWN	SYSFS "/kernel/security/lockdown"
#define MEMINFO		"/proc/meminfo"
#define KALLSYMS	"/proc/kallsyms"
#define TRACEFS		SYSFS "/kernel/tracing"	/* or DEBUGFS "/tracing" */
#define FILTER_FUNCTIONS "available_filter_functions"

/* Directories of sysfs, and one of the two places that have the attributes of peer memory. */
#define PCI_BUS		"bus/pci"
#define PCI_DEVICES	PCI_BUS "/devices"
#define P2PMEM_GROUP	"p2pmem"	/* in the directory of a provider; on every kernel */
#define P2PMEM_CLASS	"class/pci_p2pmem"	/* with the series for 7.3 */
#define NVMET_MODULE	"module/nvmet"

/* Directories of debugfs, which the series makes, and of configfs. Debugfs has an NVMET, too. */
#define P2PMEM_DEBUG	"p2pmem"
#define P2PDMA_DEBUG	"p2pdma"
#define NVMET		"nvmet"
#define NVMET_PORTS	NVMET "/ports"
#define NVMET_SUBSYSTEMS NVMET "/subsystems"

/*
 * The other place: p2pmem0/size is below this directory. Only with the p2pmem series, which has
 * named it after the bus since 7.3: the directory of a provider has one of the class as well.
 */
const char *p2pmem_class(const char *sysfs);

/* Formats a path. Returns 0, or -ENAMETOOLONG if the path does not fit. */
int sysfs_path(char *path, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), warn_unused_result));

/* The other functions format the path themselves. A dangling link counts as missing. */
bool sysfs_exists(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * The first line of a file as text, without its newline; as a decimal number; as a hexadecimal id
 * ("0x8086"). Return 0 or a negative errno: -EINVAL for an empty file, for anything but a number,
 * and for a line that does not fit; -ERANGE for a number that does not fit.
 */
int sysfs_read_text(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), warn_unused_result));
int sysfs_read_number(uint64_t *value, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));
int sysfs_read_id(unsigned int *id, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/* The last component of a link's target, which names a device or a driver. */
int sysfs_link_name(char *name, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), warn_unused_result));

/* The inode number of a file, or of the target of a link. */
int sysfs_inode(uint64_t *inode, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));

/* realpath() and opendir(): NULL with errno set, or a pointer that the caller frees or closes. */
char *sysfs_real_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
DIR *sysfs_open_dir(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Calls @visit for each entry of a directory, by number. Returns 0, the first value other than 0 of
 * @visit, or a negative errno.
 */
int sysfs_for_each(const char *path, int (*visit)(void *ctx, const char *name), void *ctx);

/* Whether @err, from one of the readers, means that the device was removed. */
bool sysfs_gone(int err);

#endif /* SYSFS_H */
