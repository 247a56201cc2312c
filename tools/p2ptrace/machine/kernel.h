/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the running kernel, and our privileges on it, can do for us.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stdint.h>

struct btf;

#ifndef VMLINUX_BTF	/* see tests/unit/roots.h */
#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"
#endif
#define MEMINFO "/proc/meminfo"

enum kernel_support {
	KERNEL_TRACEPOINTS,	/* has our series */
	KERNEL_STOCK,		/* has P2PDMA, but not our series */
	KERNEL_NOTHING,
};

struct kernel {
	enum kernel_support support;	/* never KERNEL_NOTHING once it is open */
	struct btf *vmlinux;
	struct btf *nvmet;	/* split, on top of vmlinux; NULL if nvmet is built in, not loaded or has none */
};

enum kernel_support kernel_support(const struct btf *vmlinux);

/* Whether @btf, or what it is split from, knows a tracepoint, or what a program can be attached to: "fexit/FUNCTION". */
bool btf_has_tracepoint(const struct btf *btf, const char *name);
bool btf_has_hook(const struct btf *btf, const char *hook);

/*
 * Finds out what the kernel is. Returns 0, or an exit status after saying that it has not even P2PDMA, or no BTF, and
 * what to do about it. kernel_close() afterwards in any case.
 */
int kernel_open(struct kernel *kernel, const char *vmlinux_btf);
void kernel_close(struct kernel *kernel);

/* The richest BTF there is. */
const struct btf *kernel_btf(const struct kernel *kernel);

/* Whether we may load tracing programs. Returns 0, or an exit status after saying what is missing. */
int kernel_check_privileges(const struct kernel *kernel);

/* Says why the kernel did not let us do @what, and what to do about it. @err is negative, as libbpf returns it. */
int kernel_refused(const char *what, int err) __attribute__((warn_unused_result));

/* How much can be allocated without driving others out, in bytes. UINT64_MAX if the kernel does not tell. */
uint64_t kernel_available_memory(const char *meminfo);

#endif /* KERNEL_H */
