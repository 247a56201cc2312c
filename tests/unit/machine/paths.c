// SPDX-License-Identifier: GPL-2.0
/* The paths between the functions that matter, for the drawn machines of tests/field/cases.txt. */
#include "unit.h"
#include "machine/drawing.h"
#include "machine/decision.h"
#include "machine/paths.h"

static struct drawings drawings;
static struct machine *machine;
static struct paths paths;

static int setup(void **state)
{
	FILE *file = drawings_open_cases();

	(void)state;
	assert_non_null(file);
	assert_int_equal(drawings_read(&drawings, file), 0);
	fclose(file);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	drawings_free(&drawings);
	paths_free(&paths);
	return 0;
}

static void use(const char *name, const char *kernel)
{
	for (size_t i = 0; i < drawings.nr; i++)
		if (!strcmp(drawings.all[i].name, name))
			machine = &drawings.all[i].machine;
	assert_non_null(machine);
	strcpy(machine->kernel, kernel);
	strcpy(machine->arch, "x86_64");
	strcpy(machine->cpu_vendor, "GenuineIntel");
	/* The endpoints are GPUs */
	for (size_t i = 0; i < machine->nr; i++)
		if (machine->functions[i].type == TYPE_ENDPOINT)
			machine->functions[i].class = 0x030200;
}

static void find(const char *provider, const char *client)
{
	paths_free(&paths);
	assert_int_equal(paths_find(&paths, machine, provider, client), 0);
}

static const struct path *path_of(const char *provider, const char *client)
{
	for (size_t i = 0; i < paths.nr; i++)
		if (!strcmp(paths.list[i].provider, provider) &&
		    !strcmp(paths.list[i].client, client))
			return &paths.list[i];
	fail_msg("no path from %s to %s", client, provider);
	return NULL;
}

static void each_pair_has_its_decision(void **state)
{
	const struct path *path;

	(void)state;
	use("two-gpus-one-switch-acs-on", "7.0.0");
	find(NULL, NULL);
	assert_int_equal(paths.nr, 2);
	assert_int_equal(paths.left_out, 0);
	path = path_of("0000:0e:00.0", "0000:12:00.0");
	assert_int_equal(path->rank, PATH_REFUSED);
	assert_string_equal(path->map, MAP_NOT_SUPPORTED);
	assert_string_equal(path->reason, "acs_redirect_blocked");
	assert_string_equal(path->blocker, "0000:0d:01.0");
	assert_false(path->reported);
	path_of("0000:12:00.0", "0000:0e:00.0");

	use("two-gpus-one-switch-acs-off", "7.0.0");
	find(NULL, NULL);
	path = path_of("0000:0e:00.0", "0000:12:00.0");
	assert_int_equal(path->rank, PATH_DIRECT);
	assert_string_equal(path->blocker, "");
}

static void what_is_unknown_has_no_rank(void **state)
{
	(void)state;
	use("two-gpus-one-switch-acs-off", "7.0.0");
	for (size_t i = 0; i < machine->nr; i++)
		machine->functions[i].acs.presence = PRESENCE_UNKNOWN;
	find(NULL, NULL);
	assert_int_equal(path_of("0000:0e:00.0", "0000:12:00.0")->rank, PATH_UNKNOWN);
}

static void decisions_of_the_kernel_count(void **state)
{
	struct reported *reported;
	const struct path *path;

	(void)state;
	use("two-gpus-one-switch-acs-off", "7.0.0");
	reported = machine_add_reported(machine);
	assert_non_null(reported);
	reported->provider = machine_index(machine, machine_find(machine, "0000:0e:00.0"));
	reported->client = machine_index(machine, machine_find(machine, "0000:12:00.0"));
	strcpy(reported->map, MAP_THRU_HOST_BRIDGE);
	strcpy(reported->reason, "a_new_reason");
	strcpy(reported->blocker, "0000:00:01.0");
	machine_sort_reported(machine);
	find(NULL, NULL);
	path = path_of("0000:0e:00.0", "0000:12:00.0");
	assert_true(path->reported);
	assert_int_equal(path->rank, PATH_THROUGH_HOST);
	assert_string_equal(path->reason, "a_new_reason");
	assert_string_equal(path->blocker, "0000:00:01.0");
	assert_false(path_of("0000:12:00.0", "0000:0e:00.0")->reported);
	machine->nr_reported = 0;
}

static void pairs_can_be_restricted(void **state)
{
	(void)state;
	use("two-gpus-one-switch-acs-off", "7.0.0");
	find("0000:0e:00.0", "");
	assert_int_equal(paths.nr, 1);
	path_of("0000:0e:00.0", "0000:12:00.0");
	find(NULL, "0000:0e:00.0");
	assert_int_equal(paths.nr, 1);
	path_of("0000:12:00.0", "0000:0e:00.0");
	find("0000:0e:00.0", "0000:0e:00.0");
	assert_int_equal(paths.nr, 0);
}

static void a_large_machine_keeps_the_providers_with_memory(void **state)
{
	enum { FUNCTIONS = 100 };
	struct machine large;
	char name[PCI_NAME_LEN];

	(void)state;
	machine_init(&large);
	strcpy(large.kernel, "nonsense");
	assert_non_null(machine_add_root(&large, "pci0000:00"));
	for (int i = 0; i < FUNCTIONS; i++) {
		struct function *function;

		snprintf(name, sizeof(name), "0000:%02x:00.0", i);
		function = machine_add_function(&large, name);
		assert_non_null(function);
		function->root = 0;
		function->parent = NONE;
		function->class = 0x010802;
		function->type = TYPE_ENDPOINT;
		function->bridge = ABSENT;
		strcpy(function->physfn, "-");
	}
	large.functions[FUNCTIONS - 1].pool.presence = PRESENT;
	machine = &large;
	find(NULL, NULL);
	assert_int_equal(paths.nr, PATHS_MAX);
	assert_int_equal(paths.nr + paths.left_out, FUNCTIONS * (FUNCTIONS - 1));
	for (int i = 0; i < FUNCTIONS - 1; i++)
		assert_string_equal(paths.list[i].provider, "0000:63:00.0");
	machine_free(&large);
	machine = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pair_has_its_decision),
		cmocka_unit_test(what_is_unknown_has_no_rank),
		cmocka_unit_test(decisions_of_the_kernel_count),
		cmocka_unit_test(pairs_can_be_restricted),
		cmocka_unit_test(a_large_machine_keeps_the_providers_with_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
