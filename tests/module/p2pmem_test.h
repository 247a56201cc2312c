/* SPDX-License-Identifier: GPL-2.0 */
/*
 * p2pmem_test: a module that gives tests access to the kernel interface of the p2pmem core.
 *
 * The interface of the series for 7.3 is smaller than that for 6.12.  A buffer has one piece, which
 * is aligned to a page.  Without pins, its memory returns to the pool when it is freed, even if it
 * is mapped.
 */
#ifndef P2PMEM_TEST_H
#define P2PMEM_TEST_H

#include <linux/atomic.h>
#include <linux/dma-mapping.h>
#include <linux/p2pmem.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#define TEST_REPLY_SIZE	512

#ifdef P2PMEM_BUF_FREED
#define TEST_OF_612	1	/* the series for 6.12 */
#define TEST_PINS	1
#else
#define TEST_OF_612	0	/* the series for 7.3 */
#define TEST_PINS	IS_ENABLED(CONFIG_PCI_P2PMEM_DMA_PINS)

/**
 * struct p2pmem_user - as in the series for 6.12, by means of a class interface
 * @remove: called once when the removal of the p2pmem device begins
 * @p2pmem: the p2pmem device
 * @node: in the list of users that are bound
 */
struct p2pmem_user {
	void (*remove)(struct p2pmem_user *user);
	struct p2pmem_device *p2pmem;
	struct list_head node;
};

int p2pmem_bind(struct p2pmem_device *p2pmem, struct p2pmem_user *user);
void p2pmem_unbind(struct p2pmem_user *user);
#endif

/**
 * struct test_buf - a buffer of peer memory, from any of the three allocation functions
 * @p2pmem: the device it comes from; holds a reference
 * @buf: from p2pmem_alloc(), else NULL; always NULL with the series for 7.3
 * @sgl: from p2pmem_alloc_sgl(), else NULL
 * @addr: where the CPU sees its first piece
 * @id: its id, or 0 from pci_alloc_p2pmem()
 * @nents: number of pieces
 * @size: number of bytes requested
 */
struct test_buf {
	struct p2pmem_device *p2pmem;
	struct p2pmem_buf *buf;
	struct scatterlist *sgl;
	void *addr;
	u64 id;
	unsigned int nents;
	size_t size;
};

/**
 * struct test_map - a buffer that is mapped for DMA
 * @client: the device that does the DMA
 * @table: a copy of the list of pieces, for the DMA addresses of this mapping
 * @dir: direction of the DMA
 * @first: a page of system memory that @table begins with, or NULL
 */
struct test_map {
	struct device *client;
	struct sg_table table;
	enum dma_data_direction dir;
	struct page *first;
};

int test_users_init(void);
void test_users_exit(void);

struct p2pmem_device *test_p2pmem(struct pci_dev *provider);
int test_buf_pci_alloc(struct test_buf *buf);
int test_buf_alloc(struct test_buf *buf, size_t align, gfp_t gfp);
int test_buf_alloc_sgl(struct test_buf *buf, unsigned int max_nents, gfp_t gfp);
void test_buf_free(struct test_buf *buf);

int test_buf_table(const struct test_buf *buf, unsigned int max_segment,
		   struct sg_table *table, gfp_t gfp);
int test_map(struct test_map *map, const struct test_buf *buf,
	     struct device *client, enum dma_data_direction dir, gfp_t gfp);
void test_unmap(struct test_map *map);

struct pci_dev *test_pci_dev(const char *name);

int stress_run(unsigned int seconds, const char *provider,
	       struct device **clients, unsigned int num_clients, char *reply);
void stress_stop(void);

#endif /* P2PMEM_TEST_H */
