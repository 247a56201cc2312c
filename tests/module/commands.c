// SPDX-License-Identifier: GPL-2.0
/*
 * p2pmem_test: call the kernel interface of the p2pmem core from a shell.
 *
 * Open /sys/kernel/debug/p2pmem_test for reading and writing, write a command
 * and read the reply.  If a command fails, write() returns its error, and the
 * reply is the name of the error.  The caller chooses numbers for buffers,
 * mappings and users.  Devices have their PCI names.  The table at the end of
 * this file lists the commands.
 *
 * Some commands use the interface wrongly on purpose.  They do it in a way that
 * does not crash the machine if the core does not notice.
 */
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "p2pmem_test.h"

#define MAX_COMMAND	256
#define MAX_CLIENTS	8
#define MAX_ARGS	(MAX_CLIENTS + 3)

/**
 * struct test_session - one open file
 * @lock: serialises commands; protects @reply
 * @reply: the reply to the last command
 */
struct test_session {
	struct mutex lock;	/* protects reply */
	char reply[TEST_REPLY_SIZE];
};

/**
 * struct test_user - a user of a p2pmem device
 * @user: the part that the core knows
 * @notified: number of removals that the user was notified of
 * @buf: the number of the buffer to free on removal, if @frees is set
 * @frees: free @buf on removal
 */
struct test_user {
	struct p2pmem_user user;
	atomic_t notified;
	u32 buf;
	bool frees;
};

/**
 * struct test_kept - a device that outlives its provider
 * @node: in kept_devices
 * @p2pmem: the device; holds a reference
 */
struct test_kept {
	struct list_head node;
	struct p2pmem_device *p2pmem;
};

/*
 * Protects the data below.  The remove() callback of a user takes it, so it
 * must not be held when a user is bound or unbound.
 */
static DEFINE_MUTEX(test_lock);
static DEFINE_XARRAY(test_bufs);
static DEFINE_XARRAY(test_maps);
static DEFINE_XARRAY(test_users);
static LIST_HEAD(kept_devices);

static struct dentry *test_file;

/* Buffers of any of the three interfaces */

/* Split one piece into segments that a device accepts; if @to is NULL, only count them */
static unsigned int cut_piece(struct scatterlist **to, struct page *page,
			      unsigned int length, unsigned int offset,
			      unsigned int max_segment)
{
	unsigned int n = 0, done, len;

	for (done = 0; done < length; done += len) {
		len = min(length - done, max_segment);
		n++;
		if (!to)
			continue;
		/* The pages of a ZONE_DEVICE are in one array */
		sg_set_page(*to, page + PHYS_PFN(offset + done), len,
			    offset_in_page(offset + done));
		*to = sg_next(*to);
	}
	return n;
}

static unsigned int cut_buf(struct scatterlist **to, const struct test_buf *buf,
			    unsigned int max_segment)
{
	struct scatterlist *from;
	unsigned int n = 0;
	int i;

	if (!buf->sgl)
		return cut_piece(to, virt_to_page(buf->addr), buf->size,
				 offset_in_page(buf->addr), max_segment);

	for_each_sg(buf->sgl, from, buf->nents, i)
		n += cut_piece(to, sg_page(from), from->length, from->offset,
			       max_segment);
	return n;
}

/* @first: a page that comes before the buffer, or NULL */
static int make_table(struct page *first, const struct test_buf *buf,
		      unsigned int max_segment, struct sg_table *table,
		      gfp_t gfp)
{
	struct scatterlist *to;
	int error;

	error = sg_alloc_table(table, !!first + cut_buf(NULL, buf, max_segment),
			       gfp);
	if (error)
		return error;

	to = table->sgl;
	if (first) {
		sg_set_page(to, first, PAGE_SIZE, 0);
		to = sg_next(to);
	}
	cut_buf(&to, buf, max_segment);
	return 0;
}

int test_buf_table(const struct test_buf *buf, unsigned int max_segment,
		   struct sg_table *table, gfp_t gfp)
{
	return make_table(NULL, buf, max_segment, table, gfp);
}

int test_map(struct test_map *map, const struct test_buf *buf,
	     struct device *client, enum dma_data_direction dir, gfp_t gfp)
{
	int error;

	error = make_table(map->first, buf, dma_get_max_seg_size(client),
			   &map->table, gfp);
	if (error)
		return error;

	error = dma_map_sgtable(client, &map->table, dir, 0);
	if (error) {
		sg_free_table(&map->table);
		return error;
	}

	map->client = client;
	map->dir = dir;
	return 0;
}

void test_unmap(struct test_map *map)
{
	dma_unmap_sgtable(map->client, &map->table, map->dir, 0);
	sg_free_table(&map->table);
}

struct pci_dev *test_pci_dev(const char *name)
{
	struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL, name);

	return dev ? to_pci_dev(dev) : NULL;
}

/* The device that cmd_keep() kept for a provider, otherwise the current one */
static struct p2pmem_device *find_p2pmem(const char *name)
{
	struct p2pmem_device *p2pmem;
	struct test_kept *kept;
	struct pci_dev *pdev;

	lockdep_assert_held(&test_lock);

	list_for_each_entry(kept, &kept_devices, node)
		if (!strcmp(pci_name(kept->p2pmem->provider), name))
			return p2pmem_get(kept->p2pmem);

	pdev = test_pci_dev(name);
	if (!pdev)
		return NULL;
	p2pmem = test_p2pmem(pdev);
	pci_dev_put(pdev);
	return p2pmem;
}

static int parse_size(const char *arg, size_t *size)
{
	u64 value;
	int error;

	error = kstrtou64(arg, 0, &value);
	*size = value;
	return error;
}

static int parse_clients(char **argv, int argc, struct device **clients)
{
	int i;

	for (i = 0; i < argc; i++) {
		struct pci_dev *pdev = test_pci_dev(argv[i]);

		if (!pdev) {
			while (i--)
				put_device(clients[i]);
			return -ENXIO;
		}
		clients[i] = &pdev->dev;
	}
	return 0;
}

static void put_clients(struct device **clients, int num_clients)
{
	while (num_clients--)
		put_device(clients[num_clients]);
}

/* Buffers */

static void drop_buf(struct test_buf *buf)
{
	p2pmem_put(buf->p2pmem);
	kfree(buf);
}

static void forget_buf(u32 number)
{
	drop_buf(xa_erase(&test_bufs, number));
}

/* alloc, alloc_sgl, pci_alloc: the three ways to get a buffer */
static int get_buf(struct test_buf *buf, char **argv, int argc)
{
	size_t align = 0;
	u32 max_nents;
	int error;

	error = parse_size(argv[3], &buf->size);
	if (error)
		return error;

	if (!strcmp(argv[0], "alloc")) {
		error = argc > 4 ? parse_size(argv[4], &align) : 0;
		return error ?: test_buf_alloc(buf, align, GFP_KERNEL);
	}

	if (!strcmp(argv[0], "alloc_sgl")) {
		error = kstrtou32(argv[4], 0, &max_nents);
		if (error)
			return error;
		if (buf->size > U32_MAX)
			return -EINVAL;
		return test_buf_alloc_sgl(buf, max_nents, GFP_KERNEL);
	}

	return test_buf_pci_alloc(buf);
}

static void describe_buf(const struct test_buf *buf, char *reply)
{
	struct scatterlist *sg;
	size_t len = 0;
	int i;

	if (buf->id)
		len += scnprintf(reply, TEST_REPLY_SIZE, "id=%llu ", buf->id);
	len += scnprintf(reply + len, TEST_REPLY_SIZE - len, "size=%zu nents=%u bus_addr=%#llx",
			 buf->size, buf->nents,
			 (u64)pci_p2pmem_virt_to_bus(buf->p2pmem->provider, buf->addr));
	if (buf->sgl)
		for_each_sg(buf->sgl, sg, buf->nents, i)
			len += scnprintf(reply + len, TEST_REPLY_SIZE - len, "%s%u",
					 i ? "," : " pieces=", sg->length);
	scnprintf(reply + len, TEST_REPLY_SIZE - len, "\n");
}

static int cmd_alloc(char **argv, int argc, char *reply)
{
	struct test_buf *buf;
	u32 number;
	int error;

	error = kstrtou32(argv[1], 0, &number);
	if (error)
		return error;

	guard(mutex)(&test_lock);

	buf = kzalloc(sizeof(*buf), GFP_KERNEL);
	if (!buf)
		return -ENOMEM;

	buf->p2pmem = find_p2pmem(argv[2]);
	if (!buf->p2pmem) {
		error = -ENXIO;
		goto out_free;
	}

	error = xa_insert(&test_bufs, number, buf, GFP_KERNEL);
	if (error) {
		error = error == -EBUSY ? -EEXIST : error;
		goto out_put;
	}

	error = get_buf(buf, argv, argc);
	if (error)
		goto out_erase;

	describe_buf(buf, reply);
	return 0;

out_erase:
	xa_erase(&test_bufs, number);
out_put:
	p2pmem_put(buf->p2pmem);
out_free:
	kfree(buf);
	return error;
}

static struct test_buf *find_buf(const char *arg, u32 *number)
{
	lockdep_assert_held(&test_lock);

	return kstrtou32(arg, 0, number) ? NULL : xa_load(&test_bufs, *number);
}

static int cmd_free(char **argv, int argc, char *reply)
{
	struct test_buf *buf;
	u32 number;

	guard(mutex)(&test_lock);

	buf = find_buf(argv[1], &number);
	if (!buf)
		return -ENOENT;

	test_buf_free(buf);
	forget_buf(number);
	return 0;
}

static int cmd_free_twice(char **argv, int argc, char *reply)
{
	struct test_buf *buf;
	u32 number;

	guard(mutex)(&test_lock);

	buf = find_buf(argv[1], &number);
	if (!buf)
		return -ENOENT;
	if (TEST_OF_612 && buf->sgl)
		return -EINVAL;

	/* The structure of a buffer stays valid until rcu_read_unlock(), a list does not */
	rcu_read_lock();
	if (buf->sgl)
		pci_free_p2pmem(buf->p2pmem->provider, buf->addr, buf->size);
	else
		test_buf_free(buf);
	test_buf_free(buf);
	rcu_read_unlock();
	forget_buf(number);
	return 0;
}

/* pci_free_p2pmem() takes an address and a size, and either can be wrong */
static int cmd_free_part(char **argv, int argc, char *reply)
{
	size_t offset, size;
	struct test_buf *buf;
	u32 number;

	if (parse_size(argv[2], &offset) || parse_size(argv[3], &size))
		return -EINVAL;

	guard(mutex)(&test_lock);

	buf = find_buf(argv[1], &number);
	if (!buf)
		return -ENOENT;
	if (TEST_OF_612 && buf->sgl)
		return -EINVAL;

	pci_free_p2pmem(buf->p2pmem->provider, buf->addr + offset, size);
	if (!offset && size == buf->size)
		forget_buf(number);
	return 0;
}

static int cmd_free_foreign(char **argv, int argc, char *reply)
{
	struct pci_dev *provider;
	void *addr;

	addr = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!addr)
		return -ENOMEM;

	provider = test_pci_dev(argv[1]);
	if (provider)
		pci_free_p2pmem(provider, addr, PAGE_SIZE);
	pci_dev_put(provider);
	kfree(addr);
	return provider ? 0 : -ENXIO;
}

/* Write or verify a pattern word by word, because this is device memory */
static int cmd_pattern(char **argv, int argc, char *reply)
{
	bool fill = !strcmp(argv[0], "fill");
	struct scatterlist *sg;
	struct sg_table table;
	struct test_buf *buf;
	u32 number, word;
	int error, i;

	error = kstrtou32(argv[2], 0, &word);
	if (error)
		return error;

	guard(mutex)(&test_lock);

	buf = find_buf(argv[1], &number);
	if (!buf)
		return -ENOENT;

	error = test_buf_table(buf, UINT_MAX, &table, GFP_KERNEL);
	if (error)
		return error;

	for_each_sgtable_sg(&table, sg, i) {
		u32 *p = sg_virt(sg), *end = p + sg->length / sizeof(*p);

		for (; p < end; p++) {
			word = word * 1664525 + 1013904223;
			if (fill)
				WRITE_ONCE(*p, word);
			else if (READ_ONCE(*p) != word)
				error = -EILSEQ;
		}
		cond_resched();
	}
	sg_free_table(&table);
	return error;
}

/* Mappings */

static void drop_map(struct test_map *map)
{
	test_unmap(map);
	put_device(map->client);
	kfree(map);
}

static int cmd_map(char **argv, int argc, char *reply)
{
	enum dma_data_direction dir = DMA_TO_DEVICE;
	struct pci_dev *client;
	struct test_map *map;
	struct test_buf *buf;
	u32 number, ignored;
	int error;

	if (argc > 4 && !strcmp(argv[4], "from_device"))
		dir = DMA_FROM_DEVICE;
	else if (argc > 4 && strcmp(argv[4], "mixed"))
		return -EINVAL;

	error = kstrtou32(argv[1], 0, &number);
	if (error)
		return error;

	guard(mutex)(&test_lock);

	buf = find_buf(argv[2], &ignored);
	if (!buf)
		return -ENOENT;

	client = test_pci_dev(argv[3]);
	if (!client)
		return -ENXIO;

	map = kzalloc(sizeof(*map), GFP_KERNEL);
	if (!map) {
		error = -ENOMEM;
		goto out_put;
	}

	error = xa_insert(&test_maps, number, map, GFP_KERNEL);
	if (error) {
		error = error == -EBUSY ? -EEXIST : error;
		goto out_free;
	}

	if (argc > 4 && !strcmp(argv[4], "mixed"))
		map->first = ZERO_PAGE(0);
	error = test_map(map, buf, &client->dev, dir, GFP_KERNEL);
	if (error)
		goto out_erase;

	scnprintf(reply, TEST_REPLY_SIZE, "nents=%u dma_addr=%#llx by_bus_addr=%d\n",
		  map->table.nents, (u64)sg_dma_address(map->table.sgl),
		  sg_dma_is_bus_address(map->table.sgl));
	return 0;

out_erase:
	xa_erase(&test_maps, number);
out_free:
	kfree(map);
out_put:
	pci_dev_put(client);
	return error;
}

static int cmd_unmap(char **argv, int argc, char *reply)
{
	struct test_map *map;
	u32 number;
	int error;

	error = kstrtou32(argv[1], 0, &number);
	if (error)
		return error;

	guard(mutex)(&test_lock);

	map = xa_erase(&test_maps, number);
	if (!map)
		return -ENOENT;
	drop_map(map);
	return 0;
}

/* Map the memory of MAP once more, even if its buffer was freed meanwhile */
static int cmd_map_again(char **argv, int argc, char *reply)
{
	struct scatterlist *first, again;
	struct test_map *map;
	u32 number;
	int error;

	error = kstrtou32(argv[1], 0, &number);
	if (error)
		return error;

	guard(mutex)(&test_lock);

	map = xa_load(&test_maps, number);
	if (!map)
		return -ENOENT;
	first = map->table.sgl;
	sg_init_table(&again, 1);
	sg_set_page(&again, sg_page(first), first->length, first->offset);
	if (!dma_map_sg(map->client, &again, 1, map->dir))
		return -EIO;
	dma_unmap_sg(map->client, &again, 1, map->dir);
	return 0;
}

/*
 * What MAP maps, by a device that did not map it.  MAP is forgotten: its own unmap
 * would be one too many.
 */
static int cmd_unmap_as(char **argv, int argc, char *reply)
{
	struct scatterlist entry;
	struct pci_dev *client;
	struct test_map *map;
	u32 number;
	int error;

	error = kstrtou32(argv[1], 0, &number);
	if (error)
		return error;

	guard(mutex)(&test_lock);

	client = test_pci_dev(argv[2]);
	if (!client)
		return -ENXIO;
	map = xa_load(&test_maps, number);
	if (!map) {
		pci_dev_put(client);
		return -ENOENT;
	}

	entry = *map->table.sgl;
	sg_mark_end(&entry);
	dma_unmap_sg(&client->dev, &entry, 1, map->dir);
	xa_erase(&test_maps, number);
	sg_free_table(&map->table);
	put_device(map->client);
	kfree(map);
	pci_dev_put(client);
	return 0;
}

/* Users */

static void user_remove(struct p2pmem_user *p2pmem_user)
{
	struct test_user *user =
		container_of(p2pmem_user, struct test_user, user);
	struct test_buf *buf;

	atomic_inc(&user->notified);
	if (!user->frees)
		return;

	guard(mutex)(&test_lock);

	buf = xa_load(&test_bufs, user->buf);
	if (!buf)
		return;
	test_buf_free(buf);
	forget_buf(user->buf);
}

static int cmd_bind(char **argv, int argc, char *reply)
{
	struct p2pmem_device *p2pmem;
	struct test_user *user;
	u32 number;
	int error;

	user = kzalloc(sizeof(*user), GFP_KERNEL);
	if (!user)
		return -ENOMEM;
	user->user.remove = user_remove;
	user->frees = argc > 3;

	error = kstrtou32(argv[1], 0, &number);
	if (!error && user->frees)
		error = kstrtou32(argv[3], 0, &user->buf);
	if (error)
		goto out_free;

	scoped_guard(mutex, &test_lock)
		p2pmem = find_p2pmem(argv[2]);
	if (!p2pmem) {
		error = -ENXIO;
		goto out_free;
	}

	error = p2pmem_bind(p2pmem, &user->user);
	if (error)
		goto out_put;

	error = xa_insert(&test_users, number, user, GFP_KERNEL);
	if (error) {
		p2pmem_unbind(&user->user);
		error = error == -EBUSY ? -EEXIST : error;
		goto out_put;
	}

	p2pmem_put(p2pmem);
	return 0;

out_put:
	p2pmem_put(p2pmem);
out_free:
	kfree(user);
	return error;
}

static int cmd_unbind(char **argv, int argc, char *reply)
{
	struct test_user *user;
	u32 number;
	int error;

	error = kstrtou32(argv[1], 0, &number);
	if (error)
		return error;

	/* Once it is out of the array, nobody else can unbind it */
	scoped_guard(mutex, &test_lock)
		user = xa_erase(&test_users, number);
	if (!user)
		return -ENOENT;

	p2pmem_unbind(&user->user);
	scnprintf(reply, TEST_REPLY_SIZE, "notified=%d\n", atomic_read(&user->notified));
	kfree(user);
	return 0;
}

static int cmd_notified(char **argv, int argc, char *reply)
{
	struct test_user *user;
	u32 number;
	int error;

	error = kstrtou32(argv[1], 0, &number);
	if (error)
		return error;

	xa_lock(&test_users);
	user = xa_load(&test_users, number);
	if (user)
		scnprintf(reply, TEST_REPLY_SIZE, "notified=%d\n",
			  atomic_read(&user->notified));
	xa_unlock(&test_users);
	return user ? 0 : -ENOENT;
}

/* Devices */

static int cmd_keep(char **argv, int argc, char *reply)
{
	struct test_kept *kept;

	guard(mutex)(&test_lock);

	kept = kzalloc(sizeof(*kept), GFP_KERNEL);
	if (!kept)
		return -ENOMEM;

	kept->p2pmem = find_p2pmem(argv[1]);
	if (!kept->p2pmem) {
		kfree(kept);
		return -ENXIO;
	}
	list_add(&kept->node, &kept_devices);
	return 0;
}

static int cmd_drop(char **argv, int argc, char *reply)
{
	struct test_kept *kept;

	guard(mutex)(&test_lock);

	list_for_each_entry(kept, &kept_devices, node) {
		if (strcmp(pci_name(kept->p2pmem->provider), argv[1]))
			continue;
		list_del(&kept->node);
		p2pmem_put(kept->p2pmem);
		kfree(kept);
		return 0;
	}
	return -ENOENT;
}

static int cmd_publish(char **argv, int argc, char *reply)
{
	struct pci_dev *pdev;
	bool publish;
	int error;

	error = kstrtobool(argv[2], &publish);
	if (error)
		return error;

	pdev = test_pci_dev(argv[1]);
	if (!pdev)
		return -ENXIO;
	pci_p2pmem_publish(pdev, publish);
	pci_dev_put(pdev);
	return 0;
}

static int cmd_find(char **argv, int argc, char *reply)
{
	struct device *clients[MAX_CLIENTS];
	struct p2pmem_device *p2pmem;
	int distance, error;

	error = parse_clients(argv + 1, argc - 1, clients);
	if (error)
		return error;

	p2pmem = p2pmem_find(clients, argc - 1, &distance);
	put_clients(clients, argc - 1);
	if (!p2pmem)
		return -ENODEV;

	scnprintf(reply, TEST_REPLY_SIZE, "dev=%s provider=%s distance=%d\n",
		  dev_name(&p2pmem->dev), pci_name(p2pmem->provider), distance);
	p2pmem_put(p2pmem);
	return 0;
}

static int cmd_check(char **argv, int argc, char *reply)
{
	struct device *clients[MAX_CLIENTS];
	struct p2pmem_device *p2pmem;
	int distance;

	distance = parse_clients(argv + 2, argc - 2, clients);
	if (distance)
		return distance;

	scoped_guard(mutex, &test_lock)
		p2pmem = find_p2pmem(argv[1]);
	distance = p2pmem ? p2pmem_check(p2pmem, clients, argc - 2, false) :
			    -ENXIO;
	p2pmem_put(p2pmem);
	put_clients(clients, argc - 2);
	if (distance < 0)
		return distance;

	scnprintf(reply, TEST_REPLY_SIZE, "distance=%d\n", distance);
	return 0;
}

static int cmd_stress(char **argv, int argc, char *reply)
{
	struct device *clients[MAX_CLIENTS];
	u32 seconds;
	int error;

	error = kstrtou32(argv[1], 0, &seconds);
	if (error)
		return error;
	error = parse_clients(argv + 3, argc - 3, clients);
	if (error)
		return error;

	error = stress_run(seconds, argv[2], clients, argc - 3, reply);
	put_clients(clients, argc - 3);
	return error;
}

static int cmd_stress_stop(char **argv, int argc, char *reply)
{
	stress_stop();
	return 0;
}

/**
 * struct test_command - a command
 * @name: its first word
 * @run: runs it; may write a reply, which is empty by default
 * @min: minimum number of words
 * @max: maximum number of words
 *
 * Errors of the commands themselves are -ENXIO (there is no such PCI function,
 * or it has no peer memory), -ENOENT (the number is not in use), -EEXIST (the
 * number is in use), -EINVAL (not a command) and -EOPNOTSUPP (the series has no
 * such thing).  All other errors come from the core.
 */
struct test_command {
	const char *name;
	int (*run)(char **argv, int argc, char *reply);
	int min;
	int max;
};

static const struct test_command test_commands[] = {
	/* alloc BUF PROVIDER SIZE [ALIGN] */
	{ "alloc",		cmd_alloc,		4, 5 },
	/* alloc_sgl BUF PROVIDER SIZE MAX_NENTS */
	{ "alloc_sgl",		cmd_alloc,		5, 5 },
	/* pci_alloc BUF PROVIDER SIZE */
	{ "pci_alloc",		cmd_alloc,		4, 4 },
	/* free BUF */
	{ "free",		cmd_free,		2, 2 },
	/* free_twice BUF */
	{ "free_twice",		cmd_free_twice,		2, 2 },
	/* free_part BUF OFFSET SIZE: by pci_free_p2pmem(); BUF stays in use */
	{ "free_part",		cmd_free_part,		4, 4 },
	/* free_foreign PROVIDER: free system memory by pci_free_p2pmem() */
	{ "free_foreign",	cmd_free_foreign,	2, 2 },
	/* fill BUF SEED */
	{ "fill",		cmd_pattern,		3, 3 },
	/* verify BUF SEED: -EILSEQ if BUF is not what fill has written */
	{ "verify",		cmd_pattern,		3, 3 },
	/*
	 * map MAP BUF CLIENT [from_device|mixed]: the default is to_device; "mixed" is a list that
	 * begins with a page of system memory
	 */
	{ "map",		cmd_map,		4, 5 },
	/* map_again MAP: map the same memory once more and unmap it */
	{ "map_again",		cmd_map_again,		2, 2 },
	/* unmap MAP */
	{ "unmap",		cmd_unmap,		2, 2 },
	/* unmap_as MAP CLIENT: unmap as CLIENT, which did not map it */
	{ "unmap_as",		cmd_unmap_as,		3, 3 },
	/* bind USER PROVIDER [BUF]: on removal, the user frees BUF */
	{ "bind",		cmd_bind,		3, 4 },
	/* unbind USER */
	{ "unbind",		cmd_unbind,		2, 2 },
	/* notified USER: the number of removals it was notified of */
	{ "notified",		cmd_notified,		2, 2 },
	/* keep PROVIDER: hold a reference to its device until drop */
	{ "keep",		cmd_keep,		2, 2 },
	/* drop PROVIDER */
	{ "drop",		cmd_drop,		2, 2 },
	/* publish PROVIDER 0|1 */
	{ "publish",		cmd_publish,		3, 3 },
	/* find CLIENT... */
	{ "find",		cmd_find,		2, MAX_CLIENTS + 1 },
	/* check PROVIDER CLIENT... */
	{ "check",		cmd_check,		3, MAX_CLIENTS + 2 },
	/* stress SECONDS PROVIDER CLIENT... */
	{ "stress",		cmd_stress,		4, MAX_CLIENTS + 3 },
	/* stress_stop: end the stress before its time is over */
	{ "stress_stop",	cmd_stress_stop,	1, 1 },
};

static int run_command(char *line, char *reply)
{
	char *argv[MAX_ARGS], *word;
	int argc = 0;
	int i;

	line = strim(line);
	while ((word = strsep(&line, " "))) {
		if (argc == MAX_ARGS)
			return -EINVAL;
		argv[argc++] = word;
	}

	for (i = 0; i < ARRAY_SIZE(test_commands); i++) {
		const struct test_command *command = &test_commands[i];

		if (strcmp(argv[0], command->name))
			continue;
		if (argc < command->min || argc > command->max)
			return -EINVAL;
		return command->run(argv, argc, reply);
	}
	return -EINVAL;
}

static int test_open(struct inode *inode, struct file *file)
{
	struct test_session *session;

	session = kzalloc(sizeof(*session), GFP_KERNEL);
	if (!session)
		return -ENOMEM;
	mutex_init(&session->lock);
	file->private_data = session;
	return 0;
}

static int test_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static ssize_t test_write(struct file *file, const char __user *from,
			  size_t len, loff_t *pos)
{
	struct test_session *session = file->private_data;
	char *line;
	int error;

	if (len > MAX_COMMAND)
		return -E2BIG;
	line = memdup_user_nul(from, len);
	if (IS_ERR(line))
		return PTR_ERR(line);

	scoped_guard(mutex, &session->lock) {
		session->reply[0] = '\0';
		error = run_command(line, session->reply);
		if (error)
			scnprintf(session->reply, sizeof(session->reply),
				  "%pe\n", ERR_PTR(error));
	}
	kfree(line);
	return error ?: len;
}

static ssize_t test_read(struct file *file, char __user *to, size_t len,
			 loff_t *pos)
{
	struct test_session *session = file->private_data;

	guard(mutex)(&session->lock);
	return simple_read_from_buffer(to, len, pos, session->reply,
				       strlen(session->reply));
}

static const struct file_operations test_fops = {
	.owner		= THIS_MODULE,
	.open		= test_open,
	.release	= test_release,
	.read		= test_read,
	.write		= test_write,
	.llseek		= default_llseek,
};

static int __init test_init(void)
{
	int error = test_users_init();

	if (!error)
		test_file = debugfs_create_file("p2pmem_test", 0600, NULL, NULL, &test_fops);
	return error;
}

static void __exit test_exit(void)
{
	struct test_kept *kept, *next;
	struct test_user *user;
	struct test_buf *buf;
	struct test_map *map;
	unsigned long number;

	debugfs_remove(test_file);

	xa_for_each(&test_users, number, user) {
		xa_erase(&test_users, number);
		p2pmem_unbind(&user->user);
		kfree(user);
	}
	xa_for_each(&test_maps, number, map) {
		xa_erase(&test_maps, number);
		drop_map(map);
	}
	xa_for_each(&test_bufs, number, buf) {
		test_buf_free(buf);
		forget_buf(number);
	}
	list_for_each_entry_safe(kept, next, &kept_devices, node) {
		p2pmem_put(kept->p2pmem);
		kfree(kept);
	}

	test_users_exit();
	xa_destroy(&test_users);
	xa_destroy(&test_maps);
	xa_destroy(&test_bufs);
}

module_init(test_init);
module_exit(test_exit);

MODULE_DESCRIPTION("Access to the kernel interface of the p2pmem core, for tests");
MODULE_LICENSE("GPL");
