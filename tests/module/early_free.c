// SPDX-License-Identifier: GPL-2.0
/*
 * early_free: an owner of peer memory that frees it while a drive still reads it, and gets memory
 * for something else at once.
 *
 *	insmod early_free.ko provider=0000:03:00.0 drive=/dev/nvme1n1
 *	cd /sys/module/early_free/parameters
 *	echo 65536 >write	write 64 KiB of OLD from peer memory to the start of the drive;
 *				before the drive has read it, free the memory, allocate
 *				64 KiB, and fill them with NEW; wait for the drive
 *	cat again		Y if the new memory is the memory that was freed
 *
 * It works with the functions that each kernel with peer-to-peer DMA exports.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>
#include <linux/string.h>

#define OLD	'o'
#define NEW	'n'

static char *provider = "";
module_param(provider, charp, 0400);

static char *drive = "";
module_param(drive, charp, 0400);

static bool again;
module_param(again, bool, 0400);

static void written(struct bio *bio)
{
	complete(bio->bi_private);
}

/* Returns before the drive has read @size bytes at @addr; @done says when it has. */
static struct bio *start_write(struct block_device *bdev, void *addr, size_t size,
			       struct completion *done)
{
	struct bio *bio = bio_alloc(bdev, size / PAGE_SIZE, REQ_OP_WRITE, GFP_KERNEL);
	size_t n;

	for (n = 0; n < size; n += PAGE_SIZE)
		__bio_add_page(bio, virt_to_page(addr + n), PAGE_SIZE, 0);
	bio->bi_iter.bi_sector = 0;
	bio->bi_end_io = written;
	bio->bi_private = done;
	submit_bio(bio);
	return bio;
}

static int free_early(struct pci_dev *pdev, struct block_device *bdev, size_t size)
{
	DECLARE_COMPLETION_ONSTACK(done);
	void *old, *new;
	struct bio *bio;
	int err;

	old = pci_alloc_p2pmem(pdev, size);
	if (!old)
		return -ENOMEM;
	memset(old, OLD, size);
	bio = start_write(bdev, old, size, &done);
	pci_free_p2pmem(pdev, old, size);

	new = pci_alloc_p2pmem(pdev, size);
	again = new == old;
	if (new)
		memset(new, NEW, size);

	wait_for_completion_io(&done);
	err = blk_status_to_errno(bio->bi_status);
	bio_put(bio);
	if (new)
		pci_free_p2pmem(pdev, new, size);
	return new ? err : -ENOMEM;
}

static int write_set(const char *value, const struct kernel_param *kp)
{
	struct device *dev;
	struct file *file;
	unsigned int size;
	int err;

	err = kstrtouint(value, 0, &size);
	if (err)
		return err;
	if (!size || size % PAGE_SIZE || size / PAGE_SIZE > BIO_MAX_VECS)
		return -EINVAL;
	dev = bus_find_device_by_name(&pci_bus_type, NULL, provider);
	if (!dev)
		return -ENODEV;
	file = bdev_file_open_by_path(drive, BLK_OPEN_WRITE, NULL, NULL);
	err = PTR_ERR_OR_ZERO(file);
	if (!err) {
		err = free_early(to_pci_dev(dev), file_bdev(file), size);
		fput(file);
	}
	put_device(dev);
	return err;
}

static const struct kernel_param_ops write_ops = { .set = write_set };
module_param_cb(write, &write_ops, NULL, 0200);

MODULE_DESCRIPTION("Peer memory that is freed while a drive reads it, for tests");
MODULE_LICENSE("GPL");
