/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's types, as far as the programs read them. CO-RE finds the members by name in the running kernel's BTF,
 * so order, offsets and everything left out do not matter, and neither the patched kernel nor a vmlinux.h is needed
 * to build. The enums exist only to give their type a name: the programs never use a value.
 */
#ifndef KERNEL_TYPES_H
#define KERNEL_TYPES_H

#include <linux/types.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kobject {
	const char *name;
};

struct device {
	struct kobject kobj;
	int numa_node;			/* only with CONFIG_NUMA, see compat.bpf.h */
};

struct pci_dev {
	struct device dev;
};

/* include/linux/p2pmem.h */
struct p2pmem_device {
	struct device dev;
	struct pci_dev *provider;
};

struct p2pmem_buf {
	__u64 id;
	struct p2pmem_device *p2pmem;
	__u64 bus_addr;
	unsigned long size;
	unsigned int nents;
};

/* include/linux/pci-p2pdma.h */
enum pci_p2pdma_map_type { PCI_P2PDMA_MAP_TYPE_UNUSED };
enum pci_p2pdma_reason { PCI_P2PDMA_REASON_UNUSED };

struct pci_p2pdma_decision {
	enum pci_p2pdma_map_type map;
	int distance;
	enum pci_p2pdma_reason reason;
	char blocker[24];
};

/* include/linux/nvme.h, drivers/nvme/target/nvmet.h */
struct nvme_common_command {
	__u8 opcode;
	__u16 command_id;
};

struct nvme_command {
	union {
		struct nvme_common_command common;
	};
};

struct nvmet_subsys {
	char *subsysnqn;
};

struct nvmet_ctrl {
	struct nvmet_subsys *subsys;
	__u16 cntlid;
};

struct nvmet_ns {
	__u32 nsid;
};

struct nvmet_sq {
	struct nvmet_ctrl *ctrl;
	__u16 qid;
};

struct nvmet_req {
	struct nvme_command *cmd;
	struct nvmet_sq *sq;
	struct nvmet_ns *ns;
};

/* Where the preempt count is, depending on the kernel, see compat.bpf.h */
struct pcpu_hot {
	int preempt_count;
};

struct thread_info {
	struct {
		__u32 count;
	} preempt;
};

struct task_struct {
	struct thread_info thread_info;
};

#pragma clang attribute pop

#endif /* KERNEL_TYPES_H */
