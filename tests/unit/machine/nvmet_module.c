// SPDX-License-Identifier: GPL-2.0
/* nvmet as a module: whether it is loaded, in use, and where its structures have their members. */
#include <errno.h>

#include <bpf/btf.h>

#include "unit.h"
#include "machine/nvmet_module.h"

static char root[64];

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/p2ptrace-unit-XXXXXX");
	assert_non_null(mkdtemp(root));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return remove_tree(root);
}

static void make_dir(const char *dir)
{
	char command[256];

	snprintf(command, sizeof(command), "mkdir -p %s/%s", root, dir);
	assert_int_equal(system(command), 0);
}

static void a_module_that_is_loaded_again_is_another_one(void **state)
{
	uint64_t first;
	char path[96];

	(void)state;
	assert_int_equal(nvmet_loaded(root), 0);
	make_dir("module/nvmet");
	first = nvmet_loaded(root);
	assert_int_not_equal(first, 0);
	assert_int_equal(nvmet_loaded(root), first);
	snprintf(path, sizeof(path), "%s/module/nvmet", root);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(nvmet_loaded(root), 0);
	/* So that no file system gives the same number again */
	make_dir("another");
	make_dir("module/nvmet");
	assert_int_not_equal(nvmet_loaded(root), first);
}

static void a_subsystem_at_a_port_is_in_use(void **state)
{
	(void)state;
	assert_false(nvmet_in_use(root));
	make_dir("nvmet/ports/1/subsystems");
	make_dir("nvmet/subsystems/lab");
	assert_false(nvmet_in_use(root));
	make_dir("nvmet/ports/1/subsystems/lab");
	assert_true(nvmet_in_use(root));
}

static void write_btf(struct btf *btf, const char *name)
{
	char path[96];
	uint32_t size;
	const void *data = btf__raw_data(btf, &size);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, size, 1, file), 1);
	fclose(file);
}

/* A structure of its own for each member, at another place, except for @missing. */
static void write_module(struct btf *vmlinux, const char *missing)
{
	struct btf *module = btf__new_empty_split(vmlinux);
	const char *last = "";
	unsigned int offset = 0;

#define ADD(type, member)								\
	if (strcmp(#type, last))							\
		assert_true(btf__add_struct(module, #type, 256) > 0);			\
	last = #type;									\
	offset += 8;									\
	if (strcmp(#member, missing))							\
		assert_int_equal(btf__add_field(module, #member, 1, offset * 8, 0), 0);
	P2PTRACE_NVMET_MEMBERS(ADD)
	write_btf(module, "nvmet");
	btf__free(module);
}

static void each_member_is_found_by_its_name(void **state)
{
	struct btf *vmlinux = btf__new_empty();
	char kernel[96], module[96];
	struct p2ptrace_nvmet places;
	uint32_t found[sizeof(places) / sizeof(uint32_t)];

	(void)state;
	snprintf(kernel, sizeof(kernel), "%s/vmlinux", root);
	snprintf(module, sizeof(module), "%s/nvmet", root);
	assert_true(btf__add_int(vmlinux, "long", 8, 0) > 0);
	write_btf(vmlinux, "vmlinux");
	assert_int_equal(nvmet_places(&places, kernel, module), -ENOENT);

	write_module(vmlinux, "");
	assert_int_equal(nvmet_places(&places, kernel, module), 0);
	memcpy(found, &places, sizeof(places));
	for (size_t i = 0; i < ARRAY_LEN(found); i++)
		assert_int_equal(found[i], 8 * (i + 1));

	write_module(vmlinux, "use_p2pmem");
	assert_int_equal(nvmet_places(&places, kernel, module), -ENOENT);
	write_text(root, "nvmet", "no BTF");
	assert_true(nvmet_places(&places, kernel, module) < 0);
	btf__free(vmlinux);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(a_module_that_is_loaded_again_is_another_one, setup,
					teardown),
	cmocka_unit_test_setup_teardown(a_subsystem_at_a_port_is_in_use, setup, teardown),
	cmocka_unit_test_setup_teardown(each_member_is_found_by_its_name, setup, teardown),
};

UNIT_MAIN(tests)
