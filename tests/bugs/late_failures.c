// SPDX-License-Identifier: GPL-2.0
/*
 * late_failures: make functions fail that rarely do, for one program.
 *
 * Writing to the parameters: "comm" is the name of the program, "sg_alloc_table",
 * "gen_pool_add_owner" and "dma_iova_try_alloc" let these functions fail, "dma_map_phys" and
 * "sgl_alloc" are the number of the call that fails, from 1.  What a failing function has
 * allocated is lost.  "unmapped" counts the calls of dma_unmap_phys().
 */
#include <linux/dma-mapping.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static char comm[TASK_COMM_LEN] = "";
module_param_string(comm, comm, sizeof(comm), 0600);
static bool fail_sg_alloc_table, fail_gen_pool_add_owner, fail_dma_iova_try_alloc;
module_param_named(sg_alloc_table, fail_sg_alloc_table, bool, 0600);
module_param_named(gen_pool_add_owner, fail_gen_pool_add_owner, bool, 0600);
module_param_named(dma_iova_try_alloc, fail_dma_iova_try_alloc, bool, 0600);
static int fail_dma_map_phys, fail_sgl_alloc, unmapped;
module_param_named(dma_map_phys, fail_dma_map_phys, int, 0600);
module_param_named(sgl_alloc, fail_sgl_alloc, int, 0600);
module_param(unmapped, int, 0600);

static bool ours(void) { return in_task() && !strcmp(current->comm, comm); }

static int table_ret(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (ours() && fail_sg_alloc_table)
		regs_set_return_value(regs, -ENOMEM);
	return 0;
}

static int pool_ret(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (ours() && fail_gen_pool_add_owner)
		regs_set_return_value(regs, -ENOMEM);
	return 0;
}

static int iova_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	*(void **)ri->data = (void *)regs_get_kernel_argument(regs, 1);
	return 0;
}

static int iova_ret(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (ours() && fail_dma_iova_try_alloc) {
		memset(*(void **)ri->data, 0, sizeof(struct dma_iova_state));
		regs_set_return_value(regs, false);
	}
	return 0;
}

static int map_ret(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (ours() && fail_dma_map_phys && !--fail_dma_map_phys)
		regs_set_return_value(regs, DMA_MAPPING_ERROR);
	return 0;
}

static int sgl_ret(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (ours() && fail_sgl_alloc && !--fail_sgl_alloc)
		regs_set_return_value(regs, 0);
	return 0;
}

static int unmap_pre(struct kprobe *kp, struct pt_regs *regs)
{
	if (ours())
		unmapped++;
	return 0;
}

static struct kretprobe rets[] = {
	{ .kp.symbol_name = "sg_alloc_table", .handler = table_ret },
	{ .kp.symbol_name = "gen_pool_add_owner", .handler = pool_ret },
	{ .kp.symbol_name = "dma_iova_try_alloc", .handler = iova_ret,
	  .entry_handler = iova_entry, .data_size = sizeof(void *) },
	{ .kp.symbol_name = "dma_map_phys", .handler = map_ret },
	{ .kp.symbol_name = "sgl_alloc", .handler = sgl_ret },
};
static struct kretprobe *list[] = { &rets[0], &rets[1], &rets[2], &rets[3], &rets[4] };
static struct kprobe unmap = { .symbol_name = "dma_unmap_phys", .pre_handler = unmap_pre };

static int __init late_failures_init(void)
{
	int error = register_kretprobes(list, ARRAY_SIZE(list));

	if (error)
		return error;
	error = register_kprobe(&unmap);
	if (error)
		unregister_kretprobes(list, ARRAY_SIZE(list));
	return error;
}
module_init(late_failures_init);

static void __exit late_failures_exit(void)
{
	unregister_kprobe(&unmap);
	unregister_kretprobes(list, ARRAY_SIZE(list));
}
module_exit(late_failures_exit);

MODULE_DESCRIPTION("Makes functions fail that rarely do");
MODULE_LICENSE("GPL");
