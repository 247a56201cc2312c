/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernels, each with the commit or the option that makes the difference.
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
 * Since 3f00c5239344 ("bpf: Allow trusted pointers to be passed to KF_TRUSTED_ARGS kfuncs", 6.2)
 * the verifier assumes that the arguments of a tracepoint are not NULL. It drops a check for NULL
 * as dead code, and a plain load through a NULL argument oopses. Since 838a10bd2ebf ("bpf: Augment
 * raw_tp arguments with PTR_MAYBE_NULL", 6.13, also in 6.12.y) it insists on the check, but only
 * for the tracepoints of modules and for a list of its own. To work on all kernels, check for NULL
 * and read with a helper that survives a bad pointer.
 */
static __always_inline const char *device_name_or_null(const struct p2pmem_device *p2pmem)
{
	return p2pmem ? BPF_CORE_READ(p2pmem, dev.kobj.name) : NULL;
}

static __always_inline const char *provider_name_or_null(const struct p2pmem_device *p2pmem)
{
	return p2pmem ? BPF_CORE_READ(p2pmem, provider, dev.kobj.name) : NULL;
}

/*
 * Reads kernel memory word by word, without a helper. A bad address reads as 0. The kfunc exists
 * since a35b9af4ec2c ("bpf: Add a kfunc for generic type cast", 6.2). BPF_FUNC_cgrp_storage_get,
 * from the same release, shows that the kernel has it. The cast needs a type of the kernel: struct
 * range has two words.
 *
 * The verifier checks a call even if it is never made. It refuses a call of a kfunc if programs are
 * interpreted. Before 5.16, it also refuses a call of a function that the kernel lacks.
 */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

enum bpf_func_id___since_6_2 {
	BPF_FUNC_cgrp_storage_get___since_6_2,
};

#define HAVE_WORDS									\
	(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ &&					\
	 bpf_core_enum_value_exists(enum bpf_func_id___since_6_2,			\
				    BPF_FUNC_cgrp_storage_get___since_6_2))

#define two_words struct range

static __always_inline const two_words *words_at(const void *address)
{
	return bpf_rdonly_cast(address, bpf_core_type_id_kernel(two_words));
}

enum bpf_func_id___task_btf {
	BPF_FUNC_get_current_task_btf___task_btf,
};

/*
 * The current task. Since "bpf: Implement get_current_task_btf and RET_PTR_TO_BTF_ID" (5.11) a few
 * loads replace a helper that searches for the end of the name. The bytes after the end of the name
 * may not be 0.
 */
static __always_inline void task_read(__u32 *pid, __u64 comm[2])
{
	const struct task_struct *task;

	if (bpf_core_enum_value_exists(enum bpf_func_id___task_btf,
				       BPF_FUNC_get_current_task_btf___task_btf)) {
		task = bpf_get_current_task_btf();
		*pid = task->tgid;
		comm[0] = *(__u64 *)&task->comm[0];
		comm[1] = *(__u64 *)&task->comm[8];
	} else {
		*pid = bpf_get_current_pid_tgid() >> 32;
		bpf_get_current_comm(comm, 16);
	}
}

/*
 * The preempt count. On x86 it is in struct pcpu_hot since 64701838bf05 ("x86/percpu: Move
 * preempt_count next to current_task", 6.2) and until 46e8fff6d45f ("x86/preempt: Move preempt
 * count to percpu hot section", 6.15). On arm64 it is in the thread_info. -1 on other kernels: only
 * one variable is tried, because for each one that vmlinux lacks, libbpf searches the BTF of all
 * modules, which takes CAP_SYS_ADMIN.
 */
extern const struct pcpu_hot pcpu_hot __ksym __weak;

static __always_inline int preempt_count(void)
{
	struct task_struct *task;

	if (&pcpu_hot && bpf_core_field_exists(struct pcpu_hot, preempt_count))
		return ((const struct pcpu_hot *)bpf_this_cpu_ptr(&pcpu_hot))->preempt_count;
	if (bpf_core_field_exists(struct thread_info, preempt.count)) {
		task = bpf_get_current_task_btf();
		return task->thread_info.preempt.count;
	}
	return -1;
}

/* include/linux/preempt.h */
#define SOFTIRQ_OFFSET	(1u << 8)	/* in a softirq, and not just with softirqs off */
#define HARDIRQ_MASK	(0xfu << 16)
#define NMI_MASK	(0xfu << 20)

#define NR_CONTEXT_LEVELS 4

/* As the kernel's interrupt_context_level(): process, softirq, interrupt, NMI. -1 if unknown. */
static __always_inline int context_level(void)
{
	int count = preempt_count();

	/* Nearly always */
	if (!(count & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)))
		return 0;
	if (count == -1)
		return -1;
	return !!(count & NMI_MASK) + !!(count & (NMI_MASK | HARDIRQ_MASK)) +
	       !!(count & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET));
}

#endif /* COMPAT_BPF_H */
