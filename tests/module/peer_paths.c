// SPDX-License-Identifier: GPL-2.0
/*
 * peer_paths: use peer memory in each way in which drivers do, on behalf of any PCI device, with
 * functions that a kernel since 6.19 exports.
 *
 *	insmod peer_paths.ko provider=0000:03:00.0 client=0000:04:00.0 drive=/dev/nvme1n1
 *	cd /sys/module/peer_paths/parameters
 *	echo 61 >buffers	allocate and free a buffer, 61 times
 *	echo 61 >lists		allocate, map, unmap and free a scatterlist of memory, 61 times
 *	echo 61 >pages		map 61 pages by HMM, each twice, then one of system memory, and
 *				unmap them
 *	echo 61 >bars		map the first BAR of the provider as amdgpu does, 61 times, each
 *				time twice, and the client's own BAR; unmap them
 *	echo 61 >dmabufs	map that BAR so for an importer of a dma-buf, 61 times
 *	echo 61 >requests	map a request of the drive with metadata as a driver does that
 *				fails to map all of it, and again; end it, 61 times
 */
#include <linux/blk-integrity.h>
#include <linux/blk-mq.h>
#include <linux/blk-mq-dma.h>
#include <linux/blkdev.h>
#include <linux/dma-buf.h>
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

static char *drive = "";
module_param(drive, charp, 0400);

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

/* Of the first BAR of a device */
static dma_addr_t map_bar(struct pci_dev *pdev, struct device *dev)
{
	return dma_map_resource(dev, pci_resource_start(pdev, 0), PAGE_SIZE, DMA_TO_DEVICE, 0);
}

static void unmap_bar(struct device *dev, dma_addr_t addr)
{
	dma_unmap_resource(dev, addr, PAGE_SIZE, DMA_TO_DEVICE, 0);
}

static int use_bar(void)
{
	struct pci_dev *bars[] = { provider_dev, provider_dev, client_dev };
	dma_addr_t addrs[ARRAY_SIZE(bars)];
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(bars); i++) {
		addrs[i] = map_bar(bars[i], &client_dev->dev);
		if (addrs[i] == DMA_MAPPING_ERROR)
			err = -EIO;
	}
	for (i = 0; i < ARRAY_SIZE(bars); i++)
		if (addrs[i] != DMA_MAPPING_ERROR)
			unmap_bar(&client_dev->dev, addrs[i]);
	return err;
}

static struct sg_table *bar_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	dma_addr_t addr;

	if (!sgt || sg_alloc_table(sgt, 1, GFP_KERNEL)) {
		kfree(sgt);
		return ERR_PTR(-ENOMEM);
	}
	addr = map_bar(provider_dev, attach->dev);
	if (addr == DMA_MAPPING_ERROR) {
		sg_free_table(sgt);
		kfree(sgt);
		return ERR_PTR(-EIO);
	}
	sg_set_page(sgt->sgl, NULL, PAGE_SIZE, 0);
	sg_dma_address(sgt->sgl) = addr;
	sg_dma_len(sgt->sgl) = PAGE_SIZE;
	return sgt;
}

static void bar_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	unmap_bar(attach->dev, sg_dma_address(sgt->sgl));
	sg_free_table(sgt);
	kfree(sgt);
}

static void bar_release(struct dma_buf *dmabuf)
{
}

static const struct dma_buf_ops bar_ops = {
	.map_dma_buf = bar_map, .unmap_dma_buf = bar_unmap, .release = bar_release,
};

static int map_dmabuf(struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, &client_dev->dev);
	struct sg_table *sgt;
	int err = 0;

	if (IS_ERR(attach))
		return PTR_ERR(attach);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	if (IS_ERR(sgt))
		err = PTR_ERR(sgt);
	else
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dmabuf, attach);
	return err;
}

static int use_dmabuf(void)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;
	int err;

	info.ops = &bar_ops;
	info.size = PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = provider_dev;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	err = map_dmabuf(dmabuf);
	dma_buf_put(dmabuf);
	return err;
}

/* Data and metadata are in pages of their own. */
static int map_request(struct request *rq, void *addr)
{
	struct bio_integrity_payload *metadata;
	struct dma_iova_state state = {};
	struct blk_dma_iter iter;
	int err = blk_rq_map_kern(rq, addr, PAGE_SIZE, GFP_KERNEL);

	if (err)
		return err;
	metadata = bio_integrity_alloc(rq->bio, GFP_KERNEL, 1);
	if (IS_ERR(metadata))
		return PTR_ERR(metadata);
	bvec_set_page(&metadata->bip_vec[0], virt_to_page(addr + PAGE_SIZE), 512, 0);
	metadata->bip_iter.bi_size = 512;
	metadata->bip_vcnt = 1;
	if (!blk_rq_dma_map_iter_start(rq, &client_dev->dev, &state, &iter))
		return -EREMOTEIO;
	/* The driver unmaps it, returns it to the block layer, and gets it again */
	blk_rq_dma_unmap(rq, &client_dev->dev, &state, PAGE_SIZE, iter.p2pdma.map);
	if (!blk_rq_dma_map_iter_start(rq, &client_dev->dev, &state, &iter) ||
	    !blk_rq_integrity_dma_map_iter_start(rq, &client_dev->dev, &state, &iter))
		return -EREMOTEIO;
	return 0;
}

static int use_request(void)
{
	struct file *file = bdev_file_open_by_path(drive, BLK_OPEN_READ, NULL, NULL);
	struct request_queue *queue;
	struct request *rq;
	int err = -ENOMEM;
	void *addr;

	if (IS_ERR(file))
		return PTR_ERR(file);
	queue = bdev_get_queue(file_bdev(file));
	/* The drive need not be formatted with metadata */
	if (!queue->limits.integrity.interval_exp)
		queue->limits.integrity.interval_exp = SECTOR_SHIFT;
	addr = pci_alloc_p2pmem(provider_dev, 2 * PAGE_SIZE);
	if (!addr)
		goto close;
	rq = blk_mq_alloc_request(queue, REQ_OP_DRV_IN, 0);
	err = PTR_ERR_OR_ZERO(rq);
	if (!err) {
		err = map_request(rq, addr);
		blk_mq_end_request(rq, BLK_STS_OK);
	}
	pci_free_p2pmem(provider_dev, addr, 2 * PAGE_SIZE);
close:
	fput(file);
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

static int bars_set(const char *value, const struct kernel_param *kp)
{
	return repeat(value, use_bar);
}

static int dmabufs_set(const char *value, const struct kernel_param *kp)
{
	return repeat(value, use_dmabuf);
}

static int requests_set(const char *value, const struct kernel_param *kp)
{
	return repeat(value, use_request);
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
static const struct kernel_param_ops bars_ops = { .set = bars_set };
static const struct kernel_param_ops dmabufs_ops = { .set = dmabufs_set };
static const struct kernel_param_ops requests_ops = { .set = requests_set };
static const struct kernel_param_ops pages_ops = { .set = pages_set };
module_param_cb(buffers, &buffers_ops, NULL, 0200);
module_param_cb(lists, &lists_ops, NULL, 0200);
module_param_cb(bars, &bars_ops, NULL, 0200);
module_param_cb(dmabufs, &dmabufs_ops, NULL, 0200);
module_param_cb(requests, &requests_ops, NULL, 0200);
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
MODULE_IMPORT_NS("DMA_BUF");
