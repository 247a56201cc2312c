/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's types, reduced to the members that the programs read. CO-RE finds the members by
 * name in the BTF of the running kernel, so their order and offsets do not matter, and the build
 * needs neither the patched kernel nor a vmlinux.h. The enums only name the types: the programs use
 * the values of the running kernel.
 */
#ifndef KERNEL_TYPES_H
#define KERNEL_TYPES_H

#include <linux/types.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kobject {
	const char *name;
};

struct bus_type {
	const char *name;
};

struct device {
	struct kobject kobj;
	const struct bus_type *bus;
	int numa_node;			/* only with CONFIG_NUMA, see compat.bpf.h */
};

struct list_head {
	struct list_head *next;
};

/* include/linux/genalloc.h, drivers/pci/p2pdma.c: only in stock kernels */
struct gen_pool {
	struct list_head chunks;
};

struct gen_pool_chunk {
	struct list_head next_chunk;
	__u64 phys_addr;
	unsigned long start_addr;
	unsigned long end_addr;
};

struct p2pdma_provider {
	struct device *owner;
	__u64 bus_offset;
};

struct pci_p2pdma {
	struct gen_pool *pool;
	struct p2pdma_provider mem[1];	/* one for each BAR, since 6.19 */
};

struct pci_dev {
	struct device dev;
	struct pci_p2pdma *p2pdma;
};

struct range {
	__u64 start;
	__u64 end;
};

/* include/linux/memremap.h */
enum memory_type { MEMORY_DEVICE_PCI_P2PDMA };

struct dev_pagemap {
	enum memory_type type;
	struct range range;
};

struct pci_p2pdma_pagemap {
	struct dev_pagemap pgmap;
	struct pci_dev *provider;
	__u64 bus_offset;
	struct p2pdma_provider *mem;
};

struct page {
	struct dev_pagemap *pgmap;
};

struct mem_section {
	unsigned long section_mem_map;
};

struct folio {
	struct dev_pagemap *pgmap;
};

struct scatterlist {
	unsigned long page_link;
	unsigned int offset;
	unsigned int length;
	__u64 dma_address;
	unsigned int dma_length;	/* only with CONFIG_NEED_SG_DMA_LENGTH */
	unsigned int dma_flags;
};

/* include/linux/bvec.h, blk_types.h, bio-integrity.h, blk-mq.h, blk-mq-dma.h */
struct bio_vec {
	struct page *bv_page;
};

struct bvec_iter {
	unsigned int bi_size;
	unsigned int bi_idx;
};

struct bio_integrity_payload {
	struct bvec_iter bip_iter;
	struct bio_vec *bip_vec;
};

struct bio {
	struct bvec_iter bi_iter;
	struct bio_vec *bi_io_vec;
	struct bio_integrity_payload *bi_integrity;	/* only with CONFIG_BLK_DEV_INTEGRITY */
};

struct request {
	struct bio *bio;
	unsigned int cmd_flags;
	unsigned int __data_len;
};

/* include/linux/fs.h, scatterlist.h, dma-buf.h, drivers/dma-buf/dma-buf-mapping.c */
struct inode {
	__u64 i_ino;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct sg_table {
	struct scatterlist *sgl;
};

struct dma_buf {
	__u64 size;
	struct file *file;
	struct list_head attachments;
	const char *exp_name;
};

/* kernel/bpf/dmabuf_iter.c, since 6.16 */
struct bpf_iter__dmabuf {
	struct dma_buf *dmabuf;
};

struct dma_buf_attach_ops {
	bool allow_peer2peer;
	void *invalidate_mappings;
	void *move_notify;		/* its name until 7.0 */
};

struct dma_buf_attachment {
	struct dma_buf *dmabuf;
	struct device *dev;
	struct list_head node;
	bool peer2peer;
	const struct dma_buf_attach_ops *importer_ops;
};

struct dma_buf_dma {
	struct sg_table sgt;
	void *state;			/* NULL: the addresses are bus addresses */
};

struct phys_vec {
	__u64 paddr;
};

enum pci_p2pdma_map_type {
	PCI_P2PDMA_MAP_NOT_SUPPORTED,
	PCI_P2PDMA_MAP_BUS_ADDR,
	PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
};

struct pci_p2pdma_map_state {
	enum pci_p2pdma_map_type map;
	struct dev_pagemap *pgmap;	/* until 6.18 */
	struct p2pdma_provider *mem;	/* since 6.19 */
};

/* include/linux/hmm-dma.h, include/linux/hmm.h */
struct hmm_dma_map {
	unsigned long *pfn_list;
	__u64 dma_entry_size;
};

enum hmm_pfn_flags { HMM_PFN_FLAGS = 1, HMM_PFN_P2PDMA, HMM_PFN_P2PDMA_BUS };

struct blk_dma_iter {
	__u64 addr;
	struct pci_p2pdma_map_state p2pdma;
};

/* include/linux/dma-direction.h */
enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE };

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
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

/* include/linux/pci-p2pdma.h, with the series for 7.3 */
enum pci_p2pdma_kind { PCI_P2PDMA_KIND_UNUSED };

struct pci_p2pdma_mapping {
	struct p2pdma_provider *provider;
	struct device *client;
	enum pci_p2pdma_kind kind;
	enum pci_p2pdma_map_type map;
	enum dma_data_direction dir;
	__u64 id;
	__u64 bus_addr;
	__u64 dma_addr;
	unsigned long size;
};

/* include/linux/pci-p2pdma.h */
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
	int use_p2pmem;
};

struct nvmet_sq {
	struct nvmet_ctrl *ctrl;
	__u16 qid;
};

struct nvmet_req {
	struct nvme_command *cmd;
	struct nvmet_sq *sq;
	struct nvmet_ns *ns;
	struct pci_dev *p2p_dev;	/* only in stock kernels */
	unsigned long transfer_len;
};

/* The registers of the first argument and of the return value, of x86 and of arm64 */
struct pt_regs {
	unsigned long di;
	unsigned long ax;
	__u64 regs[1];
};

/* The preempt count is in one of these, depending on the kernel: see compat.bpf.h */
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
	int tgid;
	char comm[16] __attribute__((aligned(8)));	/* follows a pointer in the kernel */
};

#pragma clang attribute pop

#endif /* KERNEL_TYPES_H */
