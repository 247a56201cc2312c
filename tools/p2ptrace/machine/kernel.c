// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing here needs tracefs: programs attach to the tracepoints through BTF (tp_btf).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>

#include "lib/log.h"
#include "lib/units.h"
#include "machine/kernel.h"
#include "machine/sysfs.h"

bool btf_has_tracepoint(const struct btf *btf, const char *name)
{
	char type[128];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) > 0;
}

bool btf_has_hook(const struct btf *btf, const char *hook)
{
	const char *name = strchr(hook, '/');
	char iterator[128];

	if (!name)
		return false;
	name++;
	if (!strncmp(hook, "tp_btf/", strlen("tp_btf/")))
		return btf_has_tracepoint(btf, name);
	if (!strncmp(hook, "iter/", strlen("iter/"))) {
		snprintf(iterator, sizeof(iterator), "bpf_iter_%s", name);
		name = iterator;
	}
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

enum kernel_support kernel_support(const struct btf *vmlinux)
{
	if (btf_has_tracepoint(vmlinux, "p2pmem_alloc"))
		return KERNEL_TRACEPOINTS;
	if (btf__find_by_name_kind(vmlinux, "pci_p2pdma_distance_many", BTF_KIND_FUNC) > 0)
		return KERNEL_STOCK;
	return KERNEL_NOTHING;
}

/* strerror() does not know libbpf's own errors. */
static const char *error_text(int err, char *buf, size_t size)
{
	libbpf_strerror(err, buf, size);
	return buf;
}

/* Returns 0 or a negative errno. */
static int try_program(const struct bpf_insn *insns, size_t nr)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", insns, nr, NULL);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/*
 * Whether programs can be loaded, but not with the helper that reads memory of the kernel.
 * libbpf_probe_bpf_helper() of libbpf 1.1 does not know the message of newer kernels.
 */
static bool lacks_read_kernel(void)
{
	static const struct bpf_insn insns[] = {
		{ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_10, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, -8 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, 8 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0 },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_read_kernel },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0 },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};
	size_t nr = ARRAY_SIZE(insns);

	/* The last two are a program by themselves */
	return try_program(insns, nr) == -EINVAL && !try_program(insns + nr - 2, 2);
}

#define CONFIDENTIALITY "confidentiality"

/* The file has "none [integrity] confidentiality". False if there is no lockdown. */
static bool lockdown_mode(const char *path, char *mode, size_t size)
{
	char line[128], *from;

	if (sysfs_read_text(line, sizeof(line), "%s", path)) {
		/* securityfs is not mounted */
		snprintf(mode, size, CONFIDENTIALITY);
		return lacks_read_kernel();
	}
	from = strchr(line, '[');
	if (!from)
		return false;
	snprintf(mode, size, "%.*s", (int)strcspn(from + 1, "]"), from + 1);
	return strcmp(mode, "none");
}

int kernel_check_lockdown(const char *path)
{
	char mode[32];

	/* Integrity lets programs read */
	if (!lockdown_mode(path, mode, sizeof(mode)) || strcmp(mode, CONFIDENTIALITY))
		return 0;
	return fail(EXIT_KERNEL, "the kernel is locked down (%s) and does not let BPF programs "
		    "read its memory; see %s, and boot without lockdown=confidentiality", mode,
		    path);
}

int kernel_refused(const char *what, int err)
{
	char text[128];

	switch (-err) {
	case EPERM:
		if (lockdown_mode(LOCKDOWN, text, sizeof(text)))
			return fail(EXIT_KERNEL, "not permitted to %s: the kernel is locked down "
				    "(%s); see " LOCKDOWN ", and boot without lockdown= on the "
				    "kernel command line and without Secure Boot", what, text);
		return fail(EXIT_KERNEL, "not permitted to %s; run it as root, outside of a "
			    "container, with all capabilities (see CapEff in /proc/self/status)",
			    what);
	case EACCES:
		return fail(EXIT_KERNEL, "not permitted to %s; run it as root; if you did, "
			    "the verbose messages show what the kernel's verifier rejected", what);
	case ENOSYS:
	case EOPNOTSUPP:
		return fail(EXIT_KERNEL, "this kernel cannot %s; build it with CONFIG_BPF_SYSCALL, "
			    "CONFIG_BPF_JIT and CONFIG_BPF_EVENTS", what);
	case ENOTSUPP:
		return fail(EXIT_KERNEL, "cannot %s: this kernel interprets BPF programs instead "
			    "of compiling them; run 'sysctl net.core.bpf_jit_enable=1'", what);
	case ENOMEM:
		return fail(EXIT_OTHER, "not enough memory to %s; free some, or use a smaller "
			    "buffer", what);
	case EMFILE:
		return fail(EXIT_OTHER, "too many open files to %s; raise the limit with "
			    "'ulimit -n 1024'", what);
	default:
		return fail(EXIT_OTHER, "cannot %s: %s; the verbose messages show what libbpf and "
			    "the kernel say", what, error_text(err, text, sizeof(text)));
	}
}

static int btf_refused(const char *path, int err)
{
	char what[128], text[128];

	switch (-err) {
	case ENOENT:
	case ENOTDIR:
		return fail(EXIT_KERNEL, "%s is missing; boot a kernel built with "
			    "CONFIG_DEBUG_INFO_BTF=y (and check that /sys is mounted)", path);
	case EPERM:
	case EACCES:
	case ENOMEM:
	case EMFILE:
		snprintf(what, sizeof(what), "read %s", path);
		return kernel_refused(what, err);
	default:
		return fail(EXIT_KERNEL, "cannot read %s: %s; boot a kernel built with "
			    "CONFIG_DEBUG_INFO_BTF=y", path, error_text(err, text, sizeof(text)));
	}
}

/* The releases that have a p2pmem series. */
static const char *const series_releases[] = { "6.12.", "7.3." };

const char *kernel_series_step(void)
{
	struct utsname name = {};

	if (!uname(&name))
		for (size_t i = 0; i < ARRAY_SIZE(series_releases); i++)
			if (!strncmp(name.release, series_releases[i], strlen(series_releases[i])))
				return "boot one that has it";
	return "the series exists for Linux 6.12 and 7.3 only";
}

#define ONLY_DMABUFS \
	"; dma-bufs can be traced without it, if only their events are selected"

static int lacks_p2pdma(void)
{
	struct utsname name = {};

	/* "#1 SMP PREEMPT_DYNAMIC Debian 6.12.48-1 (2025-09-20)" */
	if (!uname(&name) && strstr(name.version, "Debian"))
		return fail(EXIT_KERNEL, "this kernel (%s) is built without peer-to-peer DMA "
			    "(CONFIG_PCI_P2PDMA); Debian's kernels have it from 6.16 on: boot one "
			    "of trixie-backports, on Debian 13" ONLY_DMABUFS, name.release);
	return fail(EXIT_KERNEL, "this kernel is built without peer-to-peer DMA "
		    "(CONFIG_PCI_P2PDMA); boot one that has CONFIG_PCI_P2PDMA=y" ONLY_DMABUFS);
}

int kernel_open(struct kernel *kernel, const char *vmlinux_btf)
{
	int rc = kernel_open_any(kernel, vmlinux_btf);

	return rc ?: kernel->support == KERNEL_NOTHING ? lacks_p2pdma() : 0;
}

int kernel_open_any(struct kernel *kernel, const char *vmlinux_btf)
{
	memset(kernel, 0, sizeof(*kernel));
	kernel->vmlinux = btf__parse(vmlinux_btf, NULL);
	if (!kernel->vmlinux)
		return btf_refused(vmlinux_btf, -errno);

	kernel->support = kernel_support(kernel->vmlinux);

	/* On a stock kernel, nvmet may be loaded later: see machine/nvmet_module.h */
	if (kernel->support == KERNEL_STOCK)
		return 0;
	/* This fails unless nvmet is a loaded module; its events are missing then. */
	kernel->nvmet = btf__load_module_btf("nvmet", kernel->vmlinux);
	kernel->nvmet_hidden = !kernel_has_nvmet(kernel) && sysfs_exists(SYSFS "/" NVMET_MODULE);
	return 0;
}

void kernel_close(struct kernel *kernel)
{
	btf__free(kernel->nvmet);
	btf__free(kernel->vmlinux);
	memset(kernel, 0, sizeof(*kernel));
}

const struct btf *kernel_btf(const struct kernel *kernel)
{
	return kernel->nvmet ? kernel->nvmet : kernel->vmlinux;
}

bool kernel_has_nvmet(const struct kernel *kernel)
{
	return kernel->nvmet ||
	       btf__find_by_name_kind(kernel->vmlinux, "nvmet_req_init", BTF_KIND_FUNC) > 0;
}

static bool capable(const struct __user_cap_data_struct *data, unsigned int cap)
{
	return data[cap / 32].effective & (1u << cap % 32);
}

int kernel_check_privileges(const struct kernel *kernel)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	bool bpf, perfmon;

	if (syscall(SYS_capget, &header, data))
		return fail(EXIT_OTHER, "cannot read the capabilities of p2ptrace: %s",
			    strerror(errno));
	/* CAP_SYS_ADMIN includes the other two */
	if (capable(data, CAP_SYS_ADMIN))
		return kernel_check_lockdown(LOCKDOWN);
	bpf = capable(data, CAP_BPF);
	perfmon = capable(data, CAP_PERFMON);
	if (!bpf || !perfmon)
		return fail(EXIT_KERNEL, "not permitted to trace: %s missing; run it as root, or "
			    "with both CAP_BPF and CAP_PERFMON", bpf ? "CAP_PERFMON is" :
			    perfmon ? "CAP_BPF is" : "CAP_BPF and CAP_PERFMON are");
	/*
	 * The programs use this variable if there is one (compat.bpf.h). If vmlinux lacks it,
	 * libbpf searches the BTF of all modules, which takes CAP_SYS_ADMIN.
	 */
	if (btf__find_by_name_kind(kernel->vmlinux, "pcpu_hot", BTF_KIND_VAR) < 0)
		return fail(EXIT_KERNEL, "not permitted to trace: on this kernel, CAP_BPF and "
			    "CAP_PERFMON are not enough; run it as root (CAP_SYS_ADMIN)");
	return kernel_check_lockdown(LOCKDOWN);
}

uint64_t kernel_available_memory(const char *meminfo)
{
	uint64_t kib, bytes = UINT64_MAX;
	char line[256];
	FILE *file = fopen(meminfo, "re");

	if (!file)
		return bytes;
	while (bytes == UINT64_MAX && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) == 1)
			bytes = kib << 10;
	fclose(file);
	return bytes;
}
