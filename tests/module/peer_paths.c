// SPDX-License-Identifier: GPL-2.0
/*
 * peer_paths: use peer memory in each way in which drivers do, on behalf of any PCI device, with
 * functions that a kernel since 6.19 exports.
 *
 *	insmod peer_paths.ko provider=0000:03:00.0 client=0000:04:00.0
 *	cd /sys/module/peer_paths/parameters
 *	echo 61 >buffers	allocate and free a buffer, 61 times
 *	echo 61 >lists		allocate, map, unmap and free a scatterlist of memory, 61 times
 *	echo 61 >pages		map 61 pages by HMM, each twice, then one of system memory, and
 *				unmap them
 */
#include <linux/dma-mapping.h>
#include <linux/hmm.h>
#include <linux/hmm-dma.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>
#include <linux/sched.h>

#define BUFFER_SIZE	(2 * PAGE_SIZE)

static char *provider = "";
module_param(provider, charp, 0400);
static char *client = "";
module_param(client, charp, 0400);

static struct pci_dev *provider_dev, *client_dev;

static int use_buffer(void)
{
	void *addr = pci_alloc_p2pmem(provider_dev, BUFFER_SIZE);

	if (!addr)
		return -ENOMEM;
	pci_free_p2pmem(provider_dev, addr, BUFFER_SIZE);
	return 0;
}

static int use_list(void)
{
	struct scatterlist *sgl;
	unsigned int nents;
	int err = 0;

	sgl = pci_p2pmem_alloc_sgl(provider_dev, &nents, BUFFER_SIZE);
	if (!sgl)
		return -ENOMEM;
	if (dma_map_sg(&client_dev->dev, sgl, nents, DMA_TO_DEVICE))
		dma_unmap_sg(&client_dev->dev, sgl, nents, DMA_TO_DEVICE);
	else
		err = -EREMOTEIO;
	pci_p2pmem_free_sgl(provider_dev, sgl);
	return err;
}

static int map_pages(struct hmm_dma_map *map, void *addr, unsigned int n, struct page *ram)
{
	struct pci_p2pdma_map_state state = {};
	unsigned long pfn = page_to_pfn(virt_to_page(addr));
	unsigned int i;
	int err = 0;

	/* As after a page fault, and again as after one that wants to write */
	for (i = 0; i < 2 * n && !err; i++) {
		map->pfn_list[i % n] |= (pfn + i % n) | HMM_PFN_VALID;
		if (hmm_dma_map_pfn(&client_dev->dev, map, i % n, &state) == DMA_MAPPING_ERROR)
			err = -EREMOTEIO;
	}
	/* The state still has the last page of peer memory */
	map->pfn_list[n] = page_to_pfn(ram) | HMM_PFN_VALID;
	if (!err && hmm_dma_map_pfn(&client_dev->dev, map, n, &state) == DMA_MAPPING_ERROR)
		err = -EIO;
	/* It skips what is not mapped */
	for (i = 0; i <= n; i++)
		hmm_dma_unmap_pfn(&client_dev->dev, map, i);
	return err;
}

static int use_pages(unsigned int n)
{
	struct page *ram = alloc_page(GFP_KERNEL);
	struct hmm_dma_map map = {};
	int err = -ENOMEM;
	void *addr;

	if (!ram)
		return -ENOMEM;
	addr = pci_alloc_p2pmem(provider_dev, n * PAGE_SIZE);
	if (!addr)
		goto free_page;
	err = hmm_dma_map_alloc(&client_dev->dev, &map, n + 1, PAGE_SIZE);
	if (!err) {
		err = map_pages(&map, addr, n, ram);
		hmm_dma_map_free(&client_dev->dev, &map);
	}
	pci_free_p2pmem(provider_dev, addr, n * PAGE_SIZE);
free_page:
	__free_page(ram);
	return err;
}

static int repeat(const char *value, int (*use)(void))
{
	unsigned int n;
	int err = kstrtouint(value, 0, &n);

	while (!err && n--) {
		err = use();
		cond_resched();
	}
	return err;
}

static int buffers_set(const char *value, const struct kernel_param *kp)
{
	return repeat(value, use_buffer);
}

static int lists_set(const char *value, const struct kernel_param *kp)
{
	return repeat(value, use_list);
}

static int pages_set(const char *value, const struct kernel_param *kp)
{
	unsigned int n;
	int err = kstrtouint(value, 0, &n);

	if (!err && (!n || n > 1024))
		err = -ERANGE;
	return err ?: use_pages(n);
}

static const struct kernel_param_ops buffers_ops = { .set = buffers_set };
static const struct kernel_param_ops lists_ops = { .set = lists_set };
static const struct kernel_param_ops pages_ops = { .set = pages_set };
module_param_cb(buffers, &buffers_ops, NULL, 0200);
module_param_cb(lists, &lists_ops, NULL, 0200);
module_param_cb(pages, &pages_ops, NULL, 0200);

static struct pci_dev *find_device(const char *name)
{
	struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL, name);

	return dev ? to_pci_dev(dev) : NULL;
}

static int __init paths_init(void)
{
	provider_dev = find_device(provider);
	client_dev = find_device(client);
	if (provider_dev && client_dev)
		return 0;
	pci_dev_put(client_dev);
	pci_dev_put(provider_dev);
	return -ENODEV;
}

static void __exit paths_exit(void)
{
	pci_dev_put(client_dev);
	pci_dev_put(provider_dev);
}

module_init(paths_init);
module_exit(paths_exit);

MODULE_DESCRIPTION("Peer memory that is used in each way, for tests");
MODULE_LICENSE("GPL");
