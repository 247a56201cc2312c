/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels, each with the commit or the option that makes the difference.
 */
#ifndef COMPAT_BPF_H
#define COMPAT_BPF_H

#include "kernel_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define NUMA_NO_NODE (-1)

/* struct device has no numa_node without CONFIG_NUMA. */
static __always_inline int device_node(const struct device *dev)
{
	if (!bpf_core_field_exists(dev->numa_node))
		return NUMA_NO_NODE;
	return dev->numa_node;
}

/*
 * A tracepoint argument that the kernel's code may pass as NULL.
 *
 * Since 3f00c5239344 ("bpf: Allow trusted pointers to be passed to KF_TRUSTED_ARGS kfuncs", 6.2) the verifier takes
 * the arguments of a tracepoint for non-NULL, drops a check for NULL as dead code, and a plain load through a NULL
 * argument oopses. Since 838a10bd2ebf ("bpf: Augment raw_tp arguments with PTR_MAYBE_NULL", 6.13, also in 6.12.y)
 * it insists on the check, but only for the tracepoints of modules and for a list of its own. What works on all of
 * them: check *and* read with a helper that survives a bad pointer.
 */
static __always_inline const char *device_name_or_null(const struct p2pmem_device *p2pmem)
{
	return p2pmem ? BPF_CORE_READ(p2pmem, dev.kobj.name) : NULL;
}

static __always_inline const char *provider_name_or_null(const struct p2pmem_device *p2pmem)
{
	return p2pmem ? BPF_CORE_READ(p2pmem, provider, dev.kobj.name) : NULL;
}

#endif /* COMPAT_BPF_H */
