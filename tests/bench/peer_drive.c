// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/peer_drive: a drive that moves no data and completes requests at once.  It
 * maps the data of each request for DMA by a PCI function.
 *
 * The time of an emulated drive depends on the host, and the guest executes an
 * unknown number of instructions meanwhile.  null_blk is not a PCI function, so it
 * cannot use peer memory.  This driver can, and it maps data as
 * drivers/nvme/host/pci.c does: a single piece of system memory by itself, and
 * anything else by the iterator of the block layer, or on 6.12 as a scatterlist.
 *
 * The parameter requests counts requests with data, and peer_requests those whose
 * data is in peer memory.  They show whether the intended memory was measured.
 */

#include <linux/blk-mq.h>
#if __has_include(<linux/blk-mq-dma.h>)
#include <linux/blk-mq-dma.h>
#endif
#include <linux/dma-mapping.h>
#include <linux/memremap.h>
#include <linux/mempool.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#define MAX_SEGMENTS	128
#define DEPTH		128
#define DRIVE_PAGE	SZ_4K

static char *device;
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "The PCI function, by its address");

static unsigned long requests, peer_requests;
module_param(requests, ulong, 0444);
module_param(peer_requests, ulong, 0444);

static struct pci_dev *pdev;
static struct gendisk *disk;
static mempool_t *lists;

#ifdef BLK_MQ_DMA_H
struct drive_request {
	struct dma_iova_state state;
	enum pci_p2pdma_map_type map;
	dma_addr_t addr;
	unsigned int len;
};

static blk_status_t drive_map_list(struct request *req)
{
	struct drive_request *drive_req = blk_mq_rq_to_pdu(req);
	struct blk_dma_iter iter;

	if (blk_rq_dma_map_iter_start(req, &pdev->dev, &drive_req->state, &iter)) {
		drive_req->map = iter.p2pdma.map;
		while (blk_rq_dma_map_iter_next(req, &pdev->dev, &iter))
			;
	}
	return iter.status;
}

/* The series adds an argument: whether these are integrity data */
#if __has_include(<linux/p2pmem.h>)
#define unmap_rq(...)	blk_rq_dma_unmap(__VA_ARGS__, false)
#else
#define unmap_rq	blk_rq_dma_unmap
#endif

static void drive_unmap_list(struct request *req)
{
	struct drive_request *drive_req = blk_mq_rq_to_pdu(req);

	/* Without an IOMMU, no segment has to be unmapped by itself */
	WARN_ON_ONCE(!unmap_rq(req, &pdev->dev, &drive_req->state,
			       blk_rq_payload_bytes(req), drive_req->map));
}
#else
struct drive_request {
	struct sg_table table;
	dma_addr_t addr;
	unsigned int len;
};

static blk_status_t drive_map_list(struct request *req)
{
	struct drive_request *drive_req = blk_mq_rq_to_pdu(req);
	struct sg_table *table = &drive_req->table;
	int ret;

	table->sgl = mempool_alloc(lists, GFP_ATOMIC);
	if (!table->sgl)
		return BLK_STS_RESOURCE;
	sg_init_table(table->sgl, blk_rq_nr_phys_segments(req));
	table->orig_nents = blk_rq_map_sg(req->q, req, table->sgl);
	ret = dma_map_sgtable(&pdev->dev, table, rq_dma_dir(req), DMA_ATTR_NO_WARN);
	if (ret) {
		mempool_free(table->sgl, lists);
		return ret == -EREMOTEIO ? BLK_STS_TARGET : BLK_STS_RESOURCE;
	}
	return BLK_STS_OK;
}

static void drive_unmap_list(struct request *req)
{
	struct drive_request *drive_req = blk_mq_rq_to_pdu(req);

	dma_unmap_sgtable(&pdev->dev, &drive_req->table, rq_dma_dir(req), 0);
	mempool_free(drive_req->table.sgl, lists);
}
#endif

static blk_status_t drive_map(struct request *req)
{
	struct drive_request *drive_req = blk_mq_rq_to_pdu(req);
	struct bio_vec bv = req_bvec(req);

	requests++;
	if (is_pci_p2pdma_page(bv.bv_page))
		peer_requests++;
	else if (blk_rq_nr_phys_segments(req) == 1) {
		drive_req->addr = dma_map_bvec(&pdev->dev, &bv, rq_dma_dir(req), 0);
		if (dma_mapping_error(&pdev->dev, drive_req->addr))
			return BLK_STS_RESOURCE;
		drive_req->len = bv.bv_len;
		return BLK_STS_OK;
	}

	drive_req->len = 0;
	return drive_map_list(req);
}

static void drive_unmap(struct request *req)
{
	struct drive_request *drive_req = blk_mq_rq_to_pdu(req);

	if (drive_req->len)
		dma_unmap_page(&pdev->dev, drive_req->addr, drive_req->len,
			       rq_dma_dir(req));
	else
		drive_unmap_list(req);
}

static blk_status_t drive_queue_rq(struct blk_mq_hw_ctx *hctx,
				   const struct blk_mq_queue_data *bd)
{
	struct request *req = bd->rq;
	bool data = blk_rq_nr_phys_segments(req);
	blk_status_t status;

	if (data) {
		status = drive_map(req);
		if (status != BLK_STS_OK)
			return status;
	}
	blk_mq_start_request(req);
	if (data)
		drive_unmap(req);
	blk_mq_end_request(req, BLK_STS_OK);
	return BLK_STS_OK;
}

static const struct blk_mq_ops drive_ops = {
	.queue_rq = drive_queue_rq,
};

static struct blk_mq_tag_set tags = {
	.ops = &drive_ops,
	.nr_hw_queues = 1,
	.queue_depth = DEPTH,
	.cmd_size = sizeof(struct drive_request),
	.flags = BLK_MQ_F_NO_SCHED_BY_DEFAULT,
	.numa_node = NUMA_NO_NODE,
};

static const struct block_device_operations drive_fops = {
	.owner = THIS_MODULE,
};

static int __init drive_init(void)
{
	/* The same limits as nvme */
	struct queue_limits limits = {
		.features = BLK_FEAT_PCI_P2PDMA,
		.max_segments = MAX_SEGMENTS,
		.max_segment_size = UINT_MAX,
		.virt_boundary_mask = DRIVE_PAGE - 1,
		.dma_alignment = 3,
	};
	unsigned int domain, bus, slot, fn;
	int ret;

	if (!device || sscanf(device, "%x:%x:%x.%x", &domain, &bus, &slot, &fn) != 4)
		return -EINVAL;
	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, fn));
	if (!pdev)
		return -ENODEV;

	ret = -ENOMEM;
	lists = mempool_create_kmalloc_pool(1, MAX_SEGMENTS * sizeof(struct scatterlist));
	if (!lists)
		goto out_put;

	ret = blk_mq_alloc_tag_set(&tags);
	if (ret)
		goto out_lists;

	disk = blk_mq_alloc_disk(&tags, &limits, NULL);
	if (IS_ERR(disk)) {
		ret = PTR_ERR(disk);
		goto out_tags;
	}
	disk->fops = &drive_fops;
	strscpy(disk->disk_name, "peer_drive", sizeof(disk->disk_name));
	set_capacity(disk, SZ_1G >> SECTOR_SHIFT);

	/* The parent is the device that does the DMA */
	ret = device_add_disk(&pdev->dev, disk, NULL);
	if (ret)
		goto out_disk;
	return 0;

out_disk:
	put_disk(disk);
out_tags:
	blk_mq_free_tag_set(&tags);
out_lists:
	mempool_destroy(lists);
out_put:
	pci_dev_put(pdev);
	return ret;
}
module_init(drive_init);

static void __exit drive_exit(void)
{
	del_gendisk(disk);
	put_disk(disk);
	blk_mq_free_tag_set(&tags);
	mempool_destroy(lists);
	pci_dev_put(pdev);
}
module_exit(drive_exit);

MODULE_DESCRIPTION("A drive that does nothing, at the place of a PCI function");
MODULE_LICENSE("GPL");
