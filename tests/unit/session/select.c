// SPDX-License-Identifier: GPL-2.0
/* wrap: kernel_open kernel_check_privileges filter_set_dev filter_set_client uname */
/* The selection of events: filters, and kernels that lack some. */
#include <sys/utsname.h>

#include <bpf/btf.h>

#include "unit.h"
#include "event/blind.h"
#include "lib/log.h"
#include "machine/devices.h"
#include "machine/kernel.h"
#include "machine/sysfs.h"
#include "session/hooks.h"
#include "session/select.h"

/* Of a kernel of ours: tracepoints, and the functions that show dma-bufs on every kernel. */
static struct btf *btf_with_events(const char *except)
{
	struct btf *btf = btf__new_empty();
	char name[64];

	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	btf__add_func_proto(btf, 1);
	for (const struct hook *h = stock_hooks; h->program; h++) {
		const char *function = strchr(h->section, '/') + 1;

		if (!strncmp(function, "dma_buf_", 8) &&
		    strncmp(function, except, strlen(except)) &&
		    btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) < 0)
			assert_true(btf__add_func(btf, function, BTF_FUNC_GLOBAL, 2) > 0);
	}
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		if (!strncmp(events[i].name, except, strlen(except)))
			continue;
		snprintf(name, sizeof(name), "btf_trace_%s", events[i].name);
		assert_true(btf__add_typedef(btf, name, 1) > 0);
	}
	return btf;
}

/* The kernel and the devices that select_all() finds */
static const char *kernel_lacks;
static int kernel_rc, privileges_rc, dev_rc, client_rc;

int __wrap_kernel_open(struct kernel *kernel, const char *vmlinux_btf);
int __wrap_kernel_open(struct kernel *kernel, const char *vmlinux_btf)
{
	assert_string_equal(vmlinux_btf, VMLINUX_BTF);
	kernel->vmlinux = btf_with_events(kernel_lacks);
	return kernel_rc;
}

int __wrap_kernel_check_privileges(const struct kernel *kernel);
int __wrap_kernel_check_privileges(const struct kernel *kernel)
{
	assert_non_null(kernel->vmlinux);
	return privileges_rc;
}

int __wrap_filter_set_dev(struct p2ptrace_filter *filter, const char *sysfs, const char *name);
int __wrap_filter_set_dev(struct p2ptrace_filter *filter, const char *sysfs, const char *name)
{
	assert_string_equal(sysfs, SYSFS);
	strcpy(filter->dev.s, name);
	return dev_rc;
}

int __wrap_filter_set_client(struct p2ptrace_filter *filter, const char *sysfs, const char *name);
int __wrap_filter_set_client(struct p2ptrace_filter *filter, const char *sysfs, const char *name)
{
	assert_string_equal(sysfs, SYSFS);
	strcpy(filter->client.s, name);
	return client_rc;
}

/* The kernel that runs */
static const char *release = "6.120.1";

int __wrap_uname(struct utsname *name);
int __wrap_uname(struct utsname *name)
{
	strcpy(name->release, release);
	return 0;
}

/* Files that do not exist: these tests do not depend on the machine they run on. */
static const struct hook_files no_files = { .refused = "" };

static int pass(const struct selection *want, struct event_set *set)
{
	memset(set->has, true, sizeof(set->has));
	return select_events(want, false, set);
}

static int select_from(const struct kernel *kernel, bool by_name, struct event_set *set)
{
	struct hooks hooks;

	hooks_open(&hooks, kernel_btf(kernel), &no_files, true);
	return select_hooks(kernel, &hooks, by_name, set);
}

static int select_on(const char *except, struct event_set *set, struct capture *c)
{
	struct kernel kernel = { .vmlinux = btf_with_events(except) };
	struct selection o = {};
	int rc;

	assert_int_equal(pass(&o, set), 0);
	capture_begin(c);
	rc = select_from(&kernel, false, set);
	capture_end(c);
	kernel_close(&kernel);
	return rc;
}

static void events_missing_in_the_kernel_are_left_out(void **state)
{
	struct event_set set;
	struct capture c;

	(void)state;
	assert_int_equal(select_on("nothing", &set, &c), 0);
	assert_string_equal(c.text, "");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS);

	assert_int_equal(select_on("nvmet_", &set, &c), 0);
	assert_one_line(c.text, "leaving out nvmet_p2pmem_bind, nvmet_p2pmem_unbind, "
			"nvmet_p2pmem_use, nvmet_p2pmem_fallback: nvmet is not loaded; ");
	assert_one_line(c.text, "modprobe nvmet");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 4);
	/* Without the module, there is nothing to see */
	assert_false(blind_any(&set));

	assert_int_equal(select_on("p2pmem_mmap", &set, &c), 0);
	assert_one_line(c.text, "leaving out p2pmem_mmap: the kernel does not have");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 1);
	assert_true(set.blind[P2PTRACE_p2pmem_mmap]);
	assert_string_equal(set.why[P2PTRACE_p2pmem_mmap], "the kernel does not have it");
}

/* It is loaded, and makes events. */
static void a_series_without_pins_misses_nothing(void **state)
{
	struct kernel kernel = { .vmlinux = btf_with_events("p2pmem_reclaim") };
	struct event_set set, wanted = {};
	struct capture c;

	(void)state;
	memset(wanted.has, true, sizeof(wanted.has));
	assert_int_equal(select_on("p2pmem_reclaim", &set, &c), 0);
	assert_string_equal(c.text, "");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 1);
	assert_false(blind_any(&set));
	assert_string_equal(set.why[P2PTRACE_p2pmem_reclaim],
			    "buffers have no pins on this kernel");
	assert_int_equal(select_groups(&set, &wanted, P2PTRACE_p2pmem_alloc), 0);
	assert_true(set.has[P2PTRACE_p2pmem_free]);

	set = (struct event_set){};
	set.has[P2PTRACE_p2pmem_reclaim] = true;
	capture_begin(&c);
	assert_int_equal(select_from(&kernel, true, &set), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "cannot trace p2pmem_reclaim: buffers have no pins on this kernel, "
			"so memory returns to the pool when its buffer is freed; trace "
			"p2pmem_free instead");
	kernel_close(&kernel);
}

static void a_series_may_have_structures_for_mappings(void **state)
{
	struct kernel kernel = { .vmlinux = btf_with_events("nothing") };
	struct event_set set = {};
	struct hooks hooks;

	(void)state;
	hooks_open(&hooks, kernel.vmlinux, &no_files, false);
	select_seen(&kernel, &hooks, &set);
	assert_false(set.mappings);
	assert_true(set.pins);
	assert_true(btf__add_struct((struct btf *)kernel.vmlinux, "pci_p2pdma_mapping", 8) > 0);
	select_seen(&kernel, &hooks, &set);
	assert_true(set.mappings);
	kernel_close(&kernel);
}

static void a_module_whose_btf_is_hidden_is_not_seen(void **state)
{
	struct kernel kernel = { .vmlinux = btf_with_events("nvmet_"), .nvmet_hidden = true };
	struct event_set set = {
		.has[P2PTRACE_nvmet_p2pmem_use] = true, .has[P2PTRACE_p2pmem_free] = true,
	};
	struct capture c;

	(void)state;
	capture_begin(&c);
	assert_int_equal(select_from(&kernel, false, &set), 0);
	capture_end(&c);
	assert_one_line(c.text, "leaving out nvmet_p2pmem_use: the BTF of the module nvmet cannot "
			"be read; run p2ptrace as root\n");
	assert_true(set.blind[P2PTRACE_nvmet_p2pmem_use]);
	assert_false(set.blind[P2PTRACE_nvmet_p2pmem_bind]);
	kernel_close(&kernel);
}

static void a_kernel_without_dma_bufs_needs_no_note(void **state)
{
	struct kernel kernel = { .vmlinux = btf_with_events("dma_buf_") };
	struct event_set set;
	struct capture c;

	(void)state;
	assert_int_equal(select_on("dma_buf_", &set, &c), 0);
	assert_string_equal(c.text, "");
	assert_false(set.has[P2PTRACE_dma_buf_map]);
	assert_false(set.blind[P2PTRACE_dma_buf_map]);

	/* One that lacks a function of them does */
	assert_int_equal(select_on("dma_buf_pin", &set, &c), 0);
	assert_string_equal(c.text, "");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 1);
	assert_int_equal(select_on("dma_buf_map_attachment", &set, &c), 0);
	assert_non_null(strstr(c.text, "leaving out dma_buf_unmap: dma_buf_map_attachment: "));
	assert_false(set.has[P2PTRACE_dma_buf_map]);

	set = (struct event_set){ .has[P2PTRACE_dma_buf_map] = true };
	capture_begin(&c);
	assert_int_equal(select_from(&kernel, true, &set), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "cannot trace dma_buf_map: the kernel does not have it");
	kernel_close(&kernel);
}

static void a_missing_event_that_the_user_named_is_an_error(void **state)
{
	struct kernel kernel = { .vmlinux = btf_with_events("nvmet_") };
	struct event_set set = {};
	struct capture c;

	(void)state;
	set.has[P2PTRACE_nvmet_p2pmem_use] = true;
	capture_begin(&c);
	assert_int_equal(select_from(&kernel, true, &set), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "cannot trace nvmet_p2pmem_use: ");
	assert_one_line(c.text, "modprobe nvmet");
	kernel_close(&kernel);
}

static void a_loaded_nvmet_is_not_to_be_loaded_again(void **state)
{
	struct kernel kernel = { .vmlinux = btf_with_events("nvmet_p2pmem_use") };
	struct selection o = {};
	struct event_set set;
	struct capture c;

	(void)state;
	btf__add_func_proto(kernel.vmlinux, 1);
	assert_true(btf__add_func(kernel.vmlinux, "nvmet_req_init", BTF_FUNC_GLOBAL,
				  btf__type_cnt(kernel.vmlinux) - 1) > 0);
	assert_int_equal(pass(&o, &set), 0);
	capture_begin(&c);
	assert_int_equal(select_from(&kernel, false, &set), 0);
	capture_end(&c);
	assert_one_line(c.text, "leaving out nvmet_p2pmem_use: the kernel does not have it\n");
	assert_true(set.blind[P2PTRACE_nvmet_p2pmem_use]);

	set.has[P2PTRACE_nvmet_p2pmem_use] = true;
	capture_begin(&c);
	assert_int_equal(select_from(&kernel, true, &set), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "cannot trace nvmet_p2pmem_use: ");
	assert_null(strstr(c.text, "modprobe"));
	kernel_close(&kernel);
}

static void a_hook_of_nvmet_that_cannot_be_attached_is_named(void **state)
{
	struct hook_files refused = { .refused = "nvmet_p2pmem_bind" };
	struct kernel kernel = { .vmlinux = btf_with_events("nothing") };
	struct selection o = {};
	struct event_set set;
	struct hooks hooks;
	struct capture c;

	(void)state;
	hooks_open(&hooks, kernel_btf(&kernel), &refused, true);
	assert_int_equal(pass(&o, &set), 0);
	capture_begin(&c);
	assert_int_equal(select_hooks(&kernel, &hooks, false, &set), 0);
	capture_end(&c);
	assert_one_line(c.text, "leaving out nvmet_p2pmem_bind: P2PTRACE_NO_HOOKS names it\n");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 1);
	kernel_close(&kernel);
}

/* The functions and tracepoints of a stock kernel, without @except. */
static struct btf *btf_of_stock(const char *except)
{
	struct btf *btf = btf__new_empty();
	char name[64];

	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	btf__add_func_proto(btf, 1);
	for (const struct hook *h = stock_hooks; h->program; h++) {
		const char *hook = strchr(h->section, '/') + 1;

		if (!strcmp(hook, except))
			continue;
		if (!strncmp(h->section, "tp_btf/", 7)) {
			snprintf(name, sizeof(name), "btf_trace_%s", hook);
			assert_true(btf__add_typedef(btf, name, 1) > 0);
		} else if (hook_is_iterator(h->section)) {
			snprintf(name, sizeof(name), "bpf_iter_%s", hook);
			assert_true(btf__add_func(btf, name, BTF_FUNC_GLOBAL, 2) > 0);
		} else if (btf__find_by_name_kind(btf, hook, BTF_KIND_FUNC) < 0) {
			assert_true(btf__add_func(btf, hook, BTF_FUNC_GLOBAL, 2) > 0);
		}
	}
	return btf;
}

static void a_stock_kernel_shows_its_events_and_one_note(void **state)
{
	struct kernel kernel = { .support = KERNEL_STOCK, .vmlinux = btf_of_stock("") };
	struct selection o = {};
	struct event_set set;
	struct capture c;

	(void)state;
	assert_int_equal(pass(&o, &set), 0);
	capture_begin(&c);
	assert_int_equal(select_from(&kernel, false, &set), 0);
	capture_end(&c);
	assert_one_line(c.text, "lacks the p2pmem series");
	assert_true(set.stock);
	assert_int_equal(event_set_count(&set), 19);
	assert_false(set.has[P2PTRACE_p2pmem_reclaim]);
	/* nvmet is built in there */
	for (int i = 0; stock_hooks[i].program; i++)
		assert_int_equal(!!(set.hooks & 1ull << i),
				 !hook_is_of_module(stock_hooks[i].section));

	set = (struct event_set){};
	set.has[P2PTRACE_p2pmem_reclaim] = true;
	capture_begin(&c);
	assert_int_equal(select_from(&kernel, true, &set), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "cannot show p2pmem_reclaim; the series exists for Linux 6.12 "
			"and 7.3 only");
	assert_null(strstr(c.text, "boot"));
	release = "6.12.48-1";
	capture_begin(&c);
	set.has[P2PTRACE_p2pmem_reclaim] = true;
	assert_int_equal(select_from(&kernel, true, &set), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "cannot show p2pmem_reclaim; boot one that has it");
	release = "6.120.1";
	kernel_close(&kernel);

	/* A missing hook is named */
	kernel = (struct kernel){ .support = KERNEL_STOCK,
				  .vmlinux = btf_of_stock("calc_map_type_and_dist") };
	assert_int_equal(pass(&o, &set), 0);
	capture_begin(&c);
	assert_int_equal(select_from(&kernel, false, &set), 0);
	capture_end(&c);
	assert_non_null(strstr(c.text, "leaving out p2pdma_decide: calc_map_type_and_dist: "
			       "the kernel does not have it"));
	assert_int_equal(event_set_count(&set), 18);
	set = (struct event_set){};
	set.has[P2PTRACE_p2pdma_decide] = true;
	capture_begin(&c);
	assert_int_equal(select_from(&kernel, true, &set), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "cannot trace p2pdma_decide: calc_map_type_and_dist: ");
	kernel_close(&kernel);

	assert_true(set.blind[P2PTRACE_p2pdma_decide]);
	/* Only the series has it */
	assert_false(set.blind[P2PTRACE_p2pmem_reclaim]);
}

/* What a stock kernel without @except shows, and in how many ways. */
static void set_without(const char *except, struct event_set *set, struct capture *c)
{
	struct kernel kernel = { .support = KERNEL_STOCK, .vmlinux = btf_of_stock(except) };
	struct selection o = {};

	assert_int_equal(pass(&o, set), 0);
	capture_begin(c);
	assert_int_equal(select_from(&kernel, false, set), 0);
	capture_end(c);
	kernel_close(&kernel);
}

static void a_mapping_is_shown_in_every_way_that_the_kernel_has(void **state)
{
	struct event_set set, all;
	struct capture c;

	(void)state;
	set_without("", &all, &c);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		assert_false(all.blind[i]);
	/* All but two: nvmet is built in */
	assert_int_equal(__builtin_popcountll(all.ways), hook_nr_ways - 2);

	/* One of two hooks tells which pages are peer memory */
	set_without("pci_p2pdma_map_segment", &set, &c);
	assert_int_equal(set.ways, all.ways);
	assert_false(set.blind[P2PTRACE_p2pdma_map]);

	/* A kernel that maps block requests as scatterlists is not blind */
	set_without("blk_rq_dma_map_iter_start", &set, &c);
	assert_true(set.has[P2PTRACE_p2pdma_map] && set.has[P2PTRACE_p2pdma_unmap]);
	assert_false(set.blind[P2PTRACE_p2pdma_map]);
	assert_one_line(c.text, "lacks the p2pmem series");
	assert_int_equal(__builtin_popcountll(set.ways), hook_nr_ways - 4);

	/* One that shows only the beginning is */
	set_without("block_rq_requeue", &set, &c);
	assert_non_null(strstr(c.text, "p2pdma_unmap is seen only in part, without block requests: "
			       "block_rq_requeue: the kernel does not have it"));
	assert_true(set.blind[P2PTRACE_p2pdma_unmap]);
	assert_false(set.blind[P2PTRACE_p2pdma_map]);
	assert_true(set.has[P2PTRACE_p2pdma_unmap]);

	assert_string_equal(set.why[P2PTRACE_p2pdma_unmap], "block requests: block_rq_requeue: "
			    "the kernel does not have it; metadata of block requests: "
			    "block_rq_requeue: the kernel does not have it");

	/* A command that follows mappings then leaves out the beginning as well */
	hooks_pair_ways(&set);
	assert_true(set.blind[P2PTRACE_p2pdma_map]);
	assert_string_equal(set.why[P2PTRACE_p2pdma_map],
			    "block requests: the other end is not seen; "
			    "metadata of block requests: the other end is not seen");
	assert_false(hooks_want(&set, HOOK_BLOCK_MAP));
	assert_true(hooks_want(&set, HOOK_PAGES));

	set_without("dma_map_sg", &set, &c);
	assert_non_null(strstr(c.text, "p2pdma_map is seen only in part, without scatterlists: "
			       "dma_map_sg: "));

	/* Lists are freed by a function of their own */
	set_without("pci_free_p2pmem", &set, &c);
	assert_non_null(strstr(c.text, "p2pmem_free is seen only in part, without single buffers: "
			       "pci_free_p2pmem: the kernel does not have it"));
	assert_true(set.has[P2PTRACE_p2pmem_free] && set.blind[P2PTRACE_p2pmem_free]);
	assert_true(hooks_want(&set, HOOK_FREE_SGL));
	assert_false(hooks_want(&set, P2PTRACE_p2pmem_free));
}

static void a_module_need_not_be_loaded_yet(void **state)
{
	struct event_set set;
	struct capture c;

	(void)state;
	set_without("nvmet_req_alloc_sgls", &set, &c);
	assert_one_line(c.text, "lacks the p2pmem series");
	for (int i = P2PTRACE_nvmet_p2pmem_use; i <= P2PTRACE_nvmet_p2pmem_fallback; i++) {
		assert_true(set.has[i]);
		assert_false(set.blind[i]);
		assert_false(hooks_want(&set, i));
	}
	assert_true(hooks_want(&set, HOOK_NVMET_CALL) && hooks_want(&set, HOOK_NVMET_RETURN));

	/* If it is built in, there is a better hook */
	set_without("", &set, &c);
	assert_true(hooks_want(&set, P2PTRACE_nvmet_p2pmem_use));
	assert_false(hooks_want(&set, HOOK_NVMET_CALL));
}

static void a_missing_hook_is_replaced_by_the_next_one(void **state)
{
	static const struct hook two[] = {
		{ P2PTRACE_p2pmem_alloc, "stock_p2pmem_alloc", "fentry/pci_free_p2pmem" },
		{ P2PTRACE_p2pmem_alloc, "stock_second", "fexit/p2pmem_alloc_mmap" },
		{}
	};
	const struct hook *real = stock_hooks;
	struct kernel kernel = { .support = KERNEL_STOCK };
	struct capture c;

	(void)state;
	stock_hooks = two;
	for (int missing = -1; missing < 2; missing++) {
		struct event_set set = { .has[P2PTRACE_p2pmem_alloc] = true };

		kernel.vmlinux = btf_of_stock(missing < 0 ? "" :
					      strchr(two[missing].section, '/') + 1);
		capture_begin(&c);
		assert_int_equal(select_from(&kernel, true, &set), 0);
		capture_end(&c);
		assert_int_equal(set.hooks, missing < 0 ? 3 : 1 << !missing);
		assert_int_equal(hooks_best(&set, P2PTRACE_p2pmem_alloc), !missing);
		assert_int_equal(hooks_best(&set, P2PTRACE_p2pmem_free), -1);
		kernel_close(&kernel);
		kernel.support = KERNEL_STOCK;
	}
	stock_hooks = real;
}

static void filters_narrow_the_selection(void **state)
{
	struct selection o = { .client = "0000:00:00.0" };
	struct event_set set = {};
	struct capture c;

	(void)state;
	assert_int_equal(pass(&o, &set), 0);
	assert_int_equal(event_set_count(&set), 10);
	o.dev = "p2pmem0";
	assert_int_equal(pass(&o, &set), 0);
	assert_int_equal(event_set_count(&set), 5);

	o.client = NULL;
	assert_int_equal(pass(&o, &set), 0);
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 9);

	/* An event that the user named is not left out */
	set = (struct event_set){};
	set.has[P2PTRACE_p2pdma_decide] = true;
	assert_int_equal(select_events(&o, true, &set), 0);
	assert_int_equal(event_set_count(&set), 1);
	set.has[P2PTRACE_nvmet_p2pmem_fallback] = true;
	capture_begin(&c);
	assert_int_equal(select_events(&o, true, &set), EXIT_USAGE);
	capture_end(&c);
	assert_one_line(c.text, "nvmet_p2pmem_fallback has no field dev or provider, but");

	o = (struct selection){ .client = "0000:00:00.0" };
	set = (struct event_set){};
	set.has[P2PTRACE_p2pdma_decide] = set.has[P2PTRACE_p2pmem_alloc] = true;
	capture_begin(&c);
	assert_int_equal(select_events(&o, true, &set), EXIT_USAGE);
	capture_end(&c);
	assert_one_line(c.text, "p2pmem_alloc has no field client, but a filter needs it");
}

/* The message, and which events are selected. */
static const char *select_named(const struct selection *o, const struct event_set *named,
				bool by_name, struct selected *to, struct capture *c)
{
	struct select_how how = { .by_name = by_name };

	*to = (struct selected){ .set = *named };
	kernel_lacks = "nothing";
	capture_begin(c);
	assert_int_equal(select_all(o, &how, to), 0);
	enums_free(&to->enums);
	return capture_end(c);
}

static const char *left_out(const struct selection *o, struct capture *c)
{
	const struct event_set none = {};
	struct selected to;

	return select_named(o, &none, false, &to, c);
}

#define LACK "leaving out events without a field that a filter needs: "

static void events_that_a_filter_leaves_out_are_listed(void **state)
{
	struct selection o = {};
	struct capture c;

	(void)state;
	assert_string_equal(left_out(&o, &c), "");
	o.dev = "p2pmem0";
	assert_one_line(left_out(&o, &c), LACK
			"dma_buf_release, dma_buf_export, dma_buf_detach, dma_buf_attach, "
			"dma_buf_pin, dma_buf_unpin, dma_buf_revoke, nvmet_p2pmem_use, "
			"nvmet_p2pmem_fallback\n");
	o.client = "0000:00:00.0";
	assert_one_line(left_out(&o, &c), LACK "p2pmem_dev_add, ");
	o.dev = NULL;
	assert_one_line(left_out(&o, &c), LACK "p2pmem_dev_add, ");
	o = (struct selection){ .min_size = 4096 };
	assert_one_line(left_out(&o, &c), LACK "p2pmem_dev_del, ");
	assert_null(strstr(c.text, "p2pmem_alloc,"));
	o = (struct selection){ .client = "0000:00:00.0" };
	left_out(&o, &c);
	/* The list is not cut */
	assert_one_line(c.text, ", nvmet_p2pmem_fallback\n");
	assert_null(strstr(c.text, "p2pdma_map"));
}

/* The request of a buffer belongs to its life, whatever the filters */
static void filters_do_not_narrow_the_events_of_a_command(void **state)
{
	const struct event_set needed = { .has[P2PTRACE_nvmet_p2pmem_use] = true,
					  .has[P2PTRACE_p2pmem_alloc] = true };
	struct selection o = { .dev = "p2pmem0", .min_size = 4096 };
	struct selected to;
	struct capture c;

	(void)state;
	assert_string_equal(select_named(&o, &needed, false, &to, &c), "");
	assert_int_equal(event_set_count(&to.set), 2);
	assert_int_equal(event_set_count(&to.passing), 2);
	o.dev = NULL;
	assert_string_equal(select_named(&o, &needed, true, &to, &c), "");
	assert_int_equal(event_set_count(&to.set), 2);
}

static void a_kernel_without_any_event_is_an_error(void **state)
{
	struct btf *empty = btf__new_empty();
	struct kernel kernel = { .vmlinux = empty };
	struct event_set set = { .has[P2PTRACE_p2pmem_alloc] = true };
	struct capture c;

	(void)state;
	capture_begin(&c);
	assert_int_equal(select_from(&kernel, false, &set), EXIT_KERNEL);
	capture_end(&c);
	assert_non_null(strstr(c.text, "cannot show any of the events; the notes before"));
	kernel_close(&kernel);
}

static int groups_without(int event, enum p2ptrace_event needed, struct event_set *set,
			  struct capture *c)
{
	struct event_set wanted;
	int rc;

	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		set->has[i] = true;
	wanted = *set;
	set->has[event] = false;
	capture_begin(c);
	rc = select_groups(set, &wanted, needed);
	capture_end(c);
	return rc;
}

static void a_missing_event_removes_its_group(void **state)
{
	struct event_set set = {};
	struct capture c;

	(void)state;
	assert_int_equal(groups_without(P2PTRACE_p2pdma_unmap, P2PTRACE_p2pmem_alloc, &set, &c),
			 0);
	assert_one_line(c.text, "leaving out all events of a mapping, because this command needs "
			"p2pdma_unmap for them");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 2);
	assert_false(set.has[P2PTRACE_p2pdma_map]);
	assert_true(set.blind[P2PTRACE_p2pdma_map]);
	assert_string_equal(set.why[P2PTRACE_p2pdma_map],
			    "this command needs p2pdma_unmap for it");
	set = (struct event_set){};

	assert_int_equal(groups_without(P2PTRACE_p2pmem_find, P2PTRACE_p2pmem_alloc, &set, &c), 0);
	assert_string_equal(c.text, "");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 1);

	/* Without a free, each buffer would look like a leak */
	assert_int_equal(groups_without(P2PTRACE_p2pmem_free, P2PTRACE_p2pmem_alloc, &set, &c),
			 EXIT_KERNEL);
	assert_non_null(strstr(c.text, "when buffers are allocated and freed; the notes before"));
	assert_int_equal(groups_without(P2PTRACE_p2pmem_free, P2PTRACE_NR_EVENTS, &set, &c), 0);
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 3);

	/* Those that were not wanted are not missing */
	set = (struct event_set){};
	set.has[P2PTRACE_p2pdma_map] = true;
	capture_begin(&c);
	assert_int_equal(select_groups(&set, &set, P2PTRACE_NR_EVENTS), 0);
	capture_end(&c);
	assert_true(set.has[P2PTRACE_p2pdma_map]);

	/* No stock kernel has this one */
	set = (struct event_set){ .stock = true, .ways = UINT64_MAX };
	assert_int_equal(groups_without(P2PTRACE_p2pmem_reclaim, P2PTRACE_p2pmem_alloc, &set, &c),
			 0);
	assert_string_equal(c.text, "");
	assert_true(set.has[P2PTRACE_p2pmem_free]);

	set = (struct event_set){};
	capture_begin(&c);
	assert_int_equal(select_groups(&set, &set, P2PTRACE_NR_EVENTS), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "cannot show any of the events; the notes before");
}

/* The same for a command that follows buffers, from all events. */
static int follow(const struct selection *o, struct selected *to)
{
	struct select_how how = { .groups = true, .needed = P2PTRACE_p2pmem_alloc };
	int rc = select_all(o, &how, to);

	enums_free(&to->enums);
	return rc;
}

static void nothing_is_missing_on_a_kernel_of_ours(void **state)
{
	struct selection o = {
		.dev = "p2pmem0", .client = "0000:00:00.0", .pid = 7, .min_size = 4096,
		.comm = "fio",
	};
	struct selected to = {};
	struct capture c;

	(void)state;
	kernel_lacks = "nothing";
	memset(to.set.has, true, sizeof(to.set.has));
	capture_begin(&c);
	assert_int_equal(follow(&o, &to), 0);
	capture_end(&c);
	assert_string_equal(c.text, "");
	assert_int_equal(event_set_count(&to.set), P2PTRACE_NR_EVENTS);
	assert_string_equal(to.filter.dev.s, "p2pmem0");
	assert_string_equal(to.filter.client.s, "0000:00:00.0");
	assert_string_equal(to.filter.comm.s, "fio");
	assert_int_equal(to.filter.pid, 7);
	assert_int_equal(to.filter.min_size, 4096);
	kernel_lacks = "p2pdma_unmap";
	capture_begin(&c);
	assert_int_equal(follow(&o, &to), 0);
	capture_end(&c);
	assert_non_null(strstr(c.text, "this command needs p2pdma_unmap for them"));
	assert_int_equal(event_set_count(&to.set), P2PTRACE_NR_EVENTS - 2);
	assert_int_equal(event_set_count(&to.passing), P2PTRACE_NR_EVENTS);
}

static int fails_with(struct selection *o, char *text)
{
	struct selected to = {};
	struct capture c;
	int rc;

	memset(to.set.has, true, sizeof(to.set.has));
	capture_begin(&c);
	rc = follow(o, &to);
	strcpy(text, capture_end(&c));
	kernel_rc = privileges_rc = dev_rc = client_rc = 0;
	return rc;
}

static void the_first_error_ends_the_selection(void **state)
{
	struct selection o = { .dev = "p2pmem0", .client = "0000:00:00.0" };
	char text[4096];

	(void)state;
	kernel_lacks = "nothing";
	assert_int_equal(fails_with(&o, text), 0);
	kernel_rc = 11;
	privileges_rc = 12;
	assert_int_equal(fails_with(&o, text), 11);
	privileges_rc = 12;
	dev_rc = 13;
	assert_int_equal(fails_with(&o, text), 12);
	dev_rc = 13;
	client_rc = 14;
	assert_int_equal(fails_with(&o, text), 13);
	client_rc = 14;
	kernel_lacks = "p2pmem_alloc";
	assert_int_equal(fails_with(&o, text), 14);
	assert_string_equal(text, "");
	assert_int_equal(fails_with(&o, text), EXIT_KERNEL);
	assert_non_null(strstr(text, "when buffers are allocated and freed; the notes before"));
	kernel_rc = 11;
	o.client = "no/where";
	assert_int_equal(fails_with(&o, text), EXIT_USAGE);
	assert_one_line(text, "is not the name of a device; name a device by PCI name");
	kernel_rc = 11;
	o.dev = "no/where";
	assert_int_equal(fails_with(&o, text), EXIT_USAGE);
	assert_one_line(text, "is not the name of a device; name a p2pmem device");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_kernel_without_any_event_is_an_error),
	cmocka_unit_test(a_missing_event_removes_its_group),
	cmocka_unit_test(events_missing_in_the_kernel_are_left_out),
	cmocka_unit_test(a_series_without_pins_misses_nothing),
	cmocka_unit_test(a_series_may_have_structures_for_mappings),
	cmocka_unit_test(a_module_whose_btf_is_hidden_is_not_seen),
	cmocka_unit_test(a_kernel_without_dma_bufs_needs_no_note),
	cmocka_unit_test(a_missing_event_that_the_user_named_is_an_error),
	cmocka_unit_test(a_stock_kernel_shows_its_events_and_one_note),
	cmocka_unit_test(a_loaded_nvmet_is_not_to_be_loaded_again),
	cmocka_unit_test(a_hook_of_nvmet_that_cannot_be_attached_is_named),
	cmocka_unit_test(a_mapping_is_shown_in_every_way_that_the_kernel_has),
	cmocka_unit_test(a_module_need_not_be_loaded_yet),
	cmocka_unit_test(a_missing_hook_is_replaced_by_the_next_one),
	cmocka_unit_test(nothing_is_missing_on_a_kernel_of_ours),
	cmocka_unit_test(the_first_error_ends_the_selection),
	cmocka_unit_test(filters_narrow_the_selection),
	cmocka_unit_test(filters_do_not_narrow_the_events_of_a_command),
	cmocka_unit_test(events_that_a_filter_leaves_out_are_listed),
};

UNIT_MAIN(tests)
