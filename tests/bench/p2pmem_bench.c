// SPDX-License-Identifier: GPL-2.0
/*
 * Measure the cost of peer memory in instructions.
 *
 * For a guest with QEMU's -icount shift=0, where the time stamp counter counts
 * the instructions of all CPUs.  The module is built for the base kernel and for
 * ours, and uses only functions that both have.
 *
 * A write of a command to /sys/kernel/debug/p2pmem_bench returns when the command
 * has been executed.  The results are then read from that file, one per line:
 *
 *	pool PROVIDER BYTES LAYOUT FILL SEED	one CPU, the other patterns
 *	cpus PROVIDER BYTES LAYOUT FILL SEED	every CPU at the same time
 *	dma DEVICE ENTRIES			mappings of system memory
 *	hmm DEVICE				the same by HMM, if that can map
 *	request DISK ENTRIES			reads into system memory, by polling
 *	sgls BYTES				system memory for an NVMe target
 *	lives PROVIDER CLIENT COUNT		whole lives of buffers, not timed
 *
 * /sys/kernel/debug/p2pmem_bench_sink is like /dev/null, except that the end of
 * the data that was written to it can be read.
 *
 * /sys/kernel/debug/p2pmem_bench_idle has the time that the CPU was halted, in counts
 * of the time stamp counter, on a machine with one CPU.
 *
 * BYTES is the size of the pool, FILL the percentage of it that is allocated
 * during a measurement, and LAYOUT the layout of the allocated memory:
 *
 *	solid	one block from the start of the pool
 *	holes	buffers of mixed sizes, 4 KiB to 1 MiB.  HOLES percent more than
 *		FILL were allocated, and then HOLES percent were freed at random.
 *
 * The pool must be new: nothing was ever allocated from it.
 *
 * Interrupts are off while a batch is timed, so the figures do not include timer
 * ticks.  The cost of the loop without the calls is subtracted from a batch, and
 * the cost of reading the counter from a single call.
 */

#include <linux/blkdev.h>
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/hmm.h>
#if __has_include(<linux/hmm-dma.h>)
#include <linux/hmm-dma.h>
#endif
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci-p2pdma.h>
#include <linux/prandom.h>
#include <linux/scatterlist.h>
#include <linux/seq_buf.h>
#include <linux/sizes.h>
#include <linux/sort.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <trace/events/power.h>
#include <asm/tsc.h>

#include "nvmet.h"

#define HOLES		8	/* percent of the pool, on top of the fill */
#define MIX_MIN_SHIFT	12	/* 4 KiB */
#define MIX_MAX_SHIFT	20	/* 1 MiB */
#define STEADY_SIZE	SZ_16K

#define BATCHES		31
#define BATCH_COST	100000	/* instructions, approximately */
#define BATCH_MAX	64	/* rounds */

/* The length of the history before "random": the limit that is reached first */
#define HISTORY_OPS	20000
#define HISTORY_COST	2000000000ULL

/* Number of buffers that one CPU passes to another at a time */
#define HANDOVER	32

static DEFINE_MUTEX(bench_lock);
static char bench_text[SZ_8K];
static struct seq_buf bench_result;

/* The difference between two consecutive reads of the counter */
static u64 clock_cost;

struct held {
	void *addr;
	size_t size;
};

/* Statistics of single calls, with sizes up to the largest of the mix */
struct single {
	u64 worst, sum;
	size_t size;
	unsigned long count;
};

struct pool {
	struct pci_dev *provider;
	size_t bytes;
	size_t used;
	struct rnd_state rnd;
	struct held *held;
	unsigned int nr_held, max_held;
	bool no_magazines;
	struct single alloc, fail, free;
};

struct batches {
	u64 cost[BATCHES];
	unsigned int rounds;
	unsigned int ops;
};

static __always_inline u64 clock(void)
{
	return rdtsc_ordered();
}

static int compare_costs(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Costs of one operation, in hundredths of an instruction */
static void report(const char *pattern, struct batches *batches)
{
	u64 ops = (u64)batches->rounds * batches->ops;

	sort(batches->cost, BATCHES, sizeof(u64), compare_costs, NULL);
	seq_buf_printf(&bench_result,
		       "pattern=%s cost=%llu min=%llu max=%llu batches=%u ops=%llu\n",
		       pattern, batches->cost[BATCHES / 2] * 100 / ops,
		       batches->cost[0] * 100 / ops,
		       batches->cost[BATCHES - 1] * 100 / ops, BATCHES, ops);
}

static void report_single(const char *pattern, struct pool *pool)
{
	seq_buf_printf(&bench_result,
		       "pattern=%s cost=%llu size=%zu allocs=%lu "
		       "fail_worst=%llu fail_size=%zu fails=%lu "
		       "free_worst=%llu free_size=%zu frees=%lu\n",
		       pattern, pool->alloc.worst * 100, pool->alloc.size,
		       pool->alloc.count, pool->fail.worst * 100, pool->fail.size,
		       pool->fail.count, pool->free.worst * 100, pool->free.size,
		       pool->free.count);
	pool->alloc = (struct single) {};
	pool->free = (struct single) {};
	pool->fail = (struct single) {};
}

static void single_account(struct single *single, u64 cost, size_t size)
{
	if (size > 1UL << MIX_MAX_SHIFT)
		return;
	cost -= min(cost, clock_cost);
	single->count++;
	single->sum += cost;
	if (cost > single->worst) {
		single->worst = cost;
		single->size = size;
	}
}

/*
 * An allocation of the whole pool succeeds only if all of it is free, and
 * otherwise recalls the magazines in vain.
 */
static void empty_magazines(struct pool *pool)
{
	void *addr = pci_alloc_p2pmem(pool->provider, pool->bytes);

	if (addr)
		pci_free_p2pmem(pool->provider, addr, pool->bytes);
}

static void *single_alloc(struct pool *pool, size_t size, u64 *spent)
{
	unsigned long flags;
	void *addr;
	u64 cost;

	if (pool->no_magazines)
		empty_magazines(pool);

	local_irq_save(flags);
	cost = clock();
	addr = pci_alloc_p2pmem(pool->provider, size);
	cost = clock() - cost;
	local_irq_restore(flags);

	*spent += cost;
	single_account(addr ? &pool->alloc : &pool->fail, cost, size);
	return addr;
}

static void single_free(struct pool *pool, void *addr, size_t size, u64 *spent)
{
	unsigned long flags;
	u64 cost;

	local_irq_save(flags);
	cost = clock();
	pci_free_p2pmem(pool->provider, addr, size);
	cost = clock() - cost;
	local_irq_restore(flags);

	*spent += cost;
	single_account(&pool->free, cost, size);
}

/*
 * The fill
 */

static bool hold(struct pool *pool, size_t size, u64 *spent)
{
	void *addr;

	if (pool->nr_held == pool->max_held)
		return false;
	addr = single_alloc(pool, size, spent);
	if (!addr)
		return false;
	pool->held[pool->nr_held++] = (struct held) { addr, size };
	pool->used += size;
	return true;
}

static void drop(struct pool *pool, unsigned int i, u64 *spent)
{
	struct held *held = &pool->held[i];

	single_free(pool, held->addr, held->size, spent);
	pool->used -= held->size;
	*held = pool->held[--pool->nr_held];
}

static void drop_random(struct pool *pool, u64 *spent)
{
	drop(pool, prandom_u32_state(&pool->rnd) % pool->nr_held, spent);
}

/* A random size: each interval between two powers of two is equally likely */
static size_t mixed_size(struct pool *pool)
{
	u32 base = 1U << (prandom_u32_state(&pool->rnd) %
			  (MIX_MAX_SHIFT - MIX_MIN_SHIFT + 1));
	u32 pages = base + prandom_u32_state(&pool->rnd) % base;

	return min_t(size_t, (size_t)pages << PAGE_SHIFT, 1UL << MIX_MAX_SHIFT);
}

static size_t percent(struct pool *pool, unsigned int fill)
{
	return round_down(pool->bytes / 100 * fill, PAGE_SIZE);
}

static int fill_pool(struct pool *pool, bool solid, unsigned int fill)
{
	u64 spent = 0;

	if (!fill)
		return 0;
	if (solid)
		return hold(pool, percent(pool, fill), &spent) ? 0 : -ENOMEM;

	while (pool->used < percent(pool, fill + HOLES)) {
		if (!hold(pool, mixed_size(pool), &spent))
			return -ENOMEM;
		cond_resched();
	}
	while (pool->used > percent(pool, fill)) {
		drop_random(pool, &spent);
		cond_resched();
	}
	return 0;
}

static void empty_pool(struct pool *pool)
{
	u64 spent = 0;

	while (pool->nr_held) {
		drop_random(pool, &spent);
		cond_resched();
	}
}

/*
 * One CPU
 */

static __always_inline unsigned int pairs(struct pool *pool, size_t min_size,
					  size_t max_size, unsigned int rounds,
					  bool turns, bool real)
{
	unsigned int i, failed = 0;
	size_t size;

	for (i = 0; i < rounds; i++) {
		for (size = min_size; size <= max_size; size *= 2) {
			void *addr = pool;

			if (real)
				addr = pci_alloc_p2pmem(pool->provider, size);
			OPTIMIZER_HIDE_VAR(addr);
			if (unlikely(!addr)) {
				failed++;
				continue;
			}
			if (real)
				pci_free_p2pmem(pool->provider, addr, size);
		}
		if (turns)
			cpu_relax();
	}
	return failed;
}

static noinline unsigned int time_pairs(struct pool *pool, size_t min_size,
					size_t max_size, unsigned int rounds,
					u64 *cost)
{
	unsigned int failed;
	unsigned long flags;
	u64 start, loop;

	local_irq_save(flags);
	start = clock();
	pairs(pool, min_size, max_size, rounds, false, false);
	loop = clock() - start;

	start = clock();
	failed = pairs(pool, min_size, max_size, rounds, false, true);
	*cost = clock() - start - loop;
	local_irq_restore(flags);
	return failed;
}

static int bench_pairs(struct pool *pool, const char *pattern, size_t min_size,
		       size_t max_size)
{
	struct batches *batches __free(kfree) = kzalloc(sizeof(*batches), GFP_KERNEL);
	unsigned int i, failed;
	u64 cost;

	if (!batches)
		return -ENOMEM;

	/* The first run warms up; the second determines the length of a batch */
	failed = time_pairs(pool, min_size, max_size, 1, &cost);
	failed += time_pairs(pool, min_size, max_size, 1, &cost);
	batches->rounds = clamp(BATCH_COST / max(cost, 1), 1, BATCH_MAX);
	batches->ops = ilog2(max_size) - ilog2(min_size) + 1;

	for (i = 0; i < BATCHES; i++) {
		failed += time_pairs(pool, min_size, max_size, batches->rounds,
				     &batches->cost[i]);
		cond_resched();
	}
	if (failed)
		return -ENOMEM;
	report(pattern, batches);
	return 0;
}

/*
 * Random allocations and frees that keep the fill constant.  An empty pool is
 * filled a little before, and emptied again.
 */
static unsigned int age_pool(struct pool *pool, unsigned int fill)
{
	size_t level = percent(pool, fill ?: HOLES);
	unsigned int ops;
	u64 spent = 0;

	for (ops = 0; ops < HISTORY_OPS && spent < HISTORY_COST; ops++) {
		if (pool->used >= level)
			drop_random(pool, &spent);
		else if (!hold(pool, mixed_size(pool), &spent) && pool->nr_held)
			drop_random(pool, &spent);
		cond_resched();
	}
	if (!fill)
		empty_pool(pool);
	return ops;
}

static int bench_pool(struct pool *pool, bool solid, unsigned int fill)
{
	/* Only the series for 6.12 has magazines */
	bool recalls = LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0);
	u64 spent = 0;
	unsigned int ops;
	size_t size;
	void *addr;
	int ret;

	ret = fill_pool(pool, solid, fill);
	if (ret)
		return ret;

	/* The first allocation of each size, except for those of the fill */
	for (size = 1UL << MIX_MAX_SHIFT; size >= 1UL << MIX_MIN_SHIFT; size /= 2) {
		addr = single_alloc(pool, size, &spent);
		if (!addr)
			return -ENOMEM;
		single_free(pool, addr, size, &spent);
	}
	report_single("worst-first", pool);

	ret = bench_pairs(pool, "steady", STEADY_SIZE, STEADY_SIZE);
	if (ret)
		return ret;
	ret = bench_pairs(pool, "alternating", 1UL << MIX_MIN_SHIFT,
			  1UL << MIX_MAX_SHIFT);
	if (ret || solid)
		return ret;

	ops = age_pool(pool, fill);
	/* The mean of an allocation of any size and a free of another buffer */
	seq_buf_printf(&bench_result, "pattern=mixed cost=%llu ops=%u\n",
		       pool->alloc.sum * 100 / max(pool->alloc.count, 1) +
		       pool->free.sum * 100 / max(pool->free.count, 1), ops);
	report_single(recalls ? "worst-recall" : "worst-random", pool);
	ret = bench_pairs(pool, "random", STEADY_SIZE, STEADY_SIZE);
	if (ret || !recalls)
		return ret;

	pool->no_magazines = IS_ENABLED(CONFIG_PCI_P2PMEM);
	age_pool(pool, fill);
	report_single("worst-random", pool);
	return 0;
}

/*
 * Every CPU
 *
 * QEMU runs one CPU at a time, and switches to the next one at a "pause"
 * instruction, which the threads execute after every pair.  The figure is the
 * number of instructions of all CPUs, from the first begin to the last end.
 */

struct span {
	u64 start, end;
};

struct member {
	struct crew *crew;
	struct task_struct *task;
	bool frees;
	void *addr[HANDOVER];
	struct span loop[BATCHES], real[BATCHES];
};

struct crew {
	struct pool *pool;
	unsigned int nr, rounds;
	atomic_t arrived, left, failed;
	struct completion done;
	struct member member[] __counted_by(nr);
};

/* A barrier: wait until all threads are here for the @nth time */
static void meet(struct crew *crew, unsigned int nth)
{
	atomic_inc(&crew->arrived);
	while (atomic_read_acquire(&crew->arrived) < crew->nr * nth)
		cpu_relax();
}

static int leave(struct crew *crew, unsigned int failed)
{
	atomic_add(failed, &crew->failed);
	if (atomic_dec_and_test(&crew->left))
		complete(&crew->done);
	return 0;
}

static int pairs_thread(void *data)
{
	struct member *me = data;
	struct crew *crew = me->crew;
	unsigned int i, failed = 0;
	unsigned long flags;

	for (i = 0; i < BATCHES; i++) {
		meet(crew, 3 * i + 1);
		local_irq_save(flags);
		meet(crew, 3 * i + 2);
		me->loop[i].start = clock();
		pairs(crew->pool, STEADY_SIZE, STEADY_SIZE, crew->rounds, true, false);
		me->loop[i].end = clock();
		meet(crew, 3 * i + 3);
		me->real[i].start = clock();
		failed += pairs(crew->pool, STEADY_SIZE, STEADY_SIZE, crew->rounds,
				true, true);
		me->real[i].end = clock();
		local_irq_restore(flags);
		cond_resched();
	}
	return leave(crew, failed);
}

/* Every other thread frees what the one before it allocates; all wait for each other */
static int handover_thread(void *data)
{
	struct member *me = data;
	struct crew *crew = me->crew;
	struct pool *pool = crew->pool;
	void **addr = me->frees ? me[-1].addr : me->addr;
	unsigned int i, j, failed = 0;
	unsigned long flags;

	for (i = 0; i < BATCHES; i++) {
		if (me->frees)
			meet(crew, 2 * i + 1);
		local_irq_save(flags);
		me->loop[i].start = clock();
		for (j = 0; j < HANDOVER; j++)
			OPTIMIZER_HIDE_VAR(addr[j]);
		me->loop[i].end = clock();
		me->real[i].start = clock();
		for (j = 0; j < HANDOVER; j++) {
			if (!me->frees)
				addr[j] = pci_alloc_p2pmem(pool->provider, STEADY_SIZE);
			else if (addr[j])
				pci_free_p2pmem(pool->provider, addr[j], STEADY_SIZE);
			else
				failed++;
		}
		me->real[i].end = clock();
		local_irq_restore(flags);
		if (!me->frees)
			meet(crew, 2 * i + 1);
		meet(crew, 2 * i + 2);
		cond_resched();
	}
	return leave(crew, failed);
}

static int run_crew(struct crew *crew, int (*thread)(void *))
{
	unsigned int i = 0, cpu;

	atomic_set(&crew->arrived, 0);
	atomic_set(&crew->left, crew->nr);
	init_completion(&crew->done);
	for_each_online_cpu(cpu) {
		struct member *member = &crew->member[i];
		struct task_struct *task;

		task = kthread_create_on_cpu(thread, member, cpu, "bench/%u");
		if (IS_ERR(task)) {
			while (i--)
				kthread_stop_put(crew->member[i].task);
			return PTR_ERR(task);
		}
		member->crew = crew;
		member->frees = i++ % 2;
		member->task = get_task_struct(task);
	}
	for (i = 0; i < crew->nr; i++)
		wake_up_process(crew->member[i].task);
	wait_for_completion(&crew->done);
	for (i = 0; i < crew->nr; i++)
		kthread_stop_put(crew->member[i].task);

	return atomic_read(&crew->failed) ? -ENOMEM : 0;
}

/* Measure from the first thread that begins to the last one that ends */
static u64 crew_span(const struct crew *crew, unsigned int batch, bool real)
{
	u64 start = U64_MAX, end = 0;
	unsigned int i;

	for (i = 0; i < crew->nr; i++) {
		const struct span *span = real ? &crew->member[i].real[batch] :
						 &crew->member[i].loop[batch];

		start = min(start, span->start);
		end = max(end, span->end);
	}
	return end - start;
}

static int bench_cpus(struct pool *pool, bool solid, unsigned int fill)
{
	struct batches *batches __free(kfree) = kzalloc(sizeof(*batches), GFP_KERNEL);
	struct crew *crew __free(kfree) = NULL;
	unsigned int i, j, failed;
	u64 cost;
	int ret;

	crew = kzalloc(struct_size(crew, member, num_online_cpus()), GFP_KERNEL);
	if (!crew || !batches)
		return -ENOMEM;
	crew->nr = num_online_cpus();
	crew->pool = pool;
	if (crew->nr % 2)
		return -ENXIO;

	ret = fill_pool(pool, solid, fill);
	if (ret)
		return ret;

	failed = time_pairs(pool, STEADY_SIZE, STEADY_SIZE, 1, &cost);
	failed += time_pairs(pool, STEADY_SIZE, STEADY_SIZE, 1, &cost);
	if (failed)
		return -ENOMEM;
	crew->rounds = clamp(BATCH_COST / max(cost, 1), 2, BATCH_MAX);

	ret = run_crew(crew, pairs_thread);
	if (ret)
		return ret;
	for (i = 0; i < BATCHES; i++)
		batches->cost[i] = crew_span(crew, i, true) - crew_span(crew, i, false);
	batches->rounds = crew->rounds;
	batches->ops = crew->nr;
	report("all-cpus", batches);

	ret = run_crew(crew, handover_thread);
	if (ret)
		return ret;
	for (i = 0; i < BATCHES; i++) {
		batches->cost[i] = 0;
		for (j = 0; j < crew->nr; j++) {
			struct member *member = &crew->member[j];

			batches->cost[i] += member->real[i].end - member->real[i].start -
				(member->loop[i].end - member->loop[i].start);
		}
	}
	batches->rounds = 1;
	batches->ops = HANDOVER * crew->nr / 2;
	report("handover", batches);
	return 0;
}

/*
 * Whatever does not use peer memory
 */

/* Measure @op, which returns 0 or an error; always inline, so that @op is, too */
static __always_inline int bench_ops(const char *pattern, int (*op)(void *), void *arg)
{
	struct batches *batches __free(kfree) = kzalloc(sizeof(*batches), GFP_KERNEL);
	unsigned int i, j;
	unsigned long flags;
	u64 start, loop;
	int ret = 0;

	if (!batches)
		return -ENOMEM;
	batches->rounds = BATCH_MAX;
	batches->ops = 1;
	for (i = 0; i < BATCHES && !ret; i++) {
		local_irq_save(flags);
		start = clock();
		for (j = 0; j < BATCH_MAX; j++)
			OPTIMIZER_HIDE_VAR(arg);
		loop = clock() - start;

		start = clock();
		for (j = 0; j < BATCH_MAX && !ret; j++)
			ret = op(arg);
		batches->cost[i] = clock() - start - loop;
		local_irq_restore(flags);
		cond_resched();
	}
	if (!ret)
		report(pattern, batches);
	return ret;
}

struct mapping {
	struct device *dev;
	struct sg_table table;
};

static int map_unmap(void *arg)
{
	struct mapping *map = arg;
	struct sg_table *table = &map->table;

	if (!dma_map_sg(map->dev, table->sgl, table->orig_nents, DMA_TO_DEVICE))
		return -EIO;
	dma_unmap_sg(map->dev, table->sgl, table->orig_nents, DMA_TO_DEVICE);
	return 0;
}

static int bench_dma(struct device *dev, struct page *page, unsigned int nents)
{
	struct mapping map = { .dev = dev };
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	ret = sg_alloc_table(&map.table, nents, GFP_KERNEL);
	if (ret)
		return ret;
	for_each_sgtable_sg(&map.table, sg, i)
		sg_set_page(sg, page, PAGE_SIZE, 0);
	ret = bench_ops("dma_map_sg", map_unmap, &map);
	sg_free_table(&map.table);
	return ret;
}

#if defined(CONFIG_HMM_MIRROR) && __has_include(<linux/hmm-dma.h>)
struct hmm_mapping {
	struct device *dev;
	struct hmm_dma_map map;
	struct pci_p2pdma_map_state state;
};

static int hmm_map_unmap(void *arg)
{
	struct hmm_mapping *map = arg;

	if (hmm_dma_map_pfn(map->dev, &map->map, 0, &map->state) == DMA_MAPPING_ERROR ||
	    !hmm_dma_unmap_pfn(map->dev, &map->map, 0))
		return -EIO;
	return 0;
}

static int bench_hmm(struct device *dev, struct page *page)
{
	struct hmm_mapping map = { .dev = dev };
	int ret;

	ret = hmm_dma_map_alloc(dev, &map.map, 1, PAGE_SIZE);
	if (ret)
		return ret;
	map.map.pfn_list[0] = page_to_pfn(page) | HMM_PFN_VALID | HMM_PFN_WRITE;
	ret = bench_ops("hmm_dma_map", hmm_map_unmap, &map);
	hmm_dma_map_free(dev, &map.map);
	return ret;
}
#else
static int bench_hmm(struct device *dev, struct page *page)
{
	return 0;
}
#endif

/*
 * A read is timed while it is submitted, and again during the poll that completes
 * it.  The drive takes any time in between.
 */
static void request_done(struct bio *bio)
{
	*(bool *)bio->bi_private = true;
}

static int time_request(struct block_device *bdev, struct page *page,
			unsigned int nents, u64 *cost)
{
	struct bio *bio = bio_alloc(bdev, nents, REQ_OP_READ | REQ_POLLED, GFP_KERNEL);
	unsigned long flags;
	bool done = false;
	u64 start, step;
	int ret;

	/* The same page many times: each is a segment of its own */
	while (nents--)
		__bio_add_page(bio, page, PAGE_SIZE, 0);
	bio->bi_private = &done;
	bio->bi_end_io = request_done;

	local_irq_save(flags);
	start = clock();
	submit_bio(bio);
	*cost = clock() - start;
	local_irq_restore(flags);
	do {
		local_irq_save(flags);
		start = clock();
		bio_poll(bio, NULL, BLK_POLL_ONESHOT);
		step = clock() - start;
		local_irq_restore(flags);
	} while (!READ_ONCE(done));
	*cost += step;

	ret = blk_status_to_errno(bio->bi_status);
	bio_put(bio);
	return ret;
}

static int bench_request(const char *path, struct page *page, unsigned int nents)
{
	struct batches *batches __free(kfree) = kzalloc(sizeof(*batches), GFP_KERNEL);
	struct file *file;
	unsigned int i;
	int ret = 0;

	if (!batches)
		return -ENOMEM;
	file = bdev_file_open_by_path(path, BLK_OPEN_READ, NULL, NULL);
	if (IS_ERR(file))
		return PTR_ERR(file);

	/* The first ones warm up */
	batches->rounds = 1;
	batches->ops = 1;
	for (i = 0; i < 3 * BATCHES && !ret; i++)
		ret = time_request(file_bdev(file), page, nents,
				   &batches->cost[i % BATCHES]);
	if (!ret)
		report("request", batches);
	bdev_fput(file);
	return ret;
}

/*
 * The memory of a request, as the RDMA transport of the target allocates it: for
 * a controller that may use peer memory and a namespace that does not use it.
 */

static int alloc_free_sgls(void *arg)
{
	int ret = nvmet_req_alloc_sgls(arg);

	if (!ret)
		nvmet_req_free_sgls(arg);
	return ret;
}

/* All fields that the functions read are zero, except for these */
struct fake_request {
	struct nvmet_req req;
	struct nvmet_sq sq;
	struct nvmet_ctrl ctrl;
	struct nvmet_ns ns;
	struct nvme_command cmd;
};

static int bench_sgls(size_t bytes)
{
	struct fake_request *fake __free(kfree) = kzalloc(sizeof(*fake), GFP_KERNEL);

	if (!fake)
		return -ENOMEM;
	fake->cmd.common.opcode = nvme_cmd_read;
	fake->ns.nsid = 1;
	fake->sq.qid = 1;
	fake->sq.ctrl = &fake->ctrl;
	fake->req.cmd = &fake->cmd;
	fake->req.sq = &fake->sq;
	fake->req.ns = &fake->ns;
	fake->req.transfer_len = bytes;
	return bench_ops("sgls", alloc_free_sgls, &fake->req);
}

/*
 * The life of a buffer, like that of a request: it is allocated, mapped for a
 * client, unmapped and freed.  Each step is an event, and there are no others.
 * The caller measures the cost of tracing these events.
 */

static int bench_life(struct pci_dev *provider, struct pci_dev *client)
{
	void *addr = pci_alloc_p2pmem(provider, STEADY_SIZE);
	struct scatterlist sg;
	int mapped;

	if (!addr)
		return -ENOMEM;
	sg_init_one(&sg, addr, STEADY_SIZE);
	mapped = dma_map_sg(&client->dev, &sg, 1, DMA_TO_DEVICE);
	if (mapped)
		dma_unmap_sg(&client->dev, &sg, 1, DMA_TO_DEVICE);
	pci_free_p2pmem(provider, addr, STEADY_SIZE);
	return mapped ? 0 : -EREMOTEIO;
}

static int bench_lives(struct pci_dev *provider, struct pci_dev *client,
		       unsigned int count)
{
	int ret = 0;

	while (count-- && !ret) {
		ret = bench_life(provider, client);
		cond_resched();
	}
	return ret;
}

/*
 * Commands
 */

DEFINE_FREE(free_page_struct, struct page *, if (_T) __free_page(_T))

static struct pci_dev *get_device_by_name(const char *name)
{
	unsigned int domain, bus, dev, fn;

	if (sscanf(name, "%x:%x:%x.%x", &domain, &bus, &dev, &fn) != 4)
		return NULL;
	return pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(dev, fn));
}

static int run_pool(struct pci_dev *pdev, const char *args,
		    int (*bench)(struct pool *, bool, unsigned int))
{
	struct pool pool = { .provider = pdev };
	unsigned int fill;
	char layout[8];
	u64 seed;
	int ret;

	if (sscanf(args, "%zu %7s %u %llu", &pool.bytes, layout, &fill, &seed) != 4 ||
	    fill > 100 - HOLES)
		return -EINVAL;

	prandom_seed_state(&pool.rnd, seed);
	pool.max_held = pool.bytes / SZ_64K + 2;
	pool.held = vmalloc_array(pool.max_held, sizeof(*pool.held));
	if (!pool.held)
		return -ENOMEM;

	ret = bench(&pool, !strcmp(layout, "solid"), fill);
	empty_pool(&pool);
	vfree(pool.held);
	return ret;
}

static int run_lives(struct pci_dev *provider, const char *args)
{
	struct pci_dev *client;
	unsigned int count;
	char name[16];
	int ret;

	if (sscanf(args, "%15s %u", name, &count) != 2)
		return -EINVAL;
	client = get_device_by_name(name);
	if (!client)
		return -ENODEV;

	ret = bench_lives(provider, client, count);
	pci_dev_put(client);
	return ret;
}

static int run(char *command)
{
	struct page *page __free(free_page_struct) = alloc_page(GFP_KERNEL);
	struct pci_dev *pdev;
	char what[8], name[16];
	unsigned int number;
	int ret = -EINVAL, args;

	if (!page)
		return -ENOMEM;
	if (sscanf(command, "%7s %15s %n", what, name, &args) != 2)
		return -EINVAL;
	if (!strcmp(what, "sgls"))
		return kstrtouint(name, 10, &number) ?: bench_sgls(number);
	if (!strcmp(what, "request"))
		return kstrtouint(command + args, 10, &number) ?:
			bench_request(name, page, number);

	pdev = get_device_by_name(name);
	if (!pdev)
		return -ENODEV;

	if (!strcmp(what, "pool"))
		ret = run_pool(pdev, command + args, bench_pool);
	else if (!strcmp(what, "cpus"))
		ret = run_pool(pdev, command + args, bench_cpus);
	else if (!strcmp(what, "lives"))
		ret = run_lives(pdev, command + args);
	else if (!strcmp(what, "hmm"))
		ret = bench_hmm(&pdev->dev, page);
	else if (!strcmp(what, "dma") && !kstrtouint(command + args, 10, &number) && number)
		ret = bench_dma(&pdev->dev, page, number);

	pci_dev_put(pdev);
	return ret;
}

static ssize_t bench_write(struct file *file, const char __user *text,
			   size_t size, loff_t *pos)
{
	char *command __free(kfree) = memdup_user_nul(text, min(size, SZ_4K));
	int ret;

	if (IS_ERR(command))
		return PTR_ERR(no_free_ptr(command));

	guard(mutex)(&bench_lock);
	seq_buf_init(&bench_result, bench_text, sizeof(bench_text));
	ret = run(strim(command));
	if (!ret && seq_buf_has_overflowed(&bench_result))
		ret = -ENOSPC;
	return ret ?: size;
}

static ssize_t bench_read(struct file *file, char __user *text, size_t size,
			  loff_t *pos)
{
	guard(mutex)(&bench_lock);
	return simple_read_from_buffer(text, size, pos, bench_text,
				       seq_buf_used(&bench_result));
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.write = bench_write,
	.read = bench_read,
};

/* The end of the last write.  There is one writer, which has exited before the read. */
static char sink_end[128];
static size_t sink_len;

static int sink_open(struct inode *inode, struct file *file)
{
	if (file->f_mode & FMODE_WRITE)
		sink_len = 0;
	return 0;
}

static ssize_t sink_write(struct file *file, const char __user *text,
			  size_t size, loff_t *pos)
{
	size_t len = min(size, sizeof(sink_end));

	if (copy_from_user(sink_end, text + size - len, len))
		return -EFAULT;
	sink_len = len;
	return size;
}

static ssize_t sink_read(struct file *file, char __user *to, size_t size,
			 loff_t *pos)
{
	return simple_read_from_buffer(to, size, pos, sink_end, sink_len);
}

static const struct file_operations sink_fops = {
	.owner = THIS_MODULE,
	.open = sink_open,
	.write = sink_write,
	.read = sink_read,
};

/*
 * The time that the first CPU was halted.  No file of the kernel has it exactly on
 * all bases: 7.3 counts whole ticks as idle.  A halt ends with an interrupt, which is
 * work.  Only the first CPU's probes change these, with interrupts off.
 */
static u64 halted_since, halted;

static void halt_ends(void)
{
	if (halted_since)
		halted += clock() - halted_since;
	halted_since = 0;
}

static void on_cpu_idle(void *data, unsigned int state, unsigned int cpu)
{
	halt_ends();
	if (state != PWR_EVENT_EXIT)
		halted_since = clock();
}

static void on_vector(void *data, int vector)
{
	halt_ends();
}

static void on_device(void *data, int irq, struct irqaction *action)
{
	halt_ends();
}

static const struct {
	const char *name;
	void *probe;
} halt_probes[] = {
	{ "cpu_idle", on_cpu_idle },
	{ "local_timer_entry", on_vector },
	{ "reschedule_entry", on_vector },
	{ "call_function_entry", on_vector },
	{ "call_function_single_entry", on_vector },
	{ "irq_work_entry", on_vector },
	{ "irq_handler_entry", on_device },
};
static struct tracepoint *halt_points[ARRAY_SIZE(halt_probes)];

static void find_halt_point(struct tracepoint *point, void *data)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(halt_probes); i++)
		if (!strcmp(point->name, halt_probes[i].name))
			halt_points[i] = point;
}

static void halt_probes_remove(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(halt_probes); i++)
		if (halt_points[i])
			tracepoint_probe_unregister(halt_points[i],
						    halt_probes[i].probe, NULL);
	tracepoint_synchronize_unregister();
}

/* With more than one CPU, the time is not counted */
static int __init halt_probes_add(void)
{
	unsigned int i;
	int ret;

	if (num_online_cpus() > 1)
		return 0;
	for_each_kernel_tracepoint(find_halt_point, NULL);
	for (i = 0; i < ARRAY_SIZE(halt_probes); i++) {
		ret = halt_points[i] ?
			tracepoint_probe_register(halt_points[i],
						  halt_probes[i].probe, NULL) :
			-ENOENT;
		if (ret) {
			pr_err("no tracepoint %s: %d\n", halt_probes[i].name, ret);
			halt_points[i] = NULL;
			halt_probes_remove();
			return ret;
		}
	}
	return 0;
}

static int idle_get(void *data, u64 *instructions)
{
	*instructions = READ_ONCE(halted);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(idle_fops, idle_get, NULL, "%llu\n");

static struct dentry *bench_file, *sink_file, *idle_file;

/* Check that 1000 instructions count as 1000, twice */
static int __init check_clock(void)
{
	unsigned long flags;
	unsigned long i = 1000;
	u64 cost;

	local_irq_save(flags);
	clock_cost = clock();
	clock_cost = clock() - clock_cost;
	cost = clock();
	asm volatile("1: dec %0; jnz 1b" : "+r" (i) : : "cc");
	cost = clock() - cost;
	local_irq_restore(flags);

	if (abs((s64)(cost - clock_cost) - 2000) > 2) {
		pr_err("the counter does not count instructions: 2000 are %llu\n",
		       cost - clock_cost);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int __init bench_init(void)
{
	int ret;

	ret = check_clock();
	if (ret)
		return ret;

	ret = halt_probes_add();
	if (ret)
		return ret;

	seq_buf_init(&bench_result, bench_text, sizeof(bench_text));
	sink_file = debugfs_create_file("p2pmem_bench_sink", 0600, NULL, NULL,
					&sink_fops);
	idle_file = debugfs_create_file("p2pmem_bench_idle", 0400, NULL, NULL,
					&idle_fops);
	bench_file = debugfs_create_file("p2pmem_bench", 0600, NULL, NULL,
					 &bench_fops);
	return 0;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	debugfs_remove(bench_file);
	debugfs_remove(idle_file);
	debugfs_remove(sink_file);
	halt_probes_remove();
}
module_exit(bench_exit);

MODULE_DESCRIPTION("Costs of peer memory, in instructions");
MODULE_LICENSE("GPL");
