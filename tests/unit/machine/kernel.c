// SPDX-License-Identifier: GPL-2.0
/* wrap: uname bpf_prog_load */
/* What a kernel supports, from its BTF, and which remedy each refusal has. */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "unit.h"
#include "lib/log.h"
#include "machine/kernel.h"

/* The kernel that runs */
static const char *release = "6.18.5", *version = "#1 SMP";

int __wrap_uname(struct utsname *name);
int __wrap_uname(struct utsname *name)
{
	strcpy(name->release, release);
	strcpy(name->version, version);
	return 0;
}

/* What the kernel says to a program with the helper that reads its memory, and to one without */
static int with_helper, without_helper;

int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t nr, struct bpf_prog_load_opts *opts);
int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t nr, struct bpf_prog_load_opts *opts)
{
	int err = without_helper;

	assert_int_equal(type, BPF_PROG_TYPE_KPROBE);
	assert_null(name);
	assert_string_equal(license, "GPL");
	assert_null(opts);
	assert_int_equal(insns[nr - 1].code, BPF_JMP | BPF_EXIT);
	for (size_t i = 0; i < nr; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL)) {
			assert_int_equal(insns[i].imm, BPF_FUNC_probe_read_kernel);
			err = with_helper;
		}
	return err ? err : dup(STDERR_FILENO);
}

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

static void assert_support(const char *typedef_name, const char *func_name,
			   enum kernel_support expected)
{
	struct btf *btf = btf_of_kernel(typedef_name, func_name);

	assert_int_equal(kernel_support(btf), expected);
	btf__free(btf);
}

static void a_kernel_with_the_series_has_its_tracepoints(void **state)
{
	(void)state;
	assert_support("btf_trace_p2pmem_alloc", "pci_p2pdma_distance_many", KERNEL_TRACEPOINTS);
}

static void a_kernel_with_only_p2pdma_is_a_stock_kernel(void **state)
{
	(void)state;
	assert_support(NULL, "pci_p2pdma_distance_many", KERNEL_STOCK);
	/* A function of that name is not a tracepoint */
	assert_support(NULL, "btf_trace_p2pmem_alloc", KERNEL_NOTHING);
}

static void a_kernel_with_neither_has_no_support(void **state)
{
	(void)state;
	assert_support("btf_trace_nvme_sq", NULL, KERNEL_NOTHING);
	assert_support(NULL, NULL, KERNEL_NOTHING);
}

static void events_of_a_module_are_in_its_btf(void **state)
{
	struct btf *vmlinux = btf_of_kernel("btf_trace_p2pmem_alloc", NULL);
	struct btf *module = btf__new_empty_split(vmlinux);

	(void)state;
	assert_non_null(module);
	assert_true(btf__add_typedef(module, "btf_trace_nvmet_p2pmem_use", 1) > 0);
	assert_true(btf_has_tracepoint(module, "nvmet_p2pmem_use"));
	assert_true(btf_has_tracepoint(module, "p2pmem_alloc"));
	assert_false(btf_has_tracepoint(vmlinux, "nvmet_p2pmem_use"));
	btf__free(module);
	btf__free(vmlinux);
}

static void hooks_are_functions_or_tracepoints(void **state)
{
	struct btf *btf = btf_of_kernel("btf_trace_dma_map_sg", "pci_alloc_p2pmem");

	(void)state;
	assert_true(btf_has_hook(btf, "fexit/pci_alloc_p2pmem"));
	assert_true(btf_has_hook(btf, "fentry/pci_alloc_p2pmem"));
	assert_true(btf_has_hook(btf, "tp_btf/dma_map_sg"));
	assert_false(btf_has_hook(btf, "tp_btf/pci_alloc_p2pmem"));
	assert_false(btf_has_hook(btf, "fexit/dma_map_sg"));
	assert_false(btf_has_hook(btf, "pci_alloc_p2pmem"));
	btf__free(btf);
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

typedef int (*opener)(struct kernel *kernel, const char *vmlinux_btf);

/* Calls @open on a file that contains @btf, or garbage if that is NULL. */
static int open_by(opener open, struct btf *btf, struct capture *c)
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
	rc = open(&kernel, path);
	capture_end(c);
	kernel_close(&kernel);
	unlink(path);
	btf__free(btf);
	return rc;
}

static int open_with(struct btf *btf, struct capture *c)
{
	return open_by(kernel_open, btf, c);
}

static void a_kernel_without_support_is_refused_in_one_line(void **state)
{
	struct kernel kernel;
	struct capture c;

	(void)state;
	assert_int_equal(open_with(btf_of_kernel("btf_trace_p2pmem_alloc", NULL), &c), 0);
	assert_string_equal(c.text, "");

	assert_int_equal(open_with(btf_of_kernel(NULL, "pci_p2pdma_distance_many"), &c), 0);
	assert_string_equal(c.text, "");

	assert_int_equal(open_with(btf_of_kernel(NULL, NULL), &c), EXIT_KERNEL);
	assert_one_line(c.text, "built without peer-to-peer DMA (CONFIG_PCI_P2PDMA)");
	assert_one_line(c.text, "boot one that has CONFIG_PCI_P2PDMA=y; dma-bufs can be traced ");

	/* Debian has such kernels */
	release = "6.12.48+deb13-amd64";
	version = "#1 SMP PREEMPT_DYNAMIC Debian 6.12.48-1 (2025-09-20)";
	assert_int_equal(open_with(btf_of_kernel(NULL, NULL), &c), EXIT_KERNEL);
	assert_one_line(c.text, "this kernel (6.12.48+deb13-amd64) is built without peer-to-peer "
			"DMA (CONFIG_PCI_P2PDMA); Debian's kernels have it from 6.16 on: boot one "
			"of trixie-backports, on Debian 13; dma-bufs can be traced ");
	version = "#1 SMP";
	/* dma-bufs do not need P2PDMA */
	assert_int_equal(open_by(kernel_open_any, btf_of_kernel(NULL, NULL), &c), 0);
	assert_string_equal(c.text, "");
	assert_int_equal(open_by(kernel_open_any, NULL, &c), EXIT_KERNEL);

	assert_int_equal(open_with(NULL, &c), EXIT_KERNEL);
	assert_one_line(c.text, "cannot read /tmp/");
	assert_null(strstr(c.text, "Unknown error"));

	capture_begin(&c);
	assert_int_equal(kernel_open(&kernel, "/nonexistent/btf/vmlinux"), EXIT_KERNEL);
	capture_end(&c);
	kernel_close(&kernel);
	assert_one_line(c.text, "/nonexistent/btf/vmlinux is missing");
	assert_one_line(c.text, "CONFIG_DEBUG_INFO_BTF=y");
}

/* Nobody can boot what does not exist. */
static void the_series_is_advised_for_its_release_only(void **state)
{
	static const char *const others[] = { "6.1.0-40-amd64", "6.120.1", "7.30.1", "7.2.12",
					      "6.1", "6.12" };

	(void)state;
	release = "6.12.1";
	assert_string_equal(kernel_series_step(), "boot one that has it");
	release = "7.3.4";
	assert_string_equal(kernel_series_step(), "boot one that has it");
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		release = others[i];
		assert_string_equal(kernel_series_step(),
				    "the series exists for Linux 6.12 and 7.3 only");
	}
}

static int locked_down(const char *text, struct capture *c)
{
	char path[] = "/tmp/p2ptrace-unit-XXXXXX";
	int rc, fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	write_file(path, text, strlen(text));
	capture_begin(c);
	rc = kernel_check_lockdown(path);
	capture_end(c);
	unlink(path);
	return rc;
}

static void only_confidentiality_forbids_to_trace(void **state)
{
	static const char *const harmless[] = {
		"[none] integrity confidentiality\n", "none [integrity] confidentiality\n",
		"none integrity confidentiality\n", "[\n", "",
	};
	static const struct {
		int with_helper, without_helper;
		bool locked;
	} cases[] = {
		{ 0, 0, false }, { -EINVAL, 0, true }, { -EPERM, 0, false },
		/* It is something else if no program can be loaded */
		{ -EINVAL, -EINVAL, false },
	};
	struct capture c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
		assert_int_equal(locked_down(harmless[i], &c), 0);
		assert_string_equal(c.text, "");
	}
	/* Without securityfs, as in a container */
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		with_helper = cases[i].with_helper;
		without_helper = cases[i].without_helper;
		capture_begin(&c);
		assert_int_equal(kernel_check_lockdown("/nowhere/lockdown"),
				 cases[i].locked ? EXIT_KERNEL : 0);
		capture_end(&c);
		if (cases[i].locked)
			assert_one_line(c.text, "the kernel is locked down (confidentiality)");
		else
			assert_string_equal(c.text, "");
	}
	with_helper = without_helper = 0;
	assert_int_equal(locked_down("none integrity [confidentiality]\n", &c), EXIT_KERNEL);
	assert_one_line(c.text, "the kernel is locked down (confidentiality) and does not let BPF "
			"programs read its memory; see /tmp/");
	assert_one_line(c.text, "boot without lockdown=confidentiality\n");
}

/* The remedy is another user, not another kernel. */
static void an_unreadable_btf_is_a_matter_of_privileges(void **state)
{
	char path[] = "/tmp/p2ptrace-unit-XXXXXX";
	int rc, fd = mkstemp(path);
	uid_t uid = geteuid();
	struct kernel kernel;
	struct capture c;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0), 0);
	close(fd);
	capture_begin(&c);
	assert_int_equal(uid ? 0 : seteuid(65534), 0);
	rc = kernel_open(&kernel, path);
	assert_int_equal(seteuid(uid), 0);
	capture_end(&c);
	kernel_close(&kernel);
	unlink(path);
	assert_int_equal(rc, EXIT_KERNEL);
	assert_one_line(c.text, "not permitted to read /tmp/");
	assert_one_line(c.text, "as root");
	assert_null(strstr(c.text, "CONFIG_"));
}

/* Only these capabilities become effective. Returns -1 if the test does not have them. */
static int set_capabilities(uint64_t capabilities, struct __user_cap_data_struct *saved)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	assert_int_equal(syscall(SYS_capget, &header, saved), 0);
	memcpy(data, saved, sizeof(data));
	data[0].effective = capabilities;
	data[1].effective = capabilities >> 32;
	return syscall(SYS_capset, &header, data);
}

static void restore_capabilities(const struct __user_cap_data_struct *saved)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	assert_int_equal(syscall(SYS_capset, &header, saved), 0);
}

/* kernel_check_privileges() with only these capabilities effective */
static int check_with(struct btf *btf, uint64_t capabilities, struct capture *c)
{
	struct __user_cap_data_struct saved[_LINUX_CAPABILITY_U32S_3];
	struct kernel kernel = { .vmlinux = btf };
	int rc;

	assert_int_equal(set_capabilities(capabilities, saved), 0);
	capture_begin(c);
	rc = kernel_check_privileges(&kernel);
	capture_end(c);
	restore_capabilities(saved);
	return rc;
}

static void each_missing_capability_is_named(void **state)
{
	const uint64_t bpf = 1ull << CAP_BPF, perfmon = 1ull << CAP_PERFMON;
	struct __user_cap_data_struct saved[_LINUX_CAPABILITY_U32S_3];
	struct btf *with, *without;
	struct capture c;

	(void)state;
	with = btf_of_kernel(NULL, NULL);
	without = btf_of_kernel(NULL, NULL);
	assert_true(btf__add_var(with, "pcpu_hot", BTF_VAR_GLOBAL_ALLOCATED, 1) > 0);
	assert_int_equal(check_with(with, 0, &c), EXIT_KERNEL);
	assert_one_line(c.text, "CAP_BPF and CAP_PERFMON are missing");
	/* The rest takes a test that has them all, as root has */
	if (set_capabilities(bpf | perfmon | 1ull << CAP_SYS_ADMIN, saved))
		goto out;
	restore_capabilities(saved);
	assert_int_equal(check_with(with, perfmon, &c), EXIT_KERNEL);
	assert_one_line(c.text, "CAP_BPF is missing");
	assert_int_equal(check_with(with, bpf, &c), EXIT_KERNEL);
	assert_one_line(c.text, "CAP_PERFMON is missing");
	assert_int_equal(check_with(with, bpf | perfmon, &c), 0);
	assert_string_equal(c.text, "");
	/* Without the variable, libbpf searches the BTF of modules */
	assert_int_equal(check_with(without, bpf | perfmon, &c), EXIT_KERNEL);
	assert_one_line(c.text, "not enough; run it as root (CAP_SYS_ADMIN)");
	assert_int_equal(check_with(without, 1ull << CAP_SYS_ADMIN, &c), 0);
	assert_string_equal(c.text, "");
out:
	btf__free(with);
	btf__free(without);
}

static void too_few_descriptors_have_a_remedy(void **state)
{
	struct rlimit saved, low;
	struct kernel kernel;
	struct capture c;
	int rc;

	(void)state;
	capture_begin(&c);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	low = saved;
	low.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	rc = kernel_open(&kernel, "/dev/null");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	capture_end(&c);
	kernel_close(&kernel);
	assert_int_equal(rc, EXIT_OTHER);
	assert_one_line(c.text, "ulimit -n");
}

static void every_refusal_has_a_remedy(void **state)
{
	static const struct {
		int err, status;
		const char *hint;
	} cases[] = {
		{ -EPERM, EXIT_KERNEL, "run it as root" },
		{ -EACCES, EXIT_KERNEL, "run it as root" },
		{ -EOPNOTSUPP, EXIT_KERNEL, "CONFIG_BPF_SYSCALL" },
		{ -ENOMEM, EXIT_OTHER, "a smaller buffer" },
		{ -EMFILE, EXIT_OTHER, "ulimit -n" },
		{ -EBUSY, EXIT_OTHER, "Device or resource busy; the verbose" },
		/* ENOTSUPP, which errno.h of user space lacks */
		{ -524, EXIT_KERNEL, "sysctl net.core.bpf_jit_enable=1" },
		{ -LIBBPF_ERRNO__FORMAT, EXIT_OTHER, "object format invalid; the verbose" },
	};
	struct capture c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		capture_begin(&c);
		assert_int_equal(kernel_refused("do this", cases[i].err), cases[i].status);
		capture_end(&c);
		assert_one_line(c.text, "do this");
		assert_one_line(c.text, cases[i].hint);
	}
}

static void available_memory_comes_from_meminfo(void **state)
{
	static const char meminfo[] = "MemTotal:        2048 kB\nMemFree:          100 kB\n"
				      "MemAvailable:    1024 kB\n";
	char path[] = "/tmp/p2ptrace-unit-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(kernel_available_memory(path), UINT64_MAX);
	write_file(path, meminfo, strlen(meminfo));
	assert_int_equal(kernel_available_memory(path), 1024 << 10);
	unlink(path);
	assert_int_equal(kernel_available_memory(path), UINT64_MAX);
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
	cmocka_unit_test(a_kernel_with_the_series_has_its_tracepoints),
	cmocka_unit_test(a_kernel_with_only_p2pdma_is_a_stock_kernel),
	cmocka_unit_test(a_kernel_with_neither_has_no_support),
	cmocka_unit_test(events_of_a_module_are_in_its_btf),
	cmocka_unit_test(hooks_are_functions_or_tracepoints),
	cmocka_unit_test(a_kernel_without_support_is_refused_in_one_line),
	cmocka_unit_test(the_series_is_advised_for_its_release_only),
	cmocka_unit_test(only_confidentiality_forbids_to_trace),
	cmocka_unit_test(an_unreadable_btf_is_a_matter_of_privileges),
	cmocka_unit_test(each_missing_capability_is_named),
	cmocka_unit_test(too_few_descriptors_have_a_remedy),
	cmocka_unit_test(every_refusal_has_a_remedy),
	cmocka_unit_test(available_memory_comes_from_meminfo),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, NULL);
}
