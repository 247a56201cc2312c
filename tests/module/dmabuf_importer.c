// SPDX-License-Identifier: GPL-2.0
/*
 * dmabuf_importer: import a dma-buf on behalf of any PCI device.
 *
 * Write a command to /sys/kernel/debug/dmabuf_importer; write() returns its error.
 *
 *	attach NAME PCI MODE FD		MODE: p2p, local, static
 *	pin NAME | unpin NAME
 *	map NAME | unmap NAME		a device may map several times
 *	obey NAME			unmap everything when the exporter revokes it
 *	detach NAME			also with mappings, if the test wants that
 *
 * "p2p" and "local" attach dynamically, with and without peer-to-peer.  FD is a file descriptor of
 * the process that writes the command.  Reading the file shows a line for each NAME: the number of
 * mappings and of revocations.
 */
#include <linux/debugfs.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define MAX_COMMAND	128
#define MAX_MAPPINGS	128
#define DIRECTION	DMA_BIDIRECTIONAL

/**
 * struct importer - a device that is attached to a dma-buf
 * @node: in importers
 * @name: of the test's choice
 * @pdev: the device
 * @dmabuf: with a reference
 * @attach: the attachment
 * @sgt: the mappings; protected by the lock of the dma-buf, like what follows
 * @mapped: their number
 * @revoked: how often the exporter revoked them
 * @obey: unmap when it does
 */
struct importer {
	struct list_head node;
	char name[16];
	struct pci_dev *pdev;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt[MAX_MAPPINGS];
	unsigned int mapped;
	unsigned int revoked;
	bool obey;
};

static LIST_HEAD(importers);
static DEFINE_MUTEX(importers_lock);	/* serialises commands */
static struct dentry *debugfs_file;

static void unmap_last(struct importer *imp)
{
	dma_buf_unmap_attachment(imp->attach, imp->sgt[--imp->mapped], DIRECTION);
}

static void importer_revoked(struct dma_buf_attachment *attach)
{
	struct importer *imp = attach->importer_priv;

	imp->revoked++;
	while (imp->obey && imp->mapped)
		unmap_last(imp);
}

static const struct dma_buf_attach_ops p2p_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = importer_revoked,
};

static const struct dma_buf_attach_ops local_ops = {
	.invalidate_mappings = importer_revoked,
};

static struct importer *importer_find(const char *name)
{
	struct importer *imp;

	list_for_each_entry(imp, &importers, node)
		if (!strcmp(imp->name, name))
			return imp;
	return NULL;
}

static struct pci_dev *find_device(const char *name)
{
	struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL, name);

	return dev ? to_pci_dev(dev) : NULL;
}

static void importer_free(struct importer *imp)
{
	if (imp->dmabuf)
		dma_buf_put(imp->dmabuf);
	pci_dev_put(imp->pdev);
	kfree(imp);
}

static int importer_attach(const char *name, const char *pci, const char *mode, int fd)
{
	struct importer *imp;
	int err = -ENODEV;

	if (importer_find(name))
		return -EEXIST;
	imp = kzalloc(sizeof(*imp), GFP_KERNEL);
	if (!imp)
		return -ENOMEM;
	strscpy(imp->name, name, sizeof(imp->name));
	imp->pdev = find_device(pci);
	if (!imp->pdev)
		goto err_free;
	imp->dmabuf = dma_buf_get(fd);
	if (IS_ERR(imp->dmabuf)) {
		err = PTR_ERR(imp->dmabuf);
		imp->dmabuf = NULL;
		goto err_free;
	}
	if (!strcmp(mode, "static"))
		imp->attach = dma_buf_attach(imp->dmabuf, &imp->pdev->dev);
	else
		imp->attach = dma_buf_dynamic_attach(imp->dmabuf, &imp->pdev->dev,
						     strcmp(mode, "p2p") ? &local_ops : &p2p_ops,
						     imp);
	if (IS_ERR(imp->attach)) {
		err = PTR_ERR(imp->attach);
		goto err_free;
	}
	list_add_tail(&imp->node, &importers);
	return 0;

err_free:
	importer_free(imp);
	return err;
}

static void importer_detach(struct importer *imp)
{
	list_del(&imp->node);
	dma_buf_detach(imp->dmabuf, imp->attach);
	importer_free(imp);
}

/* The dma-buf is locked. */
static int importer_command(struct importer *imp, const char *command)
{
	struct sg_table *sgt;

	if (!strcmp(command, "map")) {
		if (imp->mapped == MAX_MAPPINGS)
			return -ENOSPC;
		sgt = dma_buf_map_attachment(imp->attach, DIRECTION);
		if (IS_ERR(sgt))
			return PTR_ERR(sgt);
		imp->sgt[imp->mapped++] = sgt;
	} else if (!strcmp(command, "unmap")) {
		if (!imp->mapped)
			return -ENOENT;
		unmap_last(imp);
	} else if (!strcmp(command, "obey")) {
		imp->obey = true;
	} else if (!imp->attach->importer_ops) {
		return -EOPNOTSUPP;
	} else if (!strcmp(command, "pin")) {
		return dma_buf_pin(imp->attach);
	} else if (!strcmp(command, "unpin")) {
		dma_buf_unpin(imp->attach);
	} else {
		return -EINVAL;
	}
	return 0;
}

static int run(char *text)
{
	char command[16] = "", name[16] = "", pci[16] = "", mode[16] = "";
	struct importer *imp;
	int fd, n, err;

	n = sscanf(text, "%15s %15s %15s %15s %d", command, name, pci, mode, &fd);
	if (!strcmp(command, "attach"))
		return n == 5 ? importer_attach(name, pci, mode, fd) : -EINVAL;
	imp = n == 2 ? importer_find(name) : NULL;
	if (!imp)
		return -ENOENT;
	if (!strcmp(command, "detach")) {
		importer_detach(imp);
		return 0;
	}
	dma_resv_lock(imp->dmabuf->resv, NULL);
	err = importer_command(imp, command);
	dma_resv_unlock(imp->dmabuf->resv);
	return err;
}

static ssize_t importer_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	char text[MAX_COMMAND];
	int err;

	if (len >= sizeof(text))
		return -E2BIG;
	if (copy_from_user(text, from, len))
		return -EFAULT;
	text[len] = '\0';
	mutex_lock(&importers_lock);
	err = run(text);
	mutex_unlock(&importers_lock);
	return err ? err : len;
}

static int importer_show(struct seq_file *seq, void *unused)
{
	struct importer *imp;

	mutex_lock(&importers_lock);
	list_for_each_entry(imp, &importers, node)
		seq_printf(seq, "%s mapped=%u revoked=%u\n", imp->name, READ_ONCE(imp->mapped),
			   READ_ONCE(imp->revoked));
	mutex_unlock(&importers_lock);
	return 0;
}

static int importer_open(struct inode *inode, struct file *file)
{
	return single_open(file, importer_show, NULL);
}

static const struct file_operations importer_fops = {
	.owner		= THIS_MODULE,
	.open		= importer_open,
	.read		= seq_read,
	.write		= importer_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int __init importer_init(void)
{
	debugfs_file = debugfs_create_file("dmabuf_importer", 0600, NULL, NULL, &importer_fops);
	return PTR_ERR_OR_ZERO(debugfs_file);
}

static void __exit importer_exit(void)
{
	struct importer *imp, *next;

	debugfs_remove(debugfs_file);
	list_for_each_entry_safe(imp, next, &importers, node) {
		dma_resv_lock(imp->dmabuf->resv, NULL);
		while (imp->mapped)
			unmap_last(imp);
		dma_resv_unlock(imp->dmabuf->resv);
		importer_detach(imp);
	}
}

module_init(importer_init);
module_exit(importer_exit);

MODULE_DESCRIPTION("Import a dma-buf on behalf of any PCI device");
MODULE_IMPORT_NS("DMA_BUF");
MODULE_LICENSE("GPL");
