// SPDX-License-Identifier: GPL-2.0
/* What a kernel can do for us, told from its BTF. */
#include <stdlib.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "unit.h"
#include "kernel.h"
#include "log.h"

static struct btf *btf_of_kernel(const char *typedef_name, const char *func_name)
{
	struct btf *btf = btf__new_empty();
	int id;

	assert_non_null(btf);
	id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	assert_true(id > 0);
	if (typedef_name)
		assert_true(btf__add_typedef(btf, typedef_name, id) > 0);
	if (func_name) {
		id = btf__add_func_proto(btf, id);
		assert_true(btf__add_func(btf, func_name, BTF_FUNC_GLOBAL, id) > 0);
	}
	return btf;
}

static void assert_support(const char *typedef_name, const char *func_name, enum kernel_support expected)
{
	struct btf *btf = btf_of_kernel(typedef_name, func_name);

	assert_int_equal(kernel_support(btf), expected);
	btf__free(btf);
}

static void the_series_is_known_by_its_tracepoints(void **state)
{
	(void)state;
	assert_support("btf_trace_p2pmem_alloc", "pci_p2pdma_distance_many", KERNEL_TRACEPOINTS);
}

static void p2pdma_alone_is_a_stock_kernel(void **state)
{
	(void)state;
	assert_support(NULL, "pci_p2pdma_distance_many", KERNEL_STOCK);
	/* A function is no tracepoint. */
	assert_support(NULL, "btf_trace_p2pmem_alloc", KERNEL_NOTHING);
}

static void neither_is_nothing(void **state)
{
	(void)state;
	assert_support("btf_trace_nvme_sq", NULL, KERNEL_NOTHING);
	assert_support(NULL, NULL, KERNEL_NOTHING);
}

static void the_events_of_a_module_are_found_in_its_own_btf(void **state)
{
	struct btf *vmlinux = btf_of_kernel("btf_trace_p2pmem_alloc", NULL);
	struct btf *module = btf__new_empty_split(vmlinux);

	(void)state;
	assert_non_null(module);
	assert_true(btf__add_typedef(module, "btf_trace_nvmet_p2pmem_use", 1) > 0);
	assert_true(btf_has_event(module, "nvmet_p2pmem_use"));
	assert_true(btf_has_event(module, "p2pmem_alloc"));
	assert_false(btf_has_event(vmlinux, "nvmet_p2pmem_use"));
	btf__free(module);
	btf__free(vmlinux);
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

/* kernel_open() on a file that holds @btf, or no BTF if that is NULL. */
static int open_with(struct btf *btf, struct capture *c)
{
	char path[] = "/tmp/p2ptrace-unit-XXXXXX";
	struct kernel kernel;
	uint32_t size = 7;
	const void *data = "garbage";
	int rc, fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	if (btf)
		data = btf__raw_data(btf, &size);
	write_file(path, data, size);
	capture_begin(c);
	rc = kernel_open(&kernel, path);
	capture_end(c);
	kernel_close(&kernel);
	unlink(path);
	btf__free(btf);
	return rc;
}

static void a_kernel_that_cannot_is_refused_in_one_line(void **state)
{
	struct kernel kernel;
	struct capture c;

	(void)state;
	assert_int_equal(open_with(btf_of_kernel("btf_trace_p2pmem_alloc", NULL), &c), 0);
	assert_string_equal(c.text, "");

	assert_int_equal(open_with(btf_of_kernel(NULL, "pci_p2pdma_distance_many"), &c), EXIT_KERNEL);
	assert_one_line(c.text, "stock mode is not in this version yet");
	assert_one_line(c.text, "boot a kernel with the p2pmem series");

	assert_int_equal(open_with(btf_of_kernel(NULL, NULL), &c), EXIT_KERNEL);
	assert_one_line(c.text, "neither the p2pmem tracepoints nor P2PDMA");
	assert_one_line(c.text, "CONFIG_PCI_P2PDMA=y");

	assert_int_equal(open_with(NULL, &c), EXIT_KERNEL);
	assert_one_line(c.text, "cannot read /tmp/");

	capture_begin(&c);
	assert_int_equal(kernel_open(&kernel, "/nonexistent/btf/vmlinux"), EXIT_KERNEL);
	capture_end(&c);
	kernel_close(&kernel);
	assert_one_line(c.text, "/nonexistent/btf/vmlinux is missing");
	assert_one_line(c.text, "CONFIG_DEBUG_INFO_BTF=y");
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	libbpf_set_print(quiet);
	return 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_series_is_known_by_its_tracepoints),
	cmocka_unit_test(p2pdma_alone_is_a_stock_kernel),
	cmocka_unit_test(neither_is_nothing),
	cmocka_unit_test(the_events_of_a_module_are_found_in_its_own_btf),
	cmocka_unit_test(a_kernel_that_cannot_is_refused_in_one_line),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, NULL);
}
