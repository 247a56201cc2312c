/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the running kernel supports, and what our privileges on it permit.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stdint.h>

struct btf;

enum kernel_support {
	KERNEL_TRACEPOINTS,	/* has our series */
	KERNEL_STOCK,		/* has P2PDMA, but not our series */
	KERNEL_NOTHING,
};

struct kernel {
	enum kernel_support support;	/* KERNEL_NOTHING only after kernel_open_any() */
	struct btf *vmlinux;
	struct btf *nvmet;	/* split BTF; NULL unless nvmet is a loaded module of the series */
	bool nvmet_hidden;	/* it is, but we may not read its BTF */
};

enum kernel_support kernel_support(const struct btf *vmlinux);

/* Whether @btf or its base has a tracepoint, or the target of a section: "fexit/FUNCTION". */
bool btf_has_tracepoint(const struct btf *btf, const char *name);
bool btf_has_hook(const struct btf *btf, const char *hook);

/*
 * Reads the kernel's BTF. Returns 0, or an exit status after an error message if the kernel has no
 * P2PDMA or no BTF. Call kernel_close() in any case.
 */
int kernel_open(struct kernel *kernel, const char *vmlinux_btf);
/* The same for what does not need P2PDMA: dma-bufs. */
int kernel_open_any(struct kernel *kernel, const char *vmlinux_btf);
void kernel_close(struct kernel *kernel);

/* The largest BTF: that of nvmet, which includes that of vmlinux, if nvmet is a loaded module. */
const struct btf *kernel_btf(const struct kernel *kernel);

/* Whether nvmet is built in, or a loaded module. Without privileges, a module is not seen. */
bool kernel_has_nvmet(const struct kernel *kernel);

/* What to do if an event needs the p2pmem series: it does not exist for every release. */
const char *kernel_series_step(void);

/* Whether we may load tracing programs. Returns 0, or an exit status after an error message. */
int kernel_check_privileges(const struct kernel *kernel);

/*
 * Whether the kernel is locked down so far that programs may not read its memory. Returns 0, or
 * an exit status after an error message. If the file cannot be read, asks the kernel for the
 * helper that reads its memory.
 */
int kernel_check_lockdown(const char *path);

/* From include/linux/errno.h. It is not meant for user space, but bpf() returns it. */
#define ENOTSUPP 524

/*
 * Prints why the kernel refused to do @what, and the remedy; returns an exit status. @err is
 * negative, as libbpf returns it.
 */
int kernel_refused(const char *what, int err) __attribute__((warn_unused_result));

/* MemAvailable in bytes. UINT64_MAX if it cannot be read. */
uint64_t kernel_available_memory(const char *meminfo);

#endif /* KERNEL_H */
