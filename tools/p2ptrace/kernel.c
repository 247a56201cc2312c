// SPDX-License-Identifier: GPL-2.0
/*
 * None of this needs tracefs: programs attach to the tracepoints through BTF (tp_btf), so it is all the same whether
 * tracefs is mounted.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <linux/capability.h>

#include "kernel.h"
#include "log.h"

bool btf_has_event(const struct btf *btf, const char *event)
{
	char name[128];

	snprintf(name, sizeof(name), "btf_trace_%s", event);
	return btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF) > 0;
}

enum kernel_support kernel_support(const struct btf *vmlinux)
{
	if (btf_has_event(vmlinux, "p2pmem_alloc"))
		return KERNEL_TRACEPOINTS;
	if (btf__find_by_name_kind(vmlinux, "pci_p2pdma_distance_many", BTF_KIND_FUNC) > 0)
		return KERNEL_STOCK;
	return KERNEL_NOTHING;
}

int kernel_open(struct kernel *kernel, const char *vmlinux_btf)
{
	memset(kernel, 0, sizeof(*kernel));
	if (access(vmlinux_btf, F_OK))
		return fail(EXIT_KERNEL, "%s is missing; boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (and see that "
			    "/sys is mounted)", vmlinux_btf);
	kernel->vmlinux = btf__parse(vmlinux_btf, NULL);
	if (!kernel->vmlinux)
		return fail(EXIT_KERNEL, "cannot read %s: %s; boot a kernel built with CONFIG_DEBUG_INFO_BTF=y",
			    vmlinux_btf, strerror(errno));

	switch (kernel_support(kernel->vmlinux)) {
	case KERNEL_TRACEPOINTS:
		break;
	case KERNEL_STOCK:
		return fail(EXIT_KERNEL, "this kernel has P2PDMA but not the p2pmem tracepoints, and stock mode is not in "
			    "this version yet; boot a kernel with the p2pmem series");
	case KERNEL_NOTHING:
		return fail(EXIT_KERNEL, "this kernel has neither the p2pmem tracepoints nor P2PDMA; boot a kernel with "
			    "the p2pmem series and CONFIG_PCI_P2PDMA=y");
	}

	/* Fails unless nvmet is a module and loaded, and then its events are simply missing. */
	kernel->nvmet = btf__load_module_btf("nvmet", kernel->vmlinux);
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

static bool capable(const struct __user_cap_data_struct *data, unsigned int cap)
{
	return data[cap / 32].effective & (1u << cap % 32);
}

int kernel_check_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	/*
	 * CAP_BPF and CAP_PERFMON would do to load and attach. But libbpf looks for what is not in vmlinux in the BTF
	 * of the modules, which it gets from the kernel by ids.
	 */
	if (syscall(SYS_capget, &header, data) || !capable(data, CAP_SYS_ADMIN))
		return fail(EXIT_KERNEL, "not permitted to trace; run it as root (CAP_SYS_ADMIN)");
	return 0;
}
