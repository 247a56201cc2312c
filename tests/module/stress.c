// SPDX-License-Identifier: GPL-2.0
/*
 * A stress test.  On every CPU, threads allocate, map, unmap and free at random,
 * in process context, with interrupts off and in interrupt context.  They also
 * find memory and bind and unbind as users, and the provider may be removed
 * meanwhile.
 *
 * Each page of the provider has an owner while it is in a buffer of a thread.
 * This detects a page that is allocated twice.  Each page also contains the
 * token of its owner.  This detects a page that is reused too early.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "p2pmem_test.h"

#define THREADS_PER_CPU	2
#define HELD		12
#define MAPS		2
#define MAX_SECONDS	3600

enum stress_count {
	ROUNDS,		/* rounds of all threads */
	ALLOCS,		/* buffers allocated */
	PIECEWISE,	/* buffers of more than one piece */
	NO_MEMORY,	/* the pool was full */
	REFUSED,	/* the provider was removed or about to be */
	MAPS_DONE,	/* mappings made */
	MAPS_REFUSED,	/* the client cannot reach the memory */
	DEFERRED,	/* buffers that were freed while mapped */
	FOUND,		/* p2pmem_find() found a device */
	BINDS,		/* a thread became a user */
	NOTIFIED,		/* a user was notified of a removal */
	IN_INTERRUPT,	/* buffers allocated and freed in an interrupt */
	OVERLAPS,	/* pages that had another owner */
	CORRUPTED,	/* pages with another token */
	ERRORS,		/* all other errors */
	NUM_COUNTS
};

static const char * const count_names[NUM_COUNTS] = {
	"rounds", "allocs", "piecewise", "no_memory", "refused", "maps",
	"maps_refused", "deferred", "found", "binds", "notified", "in_interrupt",
	"overlaps", "corrupted", "errors",
};

/**
 * struct stress - a run
 * @provider: PCI name of the provider
 * @clients: the devices that buffers are mapped for
 * @num_clients: number of clients
 * @start: addresses of the BARs of the provider
 * @pages: number of pages of each BAR
 * @owners: for each page of each BAR the token of its owner, 0 if there is none
 * @last_token: the last token; tokens are not reused
 * @counts: the counters
 */
struct stress {
	const char *provider;
	struct device **clients;
	unsigned int num_clients;
	phys_addr_t start[PCI_STD_NUM_BARS];
	unsigned long pages[PCI_STD_NUM_BARS];
	atomic_t *owners[PCI_STD_NUM_BARS];
	atomic_t last_token;
	atomic_long_t counts[NUM_COUNTS];
};

/**
 * struct held - a buffer that a thread has allocated
 * @buf: the buffer; in use if its size is not zero
 * @pieces: its memory, which outlives @buf while it is mapped
 * @token: the token in its pages
 * @freed: freed while it was mapped
 * @maps: its mappings
 * @num_maps: number of mappings
 */
struct held {
	struct test_buf buf;
	struct sg_table pieces;
	u32 token;
	bool freed;
	struct test_map maps[MAPS];
	unsigned int num_maps;
};

struct stress_thread {
	struct stress *stress;
	struct task_struct *task;
	struct rnd_state random;
	bool stays;	/* does not unbind by itself, so a removal always has a user */
	struct p2pmem_device *p2pmem;
	struct p2pmem_user user;
	atomic_t notified;
	struct irq_work irq_work;
	struct held held[HELD];
};

static DEFINE_MUTEX(stress_lock);
static DECLARE_COMPLETION(stress_end);

static void count(struct stress_thread *thread, enum stress_count what)
{
	atomic_long_inc(&thread->stress->counts[what]);
}

static u32 below(struct stress_thread *thread, u32 limit)
{
	return prandom_u32_state(&thread->random) % limit;
}

/* Pages */

static atomic_t *owner_of(struct stress *stress, phys_addr_t addr)
{
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		phys_addr_t start = stress->start[bar];

		if (stress->owners[bar] && addr >= start &&
		    PHYS_PFN(addr - start) < stress->pages[bar])
			return &stress->owners[bar][PHYS_PFN(addr - start)];
	}
	return NULL;
}

static void claim_page(struct stress_thread *thread, struct held *held,
		       void *addr)
{
	atomic_t *owner = owner_of(thread->stress, virt_to_phys(addr));

	if (!owner)
		count(thread, ERRORS);
	else if (atomic_cmpxchg(owner, 0, held->token))
		count(thread, OVERLAPS);
	WRITE_ONCE(*(u32 *)addr, held->token);
}

static void disown_page(struct stress_thread *thread, struct held *held,
			void *addr)
{
	atomic_t *owner = owner_of(thread->stress, virt_to_phys(addr));

	if (READ_ONCE(*(u32 *)addr) != held->token)
		count(thread, CORRUPTED);
	if (owner && atomic_cmpxchg(owner, held->token, 0) != held->token)
		count(thread, OVERLAPS);
}

static void walk_pages(struct stress_thread *thread, struct held *held,
		       void (*fn)(struct stress_thread *thread,
				  struct held *held, void *addr))
{
	struct scatterlist *sg;
	unsigned int offset;
	int i;

	for_each_sgtable_sg(&held->pieces, sg, i)
		for (offset = 0; offset < sg->length; offset += PAGE_SIZE)
			fn(thread, held, sg_virt(sg) + offset);
}

/* Buffers */

/* Call this before the last reference is dropped: the pages may be reused after that */
static void release(struct stress_thread *thread, struct held *held)
{
	walk_pages(thread, held, disown_page);
}

static void forget(struct held *held)
{
	sg_free_table(&held->pieces);
	held->buf = (struct test_buf) {};
	held->freed = false;
}

static void do_unmap(struct stress_thread *thread, struct held *held)
{
	bool last = held->freed && held->num_maps == 1;

	if (last)
		release(thread, held);
	test_unmap(&held->maps[--held->num_maps]);
	if (last)
		forget(held);
}

static void do_free(struct stress_thread *thread, struct held *held)
{
	if (TEST_PINS && held->num_maps) {
		count(thread, DEFERRED);
		held->freed = true;
		test_buf_free(&held->buf);
		return;
	}

	while (held->num_maps)
		do_unmap(thread, held);
	release(thread, held);
	test_buf_free(&held->buf);
	forget(held);
}

static void do_map(struct stress_thread *thread, struct held *held, gfp_t gfp)
{
	struct stress *stress = thread->stress;
	enum dma_data_direction dir = DMA_TO_DEVICE;
	int error;

	/* The DMA API allows one mapping for writing at a time; only the first one may write */
	if (!held->num_maps)
		dir = below(thread, 3);
	error = test_map(&held->maps[held->num_maps], &held->buf,
			 stress->clients[below(thread, stress->num_clients)],
			 dir, gfp);
	switch (error) {
	case 0:
		count(thread, MAPS_DONE);
		held->num_maps++;
		break;
	case -EREMOTEIO:
		count(thread, MAPS_REFUSED);
		break;
	default:
		count(thread, ERRORS);
	}
}

static int get_buf(struct stress_thread *thread, struct test_buf *buf,
		   gfp_t gfp)
{
	unsigned int max_nents = 1 + below(thread, 8);
	size_t align = 0;
	int error;

	/* One of 16 buffers may be large */
	buf->p2pmem = thread->p2pmem;
	buf->size = 1 + below(thread, (below(thread, 16) ? 16 : 512) * PAGE_SIZE);

	switch (below(thread, 4)) {
	case 0:
		return test_buf_pci_alloc(buf);
	case 1:
		error = test_buf_alloc_sgl(buf, max_nents, gfp);
		if (!error && (!buf->nents || buf->nents > max_nents))
			count(thread, ERRORS);
		return error;
	case 2:
		if (TEST_OF_612)
			align = PAGE_SIZE << below(thread, 5);
		break;
	}

	error = test_buf_alloc(buf, align, gfp);
	if (!error && align &&
	    !IS_ALIGNED(pci_p2pmem_virt_to_bus(buf->p2pmem->provider, buf->addr), align))
		count(thread, ERRORS);
	return error;
}

static void do_alloc(struct stress_thread *thread, struct held *held, gfp_t gfp)
{
	struct test_buf buf = {};
	int error;

	error = get_buf(thread, &buf, gfp);
	switch (error) {
	case 0:
		break;
	case -ENOMEM:
	case -E2BIG:
		count(thread, NO_MEMORY);
		return;
	case -ENODEV:
		count(thread, REFUSED);
		return;
	default:
		count(thread, ERRORS);
		return;
	}

	if (test_buf_table(&buf, UINT_MAX, &held->pieces, gfp)) {
		test_buf_free(&buf);
		return;
	}

	count(thread, ALLOCS);
	if (buf.nents > 1)
		count(thread, PIECEWISE);
	held->buf = buf;
	do {
		held->token = atomic_inc_return(&thread->stress->last_token);
	} while (!held->token);
	walk_pages(thread, held, claim_page);
}

static void free_all(struct stress_thread *thread)
{
	struct held *held;

	for (held = thread->held; held < thread->held + HELD; held++) {
		if (held->buf.size && !held->freed)
			do_free(thread, held);
		while (held->num_maps)
			do_unmap(thread, held);
	}
}

static void in_interrupt_too(struct irq_work *work)
{
	struct stress_thread *thread =
		container_of(work, struct stress_thread, irq_work);
	struct test_buf buf = { .p2pmem = thread->p2pmem, .size = PAGE_SIZE };

	if (test_buf_alloc(&buf, 0, GFP_ATOMIC | __GFP_NOWARN))
		return;
	test_buf_free(&buf);
	count(thread, IN_INTERRUPT);
}

/* Devices */

static void notified(struct p2pmem_user *user)
{
	struct stress_thread *thread =
		container_of(user, struct stress_thread, user);

	count(thread, NOTIFIED);
	if (atomic_fetch_inc(&thread->notified))
		count(thread, ERRORS);
}

/* Bind to the current device of the provider, if it has one */
static void attach(struct stress_thread *thread)
{
	struct pci_dev *provider = test_pci_dev(thread->stress->provider);

	if (!provider)
		return;

	thread->p2pmem = test_p2pmem(provider);
	pci_dev_put(provider);
	if (!thread->p2pmem)
		return;

	atomic_set(&thread->notified, 0);
	thread->user = (struct p2pmem_user) { .remove = notified };
	if (p2pmem_bind(thread->p2pmem, &thread->user)) {
		count(thread, REFUSED);
		p2pmem_put(thread->p2pmem);
		thread->p2pmem = NULL;
		return;
	}
	count(thread, BINDS);
}

static void detach(struct stress_thread *thread)
{
	if (!thread->p2pmem)
		return;

	irq_work_sync(&thread->irq_work);
	free_all(thread);
	p2pmem_unbind(&thread->user);
	p2pmem_put(thread->p2pmem);
	thread->p2pmem = NULL;
}

static void do_find(struct stress_thread *thread)
{
	struct stress *stress = thread->stress;
	struct p2pmem_device *p2pmem;
	int distance;

	p2pmem = p2pmem_find(stress->clients, stress->num_clients, &distance);
	if (p2pmem)
		count(thread, FOUND);
	p2pmem_put(p2pmem);

	distance = p2pmem_check(thread->p2pmem, stress->clients,
				stress->num_clients, false);
	if (distance < 0 && distance != -ENODEV && distance != -EREMOTEIO)
		count(thread, ERRORS);
}

static void stress_round(struct stress_thread *thread)
{
	struct held *held = &thread->held[below(thread, HELD)];
	bool irqs_off = !below(thread, 8);
	gfp_t gfp = GFP_KERNEL;
	unsigned long flags;

	count(thread, ROUNDS);
	if (!below(thread, 64)) {
		do_find(thread);
		return;
	}

	if (irqs_off) {
		local_irq_save(flags);
		gfp = GFP_ATOMIC | __GFP_NOWARN;
	}

	if (!held->buf.size)
		do_alloc(thread, held, gfp);
	else if (!held->freed && held->num_maps < MAPS && below(thread, 2))
		do_map(thread, held, gfp);
	else if (!held->freed && below(thread, 2))
		do_free(thread, held);
	else if (held->num_maps)
		do_unmap(thread, held);

	if (irqs_off)
		local_irq_restore(flags);

	if (!below(thread, 32))
		irq_work_queue(&thread->irq_work);
	if (!thread->stays && !below(thread, 1024))
		detach(thread);
}

static int stress_thread(void *data)
{
	struct stress_thread *thread = data;

	while (!kthread_should_stop()) {
		if (atomic_read(&thread->notified))
			detach(thread);
		if (!thread->p2pmem)
			attach(thread);
		if (thread->p2pmem)
			stress_round(thread);
		else
			schedule_timeout_interruptible(1);
		cond_resched();
	}

	detach(thread);
	return 0;
}

/* Runs */

static int stress_prepare(struct stress *stress)
{
	struct pci_dev *provider = test_pci_dev(stress->provider);
	int bar, error = 0;

	if (!provider)
		return -ENXIO;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!(pci_resource_flags(provider, bar) & IORESOURCE_MEM))
			continue;
		stress->start[bar] = pci_resource_start(provider, bar);
		stress->pages[bar] = PHYS_PFN(pci_resource_len(provider, bar));
		stress->owners[bar] = kvcalloc(stress->pages[bar],
					       sizeof(*stress->owners[bar]),
					       GFP_KERNEL);
		if (stress->pages[bar] && !stress->owners[bar])
			error = -ENOMEM;
	}
	pci_dev_put(provider);
	return error;
}

static struct stress_thread *new_thread(struct stress *stress, int cpu,
					bool stays)
{
	struct stress_thread *thread;

	thread = kzalloc(sizeof(*thread), GFP_KERNEL);
	if (!thread)
		return NULL;

	thread->stress = stress;
	thread->stays = stays;
	prandom_seed_state(&thread->random, get_random_u64());
	init_irq_work(&thread->irq_work, in_interrupt_too);

	thread->task = kthread_create_on_node(stress_thread, thread,
					      cpu_to_node(cpu),
					      "p2pmem_stress/%d", cpu);
	if (IS_ERR(thread->task)) {
		kfree(thread);
		return NULL;
	}
	kthread_bind(thread->task, cpu);
	/* Leave CPU time for the other programs of the test */
	set_user_nice(thread->task, 10);
	wake_up_process(thread->task);
	return thread;
}

/* Start threads until one cannot be created; the stress works with fewer, too */
static unsigned int start_threads(struct stress *stress,
				  struct stress_thread **threads,
				  unsigned int max)
{
	unsigned int n = 0;
	int cpu, i;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		for (i = 0; i < THREADS_PER_CPU && n < max; i++) {
			threads[n] = new_thread(stress, cpu, i == 0);
			if (!threads[n])
				goto out;
			n++;
		}
	}
out:
	cpus_read_unlock();
	return n;
}

static void stress_report(struct stress *stress, unsigned int threads,
			  char *reply)
{
	size_t len;
	int i;

	len = scnprintf(reply, TEST_REPLY_SIZE, "threads=%u", threads);
	for (i = 0; i < NUM_COUNTS; i++)
		len += scnprintf(reply + len, TEST_REPLY_SIZE - len, " %s=%ld",
				 count_names[i],
				 atomic_long_read(&stress->counts[i]));
	scnprintf(reply + len, TEST_REPLY_SIZE - len, "\n");
}

void stress_stop(void)
{
	complete(&stress_end);
}

int stress_run(unsigned int seconds, const char *provider,
	       struct device **clients, unsigned int num_clients, char *reply)
{
	unsigned int i, n, max = num_possible_cpus() * THREADS_PER_CPU;
	struct stress_thread **threads;
	struct stress *stress;
	int error;

	if (seconds > MAX_SECONDS)
		return -EINVAL;
	if (!mutex_trylock(&stress_lock))
		return -EBUSY;

	stress = kzalloc(sizeof(*stress), GFP_KERNEL);
	threads = kcalloc(max, sizeof(*threads), GFP_KERNEL);
	error = -ENOMEM;
	if (!stress || !threads)
		goto out_free;
	stress->provider = provider;
	stress->clients = clients;
	stress->num_clients = num_clients;

	error = stress_prepare(stress);
	if (error)
		goto out_free_owners;

	reinit_completion(&stress_end);
	n = start_threads(stress, threads, max);
	if (n)
		wait_for_completion_killable_timeout(&stress_end, seconds * HZ);
	else
		error = -ENOMEM;

	for (i = 0; i < n; i++) {
		kthread_stop(threads[i]->task);
		kfree(threads[i]);
	}
	stress_report(stress, n, reply);

out_free_owners:
	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		kvfree(stress->owners[i]);
out_free:
	kfree(threads);
	kfree(stress);
	mutex_unlock(&stress_lock);
	return error;
}
