// SPDX-License-Identifier: GPL-2.0
/* wrap: bpf_object__load bpf_program__attach bpf_link__destroy bpf_map__fd */
/* wrap: bpf_program__fd bpf_map_lookup_elem bpf_map_update_elem bpf_map_lookup_batch */
/* wrap: bpf_obj_get_info_by_fd */
/* The counts, the buffers in use and the first violations, read from fake maps. */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "unit.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "session/counter.h"
#include "session/hooks.h"

#include "stat.skel.h"

static const struct bpf_map *maps[64];
static size_t nr_maps;
static struct p2ptrace_counts counts[1024];
static struct p2ptrace_live live[8];
static struct p2ptrace_mapped mapped[8];
static size_t nr_live, nr_mapped;
static int batch_fails, counts_fail;
static bool have_first, armed;
static const char *refused_name;

int __wrap_bpf_object__load(struct bpf_object *object);
int __wrap_bpf_object__load(struct bpf_object *object)
{
	(void)object;
	return 0;
}

struct bpf_link *__wrap_bpf_program__attach(const struct bpf_program *program);
struct bpf_link *__wrap_bpf_program__attach(const struct bpf_program *program)
{
	if (refused_name && !strcmp(refused_name, bpf_program__name(program))) {
		errno = ENOENT;
		return NULL;
	}
	return (struct bpf_link *)program;
}

int __wrap_bpf_link__destroy(struct bpf_link *link);
int __wrap_bpf_link__destroy(struct bpf_link *link)
{
	(void)link;
	return 0;
}

int __wrap_bpf_program__fd(const struct bpf_program *program);
int __wrap_bpf_program__fd(const struct bpf_program *program)
{
	(void)program;
	return 1;
}

int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len);
int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len)
{
	(void)fd;
	(void)info;
	(void)len;
	return 0;
}

/* The number of a map is its place in maps[]. */
int __wrap_bpf_map__fd(const struct bpf_map *map);
int __wrap_bpf_map__fd(const struct bpf_map *map)
{
	for (size_t i = 0; i < nr_maps; i++)
		if (maps[i] == map)
			return i;
	maps[nr_maps] = map;
	return nr_maps++;
}

static bool is(int fd, const char *name)
{
	return !strcmp(bpf_map__name(maps[fd]), name);
}

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
	memset(value, 0, libbpf_num_possible_cpus() * sizeof(uint64_t));
	return 0;
}

int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	(void)key;
	(void)flags;
	/* libbpf's name of .data.armed has the object's name in front */
	assert_non_null(strstr(bpf_map__name(maps[fd]), "armed"));
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
	(void)keys;
	(void)opts;
	assert_true(*count >= 8);
	if (is(fd, "live_buffers")) {
		memcpy(values, live, sizeof(live));
		*count = nr_live;
	} else {
		assert_true(is(fd, "live_mappings"));
		memcpy(values, mapped, sizeof(mapped));
		*count = nr_mapped;
	}
	errno = batch_fails ?: ENOENT;
	return -errno;
}

static struct counter counter;
static struct capture c;

static int setup(void **state)
{
	struct enums none = {};

	(void)state;
	nr_maps = nr_live = nr_mapped = 0;
	memset(counts, 0, sizeof(counts));
	batch_fails = counts_fail = 0;
	have_first = armed = false;
	refused_name = NULL;
	counter = (struct counter){};
	/* A stock kernel: the list of buffers of another kernel would be that of this machine */
	counter.set.stock = true;
	for (int i = 0; stock_hooks[i].program; i++) {
		counter.set.hooks |= 1u << i;
		if (stock_hooks[i].event < P2PTRACE_NR_EVENTS)
			counter.set.has[stock_hooks[i].event] = true;
	}
	return metrics_load(&counter.metrics, &none, &counter.set);
}

static int teardown(void **state)
{
	(void)state;
	counter_close(&counter);
	return 0;
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
	counter.filter.min_size = 42;
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
	assert_false(counter.set.has[P2PTRACE_p2pmem_find]);
}

static void following_buffers_needs_the_free_event(void **state)
{
	(void)state;
	refused_name = "stock_p2pmem_free";
	assert_int_equal(start(true), EXIT_KERNEL);
	counter_close(&counter);
	assert_int_equal(setup(NULL), 0);
	refused_name = "stock_p2pmem_free";
	assert_int_equal(start(false), 0);
	assert_true(counter.set.has[P2PTRACE_p2pmem_alloc]);
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

static void only_buffers_older_than_the_limit_are_held_too_long(void **state)
{
	struct counter_live found;
	uint64_t now = clock_now_ns();

	(void)state;
	counter.older_than_ns = 1000000000ull;
	assert_int_equal(start(true), 0);
	assert_int_equal(counter.skel->rodata->older_than_ns, counter.older_than_ns);
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

#define COUNTER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	COUNTER_TEST(violations_are_counted_once_all_programs_are_attached),
	COUNTER_TEST(maps_of_buffers_are_small_if_buffers_are_not_followed),
	COUNTER_TEST(an_event_that_is_left_out_has_no_metric),
	COUNTER_TEST(following_buffers_needs_the_free_event),
	COUNTER_TEST(the_counts_of_all_cpus_are_added),
	COUNTER_TEST(buffers_and_mappings_in_use_are_counted),
	COUNTER_TEST(only_buffers_older_than_the_limit_are_held_too_long),
	COUNTER_TEST(a_map_that_cannot_be_read_is_an_error),
	COUNTER_TEST(the_first_violation_is_reported_if_there_was_one),
};

UNIT_MAIN(tests)
