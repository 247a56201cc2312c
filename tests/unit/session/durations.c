// SPDX-License-Identifier: GPL-2.0
/* wrap: bpf_object__load bpf_program__attach bpf_link__destroy bpf_map__fd bpf_program__fd */
/* wrap: bpf_map_lookup_elem bpf_map_lookup_batch bpf_obj_get_info_by_fd */
/* The histograms of durations and the oldest buffer, from maps without a kernel. */
#include "fake-bpf.h"

#include "lib/log.h"
#include "session/durations.h"

#include "lifetimes.skel.h"

static struct p2ptrace_lifetime keys[3];
static struct hist per_cpu[3][2];	/* of the first two CPUs */
static uint64_t allocated[4];
static size_t nr_keys, nr_allocated;
static int batch_fails, lookup_fails;
static uint64_t unknown_on_each_cpu;
static struct durations d;
static struct selected sel;

int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value);
int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	(void)key;
	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
		((uint64_t *)value)[cpu] = is(fd, "unknown_per_cpu") ? unknown_on_each_cpu : 0;
	errno = lookup_fails;
	return lookup_fails ? -1 : 0;
}

int __wrap_bpf_map_lookup_batch(int fd, void *in, void *out, void *to_keys, void *values,
				__u32 *count, const struct bpf_map_batch_opts *opts);
int __wrap_bpf_map_lookup_batch(int fd, void *in, void *out, void *to_keys, void *values,
				__u32 *count, const struct bpf_map_batch_opts *opts)
{
	size_t cpus = libbpf_num_possible_cpus();

	(void)in;
	(void)out;
	(void)opts;
	if (is(fd, "lives")) {
		memcpy(to_keys, keys, sizeof(keys));
		memset(values, 0, nr_keys * cpus * sizeof(struct hist));
		for (size_t i = 0; i < nr_keys; i++)
			memcpy((struct hist *)values + i * cpus, per_cpu[i],
			       (cpus < 2 ? 1 : 2) * sizeof(struct hist));
		*count = nr_keys;
	} else {
		assert_true(is(fd, "allocated"));
		memcpy(values, allocated, sizeof(allocated));
		*count = nr_allocated;
	}
	errno = batch_fails ? batch_fails : ENOENT;
	return -errno;
}

static int setup(void **state)
{
	(void)state;
	memset(&sel, 0, sizeof(sel));
	nr_maps = nr_keys = nr_allocated = 0;
	batch_fails = lookup_fails = 0;
	unknown_on_each_cpu = 0;
	memset(keys, 0, sizeof(keys));
	memset(per_cpu, 0, sizeof(per_cpu));
	event_set_add_buffer(&sel.set);
	event_set_add_mapping(&sel.set);
	sel.set.vmemmap_base = 4096;
	sel.set.mem_section = 8192;
	strcpy(sel.filter.dev.s, "p2pmem7");
	return durations_start(&d, &sel, 5);
}

static int teardown(void **state)
{
	(void)state;
	durations_close(&d);
	return 0;
}

static void programs_get_their_options(void **state)
{
	(void)state;
	assert_string_equal(d.skel->rodata->filter.dev.s, "p2pmem7");
	assert_false(d.skel->rodata->stock);
	assert_int_equal(d.skel->rodata->vmemmap_base_at, 4096);
	assert_int_equal(d.skel->rodata->mem_section_at, 8192);
	assert_int_equal(1 << d.skel->rodata->page_shift, sysconf(_SC_PAGESIZE));
	assert_int_equal(d.session.config.duration_ns, 5);
	assert_true(d.session.config.groups);
}

static void histograms_are_summed_and_sorted(void **state)
{
	bool two = libbpf_num_possible_cpus() > 1;

	(void)state;
	strcpy(keys[0].dev.s, "p2pmem10");
	strcpy(keys[1].dev.s, "p2pmem9");
	strcpy(keys[1].client.s, "eth0");
	strcpy(keys[2].dev.s, "p2pmem9");
	nr_keys = 3;
	per_cpu[1][0].slots[3] = 2;
	per_cpu[1][0].count = 2;
	per_cpu[1][0].max_ns = 9;
	per_cpu[1][1].slots[3] = 5;
	per_cpu[1][1].count = 5;
	per_cpu[1][1].max_ns = 12;
	unknown_on_each_cpu = 3;
	/* The second time replaces the first */
	for (int i = 0; i < 2; i++)
		assert_int_equal(durations_read(&d), 0);
	assert_int_equal(d.nr, 3);
	assert_string_equal(d.list[0].key.dev.s, "p2pmem9");
	assert_string_equal(d.list[0].key.client.s, "");
	assert_string_equal(d.list[1].key.client.s, "eth0");
	assert_string_equal(d.list[2].key.dev.s, "p2pmem10");
	assert_int_equal(d.list[1].hist.slots[3], two ? 7 : 2);
	assert_int_equal(d.list[1].hist.count, two ? 7 : 2);
	assert_int_equal(d.list[1].hist.max_ns, two ? 12 : 9);
	assert_int_equal(d.unknown, 3 * libbpf_num_possible_cpus());
}

static void dmabufs_come_after_buffers_and_revocations_last(void **state)
{
	(void)state;
	strcpy(keys[0].dev.s, "i915");
	keys[0].kind = P2PTRACE_LIFE_REVOKE;
	strcpy(keys[0].client.s, "eth0");
	strcpy(keys[1].dev.s, "i915");
	keys[1].kind = P2PTRACE_LIFE_DMABUF;
	strcpy(keys[1].client.s, "eth1");
	strcpy(keys[2].dev.s, "p2pmem0");
	nr_keys = 3;
	assert_int_equal(durations_read(&d), 0);
	assert_string_equal(d.list[0].key.dev.s, "p2pmem0");
	assert_string_equal(d.list[1].key.client.s, "eth1");
	assert_int_equal(d.list[1].key.kind, P2PTRACE_LIFE_DMABUF);
	assert_int_equal(d.list[2].key.kind, P2PTRACE_LIFE_REVOKE);
}

static void a_filter_excludes_events_that_it_cannot_match(void **state)
{
	struct event_set all = {}, of_client = {}, of_dev = {};

	(void)state;
	durations_events(&(struct selection){}, &all);
	durations_events(&(struct selection){ .client = "eth0" }, &of_client);
	durations_events(&(struct selection){ .dev = "p2pmem0" }, &of_dev);
	for (const struct event_set *set = &all; set;
	     set = set == &all ? &of_client : set == &of_client ? &of_dev : NULL) {
		assert_true(set->has[P2PTRACE_p2pdma_unmap]);
		assert_true(set->has[P2PTRACE_dma_buf_unmap]);
		assert_int_equal(set->has[P2PTRACE_p2pmem_free], set != &of_client);
		assert_int_equal(set->has[P2PTRACE_dma_buf_release], set == &all);
		assert_int_equal(set->has[P2PTRACE_dma_buf_revoke], set != &of_dev);
	}
}

static void names_end(void **state)
{
	(void)state;
	memset(keys, 'x', sizeof(keys));
	nr_keys = 1;
	assert_int_equal(durations_read(&d), 0);
	assert_int_equal(strlen(d.list[0].key.dev.s), P2PTRACE_NAME_LEN - 1);
	assert_int_equal(strlen(d.list[0].key.client.s), P2PTRACE_NAME_LEN - 1);
}

static void the_oldest_buffer_is_found(void **state)
{
	uint64_t since = 1;

	(void)state;
	assert_int_equal(durations_oldest(&d, &since), 0);
	assert_int_equal(since, 0);
	allocated[0] = 900;
	allocated[1] = 300;
	allocated[2] = 400;
	nr_allocated = 3;
	assert_int_equal(durations_oldest(&d, &since), 0);
	assert_int_equal(since, 300);
}

static void a_map_that_cannot_be_read_is_an_error(void **state)
{
	struct capture c;
	uint64_t since;

	(void)state;
	batch_fails = EPERM;
	capture_begin(&c);
	assert_int_equal(durations_read(&d), EXIT_OTHER);
	assert_one_line(capture_end(&c), "cannot read the histograms");
	capture_begin(&c);
	assert_int_equal(durations_oldest(&d, &since), EXIT_OTHER);
	assert_one_line(capture_end(&c), "cannot read the buffers that are held");
	lookup_fails = EPERM;
	capture_begin(&c);
	assert_int_equal(durations_read(&d), EXIT_OTHER);
	assert_one_line(capture_end(&c), "cannot read the counts");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(programs_get_their_options),
		TEST(histograms_are_summed_and_sorted),
		TEST(dmabufs_come_after_buffers_and_revocations_last),
		TEST(a_filter_excludes_events_that_it_cannot_match),
		TEST(names_end),
		TEST(the_oldest_buffer_is_found),
		TEST(a_map_that_cannot_be_read_is_an_error),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
