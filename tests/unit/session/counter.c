// SPDX-License-Identifier: GPL-2.0
/* wrap: bpf_object__load bpf_program__attach bpf_link__destroy bpf_map__fd bpf_program__fd */
/* wrap: bpf_map_lookup_elem bpf_map_update_elem bpf_map_lookup_batch bpf_obj_get_info_by_fd */
/* wrap: session_visit held_read gauges_read kernel_open kernel_check_privileges filter_set_dev */
/* wrap: bars_walk */
/*
 * The counts, the buffers in use and the first violations, from maps without a kernel. sysfs and
 * debugfs are a directory.
 */
#include "fake-bpf.h"

#include <bpf/btf.h>

#include "machine/tree.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "machine/devices.h"
#include "machine/gauges.h"
#include "machine/held.h"
#include "machine/kernel.h"
#include "machine/sysfs.h"
#include "session/counter.h"
#include "session/hooks.h"
#include "session/select.h"

#include "stat.skel.h"

static struct p2ptrace_counts counts[1024];
static struct p2ptrace_live live[8];
static struct p2ptrace_mapped mapped[8];
static size_t nr_live, nr_mapped;
static struct p2ptrace_dmabuf_state states[8];
static struct p2ptrace_attached attached[8];
static size_t nr_states, nr_attached;
static int batch_fails, counts_fail, lost_fail, arm_fails;
static const char *batch_fails_for;	/* the name of a map; NULL: all */
static uint64_t lost_on_last_cpu;
static bool have_first, armed;
/* The ids recorded as held, in order: "1 2 " */
static char recorded[64];
static uint64_t record_fails_at;
static int record_fails;
/* The kernel that counter_open() finds */
static const char *kernel_lacks;	/* events that begin so */
static int kernel_rc, privileges_rc;
static unsigned int privileges_checked;

/* The machine has none */
int __wrap_bars_walk(const char *sysfs, void *visit, void *ctx);
int __wrap_bars_walk(const char *sysfs, void *visit, void *ctx)
{
	(void)visit;
	(void)ctx;
	assert_string_equal(sysfs, SYSFS);
	return 0;
}

int __real_held_read(struct held_list *list, const char *sysfs, const char *debugfs,
		     const struct p2ptrace_filter *filter);
int __wrap_held_read(struct held_list *list, const char *sysfs, const char *debugfs,
		     const struct p2ptrace_filter *filter);
int __wrap_held_read(struct held_list *list, const char *sysfs, const char *debugfs,
		     const struct p2ptrace_filter *filter)
{
	char fake[PATH_MAX];

	assert_string_equal(sysfs, SYSFS);
	assert_string_equal(debugfs, DEBUGFS);
	strcpy(fake, in_tree("debug"));
	return __real_held_read(list, tree, fake, filter);
}

int __real_gauges_read(struct gauges *gauges, bool stock, const char *sysfs,
		       const struct p2ptrace_filter *filter);
int __wrap_gauges_read(struct gauges *gauges, bool stock, const char *sysfs,
		       const struct p2ptrace_filter *filter);
int __wrap_gauges_read(struct gauges *gauges, bool stock, const char *sysfs,
		       const struct p2ptrace_filter *filter)
{
	assert_string_equal(sysfs, SYSFS);
	return __real_gauges_read(gauges, stock, tree, filter);
}

int __real_filter_set_dev(struct p2ptrace_filter *filter, const char *sysfs, const char *name);
int __wrap_filter_set_dev(struct p2ptrace_filter *filter, const char *sysfs, const char *name);
int __wrap_filter_set_dev(struct p2ptrace_filter *filter, const char *sysfs, const char *name)
{
	assert_string_equal(sysfs, SYSFS);
	return __real_filter_set_dev(filter, tree, name);
}

/* dma-bufs that the kernel has; those that the program has visited; how a visit fails */
static unsigned int dmabufs, visited;
static int visit_fails, sum_fails;

int __wrap_session_visit(struct session *session, unsigned int role);
int __wrap_session_visit(struct session *session, unsigned int role)
{
	assert_non_null(session->links[role]);
	assert_int_equal(role, HOOK_DMABUF_ITER);
	visited += dmabufs;
	return visit_fails;
}

int __wrap_kernel_open(struct kernel *kernel, const char *vmlinux_btf);
int __wrap_kernel_open(struct kernel *kernel, const char *vmlinux_btf)
{
	char name[64];

	assert_string_equal(vmlinux_btf, VMLINUX_BTF);
	kernel->vmlinux = btf__new_empty();
	btf__add_int(kernel->vmlinux, "int", 4, BTF_INT_SIGNED);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		if (kernel_lacks && !strncmp(events[i].name, kernel_lacks, strlen(kernel_lacks)))
			continue;
		snprintf(name, sizeof(name), "btf_trace_%s", events[i].name);
		assert_true(btf__add_typedef(kernel->vmlinux, name, 1) > 0);
	}
	return kernel_rc;
}

int __wrap_kernel_check_privileges(const struct kernel *kernel);
int __wrap_kernel_check_privileges(const struct kernel *kernel)
{
	assert_non_null(kernel->vmlinux);
	privileges_checked++;
	return privileges_rc;
}

/* Of the first CPU; the others have none. */
static struct p2ptrace_pair pair_keys[2];
static const struct p2ptrace_pair_sum pair_values[2] = { { 3, 4096 }, { 2, 8192 } };

int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value);
int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	if (is(fd, "counts_per_cpu")) {
		memcpy(value, counts, libbpf_num_possible_cpus() * sizeof(counts[0]));
		errno = counts_fail;
		return counts_fail ? -1 : 0;
	}
	if (is(fd, "firsts")) {
		struct p2ptrace_first first = { .id = 10 + *(const uint32_t *)key };

		memset(first.comm, 'x', sizeof(first.comm));
		memset(first.dev.s, 'd', sizeof(first.dev.s));
		memset(first.client.s, 'c', sizeof(first.client.s));
		memcpy(value, &first, sizeof(first));
		errno = ENOENT;
		return have_first ? 0 : -1;
	}
	if (is(fd, "dmabuf_sum")) {
		*(struct p2ptrace_dmabuf_sum *)value = (struct p2ptrace_dmabuf_sum){
			visited, 4096 * visited
		};
		return 0;
	}
	memset(value, 0, libbpf_num_possible_cpus() * sizeof(uint64_t));
	if (is(fd, "lost_per_cpu"))
		((uint64_t *)value)[libbpf_num_possible_cpus() - 1] = lost_on_last_cpu;
	errno = lost_fail;
	return lost_fail ? -1 : 0;
}

int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	const struct p2ptrace_live *held = value;
	uint64_t id;

	if (is(fd, "dmabuf_sum")) {
		visited = ((const struct p2ptrace_dmabuf_sum *)value)->nr;
		errno = sum_fails;
		return sum_fails ? -1 : 0;
	}
	if (is(fd, "live_buffers")) {
		memcpy(&id, key, sizeof(id));
		assert_false(armed);
		assert_int_equal(flags, BPF_NOEXIST);
		assert_int_equal(held->before, 1);
		assert_int_equal(held->since_ns, 0);
		errno = record_fails;
		if (id == record_fails_at)
			return -1;
		sprintf(recorded + strlen(recorded), "%llu ", (unsigned long long)id);
		return 0;
	}
	/* libbpf's name of .data.armed has the object's name in front */
	assert_non_null(strstr(bpf_map__name(maps[fd]), "armed"));
	assert_int_equal(*(const uint32_t *)key, 0);
	assert_int_equal(flags, BPF_ANY);
	errno = arm_fails;
	if (arm_fails)
		return -1;
	armed = *(const bool *)value;
	return 0;
}

int __wrap_bpf_map_lookup_batch(int fd, void *in, void *out, void *keys, void *values,
				__u32 *count, const struct bpf_map_batch_opts *opts);
int __wrap_bpf_map_lookup_batch(int fd, void *in, void *out, void *keys, void *values,
				__u32 *count, const struct bpf_map_batch_opts *opts)
{
	(void)in;
	(void)out;
	(void)opts;
	assert_true(*count >= 8);
	if (is(fd, "live_buffers")) {
		memcpy(values, live, sizeof(live));
		*count = nr_live;
	} else if (is(fd, "pairs")) {
		memcpy(keys, pair_keys, sizeof(pair_keys));
		memset(values, 0, 2 * libbpf_num_possible_cpus() * sizeof(pair_values[0]));
		memcpy(values, pair_values, sizeof(pair_values[0]));
		memcpy((char *)values + libbpf_num_possible_cpus() * sizeof(pair_values[0]),
		       &pair_values[1], sizeof(pair_values[1]));
		*count = 2;
	} else if (is(fd, "dmabuf_states")) {
		memcpy(values, states, sizeof(states));
		*count = nr_states;
	} else if (is(fd, "dmabuf_attached")) {
		memcpy(values, attached, sizeof(attached));
		*count = nr_attached;
	} else {
		assert_true(is(fd, "live_mappings"));
		memcpy(values, mapped, sizeof(mapped));
		*count = nr_mapped;
	}
	errno = batch_fails && (!batch_fails_for || is(fd, batch_fails_for)) ? batch_fails : ENOENT;
	return -errno;
}

static struct counter counter;
static struct capture c;

#define HEAD "id size nents age_ms pins state pid owner\n"

/* A provider with 5 MiB, 3 of them available. @text is what debugfs shows of its buffers. */
static void make_provider(const char *dev, const char *pci, const char *text)
{
	char name[128], target[64];

	snprintf(name, sizeof(name), "class/p2pmem/%s/device", dev);
	snprintf(target, sizeof(target), "../../../%s", pci);
	tree_link(name, target);
	snprintf(name, sizeof(name), "class/p2pmem/%s/size", dev);
	tree_file(name, "5242880\n");
	snprintf(name, sizeof(name), "class/p2pmem/%s/available", dev);
	tree_file(name, "3145728\n");
	snprintf(name, sizeof(name), "class/p2pmem/%s/buffers", dev);
	tree_file(name, "11\n");
	snprintf(name, sizeof(name), "class/p2pmem/%s/pinned", dev);
	tree_file(name, "2\n");
	snprintf(name, sizeof(name), "debug/p2pmem/%s/buffers", dev);
	tree_file(name, text);
}

/* A kernel with the series that has these events. */
static void use_series(void)
{
	struct enums none = {};

	metrics_free(&counter.metrics);
	counter.sel.set = (struct event_set){};
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		counter.sel.set.has[i] = true;
	assert_int_equal(metrics_load(&counter.metrics, &none, &counter.sel.set), 0);
}

static int setup(void **state)
{
	struct enums none = {};

	if (tree_setup(state))
		return -1;
	tree_dir("bus/pci/devices");
	tree_dir("class/p2pmem");
	tree_dir("debug/p2pmem");
	nr_maps = nr_live = nr_mapped = nr_states = nr_attached = 0;
	memset(counts, 0, sizeof(counts));
	batch_fails = counts_fail = lost_fail = arm_fails = record_fails = 0;
	dmabufs = visited = visit_fails = sum_fails = 0;
	kernel_rc = privileges_rc = privileges_checked = 0;
	lost_on_last_cpu = record_fails_at = 0;
	have_first = armed = false;
	refused_name = kernel_lacks = batch_fails_for = NULL;
	*recorded = '\0';
	counter = (struct counter){};
	/* A stock kernel with nvmet built in, which keeps no list of what is held */
	counter.sel.set.stock = true;
	for (int i = 0; stock_hooks[i].program; i++) {
		counter.sel.set.hooks |= 1ull << i;
		if (stock_hooks[i].role < P2PTRACE_NR_EVENTS)
			counter.sel.set.has[stock_hooks[i].role] = true;
	}
	for (unsigned int i = 0; i < hook_nr_ways; i++)
		if (*hook_ways[i].roles != HOOK_NVMET_RETURN)
			counter.sel.set.ways |= 1ull << i;
	counter.sel.set.lists_dmabufs = true;
	return metrics_load(&counter.metrics, &none, &counter.sel.set);
}

static int teardown(void **state)
{
	counter_close(&counter);
	return tree_teardown(state);
}

/* Another counter in the same test. */
static void again(void)
{
	assert_int_equal(teardown(NULL), 0);
	assert_int_equal(setup(NULL), 0);
}

static int start(bool follow)
{
	struct session_config config = {};
	int rc;

	capture_begin(&c);
	rc = counter_start(&counter, &config, follow);
	capture_end(&c);
	return rc;
}

static void violations_are_counted_once_all_programs_are_attached(void **state)
{
	(void)state;
	assert_int_equal(start(true), 0);
	assert_true(armed);
	assert_true(counter.skel->rodata->follow);
	assert_true(counter.skel->rodata->stock);
	assert_int_equal(bpf_map__max_entries(counter.skel->maps.live_buffers), P2PTRACE_MAX_LIVE);
}

static void maps_of_buffers_are_small_if_buffers_are_not_followed(void **state)
{
	(void)state;
	counter.sel.filter.min_size = 42;
	assert_int_equal(start(false), 0);
	assert_false(armed);
	assert_false(counter.skel->rodata->follow);
	assert_int_equal(counter.skel->rodata->filter.min_size, 42);
	assert_int_equal(bpf_map__max_entries(counter.skel->maps.live_buffers), 1);
	assert_int_equal(bpf_map__max_entries(counter.skel->maps.live_mappings), 1);
}

static void an_event_that_is_left_out_has_no_metric(void **state)
{
	(void)state;
	refused_name = "stock_p2pmem_find";
	assert_non_null(metrics_find(&counter.metrics, "finds"));
	assert_int_equal(start(false), 0);
	assert_one_line(c.text, "leaving out p2pmem_find");
	assert_null(metrics_find(&counter.metrics, "finds"));
	assert_non_null(metrics_find(&counter.metrics, "allocs"));
	assert_false(counter.sel.set.has[P2PTRACE_p2pmem_find]);
	assert_true(counter.sel.set.blind[P2PTRACE_p2pmem_find]);
	assert_false(counter.sel.set.blind[P2PTRACE_p2pmem_alloc]);
}

static void following_buffers_needs_the_free_event(void **state)
{
	(void)state;
	/* Lists have a hook of their own, but the rest is not seen */
	refused_name = "stock_p2pmem_free";
	assert_int_equal(start(true), 0);
	assert_true(counter.sel.set.blind[P2PTRACE_p2pmem_free]);
	assert_string_equal(counter.sel.set.why[P2PTRACE_p2pmem_free], "single buffers: cannot "
			    "attach to fentry/pci_free_p2pmem: No such file or directory");
	assert_false(counter.sel.set.blind[P2PTRACE_p2pmem_alloc]);
	again();
	refused_name = "stock_p2pmem_alloc";
	assert_int_equal(start(true), EXIT_KERNEL);
	again();
	refused_name = "stock_p2pmem_alloc";
	assert_int_equal(start(false), 0);
	assert_true(counter.sel.set.has[P2PTRACE_p2pmem_free]);
	assert_true(counter.sel.set.blind[P2PTRACE_p2pmem_alloc]);

	/* The kernel lacks them, so there is nothing to attach */
	again();
	counter.sel.set.has[P2PTRACE_p2pmem_free] = false;
	assert_int_equal(start(true), EXIT_KERNEL);
	assert_non_null(strstr(c.text, "cannot show when buffers are allocated and freed; the"));
	assert_null(counter.skel);
}

static void the_counts_of_all_cpus_are_added(void **state)
{
	struct sample sample;
	int cpus = libbpf_num_possible_cpus();

	(void)state;
	assert_int_equal(start(false), 0);
	for (int i = 0; i < cpus; i++) {
		counts[i].events[P2PTRACE_p2pmem_alloc] = 3;
		counts[i].bytes[P2PTRACE_p2pmem_alloc] = 100 * i;
		counts[i].events[P2PTRACE_p2pmem_find] = 1;
	}
	assert_int_equal(counter_sample(&counter, &sample), 0);
	assert_int_equal(sample.counts.events[P2PTRACE_p2pmem_alloc], 3 * cpus);
	assert_int_equal(sample.counts.bytes[P2PTRACE_p2pmem_alloc], 100 * cpus * (cpus - 1) / 2);
	assert_int_equal(sample_events(&sample), 4 * cpus);
	assert_true(sample.ts_ns && sample.ts_ns <= clock_now_ns());
	counts_fail = EPERM;
	capture_begin(&c);
	assert_int_equal(counter_sample(&counter, &sample), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "cannot read the counts");
}

static void dma_bufs_that_exist_are_counted_if_the_kernel_lists_them(void **state)
{
	struct sample sample;

	(void)state;
	dmabufs = 3;
	assert_int_equal(start(false), 0);
	/* Not those of the sample before */
	for (int i = 0; i < 2; i++)
		assert_int_equal(counter_sample(&counter, &sample), 0);
	assert_int_equal(metric_value(metrics_find(&counter.metrics, "dmabufs"), &sample), 3);
	assert_int_equal(metric_value(metrics_find(&counter.metrics, "dmabuf_bytes"), &sample),
			 3 * 4096);
	capture_begin(&c);
	visit_fails = -EPERM;
	assert_int_equal(counter_sample(&counter, &sample), EXIT_OTHER);
	visit_fails = 0;
	sum_fails = EPERM;
	assert_int_equal(counter_sample(&counter, &sample), EXIT_OTHER);
	capture_end(&c);
	assert_non_null(strstr(c.text, "cannot list the dma-bufs that exist: Operation not "
			       "permitted\n"));

	again();
	refused_name = "stock_dmabuf_iter";
	assert_int_equal(start(false), 0);
	assert_null(metrics_find(&counter.metrics, "dmabufs"));
	assert_non_null(metrics_find(&counter.metrics, "dmabuf_exports"));
	assert_int_equal(counter_sample(&counter, &sample), 0);
	assert_int_equal(visited, 0);
}

static void buffers_and_mappings_in_use_are_counted(void **state)
{
	struct counter_live found;
	uint64_t now = clock_now_ns();

	(void)state;
	assert_int_equal(start(true), 0);
	live[0] = (struct p2ptrace_live){ .since_ns = now - 300, .first.id = 1 };
	live[1] = (struct p2ptrace_live){ .since_ns = now - 500, .first.id = 2 };
	live[2] = (struct p2ptrace_live){ .since_ns = now - 400, .first.id = 3 };
	live[3] = (struct p2ptrace_live){ .since_ns = now - 900, .first.id = 4, .before = 1 };
	memset(live[1].first.comm, 'x', sizeof(live[1].first.comm));
	memset(live[1].first.dev.s, 'x', sizeof(live[1].first.dev.s));
	nr_live = 4;
	mapped[0] = (struct p2ptrace_mapped){ .since_ns = now - 20, .first.id = 5 };
	mapped[1] = (struct p2ptrace_mapped){ .since_ns = now - 50, .first.id = 6 };
	mapped[2] = (struct p2ptrace_mapped){ .since_ns = now - 90, .first.id = 7, .before = 1 };
	nr_mapped = 3;
	assert_int_equal(counter_live(&counter, UINT64_MAX, &found), 0);
	assert_int_equal(found.buffers, 3);
	assert_int_equal(found.mappings, 2);
	assert_int_equal(found.older, 0);
	assert_int_equal(found.first_buffer.id, 2);
	assert_true(found.first_buffer_ns >= 500);
	assert_true(found.first_buffer_ns <= clock_now_ns() - now + 500);
	assert_int_equal(found.first_mapping.id, 6);
	/* Strings in the map may lack a NUL */
	assert_int_equal(strlen(found.first_buffer.comm), P2PTRACE_COMM_LEN - 1);
	assert_int_equal(strlen(found.first_buffer.dev.s), P2PTRACE_NAME_LEN - 1);

	/* Buffers and mappings that began at the given time or later are not counted */
	assert_int_equal(counter_live(&counter, now - 400, &found), 0);
	assert_int_equal(found.buffers, 1);
	assert_int_equal(counter_live(&counter, now - 20, &found), 0);
	assert_int_equal(found.mappings, 1);
}

static void pairs_can_be_counted_while_buffers_are_followed(void **state)
{
	(void)state;
	assert_int_equal(start(true), 0);
	assert_true(counter.skel->rodata->follow && !counter.skel->rodata->by_pair);
	again();
	counter.by_pair = true;
	assert_int_equal(start(true), 0);
	assert_true(counter.skel->rodata->follow && counter.skel->rodata->by_pair);
}

static void only_buffers_older_than_the_limit_are_held_too_long(void **state)
{
	struct counter_live found;
	uint64_t now;

	(void)state;
	/* Half of it is longer than this test takes on a busy machine */
	counter.older_than_ns = 60 * NSEC_PER_SEC;
	assert_int_equal(start(true), 0);
	assert_int_equal(counter.skel->rodata->older_than_ns, counter.older_than_ns);
	now = clock_now_ns();
	live[0] = (struct p2ptrace_live){ .since_ns = now - counter.older_than_ns };
	live[1] = (struct p2ptrace_live){ .since_ns = now - counter.older_than_ns / 2 };
	live[2] = (struct p2ptrace_live){ .since_ns = now + counter.older_than_ns };
	nr_live = 3;
	assert_int_equal(counter_live(&counter, UINT64_MAX, &found), 0);
	assert_int_equal(found.older, 1);
	counter.older_than_ns = 0;
	assert_int_equal(counter_live(&counter, UINT64_MAX, &found), 0);
	assert_int_equal(found.older, 0);
	assert_int_equal(found.buffers, 3);
}

static void revocations_that_wait_for_longer_than_the_limit_are_found(void **state)
{
	uint64_t now = clock_now_ns(), limit = 60 * NSEC_PER_SEC;
	struct counter_live found;

	(void)state;
	counter.older_than_ns = limit;
	assert_int_equal(start(true), 0);
	/* The second one waits longest, for what was mapped in generation 4 */
	states[0] = (struct p2ptrace_dmabuf_state){ .id = 1, .revoke_ns = now - 2 * limit };
	states[1] = (struct p2ptrace_dmabuf_state){
		.id = 2, .revoke_ns = now - 3 * limit, .generation = 5,
	};
	states[2] = (struct p2ptrace_dmabuf_state){ .id = 3, .revoke_ns = now - limit / 2 };
	states[3] = (struct p2ptrace_dmabuf_state){ .id = 4 };
	states[4] = (struct p2ptrace_dmabuf_state){ .id = 5, .revoke_ns = now + 2 * limit };
	nr_states = 5;
	attached[0] = (struct p2ptrace_attached){ .id = 1, .mapped[0] = 1, .client.s = "a" };
	attached[1] = (struct p2ptrace_attached){ .id = 2, .mapped[1] = 1, .client.s = "b" };
	attached[2] = (struct p2ptrace_attached){ .id = 2, .mapped[0] = 1, .client.s = "c" };
	nr_attached = 3;
	assert_int_equal(counter_live(&counter, UINT64_MAX, &found), 0);
	assert_int_equal(found.revokes, 2);
	assert_int_equal(found.first_revoke.id, 2);
	assert_string_equal(found.first_revoke.client.s, "c");
	assert_true(found.first_revoke.held_ns >= 3 * limit);

	/* Only those that began before the given time */
	assert_int_equal(counter_live(&counter, now - 2 * limit, &found), 0);
	assert_int_equal(found.revokes, 1);

	batch_fails = EPERM;
	batch_fails_for = "dmabuf_states";
	capture_begin(&c);
	assert_int_equal(counter_live(&counter, UINT64_MAX, &found), EXIT_OTHER);
	batch_fails_for = "dmabuf_attached";
	assert_int_equal(counter_live(&counter, UINT64_MAX, &found), EXIT_OTHER);
	capture_end(&c);

	/* Without a limit, or without the event, none waits too long */
	counter.sel.set.has[P2PTRACE_dma_buf_revoke] = false;
	assert_int_equal(counter_live(&counter, UINT64_MAX, &found), 0);
	assert_int_equal(found.revokes, 0);
	counter.sel.set.has[P2PTRACE_dma_buf_revoke] = true;
	counter.older_than_ns = 0;
	assert_int_equal(counter_live(&counter, UINT64_MAX, &found), 0);
	assert_int_equal(found.revokes, 0);
}

static void a_map_that_cannot_be_read_is_an_error(void **state)
{
	struct counter_live found;

	(void)state;
	assert_int_equal(start(true), 0);
	batch_fails = EPERM;
	capture_begin(&c);
	assert_int_equal(counter_live(&counter, UINT64_MAX, &found), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "cannot read the buffers and mappings");
	batch_fails_for = "live_mappings";
	capture_begin(&c);
	assert_int_equal(counter_live(&counter, UINT64_MAX, &found), EXIT_OTHER);
	capture_end(&c);
	batch_fails_for = "live_buffers";
	capture_begin(&c);
	assert_int_equal(counter_live(&counter, UINT64_MAX, &found), EXIT_OTHER);
	capture_end(&c);
}

static void the_first_violation_is_reported_if_there_was_one(void **state)
{
	struct p2ptrace_first first;

	(void)state;
	assert_int_equal(start(true), 0);
	assert_false(counter_first(&counter, P2PTRACE_DOUBLE_MAP, &first));
	have_first = true;
	assert_true(counter_first(&counter, P2PTRACE_DOUBLE_MAP, &first));
	assert_int_equal(first.id, 10 + P2PTRACE_DOUBLE_MAP);
	assert_int_equal(strlen(first.comm), P2PTRACE_COMM_LEN - 1);
	assert_int_equal(strlen(first.dev.s), P2PTRACE_NAME_LEN - 1);
	assert_int_equal(strlen(first.client.s), P2PTRACE_NAME_LEN - 1);
}

static void buffers_that_are_held_already_count_as_from_before(void **state)
{
	(void)state;
	use_series();
	make_provider("p2pmem0", "0000:01:00.0", HEAD "1 4096 1 10 0 live 1 a\n"
		      "2 4096 1 30 0 live 1 a\n");
	make_provider("p2pmem1", "0000:02:00.0", HEAD "3 4096 1 20 0 live 1 a\n");
	assert_int_equal(start(true), 0);
	assert_string_equal(c.text, "");
	assert_string_equal(recorded, "2 3 1 ");
	assert_true(armed);
	assert_false(counter.skel->rodata->stock);

	/* Only those of the provider that the filter selects */
	again();
	use_series();
	make_provider("p2pmem0", "0000:01:00.0", HEAD "1 4096 1 10 0 live 1 a\n");
	make_provider("p2pmem1", "0000:02:00.0", HEAD "3 4096 1 20 0 live 1 a\n");
	strcpy(counter.sel.filter.provider.s, "0000:02:00.0");
	assert_int_equal(start(true), 0);
	assert_string_equal(recorded, "3 ");

	/* The programs saw one of them while we attached */
	again();
	use_series();
	make_provider("p2pmem0", "0000:01:00.0", HEAD "1 4096 1 10 0 live 1 a\n"
		      "2 4096 1 30 0 live 1 a\n");
	record_fails_at = 2;
	record_fails = EEXIST;
	assert_int_equal(start(true), 0);
	assert_string_equal(recorded, "1 ");
	assert_true(armed);

	/* Without following, and without the series, nothing is recorded */
	again();
	use_series();
	make_provider("p2pmem0", "0000:01:00.0", HEAD "1 4096 1 10 0 live 1 a\n");
	assert_int_equal(start(false), 0);
	assert_string_equal(recorded, "");
	again();
	make_provider("p2pmem0", "0000:01:00.0", HEAD "1 4096 1 10 0 live 1 a\n");
	assert_int_equal(start(true), 0);
	assert_string_equal(recorded, "");
}

static void without_the_held_buffers_nothing_is_looked_for(void **state)
{
	(void)state;
	use_series();
	make_provider("p2pmem0", "0000:01:00.0", HEAD "1 4096 1 10 0 live 1 a\n"
		      "2 4096 1 30 0 live 1 a\n");
	record_fails_at = 2;
	record_fails = E2BIG;
	assert_int_equal(start(true), EXIT_OTHER);
	assert_one_line(c.text, "cannot record the buffers that are held already: ");
	assert_one_line(c.text, strerror(E2BIG));
	assert_string_equal(recorded, "");
	assert_false(armed);

	again();
	use_series();
	make_provider("p2pmem0", "0000:01:00.0", "nonsense\n");
	assert_int_equal(start(true), EXIT_OTHER);
	assert_one_line(c.text, "its format is unknown");
	assert_false(armed);

	again();
	arm_fails = EPERM;
	assert_int_equal(start(true), EXIT_OTHER);
	assert_one_line(c.text, "cannot start to look for violations");
}

static void a_sample_has_the_gauges_and_the_lost(void **state)
{
	struct sample sample;
	char class[128];

	(void)state;
	use_series();
	make_provider("p2pmem0", "0000:01:00.0", HEAD);
	make_provider("p2pmem1", "0000:02:00.0", HEAD);
	lost_on_last_cpu = 7;
	assert_int_equal(start(false), 0);
	assert_int_equal(counter_sample(&counter, &sample), 0);
	assert_int_equal(sample.lost, 7);
	assert_int_equal(sample.gauges.devices, 2);
	assert_int_equal(sample.gauges.held, 22);
	assert_int_equal(sample.gauges.held_bytes, 4 << 20);
	strcpy(counter.sel.filter.provider.s, "0000:02:00.0");
	assert_int_equal(counter_sample(&counter, &sample), 0);
	assert_int_equal(sample.gauges.devices, 1);

	capture_begin(&c);
	lost_fail = EPERM;
	assert_int_equal(counter_sample(&counter, &sample), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "cannot read the number of lost events");
	lost_fail = 0;
	snprintf(class, sizeof(class), "%s/class", tree);
	assert_int_equal(remove_tree(class), 0);
	capture_begin(&c);
	assert_int_equal(counter_sample(&counter, &sample), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "is /sys mounted?");

	/* A stock kernel has them elsewhere */
	again();
	tree_file("bus/pci/devices/0000:01:00.0/p2pmem/size", "4096\n");
	tree_file("bus/pci/devices/0000:01:00.0/p2pmem/available", "1024\n");
	assert_int_equal(start(false), 0);
	assert_int_equal(counter_sample(&counter, &sample), 0);
	assert_int_equal(sample.gauges.held_bytes, 3072);
	assert_int_equal(sample.lost, 0);
}

static void pairs_are_read_with_most_bytes_first(void **state)
{
	struct pair_sums pairs;

	(void)state;
	use_series();
	make_provider("p2pmem0", "0000:01:00.0", HEAD);
	/* Names without an end must not be read beyond it */
	memset(&pair_keys[0].client.s, 'c', sizeof(pair_keys[0].client.s));
	strcpy(pair_keys[1].client.s, "0000:04:00.0");
	assert_int_equal(start(false), 0);
	assert_int_equal(counter_pairs(&counter, &pairs), 0);
	assert_int_equal(pairs.nr, 2);
	assert_string_equal(pairs.sums[0].key.client.s, "0000:04:00.0");
	assert_int_equal(pairs.sums[0].maps, 2);
	assert_int_equal(pairs.sums[0].bytes, 8192);
	assert_int_equal(strlen(pairs.sums[1].key.client.s), P2PTRACE_NAME_LEN - 1);
	assert_int_equal(pairs.sums[1].bytes, 4096);
	pair_sums_free(&pairs);

	batch_fails = EPERM;
	capture_begin(&c);
	assert_int_equal(counter_pairs(&counter, &pairs), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "cannot read the counts of pairs: ");
	pair_sums_free(&pairs);
}

static int open_counter(const struct selection *want, bool started)
{
	int rc;

	counter_close(&counter);
	capture_begin(&c);
	rc = counter_open(&counter, want, started);
	capture_end(&c);
	return rc;
}

/* The kernel of this test has no dma-bufs */
#define NR_DMABUF_EVENTS (P2PTRACE_dma_buf_revoke - P2PTRACE_dma_buf_release + 1)

static void the_metrics_are_those_of_the_kernel(void **state)
{
	struct selection want = {};

	(void)state;
	assert_int_equal(open_counter(&want, false), 0);
	assert_string_equal(c.text, "");
	assert_int_equal(event_set_count(&counter.sel.set), P2PTRACE_NR_EVENTS - NR_DMABUF_EVENTS);
	assert_non_null(metrics_find(&counter.metrics, "maps"));
	assert_int_equal(privileges_checked, 0);

	kernel_lacks = "p2pdma_map";
	assert_int_equal(open_counter(&want, true), 0);
	assert_one_line(c.text, "leaving out p2pdma_map");
	assert_int_equal(event_set_count(&counter.sel.set),
			 P2PTRACE_NR_EVENTS - NR_DMABUF_EVENTS - 1);
	assert_null(metrics_find(&counter.metrics, "maps"));
	assert_int_equal(privileges_checked, 1);

	/* What the kernel lacks is not what a filter cannot match */
	want.min_size = 4096;
	kernel_lacks = "p2pmem_alloc";
	assert_int_equal(open_counter(&want, false), 0);
	assert_non_null(strstr(c.text, "that a filter needs: "));
	assert_null(strstr(strstr(c.text, "needs: "), "p2pmem_alloc,"));
	assert_int_equal(counter.sel.filter.min_size, 4096);
}

static void a_counter_is_not_opened_for_several_reasons(void **state)
{
	struct selection want = { .dev = "no/where" };

	(void)state;
	kernel_rc = EXIT_KERNEL;
	assert_int_equal(open_counter(&want, true), EXIT_USAGE);
	assert_one_line(c.text, "name a p2pmem device");
	want.dev = "p2pmem0";
	assert_int_equal(open_counter(&want, true), EXIT_KERNEL);
	assert_int_equal(privileges_checked, 0);
	kernel_rc = 0;
	privileges_rc = EXIT_KERNEL;
	assert_int_equal(open_counter(&want, true), EXIT_KERNEL);
	assert_string_equal(c.text, "");
	assert_int_equal(privileges_checked, 1);
	privileges_rc = 0;
	assert_true(open_counter(&want, true));
	assert_one_line(c.text, "p2pmem0");
	make_provider("p2pmem0", "0000:01:00.0", HEAD);
	kernel_lacks = "";
	want.dev = NULL;
	assert_int_equal(open_counter(&want, true), EXIT_KERNEL);
	assert_int_equal(counter.metrics.nr, 0);
}

#define COUNTER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	COUNTER_TEST(violations_are_counted_once_all_programs_are_attached),
	COUNTER_TEST(maps_of_buffers_are_small_if_buffers_are_not_followed),
	COUNTER_TEST(an_event_that_is_left_out_has_no_metric),
	COUNTER_TEST(following_buffers_needs_the_free_event),
	COUNTER_TEST(the_counts_of_all_cpus_are_added),
	COUNTER_TEST(dma_bufs_that_exist_are_counted_if_the_kernel_lists_them),
	COUNTER_TEST(buffers_and_mappings_in_use_are_counted),
	COUNTER_TEST(pairs_can_be_counted_while_buffers_are_followed),
	COUNTER_TEST(only_buffers_older_than_the_limit_are_held_too_long),
	COUNTER_TEST(revocations_that_wait_for_longer_than_the_limit_are_found),
	COUNTER_TEST(a_map_that_cannot_be_read_is_an_error),
	COUNTER_TEST(the_first_violation_is_reported_if_there_was_one),
	COUNTER_TEST(buffers_that_are_held_already_count_as_from_before),
	COUNTER_TEST(without_the_held_buffers_nothing_is_looked_for),
	COUNTER_TEST(a_sample_has_the_gauges_and_the_lost),
	COUNTER_TEST(pairs_are_read_with_most_bytes_first),
	COUNTER_TEST(the_metrics_are_those_of_the_kernel),
	COUNTER_TEST(a_counter_is_not_opened_for_several_reasons),
};

UNIT_MAIN(tests)
