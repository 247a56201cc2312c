// SPDX-License-Identifier: GPL-2.0
/*
 * peer_churn: allocate and free peer memory, often, through pci_alloc_p2pmem(),
 * which both the base kernel and the series have.
 *
 *	insmod peer_churn.ko provider=0000:03:00.0 [client=0000:04:00.0] [window=31]
 *	cd /sys/module/peer_churn/parameters
 *	echo 61 >pairs		allocate and free one buffer, 61 times, on this CPU
 *	echo 61 >interrupts	do so on this CPU until a timer interrupt of this CPU
 *				has done it 61 times; then "pairs" has the number
 *				of times that the process did it
 *	echo 61 >bars		map the first BAR of the provider for the client, as
 *				amdgpu does, and the client's own, 61 times
 *	echo 61 >held		hold 61 buffers of HELD_SIZE bytes
 *	echo 1 >churn		start a thread on CPU 1 that allocates and frees
 *				until "echo -1 >churn"; it holds WINDOW buffers
 *	cat churned		the number of buffers that the thread has freed
 *
 * With a client, each buffer other than those of "held" is mapped for DMA while
 * it is allocated.
 */
#include <linux/dma-mapping.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/version.h>

#define CHURN_SIZE	PAGE_SIZE
#define HELD_SIZE	(2 * PAGE_SIZE)
#define MAX_WINDOW	256
#define TIMER_NS	(50 * NSEC_PER_USEC)

struct churn_buf {
	void *addr;
	struct scatterlist sg;
};

static char *provider = "";
module_param(provider, charp, 0400);
static char *client = "";
module_param(client, charp, 0400);
static unsigned int window = 31;
module_param(window, uint, 0400);
static unsigned long churned;
module_param(churned, ulong, 0400);

static struct pci_dev *provider_dev, *client_dev;

static struct pci_dev *find_dev(const char *name)
{
	struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL, name);

	return dev ? to_pci_dev(dev) : NULL;
}

static int buf_get(struct churn_buf *buf)
{
	buf->addr = pci_alloc_p2pmem(provider_dev, CHURN_SIZE);
	if (!buf->addr)
		return -ENOMEM;
	if (!client_dev)
		return 0;

	sg_init_table(&buf->sg, 1);
	sg_set_page(&buf->sg, virt_to_page(buf->addr), CHURN_SIZE, 0);
	if (dma_map_sg(&client_dev->dev, &buf->sg, 1, DMA_TO_DEVICE))
		return 0;
	pci_free_p2pmem(provider_dev, buf->addr, CHURN_SIZE);
	buf->addr = NULL;
	return -EREMOTEIO;
}

static void buf_put(struct churn_buf *buf)
{
	if (!buf->addr)
		return;
	if (client_dev)
		dma_unmap_sg(&client_dev->dev, &buf->sg, 1, DMA_TO_DEVICE);
	pci_free_p2pmem(provider_dev, buf->addr, CHURN_SIZE);
	buf->addr = NULL;
}

static int do_pair(void)
{
	struct churn_buf buf;
	int error = buf_get(&buf);

	if (!error)
		buf_put(&buf);
	return error;
}

/* pairs: the module's parameters are written one at a time, under a lock */

static unsigned int pairs;

static int pairs_set(const char *value, const struct kernel_param *kp)
{
	unsigned int n;
	int error;

	error = kstrtouint(value, 0, &n);
	if (error)
		return error;
	if (!provider_dev)
		return -ENODEV;

	for (pairs = 0; pairs < n && !error; pairs++) {
		error = do_pair();
		cond_resched();
	}
	return error;
}

static const struct kernel_param_ops pairs_ops = {
	.set = pairs_set, .get = param_get_uint,
};
module_param_cb(pairs, &pairs_ops, &pairs, 0600);

/* bars */

static int use_bar(struct pci_dev *pdev)
{
	struct device *dev = &client_dev->dev;
	dma_addr_t addr;

	addr = dma_map_resource(dev, pci_resource_start(pdev, 0), CHURN_SIZE,
				DMA_TO_DEVICE, 0);
	if (dma_mapping_error(dev, addr))
		return -EIO;
	dma_unmap_resource(dev, addr, CHURN_SIZE, DMA_TO_DEVICE, 0);
	return 0;
}

static int bars_set(const char *value, const struct kernel_param *kp)
{
	unsigned int n;
	int error;

	error = kstrtouint(value, 0, &n);
	if (error)
		return error;
	if (!provider_dev || !client_dev)
		return -ENODEV;
	while (n-- && !error) {
		error = use_bar(provider_dev);
		if (!error)
			error = use_bar(client_dev);
		cond_resched();
	}
	return error;
}

static const struct kernel_param_ops bars_ops = { .set = bars_set };
module_param_cb(bars, &bars_ops, NULL, 0200);

/* interrupts */

static struct hrtimer timer;
static unsigned int interrupts_left;
static int interrupt_error;

static enum hrtimer_restart timer_fires(struct hrtimer *t)
{
	int error = do_pair();

	if (error)
		interrupt_error = error;
	WRITE_ONCE(interrupts_left, error ? 0 : interrupts_left - 1);
	if (!interrupts_left)
		return HRTIMER_NORESTART;

	/* From now on, so that the process gets on however long this took */
	hrtimer_set_expires(t, ktime_add_ns(ktime_get(), TIMER_NS));
	return HRTIMER_RESTART;
}

static int interrupts_set(const char *value, const struct kernel_param *kp)
{
	unsigned int n;
	int error;

	error = kstrtouint(value, 0, &n);
	if (error)
		return error;
	if (!provider_dev)
		return -ENODEV;
	if (!n)
		return -EINVAL;

	interrupts_left = n;
	interrupt_error = 0;
	pairs = 0;
	migrate_disable();
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer.function = timer_fires;
#else
	hrtimer_setup(&timer, timer_fires, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
#endif
	hrtimer_start(&timer, ns_to_ktime(TIMER_NS), HRTIMER_MODE_REL_PINNED_HARD);
	while (READ_ONCE(interrupts_left) && !error) {
		error = fatal_signal_pending(current) ? -EINTR : do_pair();
		pairs += !error;
		cond_resched();
	}
	hrtimer_cancel(&timer);
	migrate_enable();
	return error ?: interrupt_error;
}

static const struct kernel_param_ops interrupts_ops = { .set = interrupts_set };
module_param_cb(interrupts, &interrupts_ops, NULL, 0200);

/* held */

static void **held_addrs;
static unsigned int held;

static void drop_held(void)
{
	while (held)
		pci_free_p2pmem(provider_dev, held_addrs[--held], HELD_SIZE);
	kvfree(held_addrs);
	held_addrs = NULL;
}

static int held_set(const char *value, const struct kernel_param *kp)
{
	unsigned int n;
	int error;

	error = kstrtouint(value, 0, &n);
	if (error)
		return error;
	if (!provider_dev)
		return -ENODEV;

	drop_held();
	if (!n)
		return 0;
	held_addrs = kvcalloc(n, sizeof(*held_addrs), GFP_KERNEL);
	if (!held_addrs)
		return -ENOMEM;
	while (held < n) {
		held_addrs[held] = pci_alloc_p2pmem(provider_dev, HELD_SIZE);
		if (!held_addrs[held]) {
			drop_held();
			return -ENOSPC;
		}
		held++;
		cond_resched();
	}
	return 0;
}

static const struct kernel_param_ops held_ops = {
	.set = held_set, .get = param_get_uint,
};
module_param_cb(held, &held_ops, &held, 0600);

/* churn */

static struct task_struct *churn_task;
static int churn_cpu = -1;

static int churn_thread(void *data)
{
	struct churn_buf *bufs = data;
	unsigned int i;

	for (i = 0; !kthread_should_stop(); i = (i + 1) % window) {
		if (bufs[i].addr)
			WRITE_ONCE(churned, churned + 1);
		buf_put(&bufs[i]);
		buf_get(&bufs[i]);
		cond_resched();
	}
	for (i = 0; i < window; i++)
		buf_put(&bufs[i]);
	kfree(bufs);
	return 0;
}

static void stop_churn(void)
{
	if (churn_task)
		kthread_stop(churn_task);
	churn_task = NULL;
	churn_cpu = -1;
}

static int churn_set(const char *value, const struct kernel_param *kp)
{
	struct churn_buf *bufs;
	int error, cpu;

	error = kstrtoint(value, 0, &cpu);
	if (error)
		return error;
	if (!provider_dev)
		return -ENODEV;
	if (cpu >= 0 && (cpu >= nr_cpu_ids || !cpu_online(cpu)))
		return -EINVAL;

	stop_churn();
	if (cpu < 0)
		return 0;
	bufs = kcalloc(window, sizeof(*bufs), GFP_KERNEL);
	if (!bufs)
		return -ENOMEM;
	churn_task = kthread_create(churn_thread, bufs, "peer_churn/%d", cpu);
	if (IS_ERR(churn_task)) {
		error = PTR_ERR(churn_task);
		churn_task = NULL;
		kfree(bufs);
		return error;
	}
	kthread_bind(churn_task, cpu);
	/* The test's own processes go first */
	set_user_nice(churn_task, 10);
	churn_cpu = cpu;
	wake_up_process(churn_task);
	return 0;
}

static const struct kernel_param_ops churn_ops = {
	.set = churn_set, .get = param_get_int,
};
module_param_cb(churn, &churn_ops, &churn_cpu, 0600);

static int __init churn_init(void)
{
	if (!window || window > MAX_WINDOW)
		return -EINVAL;
	provider_dev = find_dev(provider);
	client_dev = *client ? find_dev(client) : NULL;
	if (provider_dev && (client_dev || !*client))
		return 0;
	pci_dev_put(provider_dev);
	return -ENODEV;
}

static void __exit churn_exit(void)
{
	stop_churn();
	drop_held();
	pci_dev_put(client_dev);
	pci_dev_put(provider_dev);
}

module_init(churn_init);
module_exit(churn_exit);

MODULE_DESCRIPTION("Peer memory that is allocated and freed often, for tests");
MODULE_LICENSE("GPL");
