// SPDX-License-Identifier: GPL-2.0
/* What --list-events says of each event. */
#include "unit.h"
#include "lib/print.h"
#include "event/blind.h"
#include "session/hooks.h"
#include "session/shown.h"

static int setup(void **state)
{
	(void)state;
	buffer_reset(print_buffer());
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buffer_free(print_buffer());
	return 0;
}

/* The lines of one event. */
static const char *lines_of(const char *event)
{
	static char text[1024];
	const char *line = print_buffer()->data, *end;
	size_t len = strlen(event);

	while (line && (strncmp(line, event, len) || line[len] != ' '))
		line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
	assert_non_null(line);
	end = strchr(line, '\n') + 1;
	while (*end == ' ')
		end = strchr(end, '\n') + 1;
	snprintf(text, sizeof(text), "%.*s", (int)(end - line), line);
	return text;
}

/* Everything that a stock kernel can show. */
static struct event_set stock_set(void)
{
	struct event_set set = { .stock = true, .ways = UINT64_MAX, .hooks = UINT64_MAX };

	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		set.has[i] = hooks_exist(i);
	return set;
}

static void every_event_has_its_fields(void **state)
{
	struct event_set series = {};
	size_t nr = 0;

	(void)state;
	memset(series.has, true, sizeof(series.has));
	shown_print_set(&series);
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++)
		nr += lines_of(events[i].name) != NULL;
	assert_int_equal(nr, P2PTRACE_NR_EVENTS);
	assert_string_equal(lines_of("p2pmem_reclaim"),
			    "p2pmem_reclaim        dev id size\n"
			    "    seen: by tracepoint p2pmem_reclaim\n");
}

static void a_stock_kernel_has_hooks_and_gaps(void **state)
{
	struct event_set set = stock_set();

	(void)state;
	snprintf(set.why[P2PTRACE_p2pmem_reclaim], EVENT_WHY_LEN, "a reason");
	shown_print_set(&set);
	assert_string_equal(lines_of("p2pmem_reclaim"),
			    "p2pmem_reclaim        dev id size\n    not seen: a reason\n");
	assert_string_equal(lines_of("p2pmem_free"),
			    "p2pmem_free           dev id size pins\n"
			    "    seen: single buffers, by pci_free_p2pmem()\n"
			    "    seen: lists, by pci_p2pmem_free_sgl()\n"
			    "    seen: pages of processes, by p2pdma_folio_free(), "
			    "vm_insert_page()\n"
			    "    not known: pins\n");
	/* The best of two hooks */
	assert_non_null(strstr(lines_of("p2pdma_map"), "    seen: scatterlists, by tracepoint "
			       "dma_map_sg, __pci_p2pdma_update_state()\n"));
	assert_null(strstr(lines_of("p2pdma_map"), "not known"));
}

static void a_way_that_is_left_out_has_its_reason(void **state)
{
	struct event_set set = stock_set();

	(void)state;
	for (unsigned int i = 0; i < hook_nr_ways; i++)
		if (hook_ways[i].what && !strcmp(hook_ways[i].what, "lists"))
			hooks_drop_way(&set, i, false, "it is inlined");
	set.has[P2PTRACE_p2pmem_mmap] = false;
	blind_add(&set, P2PTRACE_p2pmem_mmap, "it is forbidden");
	shown_print_set(&set);
	assert_string_equal(lines_of("p2pmem_free"),
			    "p2pmem_free           dev id size pins\n"
			    "    seen: single buffers, by pci_free_p2pmem()\n"
			    "    seen: pages of processes, by p2pdma_folio_free(), "
			    "vm_insert_page()\n"
			    "    not seen: lists: it is inlined\n"
			    "    not known: pins\n");
	assert_string_equal(lines_of("p2pmem_mmap"),
			    "p2pmem_mmap           dev size allowed\n"
			    "    not seen: it is forbidden\n");
}

static void without_a_kernel_the_hooks_of_all_are_listed(void **state)
{
	(void)state;
	shown_print(NULL);
	assert_string_equal(lines_of("p2pmem_reclaim"),
			    "p2pmem_reclaim        dev id size\n"
			    "    with the p2pmem series: by tracepoint p2pmem_reclaim\n");
	assert_non_null(strstr(lines_of("p2pdma_map"), "    stock kernels: scatterlists, by "
			       "tracepoint dma_map_sg, __pci_p2pdma_update_state() or "
			       "pci_p2pdma_map_segment()\n"));
	assert_non_null(strstr(lines_of("p2pmem_free"), "    stock kernels do not know: pins\n"));
}

#define SHOWN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	SHOWN_TEST(every_event_has_its_fields),
	SHOWN_TEST(a_stock_kernel_has_hooks_and_gaps),
	SHOWN_TEST(a_way_that_is_left_out_has_its_reason),
	SHOWN_TEST(without_a_kernel_the_hooks_of_all_are_listed),
};

UNIT_MAIN(tests)
