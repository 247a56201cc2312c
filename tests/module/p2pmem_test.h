/* SPDX-License-Identifier: GPL-2.0 */
/*
 * p2pmem_test: a module that gives tests access to the kernel interface of the p2pmem core.
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

/**
 * struct test_buf - a buffer of peer memory, from any of the three allocation functions
 * @p2pmem: the device it comes from; holds a reference
 * @buf: from p2pmem_alloc(), else NULL
 * @sgl: from p2pmem_alloc_sgl(), else NULL
 * @addr: from pci_alloc_p2pmem(), else NULL
 * @nents: number of pieces
 * @size: number of bytes requested
 */
struct test_buf {
	struct p2pmem_device *p2pmem;
	struct p2pmem_buf *buf;
	struct scatterlist *sgl;
	void *addr;
	unsigned int nents;
	size_t size;
};

/**
 * struct test_map - a buffer that is mapped for DMA
 * @client: the device that does the DMA
 * @table: a copy of the list of pieces, for the DMA addresses of this mapping
 * @dir: direction of the DMA
 */
struct test_map {
	struct device *client;
	struct sg_table table;
	enum dma_data_direction dir;
};

int test_buf_table(const struct test_buf *buf, unsigned int max_segment,
		   struct sg_table *table, gfp_t gfp);
void test_buf_free(struct test_buf *buf);
int test_map(struct test_map *map, const struct test_buf *buf,
	     struct device *client, enum dma_data_direction dir, gfp_t gfp);
void test_unmap(struct test_map *map);

struct pci_dev *test_pci_dev(const char *name);

int stress_run(unsigned int seconds, const char *provider,
	       struct device **clients, unsigned int num_clients, char *reply);
void stress_stop(void);

#endif /* P2PMEM_TEST_H */
