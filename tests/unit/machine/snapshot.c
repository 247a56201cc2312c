// SPDX-License-Identifier: GPL-2.0
/* A snapshot has all of a machine. A text that is no good snapshot is refused in one sentence. */
#include <stdbool.h>

#include "unit.h"
#include "lib/buffer.h"
#include "lib/log.h"
#include "machine/snapshot.h"

static struct machine machine;
static struct capture capture;

static int setup(void **state)
{
	(void)state;
	machine_init(&machine);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_free(&machine);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A copy of just its size, so that a read behind it is noticed. */
static int read_text(const char *text, size_t len)
{
	char *copy = malloc(len + !len);
	int rc;

	assert_non_null(copy);
	memcpy(copy, text, len);
	machine_free(&machine);
	capture_begin(&capture);
	rc = snapshot_read(&machine, "FILE", copy, len);
	capture_end(&capture);
	free(copy);
	return rc;
}

static void assert_read(const char *text)
{
	int rc = read_text(text, strlen(text));

	if (rc)
		fail_msg("%s: %s", text, capture.text);
	assert_string_equal(capture.text, "");
}

/* Refused with one line that names the file and the member. */
static void assert_refused(const char *text, const char *what)
{
	int rc = read_text(text, strlen(text));

	if (rc != EXIT_OTHER)
		fail_msg("%d for %s", rc, text);
	assert_one_line(capture.text, what);
	assert_one_line(capture.text, "FILE ");
}

/* For the tests of one value, in place of a format. */
static char *with(const char *before, const char *value, const char *after)
{
	static char text[8192];

	snprintf(text, sizeof(text), "{\"p2ptrace_snapshot\":1%s%s%s}", before, value, after);
	return text;
}

#define F "\"name\":\"0000:01:00.0\""

static char *machine_with(const char *member)
{
	return with(",", member, "");
}

static char *function_with(const char *members)
{
	return with(",\"roots\":[{\"name\":\"pci0000:00\"}],\"functions\":[{" F ",", members, "}]");
}

static unsigned int seed;

static uint64_t number(uint64_t below)
{
	uint64_t value = 0;

	for (int i = 0; i < 5; i++)
		value = value << 15 ^ rand_r(&seed);
	return below ? value % below : value;
}

static bool sometimes(void)
{
	return number(3);
}

static enum presence any_presence(void)
{
	return number(3);
}

static int any_int(int max)
{
	return number(4) ? (int)number((uint64_t)max + 1) : number(2) ? UNKNOWN : NONE;
}

static int any_id(int max)
{
	return number(4) ? (int)number((uint64_t)max + 1) : UNKNOWN;
}

/* Unknown, none, or as long as it may be. */
static void any_text(char *to, size_t size)
{
	size_t len = 1 + number(4) * (size - 2) / 3;

	memset(to, 0, size);
	if (!number(4)) {
		strcpy(to, number(2) ? "-" : "");
		return;
	}
	for (size_t i = 0; i < len; i++)
		to[i] = '!' + number('~' - '!' + 1);
	if (!strcmp(to, "-"))
		*to = '+';
}

static void any_window(struct window *window)
{
	window->presence = any_presence();
	if (window->presence == PRESENT) {
		window->first = number(0);
		window->last = number(0);
	}
}

static void any_bar(struct bar *bar)
{
	if (!sometimes())
		return;
	bar->unsized = !sometimes();
	bar->size = bar->unsized ? 0 : 1 + number(UINT64_MAX);
	bar->start = number(0);
	bar->memory = number(2);
	bar->prefetchable = number(2);
	bar->wide = number(2);
	bar->assigned = number(2);
	bar->resizable = any_presence();
	if (bar->resizable == PRESENT)
		bar->sizes = number(0);
}

static void any_function(struct function *function)
{
	any_text(function->title, sizeof(function->title));
	any_text(function->driver, sizeof(function->driver));
	any_text(function->iommu_domain, sizeof(function->iommu_domain));
	function->nr_names = number(MAX_NAMES + 1);
	for (size_t i = 0; i < function->nr_names; i++) {
		any_text(function->names[i], PCI_NAME_LEN);
		if (!*function->names[i])
			strcpy(function->names[i], "x");
	}
	function->vendor = any_id(0xffff);
	function->device = any_id(0xffff);
	function->class = any_id(0xffffff);
	function->config = number(CONFIG_COMPLETE + 1);
	function->type = number(TYPE_PCI + 1);
	function->bridge = any_presence();
	function->acs.presence = any_presence();
	if (function->acs.presence == PRESENT) {
		function->acs.cap = number(0x10000);
		function->acs.ctrl = number(0x10000);
	}
	function->link.speed = number(0x100000000);
	function->link.max_speed = number(4) * 1000;
	function->link.width = number(65);
	function->link.max_width = number(65);
	function->numa_node = any_int(INT32_MAX);
	function->iommu_group = any_int(INT32_MAX);
	function->dma_mask_bits = number(65);
	for (size_t i = 0; i < NR_BARS; i++)
		any_bar(&function->bars[i]);
	function->bars_known = any_presence();
	any_window(&function->window);
	any_window(&function->prefetchable_window);
	any_text(function->pool.dev, sizeof(function->pool.dev));
	function->pool.presence = any_presence();
	if (function->pool.presence == PRESENT) {
		function->pool.size = number(0);
		function->pool.available = number(0);
		function->pool.published = number(4) ? (int)number(2) : UNKNOWN;
	}
	function->cmb.presence = any_presence();
	if (function->cmb.presence == PRESENT) {
		function->cmb.loc = number(0x100000000);
		function->cmb.sz = number(0x100000000);
	}
	function->secondary = any_int(255);
	function->subordinate = any_int(255);
	if (function->subordinate >= 0 && function->subordinate < function->secondary)
		function->subordinate = function->secondary;
}

static void any_functions(struct machine *to)
{
	size_t nr = number(40);
	char name[PCI_NAME_LEN];

	for (size_t i = 0; i < nr; i++) {
		struct function *function;

		snprintf(name, sizeof(name), "%04x:%02x:%02x.%x", (int)number(0x7fffffff), (int)i,
			 (int)number(32), (int)number(8));
		function = machine_add_function(to, name);
		assert_non_null(function);
		any_function(function);
		strcpy(function->physfn, number(2) ? to->functions[number(i + 1)].name :
		       number(2) ? "-" : "");
		function->root = to->nr_roots && sometimes() ? (int)number(to->nr_roots) : UNKNOWN;
		function->parent = number(2) ? NONE : UNKNOWN;
		/* To an earlier one there is no loop; later ones, in turn, lead to it */
		for (size_t p = i; p-- && sometimes();)
			if (to->functions[p].root == function->root)
				function->parent = p;
		if (function->parent >= 0)
			to->functions[function->parent].bridge = PRESENT;
	}
}

static void any_machine(struct machine *to)
{
	char text[64];
	size_t nr;

	machine_init(to);
	strcpy(to->source, "snapshot");
	any_text(to->kernel, sizeof(to->kernel));
	any_text(to->arch, sizeof(to->arch));
	to->p2pdma = any_presence();
	any_text(to->cpu_vendor, sizeof(to->cpu_vendor));
	to->cpu_family = any_int(INT32_MAX);
	any_text(to->hypervisor, sizeof(to->hypervisor));
	to->options_known = number(2);
	to->ordered = number(2);
	to->partial = number(2);
	to->reports = any_presence();
	nr = number(MAX_OPTIONS + 1);
	for (size_t i = 0; i < nr; i++) {
		any_text(text, sizeof(text));
		assert_int_equal(machine_add_option(to, text), 0);
	}
	nr = number(4);
	for (size_t i = 0; i < nr; i++) {
		struct root *root;

		snprintf(text, sizeof(text), "pci%04x:%02x", (int)number(0x10000), (int)i);
		root = machine_add_root(to, text);
		assert_non_null(root);
		any_text(root->under, sizeof(root->under));
	}
	any_functions(to);
	nr = to->nr ? number(10) : 0;
	for (size_t i = 0; i < nr; i++) {
		struct reported *reported = machine_add_reported(to);

		assert_non_null(reported);
		reported->provider = number(to->nr);
		reported->client = number(to->nr);
		reported->distance = any_int(INT32_MAX);
		any_text(reported->map, sizeof(reported->map));
		any_text(reported->reason, sizeof(reported->reason));
		any_text(reported->blocker, sizeof(reported->blocker));
	}
}

/*
 * A new field has to be in snapshot.c, in p2ptrace-snapshot(8), and in this test: in any_function()
 * or any_machine(), and in assert_same().
 */
_Static_assert(sizeof(struct function) == 928, "struct function has changed: see above");
_Static_assert(sizeof(struct machine) == 512, "struct machine has changed: see above");
_Static_assert(sizeof(struct bar) == 40, "struct bar has changed: see above");
_Static_assert(sizeof(struct reported) == 140, "struct reported has changed: see above");

#define SAME(field) assert_memory_equal(&a->field, &b->field, sizeof(a->field))

static void assert_same_bar(const struct bar *a, const struct bar *b)
{
	SAME(start);
	SAME(size);
	SAME(unsized);
	SAME(memory);
	SAME(prefetchable);
	SAME(wide);
	SAME(assigned);
	SAME(resizable);
	SAME(sizes);
}

static void assert_same_function(const struct function *a, const struct function *b)
{
	SAME(name);
	SAME(parent);
	SAME(root);
	SAME(vendor);
	SAME(device);
	SAME(class);
	SAME(title);
	SAME(driver);
	SAME(names);
	SAME(nr_names);
	SAME(physfn);
	SAME(config);
	SAME(type);
	SAME(bridge);
	SAME(acs);
	SAME(link);
	SAME(numa_node);
	SAME(iommu_group);
	SAME(iommu_domain);
	SAME(dma_mask_bits);
	SAME(bars_known);
	SAME(window.presence);
	SAME(window.first);
	SAME(window.last);
	SAME(prefetchable_window.presence);
	SAME(prefetchable_window.first);
	SAME(prefetchable_window.last);
	SAME(pool.presence);
	SAME(pool.size);
	SAME(pool.available);
	SAME(pool.published);
	SAME(pool.dev);
	SAME(cmb);
	SAME(secondary);
	SAME(subordinate);
	for (size_t i = 0; i < NR_BARS; i++)
		assert_same_bar(&a->bars[i], &b->bars[i]);
}

static void assert_same_reported(const struct reported *a, const struct reported *b)
{
	SAME(provider);
	SAME(client);
	SAME(map);
	SAME(distance);
	SAME(reason);
	SAME(blocker);
}

static void assert_same(const struct machine *a, const struct machine *b)
{
	SAME(source);
	SAME(kernel);
	SAME(arch);
	SAME(p2pdma);
	SAME(cpu_vendor);
	SAME(cpu_family);
	SAME(hypervisor);
	SAME(nr_options);
	SAME(options_known);
	SAME(ordered);
	SAME(partial);
	SAME(nr_roots);
	SAME(nr);
	SAME(reports);
	SAME(nr_reported);
	for (size_t i = 0; i < a->nr_options; i++)
		assert_string_equal(a->options[i], b->options[i]);
	for (size_t i = 0; i < a->nr_roots; i++)
		assert_memory_equal(&a->roots[i], &b->roots[i], sizeof(a->roots[i]));
	for (size_t i = 0; i < a->nr; i++)
		assert_same_function(&a->functions[i], &b->functions[i]);
	for (size_t i = 0; i < a->nr_reported; i++)
		assert_same_reported(&a->reported[i], &b->reported[i]);
}

static void a_round_trip_loses_nothing(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 300; i++) {
		struct buffer out = {}, again = {};
		struct machine any;
		const char *bad;

		seed = i;
		any_machine(&any);
		assert_int_equal(machine_check(&any, &bad), 0);
		snapshot_write(&out, &any);
		assert_false(out.failed);
		if (read_text(out.data, out.len))
			fail_msg("seed %u: %s", i, capture.text);
		print_message("# seed %u, %zu functions\n", i, any.nr);
		assert_same(&any, &machine);
		snapshot_write(&again, &machine);
		assert_string_equal(out.data, again.data);
		assert_true(is_snapshot(out.data, out.len));
		machine_free(&any);
		buffer_free(&out);
		buffer_free(&again);
	}
}

/* Wherever it is cut: up to the newline at its end. */
static void a_part_of_a_snapshot_is_refused(void **state)
{
	struct buffer out = {};
	struct machine any;

	(void)state;
	seed = 7;
	machine_init(&any);
	do {
		machine_free(&any);
		any_machine(&any);
	} while (any.nr < 2 || any.nr > 3);
	snapshot_write(&out, &any);
	machine_free(&any);
	for (size_t len = 0; len + 1 < out.len; len++) {
		assert_int_equal(read_text(out.data, len), EXIT_OTHER);
		assert_one_line(capture.text, len ? "FILE ends too early, in line " : "FILE ");
	}
	assert_int_equal(read_text(out.data, out.len - 1), 0);
	buffer_free(&out);
}

static void each_function_has_a_line(void **state)
{
	struct buffer out = {};
	size_t lines = 0;

	(void)state;
	assert_non_null(machine_add_root(&machine, "pci0000:00"));
	assert_non_null(machine_add_function(&machine, "0000:00:00.0"));
	assert_non_null(machine_add_function(&machine, "0000:00:01.0"));
	machine.functions[1].parent = 0;
	snapshot_write(&out, &machine);
	for (size_t i = 0; i < out.len; i++)
		lines += out.data[i] == '\n';
	assert_int_equal(lines, 6);
	assert_non_null(strstr(out.data, "\n{\"name\":\"0000:00:01.0\","
				 "\"parent\":\"0000:00:00.0\","));
	assert_true(!strncmp(out.data, "{\"p2ptrace_snapshot\":1,", 23));
	buffer_free(&out);
}

static void what_is_missing_is_unknown(void **state)
{
	const struct function *function;

	(void)state;
	assert_read("{\"p2ptrace_snapshot\":1,\"functions\":[{" F "}],\"other\":{\"a\":[1.5]}}");
	assert_int_equal(machine.nr, 1);
	assert_string_equal(machine.kernel, "");
	assert_int_equal(machine.cpu_family, UNKNOWN);
	assert_false(machine.options_known);
	assert_false(machine.ordered);
	function = &machine.functions[0];
	assert_int_equal(function->parent, UNKNOWN);
	assert_int_equal(function->root, UNKNOWN);
	assert_int_equal(function->vendor, UNKNOWN);
	assert_int_equal(function->config, CONFIG_MISSING);
	assert_int_equal(function->acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(function->bars_known, PRESENCE_UNKNOWN);
	assert_int_equal(function->pool.published, UNKNOWN);
	assert_string_equal(function->driver, "");
	assert_string_equal(machine.source, "snapshot");
}

static void half_a_part_is_unknown(void **state)
{
	(void)state;
	assert_read(function_with("\"acs\":{\"cap\":\"0x1f\"},\"window\":{\"last\":\"0x1\"},"
				  "\"cmb\":{\"sz\":\"0x1\"},\"other\":[]"));
	assert_int_equal(machine.functions[0].acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(machine.functions[0].acs.cap, 0);
	assert_int_equal(machine.functions[0].window.presence, PRESENCE_UNKNOWN);
	assert_int_equal(machine.functions[0].cmb.presence, PRESENCE_UNKNOWN);
	assert_read(function_with("\"bars_known\":true,\"bars\":[{\"bar\":1,\"size\":\"0x10\"}]"));
	assert_int_equal(machine.functions[0].bars_known, PRESENCE_UNKNOWN);
	assert_int_equal(machine.functions[0].bars[1].size, 0);
	assert_read(function_with("\"bars_known\":true,\"bars\":[{\"bar\":1,\"size\":\"0x0\","
				  "\"start\":\"0x0\",\"memory\":true,\"assigned\":false}]"));
	assert_int_equal(machine.functions[0].bars_known, PRESENCE_UNKNOWN);
	assert_false(machine.functions[0].bars[1].unsized);
	/* The size alone may be unknown */
	assert_read(function_with("\"bars_known\":true,\"bars\":[{\"bar\":1,\"start\":\"0x0\","
				  "\"memory\":true,\"assigned\":false}]"));
	assert_int_equal(machine.functions[0].bars_known, PRESENT);
	assert_true(machine.functions[0].bars[1].unsized);
	assert_read(function_with("\"bars_known\":true"));
	assert_int_equal(machine.functions[0].bars_known, PRESENCE_UNKNOWN);
	/* A list of options that is known has to be there */
	assert_read(machine_with("\"options_known\":true"));
	assert_false(machine.options_known);
	/* Reported by a kernel that has other members */
	assert_read(with(",\"functions\":[{" F "}],\"reported\":[{\"provider\":\"0000:01:00.0\"}]",
			 "", ""));
	assert_int_equal(machine.nr_reported, 0);
}

static void null_is_none(void **state)
{
	(void)state;
	assert_read(function_with("\"parent\":null,\"driver\":null,\"numa_node\":null,"
				  "\"acs\":false,\"bridge\":false"));
	assert_int_equal(machine.functions[0].parent, NONE);
	assert_string_equal(machine.functions[0].driver, "-");
	assert_int_equal(machine.functions[0].numa_node, NONE);
	assert_int_equal(machine.functions[0].acs.presence, ABSENT);
	assert_int_equal(machine.functions[0].bridge, ABSENT);
}

static void a_newer_version_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"p2ptrace_snapshot\":2}",
		       "is a snapshot of version 2, and this p2ptrace reads version 1; install");
	assert_refused("{\"p2ptrace_snapshot\":9223372036854775807,\"functions\":1}",
		       "version 9223372036854775807");
}

static void other_documents_are_no_snapshots(void **state)
{
	(void)state;
	assert_refused("", "FILE ");
	assert_refused("{}", "is not a snapshot: it has no version");
	assert_refused("[]", "is not a snapshot: it has no version");
	assert_refused("1", "FILE is not JSON (line 1, column 1)");
	assert_refused("{\"p2ptrace_snapshot\":\"1\"}", "has no version");
	assert_refused("{\"p2ptrace_snapshot\":0}", "has no version");
	assert_refused("{\"p2ptrace_snapshot\":-1}", "has no version");
	assert_refused("{\"p2ptrace_snapshot\":1.0}", "has no version");
	assert_refused("{\n\"p2ptrace_snapshot\":1\x1b[2J}", "is not JSON (line 2, column ");
	assert_refused("{\"p2ptrace_snapshot\":1}{}", "is not JSON (line 1, column ");
	assert_refused("{\"p2ptrace_snapshot\":1,\"x\":\"\\u0000\"}", "is not JSON");
	assert_refused("{\"p2ptrace_snapshot\":99999999999999999999}", "is not JSON");
	assert_false(is_snapshot("00:00.0 Host bridge", 19));
	assert_false(is_snapshot("", 0));
	assert_true(is_snapshot("{\"p2ptrace_snapshot\":1,\"ker", 26));
}

static void members_that_are_twice_there_are_refused(void **state)
{
	(void)state;
	assert_refused(machine_with("\"kernel\":\"6.12\",\"kernel\":\"7.3\""),
		       "has two members of one name in line 1");
	assert_refused(function_with("\"vendor\":\"0x1\",\n\"vendor\":\"0x2\""),
		       "has two members of one name in line 2");
}

static void a_document_that_is_too_deep_is_refused(void **state)
{
	size_t depth = 1 << 20;
	char *text = malloc(depth);

	(void)state;
	assert_non_null(text);
	memset(text, '[', depth);
	assert_int_equal(read_text(text, depth), EXIT_OTHER);
	assert_one_line(capture.text, "FILE is not JSON");
	free(text);
}

static void wrong_values_are_named(void **state)
{
	static const struct {
		const char *member, *what;
	} of_machine[] = {
		{ "\"kernel\":6.12", "kernel is not a string" },
		{ "\"kernel\":\"a\\u001bb\"", "kernel has characters other than printable ASCII" },
		{ "\"kernel\":\"\xc3\xa4\"", "kernel has characters other than printable ASCII" },
		{ "\"arch\":\"0123456789abcdef\"", "arch is longer than 15 characters" },
		{ "\"p2pdma\":1", "p2pdma is not true or false" },
		{ "\"cpu_family\":\"6\"", "cpu_family is not an integer" },
		{ "\"cpu_family\":6.0", "cpu_family is not an integer" },
		{ "\"cpu_family\":-1", "cpu_family is not between 0 and 2147483647" },
		{ "\"cpu_family\":2147483648", "cpu_family is not between 0 and 2147483647" },
		{ "\"ordered\":null", "ordered is not true or false" },
		{ "\"options\":{}", "options is not a list" },
		{ "\"options\":[1]", "options is not a string" },
		{ "\"options\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
		  "options has more than 32 elements" },
		{ "\"roots\":[1]", "roots has an element that is not an object" },
		{ "\"roots\":[{}]", "roots[0].name is missing" },
		{ "\"roots\":[{\"name\":\"a\"},{\"name\":\"a\"}]",
		  "roots[1].name is that of another host bridge as well" },
		{ "\"roots\":[{\"name\":\"a\",\"under\":2}]", "roots[0].under is not a string" },
		{ "\"functions\":1", "functions is not a list" },
		{ "\"functions\":[[]]", "functions has an element that is not an object" },
		{ "\"functions\":[{}]", "functions[0].name is missing" },
		{ "\"functions\":[{" F "},{\"name\":\"1:0.0\"}]",
		  "functions[1].name is not a PCI name" },
		{ "\"functions\":[{" F "},{" F "}]", "functions has 0000:01:00.0 twice" },
		{ "\"functions\":[{" F "}],\"reported\":[{\"provider\":\"0000:01:00.1\"}]",
		  "reported[0].provider is the name of nothing in this snapshot" },
		{ "\"functions\":[{" F "}],\"reported\":[{\"client\":null}]",
		  "reported[0].client is not a string" },
	}, of_function[] = {
		{ "\"vendor\":32902", "functions[0].vendor is not a string with a hexadecimal" },
		{ "\"vendor\":\"8086\"", "functions[0].vendor is not a string with a hexadecimal" },
		{ "\"vendor\":\"0x\"", "functions[0].vendor is not a string with a hexadecimal" },
		{ "\"vendor\":\"0x-1\"", "functions[0].vendor is not a string with a hexadecimal" },
		{ "\"vendor\":\"0x10000\"", "functions[0].vendor is greater than 0xffff" },
		{ "\"class\":\"0x1000000\"", "functions[0].class is greater than 0xffffff" },
		{ "\"config\":\"all\"", "functions[0].config is not one of the words for it" },
		{ "\"config\":\"\"", "functions[0].config is not one of the words for it" },
		{ "\"type\":4", "functions[0].type is not one of the words for it" },
		{ "\"acs\":true", "functions[0].acs is neither false nor an object" },
		{ "\"acs\":{\"cap\":\"0x0\",\"ctrl\":\"0x10000\"}",
		  "functions[0].acs.ctrl is greater than 0xffff" },
		{ "\"window\":{\"first\":\"0x10000000000000000\"}",
		  "functions[0].window.first is greater than 0xffffffffffffffff" },
		{ "\"cmb\":{\"loc\":\"0x100000000\"}",
		  "functions[0].cmb.loc is greater than 0xffffffff" },
		{ "\"link_width\":65", "functions[0].link_width is not between 0 and 64" },
		{ "\"link_speed\":null", "functions[0].link_speed is not an integer" },
		{ "\"secondary\":256", "functions[0].secondary is not between 0 and 255" },
		{ "\"dma_mask_bits\":65", "functions[0].dma_mask_bits is not between 0 and 64" },
		{ "\"pool\":{\"published\":1}",
		  "functions[0].pool.published is not true or false" },
		{ "\"names\":\"nvme0\"", "functions[0].names is not a list" },
		{ "\"names\":[\"a b\"]",
		  "functions[0].names has a name that is empty or has blanks" },
		{ "\"names\":[\"\"]", "functions[0].names has a name that is empty or has blanks" },
		{ "\"names\":[0,0,0,0,0,0,0,0,0]", "functions[0].names has more than 8 elements" },
		{ "\"bars\":[0]", "functions[0].bars has an element that is not an object" },
		{ "\"bars\":[{\"bar\":6}]", "functions[0].bars.bar is not between 0 and 5" },
		{ "\"bars\":[{\"bar\":1,\"start\":1}]",
		  "functions[0].bars[1].start is not a string" },
		{ "\"bars\":[{\"bar\":1,\"start\":\"0x1\",\"size\":\"0x1\",\"memory\":true,"
		  "\"assigned\":true},{\"bar\":1}]", "functions[0].bars has BAR 1 twice" },
		{ "\"bars\":[{\"bar\":1,\"start\":\"0x1\",\"memory\":true,"
		  "\"assigned\":true},{\"bar\":1}]", "functions[0].bars has BAR 1 twice" },
		{ "\"parent\":1", "functions[0].parent is not a string" },
		{ "\"parent\":\"0000:00:01.0\"",
		  "functions[0].parent is the name of nothing in this snapshot" },
		{ "\"root\":null", "functions[0].root is not a string" },
		{ "\"root\":\"pci0000:01\"",
		  "functions[0].root is the name of nothing in this snapshot" },
		{ "\"parent\":\"0000:01:00.0\"",
		  "functions has a parent of 0000:01:00.0 that does not lead to its host bridge "
		  "in at most 64 steps" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(of_machine); i++)
		assert_refused(machine_with(of_machine[i].member), of_machine[i].what);
	for (size_t i = 0; i < ARRAY_LEN(of_function); i++)
		assert_refused(function_with(of_function[i].member), of_function[i].what);
}

/* A function below 0000:01:00.0, whose other members these are. */
static void assert_bad_parent(const char *members, bool good)
{
	char text[512];

	snprintf(text, sizeof(text), "%s},{\"name\":\"0000:02:00.0\",\"root\":\"pci0000:00\","
		 "\"parent\":\"0000:01:00.0\"", members);
	if (good)
		assert_read(function_with(text));
	else
		assert_refused(function_with(text), "functions[1].parent is 0000:01:00.0, which is "
			       "not a bridge");
}

static void what_no_machine_can_be_is_refused(void **state)
{
#define AT_ROOT "\"root\":\"pci0000:00\",\"parent\":null"
	(void)state;
	assert_bad_parent(AT_ROOT ",\"bridge\":false", false);
	assert_bad_parent(AT_ROOT ",\"type\":\"endpoint\"", false);
	assert_bad_parent(AT_ROOT ",\"type\":\"endpoint\",\"bridge\":true", true);
	assert_bad_parent(AT_ROOT, true);
	assert_refused(function_with("\"secondary\":2,\"subordinate\":1"),
		       "functions[0].subordinate is lower than secondary");
	assert_read(function_with("\"secondary\":2,\"subordinate\":2"));
	assert_refused(function_with("\"physfn\":\"0000:07:00.0\""),
		       "functions[0].physfn is the name of nothing in this snapshot");
	assert_read(function_with("\"physfn\":null"));
}

static void functions_that_are_too_many_are_refused(void **state)
{
	struct buffer out = {};

	(void)state;
	buffer_printf(&out, "{\"p2ptrace_snapshot\":1,\"functions\":[0");
	for (size_t i = 0; i < MAX_FUNCTIONS; i++)
		buffer_printf(&out, ",0");
	buffer_printf(&out, "]}");
	assert_refused(out.data, "functions has more than 65536 elements");
	buffer_free(&out);
}

static const struct CMUnitTest tests[] = {
	TEST(a_round_trip_loses_nothing),
	TEST(a_part_of_a_snapshot_is_refused),
	TEST(each_function_has_a_line),
	TEST(what_is_missing_is_unknown),
	TEST(half_a_part_is_unknown),
	TEST(null_is_none),
	TEST(a_newer_version_is_refused),
	TEST(other_documents_are_no_snapshots),
	TEST(members_that_are_twice_there_are_refused),
	TEST(a_document_that_is_too_deep_is_refused),
	TEST(wrong_values_are_named),
	TEST(functions_that_are_too_many_are_refused),
	TEST(what_no_machine_can_be_is_refused),
};

UNIT_MAIN(tests)
