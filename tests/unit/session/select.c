// SPDX-License-Identifier: GPL-2.0
/* Which events a run is about: filters, and a kernel that lacks some. */
#include <bpf/btf.h>

#include "unit.h"
#include "lib/log.h"
#include "machine/kernel.h"
#include "session/select.h"

static struct btf *btf_with_events(const char *except)
{
	struct btf *btf = btf__new_empty();
	char name[64];

	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		if (!strncmp(events[i].name, except, strlen(except)))
			continue;
		snprintf(name, sizeof(name), "btf_trace_%s", events[i].name);
		assert_true(btf__add_typedef(btf, name, 1) > 0);
	}
	return btf;
}

static int select_on(const char *except, struct event_set *set, struct capture *c)
{
	struct kernel kernel = { .vmlinux = btf_with_events(except) };
	struct selection o = {};
	int rc;

	assert_int_equal(select_events(&o, false, set), 0);
	capture_begin(c);
	rc = select_available(&kernel, false, set);
	capture_end(c);
	kernel_close(&kernel);
	return rc;
}

static void without_nvmet_the_others_go_on(void **state)
{
	struct event_set set;
	struct capture c;

	(void)state;
	assert_int_equal(select_on("nothing", &set, &c), 0);
	assert_string_equal(c.text, "");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS);

	assert_int_equal(select_on("nvmet_", &set, &c), 0);
	assert_one_line(c.text, "nvmet events are not available");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 4);

	assert_int_equal(select_on("p2pmem_mmap", &set, &c), 0);
	assert_one_line(c.text, "does not have p2pmem_mmap");
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 1);
}

static void an_event_that_was_asked_for_must_be_there(void **state)
{
	struct kernel kernel = { .vmlinux = btf_with_events("nvmet_") };
	struct event_set set = {};
	struct capture c;

	(void)state;
	set.has[P2PTRACE_nvmet_p2pmem_use] = true;
	capture_begin(&c);
	assert_int_equal(select_available(&kernel, true, &set), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "does not have nvmet_p2pmem_use");
	assert_one_line(c.text, "modprobe nvmet");
	kernel_close(&kernel);
}

/* A stock kernel's functions and tracepoints, without the one that is named @except. */
static struct btf *btf_of_stock(const char *except)
{
	struct btf *btf = btf__new_empty();
	char name[64];

	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	btf__add_func_proto(btf, 1);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		const char *hook = stock_hooks[i] ? strchr(stock_hooks[i], '/') + 1 : NULL;

		if (!hook || !strcmp(hook, except))
			continue;
		if (!strncmp(stock_hooks[i], "tp_btf/", 7)) {
			snprintf(name, sizeof(name), "btf_trace_%s", hook);
			assert_true(btf__add_typedef(btf, name, 1) > 0);
		} else if (btf__find_by_name_kind(btf, hook, BTF_KIND_FUNC) < 0) {
			assert_true(btf__add_func(btf, hook, BTF_FUNC_GLOBAL, 2) > 0);
		}
	}
	if (strcmp(except, "pci_p2pdma_map_segment"))
		assert_true(btf__add_func(btf, "pci_p2pdma_map_segment", BTF_FUNC_GLOBAL, 2) > 0);
	return btf;
}

static void a_stock_kernel_shows_what_it_has_and_says_so_once(void **state)
{
	struct kernel kernel = { .support = KERNEL_STOCK, .vmlinux = btf_of_stock("") };
	struct selection o = {};
	struct event_set set;
	struct capture c;

	(void)state;
	assert_int_equal(select_events(&o, false, &set), 0);
	capture_begin(&c);
	assert_int_equal(select_available(&kernel, false, &set), 0);
	capture_end(&c);
	assert_one_line(c.text, "without the p2pmem series");
	assert_true(set.stock);
	assert_int_equal(event_set_count(&set), 10);
	assert_false(set.has[P2PTRACE_p2pmem_reclaim]);

	set = (struct event_set){};
	set.has[P2PTRACE_p2pmem_reclaim] = true;
	capture_begin(&c);
	assert_int_equal(select_available(&kernel, true, &set), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "cannot show p2pmem_reclaim");
	kernel_close(&kernel);

	/* What it should have and has not is named */
	kernel = (struct kernel){ .support = KERNEL_STOCK, .vmlinux = btf_of_stock("calc_map_type_and_dist") };
	assert_int_equal(select_events(&o, false, &set), 0);
	capture_begin(&c);
	assert_int_equal(select_available(&kernel, false, &set), 0);
	capture_end(&c);
	assert_non_null(strstr(c.text, "does not have p2pmem_decide"));
	assert_int_equal(event_set_count(&set), 9);
	kernel_close(&kernel);

	/* Without this, no page is known to be peer memory */
	kernel = (struct kernel){ .support = KERNEL_STOCK, .vmlinux = btf_of_stock("pci_p2pdma_map_segment") };
	assert_int_equal(select_events(&o, false, &set), 0);
	capture_begin(&c);
	assert_int_equal(select_available(&kernel, false, &set), 0);
	capture_end(&c);
	assert_non_null(strstr(c.text, "does not have p2pmem_dma_map"));
	assert_int_equal(event_set_count(&set), 8);
	kernel_close(&kernel);
}

static void filters_narrow_the_selection(void **state)
{
	struct selection o = { .client = "0000:00:00.0" };
	struct event_set set = {};
	struct capture c;

	(void)state;
	assert_int_equal(select_events(&o, false, &set), 0);
	assert_int_equal(event_set_count(&set), 3);
	o.dev = "p2pmem0";
	assert_int_equal(select_events(&o, false, &set), 0);
	assert_int_equal(event_set_count(&set), 3);

	o.client = NULL;
	assert_int_equal(select_events(&o, false, &set), 0);
	assert_int_equal(event_set_count(&set), P2PTRACE_NR_EVENTS - 2);

	/* Of what the user named, nothing is left out in silence. */
	set = (struct event_set){};
	set.has[P2PTRACE_p2pmem_decide] = true;
	assert_int_equal(select_events(&o, true, &set), 0);
	assert_int_equal(event_set_count(&set), 1);
	set.has[P2PTRACE_nvmet_p2pmem_fallback] = true;
	capture_begin(&c);
	assert_int_equal(select_events(&o, true, &set), EXIT_USAGE);
	capture_end(&c);
	assert_one_line(c.text, "nvmet_p2pmem_fallback has no dev or provider, so --dev would");

	o = (struct selection){ .client = "0000:00:00.0" };
	set = (struct event_set){};
	set.has[P2PTRACE_p2pmem_decide] = set.has[P2PTRACE_p2pmem_alloc] = true;
	capture_begin(&c);
	assert_int_equal(select_events(&o, true, &set), EXIT_USAGE);
	capture_end(&c);
	assert_one_line(c.text, "p2pmem_alloc has no client, so --client would");
}

static const char *left_out(const struct selection *o, struct capture *c)
{
	struct event_set set = {};

	assert_int_equal(select_events(o, false, &set), 0);
	capture_begin(c);
	select_show_left_out(o, &set);
	return capture_end(c);
}

static void what_a_filter_leaves_out_is_said(void **state)
{
	struct selection o = {};
	struct capture c;

	(void)state;
	assert_string_equal(left_out(&o, &c), "");
	o.dev = "p2pmem0";
	assert_one_line(left_out(&o, &c), "events that --dev cannot match are left out: nvmet_p2pmem_use, nvmet_p2pmem_fallback\n");
	o.client = "0000:00:00.0";
	assert_one_line(left_out(&o, &c), "--dev or --client cannot match are left out: p2pmem_dev_add, ");
	o.dev = NULL;
	assert_one_line(left_out(&o, &c), "that --client cannot match are left out: p2pmem_dev_add, ");
	/* Whole to the last name. */
	assert_one_line(c.text, ", nvmet_p2pmem_fallback\n");
	assert_null(strstr(c.text, "p2pmem_dma_map"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(without_nvmet_the_others_go_on),
	cmocka_unit_test(an_event_that_was_asked_for_must_be_there),
	cmocka_unit_test(a_stock_kernel_shows_what_it_has_and_says_so_once),
	cmocka_unit_test(filters_narrow_the_selection),
	cmocka_unit_test(what_a_filter_leaves_out_is_said),
};

UNIT_MAIN(tests)
