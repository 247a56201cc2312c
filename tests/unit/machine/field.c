// SPDX-License-Identifier: GPL-2.0
/* The machines of tests/field/cases.txt are decided as their kernels do; one test for each. */
#include "unit.h"
#include "machine/drawing.h"

static struct drawings drawings;

/* The names of the ports that count, as the kernel lists them. */
static void list_ports(char *list, size_t size, const struct machine *machine,
		       const struct route *route)
{
	size_t used = 0;

	*list = '\0';
	for (size_t i = 0; i < route->nr_ruled; i++)
		used += snprintf(list + used, size - used, "%s%s", i ? ";" : "",
				 machine->functions[route->redirects[i]].name);
}

static void assert_expected(struct machine *machine, const struct expectation *expect)
{
	int a = machine_find_any(machine, expect->a), b = machine_find_any(machine, expect->b);
	struct decision decision;
	struct release release;
	char text[512], want[512], ports[256] = "";
	struct route route;

	assert_true(drawing_set_cpu(machine, expect->cpu));
	assert_int_equal(release_parse(expect->kernel, &release), 0);
	decide(&decision, machine, &release, a, b);
	if (!strcmp(expect->map, MAP_UNKNOWN)) {
		assert_string_equal(decision.map, MAP_UNKNOWN);
		assert_non_null(reasons[decision.reason].find_out);
		return;
	}
	assert_true(route_find(&route, machine, a, b));
	list_ports(ports, sizeof(ports), machine, &route);
	snprintf(text, sizeof(text), "%s %s: %s %d %s %s", expect->a, expect->b, decision.map,
		 decision.distance, reasons[decision.reason].name, ports);
	snprintf(want, sizeof(want), "%s %s: %s %d %s %s", expect->a, expect->b, expect->map,
		 expect->distance, expect->reason, expect->ports);
	assert_string_equal(text, want);
}

static void a_case(void **state)
{
	struct drawing *drawing = *state;
	const char *bad;

	assert_int_equal(machine_check(&drawing->machine, &bad), 0);
	assert_true(drawing->machine.nr > 0);
	for (size_t i = 0; i < drawing->nr; i++)
		assert_expected(&drawing->machine, &drawing->expect[i]);
}

static int read_text(const char *text)
{
	struct drawings *read = malloc(sizeof(*read));
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int bad;

	assert_non_null(read);
	assert_non_null(file);
	bad = drawings_read(read, file);
	fclose(file);
	drawings_free(read);
	free(read);
	return bad;
}

#define GOOD "case a\n  root pci0000:00\n    00:01.0 rp 8086:2030 acs=0x1d\n" \
	     "      01:00.0 ep 10de:20b5\n"

static void a_line_that_is_not_understood_is_an_error(void **state)
{
	static const char *const bad[] = {
		"  root pci0000:00\n", "  root\n", "  root 0000:00\n",
		"  root pci0000:80 over=0:1.0\n",
		"  root pci10000:00 under=x\n", "      02:00.0\n", "      02:00.0 gpu 10de:20b5\n",
		"      02:00.0 ep 10de\n", "      02:00.0 ep 10de:20b5x\n",
		"      02:00.0 ep 10de:20b5 acs\n", "      02:00.0 ep 10de:20b5 acs=0x1dx\n",
		"      02:00.0 ep 10de:20b5 acs=\n", "      02:00.0 ep 10de:20b5 vf=x\n",
		"     02:00.0 ep 10de:20b5\n", "          02:00.0 ep 10de:20b5\n",
		"      01:00.0 ep 10de:20b5\n", "      x ep 10de:20b5\n", "  cpu intel\n",
		"  cpu z80 kernel 6.12\n", "  cpu intel kernel new\n", "  and with cpu zen\n",
		"  expect 00:01.0 01:00.0: bus_addr 1 same_bridge\n",
		"  like b with acs=0 on 00:01.0\n",
		"  like a\n", "  asks\n", "  wish\n", " ask\n", "case a b\n", "ask x\n",
		"  cpu intel kernel 6.12\n  expect 00:01.0 01:00.0 bus_addr 1 same_bridge\n",
		"  cpu intel kernel 6.12\n  expect 00:01.0 02:00.0: bus_addr 1 same_bridge\n",
		"  cpu intel kernel 6.12\n  expect 00:01.0 01:00.0: bus_addr\n",
		"  cpu intel kernel 6.12\n  expect 00:01.0 01:00.0: bus_addr one same_bridge\n",
		"  cpu intel kernel 6.12\n  expect 00:01.0 01:00.0: by_bus 1 same_bridge\n",
		"  cpu intel kernel 6.12\n  expect 00:01.0 01:00.0: bus_addr 1 luck\n",
		"case b\n  like a with acs=0 on 01:00.0\n", "case b\n  like a with acs=0 00:01.0\n",
		"case b\n  like a acs=0 on 00:01.0\n", "case b\n      02:00.0 ep 10de:20b5\n",
	};
	char text[512];

	(void)state;
	assert_int_equal(read_text(GOOD), 0);
	assert_int_equal(read_text(GOOD "  cpu intel kernel 6.12\n"
				   "  expect 00:01.0 01:00.0: bus_addr 1 same_bridge\n"
				   "  ask one thing,\n      and another\n"
				   "case b\n  like a with acs=0 on 00:01.0\n"), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int want = 5 + (strchr(bad[i], '\n') != strrchr(bad[i], '\n'));

		snprintf(text, sizeof(text), GOOD "%s", bad[i]);
		if (read_text(text) != want)
			fail_msg("line %d, not %d: %s", read_text(text), want, bad[i]);
	}
	assert_int_equal(read_text("  root pci0000:00\n"), 1);
}

int main(void)
{
	static struct CMUnitTest tests[ARRAY_LEN(drawings.all) + 1];
	FILE *file = drawings_open_cases();
	int bad, failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!file)
		return 1;
	bad = drawings_read(&drawings, file);
	fclose(file);
	if (bad) {
		print_error("tests/field/cases.txt:%d: this line is not understood\n", bad);
		return 1;
	}
	for (size_t i = 0; i < drawings.nr; i++)
		tests[i] = (struct CMUnitTest){
			.name = drawings.all[i].name,
			.test_func = a_case,
			.initial_state = &drawings.all[i],
		};
	tests[drawings.nr] = (struct CMUnitTest)
		cmocka_unit_test(a_line_that_is_not_understood_is_an_error);
	failed = _cmocka_run_group_tests("field", tests, drawings.nr + 1, NULL, NULL);
	drawings_free(&drawings);
	return failed;
}
