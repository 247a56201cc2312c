// SPDX-License-Identifier: GPL-2.0
/*
 * What differs between the interfaces of the series: how to get and free buffers, and how to be
 * notified of a removal.
 */
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include "p2pmem_test.h"

int test_buf_pci_alloc(struct test_buf *buf)
{
	buf->nents = 1;
	buf->addr = pci_alloc_p2pmem(buf->p2pmem->provider, buf->size);
	return buf->addr ? 0 : -ENOMEM;
}

static int got_sgl(struct test_buf *buf, struct scatterlist *sgl)
{
	if (IS_ERR(sgl))
		return PTR_ERR(sgl);
	buf->sgl = sgl;
	buf->addr = sg_virt(sgl);
	buf->id = p2pmem_sgl_id(sgl);
	return 0;
}

#if TEST_OF_612
struct p2pmem_device *test_p2pmem(struct pci_dev *provider)
{
	return p2pmem_get_by_provider(provider);
}

int test_buf_alloc_sgl(struct test_buf *buf, unsigned int max_nents, gfp_t gfp)
{
	return got_sgl(buf, p2pmem_alloc_sgl(buf->p2pmem, buf->size, max_nents, &buf->nents, gfp));
}

int test_buf_alloc(struct test_buf *buf, size_t align, gfp_t gfp)
{
	struct p2pmem_buf *got = p2pmem_alloc(buf->p2pmem, buf->size, align, gfp);

	if (IS_ERR(got))
		return PTR_ERR(got);
	buf->buf = got;
	buf->addr = got->addr;
	buf->id = got->id;
	buf->nents = 1;
	return 0;
}

void test_buf_free(struct test_buf *buf)
{
	if (buf->buf)
		p2pmem_free(buf->buf);
	else if (buf->sgl)
		p2pmem_free_sgl(buf->sgl);
	else
		pci_free_p2pmem(buf->p2pmem->provider, buf->addr, buf->size);
}

int test_users_init(void)
{
	return 0;
}

void test_users_exit(void)
{
}
#else /* TEST_OF_612 */
struct p2pmem_device *test_p2pmem(struct pci_dev *provider)
{
	return p2pmem_get_by_name(pci_name(provider));
}

int test_buf_alloc_sgl(struct test_buf *buf, unsigned int max_nents, gfp_t gfp)
{
	/* The list would be allocated with GFP_KERNEL */
	if (!gfpflags_allow_blocking(gfp))
		return test_buf_pci_alloc(buf);
	return got_sgl(buf, p2pmem_alloc_sgl(buf->p2pmem, buf->size, &buf->nents));
}

int test_buf_alloc(struct test_buf *buf, size_t align, gfp_t gfp)
{
	return align ? -EOPNOTSUPP : test_buf_alloc_sgl(buf, 1, gfp);
}

void test_buf_free(struct test_buf *buf)
{
	if (buf->sgl)
		p2pmem_free_sgl(buf->sgl);
	else
		pci_free_p2pmem(buf->p2pmem->provider, buf->addr, buf->size);
}

/* Taken in the callback of the class interface, so it must not be held while others are taken */
static DEFINE_MUTEX(users_lock);	/* protects the list, and calls of remove() */
static LIST_HEAD(users);

int p2pmem_bind(struct p2pmem_device *p2pmem, struct p2pmem_user *user)
{
	guard(mutex)(&users_lock);

	/* If it is not dead, the callback is still to come */
	if (READ_ONCE(p2pmem->dead))
		return -ENODEV;
	user->p2pmem = p2pmem;
	list_add_tail(&user->node, &users);
	return 0;
}

void p2pmem_unbind(struct p2pmem_user *user)
{
	guard(mutex)(&users_lock);

	list_del_init(&user->node);
}

static void device_removed(struct device *dev)
{
	struct p2pmem_user *user, *next;

	guard(mutex)(&users_lock);

	list_for_each_entry_safe(user, next, &users, node) {
		if (&user->p2pmem->dev != dev)
			continue;
		list_del_init(&user->node);
		user->remove(user);
	}
}

static struct class_interface users_interface = {
	.remove_dev = device_removed,
};

int test_users_init(void)
{
	return p2pmem_interface_register(&users_interface);
}

void test_users_exit(void)
{
	class_interface_unregister(&users_interface);
}
#endif /* TEST_OF_612 */
