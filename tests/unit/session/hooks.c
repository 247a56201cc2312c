// SPDX-License-Identifier: GPL-2.0
/* Whether a program can be attached: BTF, kallsyms and available_filter_functions together. */
#include <bpf/btf.h>

#include "unit.h"
#include "session/hooks.h"

#define FREE "fentry/pci_free_p2pmem"
#define TRACEPOINT "tp_btf/dma_map_sg"

static char dir[] = "/tmp/p2ptrace-unit-XXXXXX";
static char kallsyms[64], filter[64];
static struct btf *btf;
static bool stock;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/p2ptrace-unit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(kallsyms, sizeof(kallsyms), "%s/kallsyms", dir);
	snprintf(filter, sizeof(filter), "%s/filter", dir);
	stock = true;
	btf = btf__new_empty();
	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	btf__add_func_proto(btf, 1);
	assert_true(btf__add_func(btf, "pci_free_p2pmem", BTF_FUNC_GLOBAL, 2) > 0);
	assert_true(btf__add_func(btf, "pci_p2pmem_free_sgl", BTF_FUNC_GLOBAL, 2) > 0);
	assert_true(btf__add_func(btf, "schedule", BTF_FUNC_GLOBAL, 2) > 0);
	assert_true(btf__add_typedef(btf, "btf_trace_dma_map_sg", 1) > 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	btf__free(btf);
	return remove_tree(dir);
}

/* The reason, or "" if the hook can be used. A file whose text is NULL does not exist. */
static const char *refused(const char *section, const char *symbols, const char *functions,
			   const char *list)
{
	struct hook_files files = {
		.kallsyms = kallsyms, .filter_functions = { "/nowhere", filter }, .refused = list,
	};
	struct hooks hooks;

	unlink(kallsyms);
	unlink(filter);
	if (symbols)
		write_text(dir, "kallsyms", symbols);
	if (functions)
		write_text(dir, "filter", functions);
	hooks_open(&hooks, btf, &files, stock);
	return hooks_refuse(&hooks, section) ?: "";
}

#define SYMBOL "ffffffff81000000 T pci_free_p2pmem\n"

static void a_function_must_be_in_btf(void **state)
{
	(void)state;
	assert_string_equal(refused(FREE, SYMBOL, "pci_free_p2pmem\n", ""), "");
	assert_string_equal(refused("fexit/pci_alloc_p2pmem", SYMBOL, "pci_free_p2pmem\n", ""),
			    "the kernel does not have it");
}

static void a_function_must_be_a_symbol_by_exactly_that_name(void **state)
{
	const char *inlined = "the compiler inlined or renamed it";

	(void)state;
	assert_string_equal(refused(FREE, "ffffffff81000000 T pci_alloc_p2pmem\n", NULL, ""),
			    inlined);
	assert_string_equal(refused(FREE, "ffffffff81000000 t pci_free_p2pmem.constprop.0\n",
				    NULL, ""), inlined);
	assert_string_equal(refused(FREE, "ffffffff81000000 t pci_free_p2pmem.isra.0\n"
				    "ffffffff81000010 t __pci_free_p2pmem\n"
				    "ffffffff81000020 t pci_free_p2pmem_x\n", NULL, ""), inlined);
	/* A symbol of data */
	assert_string_equal(refused(FREE, "ffffffff81000000 d pci_free_p2pmem\n", NULL, ""),
			    inlined);
	/* A function of a module, with hidden addresses, and its part moved to another section */
	assert_string_equal(refused(FREE, "0000000000000000 t pci_free_p2pmem\t[nvmet]\n"
				    "0000000000000000 t pci_free_p2pmem.cold\n", NULL, ""), "");
	assert_string_equal(refused(FREE, SYMBOL "ffffffff82000000 t pci_free_p2pmem\n", NULL, ""),
			    "the kernel has several functions of this name");
	/* A file with malformed lines proves nothing */
	assert_string_equal(refused(FREE, "\nx\nffffffff81000000\nffffffff81000000 T\n" SYMBOL,
				    NULL, ""), "");
	assert_string_equal(refused(FREE, "ffffffff81000000 T other_with_a_long_name\n"
				    "ffffffff81000000 ", NULL, ""), "");
}

static void a_page_has_an_address_only_if_a_variable_says_so(void **state)
{
	const char *list = P2PTRACE_STOCK_FREE_SGL;
	const char *hidden = "the kernel hides the address of struct page (sysctl "
			     "kernel.kptr_restrict)";
	const char *seen = "ffffffff82000000 D vmemmap_base\n"
			   "ffffffff81000000 T pci_p2pmem_free_sgl\n";

	(void)state;
	assert_string_equal(refused(list, seen, NULL, ""), "");
	assert_string_equal(refused(list, "ffff800081000000 B mem_section\n"
				    "ffff800081000010 T pci_p2pmem_free_sgl\n", NULL, ""), "");
	assert_string_equal(refused(list, "0000000000000000 D vmemmap_base\n"
				    "0000000000000000 T pci_p2pmem_free_sgl\n", NULL, ""), hidden);
	assert_string_equal(refused(list, "0000000000000000 B mem_section\n"
				    "0000000000000000 T pci_p2pmem_free_sgl\n", NULL, ""), hidden);
	/* Only on x86 may it be at a fixed address */
	assert_string_equal(refused(list, "ffffffff81000000 T pci_p2pmem_free_sgl\n", NULL, ""),
#ifdef __x86_64__
			    ""
#else
			    "the kernel does not show the address of struct page "
			    "(CONFIG_KALLSYMS_ALL)"
#endif
			    );
	assert_string_equal(refused(list, NULL, NULL, ""),
			    "/proc/kallsyms, which has the address of struct page, cannot be read");
}

static void the_files_are_not_read_on_a_kernel_with_the_series(void **state)
{
	(void)state;
	stock = false;
	assert_string_equal(refused(FREE, "ffffffff81000000 T other\n", "other\n", ""), "");
	assert_string_equal(refused(FREE, NULL, NULL, "pci_free_p2pmem"),
			    "P2PTRACE_NO_HOOKS names it");
}

static void a_function_must_be_traceable(void **state)
{
	const char *forbidden = "the kernel does not allow tracing it";

	(void)state;
	assert_string_equal(refused(FREE, SYMBOL, "pci_alloc_p2pmem\npci_free_p2pmem_x\n", ""),
			    forbidden);
	assert_string_equal(refused(FREE, SYMBOL, "pci_free_p2pmem [nvmet]\n", ""), "");
	assert_string_equal(refused(FREE, NULL, "pci_alloc_p2pmem\n", ""), forbidden);
}

static void the_first_list_that_can_be_read_counts(void **state)
{
	struct hook_files files = {
		.kallsyms = kallsyms, .filter_functions = { filter, "/nowhere" }, .refused = "",
	};
	struct hooks hooks;

	(void)state;
	write_text(dir, "kallsyms", SYMBOL);
	write_text(dir, "filter", "pci_alloc_p2pmem\n");
	hooks_open(&hooks, btf, &files, true);
	assert_string_equal(hooks_refuse(&hooks, FREE), "the kernel does not allow tracing it");
	files.filter_functions[1] = files.filter_functions[0];
	files.filter_functions[0] = NULL;
	hooks_open(&hooks, btf, &files, true);
	assert_string_equal(hooks_refuse(&hooks, FREE), "the kernel does not allow tracing it");
}

static void a_function_that_is_no_hook_of_ours_needs_btf_only(void **state)
{
	(void)state;
	assert_string_equal(refused("fentry/schedule", SYMBOL, "pci_free_p2pmem\n", ""), "");
	assert_string_equal(refused("fentry/nothing", SYMBOL, "pci_free_p2pmem\n", ""),
			    "the kernel does not have it");
}

static void an_unreadable_file_refuses_no_hook(void **state)
{
	(void)state;
	assert_string_equal(refused(FREE, NULL, NULL, ""), "");
	assert_string_equal(refused(FREE, "", "", ""), "");
	assert_string_equal(refused(FREE, SYMBOL, NULL, ""), "");
}

static void a_tracepoint_needs_only_btf(void **state)
{
	(void)state;
	assert_string_equal(refused(TRACEPOINT, SYMBOL, "pci_free_p2pmem\n", ""), "");
	assert_string_equal(refused("tp_btf/dma_unmap_sg", SYMBOL, "pci_free_p2pmem\n", ""),
			    "the kernel does not have it");
}

static void hooks_named_in_the_environment_are_refused(void **state)
{
	const char *named = "P2PTRACE_NO_HOOKS names it";

	(void)state;
	assert_string_equal(refused(FREE, SYMBOL, NULL, "pci_free_p2pmem"), named);
	assert_string_equal(refused(FREE, SYMBOL, NULL, "other,pci_free_p2pmem,x"), named);
	assert_string_equal(refused(TRACEPOINT, SYMBOL, NULL, "x,dma_map_sg"), named);
	assert_string_equal(refused(FREE, SYMBOL, NULL, "pci_free_p2pme,pci_free_p2pmem_x,"), "");
	/* As long, but another */
	assert_string_equal(refused(FREE, SYMBOL, NULL, "pci_xxxx_p2pmem"), "");
	assert_int_equal(setenv("P2PTRACE_NO_HOOKS", "pci_free_p2pmem", 1), 0);
	assert_string_equal(refused(FREE, SYMBOL, NULL, NULL), named);
	assert_int_equal(unsetenv("P2PTRACE_NO_HOOKS"), 0);
	assert_string_equal(refused(FREE, SYMBOL, NULL, NULL), "");
}

static void every_hook_has_an_event_and_a_program(void **state)
{
	(void)state;
	for (const struct hook *h = stock_hooks; h->program; h++) {
		bool used = false;

		assert_true(!strncmp(h->program, "stock_", 6));
		assert_non_null(strchr(h->section, '/'));
		for (unsigned int i = 0; i < hook_nr_ways; i++)
			used |= way_has_role(&hook_ways[i], h->role);
		assert_true(used);
	}
	assert_true(hooks_exist(P2PTRACE_p2pdma_map));
	assert_false(hooks_exist(P2PTRACE_p2pmem_reclaim));
	assert_false(hooks_exist(P2PTRACE_p2pmem_dev_add));
}

#define HOOK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	HOOK_TEST(a_function_must_be_in_btf),
	HOOK_TEST(a_function_must_be_a_symbol_by_exactly_that_name),
	HOOK_TEST(a_function_must_be_traceable),
	HOOK_TEST(an_unreadable_file_refuses_no_hook),
	HOOK_TEST(a_tracepoint_needs_only_btf),
	HOOK_TEST(hooks_named_in_the_environment_are_refused),
	HOOK_TEST(the_first_list_that_can_be_read_counts),
	HOOK_TEST(a_function_that_is_no_hook_of_ours_needs_btf_only),
	HOOK_TEST(every_hook_has_an_event_and_a_program),
	HOOK_TEST(a_page_has_an_address_only_if_a_variable_says_so),
	HOOK_TEST(the_files_are_not_read_on_a_kernel_with_the_series),
};

UNIT_MAIN(tests)
