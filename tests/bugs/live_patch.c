// SPDX-License-Identifier: GPL-2.0
/*
 * live_patch: the fixed functions of p2pdma.c and dma-buf-mapping.c, for a kernel that was built
 * without the fixes.
 *
 * tests/bugs/run copies the two files beside this one.
 */
#include <linux/livepatch.h>
#include <linux/module.h>

/* The kernel exports its own copies */
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(x)
#undef EXPORT_SYMBOL_NS_GPL
#define EXPORT_SYMBOL_NS_GPL(x, y)
#include "p2pdma.c"
#include "dma-buf-mapping.c"

static struct klp_func funcs[] = {
	{ .old_name = "pci_p2pdma_map_type", .new_func = pci_p2pdma_map_type },
	{ .old_name = "pci_p2pdma_distance_many", .new_func = pci_p2pdma_distance_many },
	{ .old_name = "pci_p2pdma_add_resource", .new_func = pci_p2pdma_add_resource },
	{ .old_name = "pci_alloc_p2pmem", .new_func = pci_alloc_p2pmem },
	{ .old_name = "pci_p2pmem_alloc_sgl", .new_func = pci_p2pmem_alloc_sgl },
	{ .old_name = "pci_p2pmem_find_many", .new_func = pci_p2pmem_find_many },
	{ .old_name = "pci_p2pdma_release", .new_func = pci_p2pdma_release },
	{ .old_name = "dma_buf_phys_vec_to_sgt", .new_func = dma_buf_phys_vec_to_sgt },
	{ .old_name = "dma_buf_free_sgt", .new_func = dma_buf_free_sgt },
	{ }
};
static struct klp_object objs[] = { { .funcs = funcs }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };

static int __init live_patch_init(void)
{
	return klp_enable_patch(&patch);
}
module_init(live_patch_init);

static void __exit live_patch_exit(void)
{
}
module_exit(live_patch_exit);

MODULE_DESCRIPTION("The fixed functions of P2PDMA and dma-buf");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
MODULE_IMPORT_NS("DMA_BUF");
