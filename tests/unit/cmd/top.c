// SPDX-License-Identifier: GPL-2.0
/* wrap: top_screen_open top_screen_size top_screen_draw top_screen_key top_screen_close */
/* wrap: held_read device_known_as */
/*
 * What "p2ptrace top" shows for given samples, and what its keys do. With --screen as its first
 * word, this is p2ptrace top on the terminal, with counts that it makes up, for top-screen.sh.
 */
#include "fake-counter.h"

#include <jansson.h>

#include "cmd/top_view.c"
#include "cmd/top.c"

static struct {
	bool real;			/* a terminal */
	const int *keys;		/* of the user; after the last one, 0, no key comes */
	size_t width, height, opened, closed;
	int open_rc;
	/* The last screen, and what was most on all of them */
	char text[65536];
	size_t nr, most_lines, most_columns, draws;
	enum top_style styles[128];
	uint64_t age_ms;
	void (*each_key)(void);
} user;

int __real_top_screen_open(void);
int __wrap_top_screen_open(void);
int __wrap_top_screen_open(void)
{
	user.opened++;
	return user.real ? __real_top_screen_open() : user.open_rc;
}

void __real_top_screen_size(size_t *width, size_t *height);
void __wrap_top_screen_size(size_t *width, size_t *height);
void __wrap_top_screen_size(size_t *width, size_t *height)
{
	*width = user.width;
	*height = user.height;
	if (user.real)
		__real_top_screen_size(width, height);
}

void __real_top_screen_draw(const struct top_line *lines, size_t nr);
void __wrap_top_screen_draw(const struct top_line *lines, size_t nr);
void __wrap_top_screen_draw(const struct top_line *lines, size_t nr)
{
	size_t used = 0;

	if (user.real) {
		__real_top_screen_draw(lines, nr);
		return;
	}
	user.draws++;
	user.nr = nr;
	if (nr > user.most_lines)
		user.most_lines = nr;
	for (size_t i = 0; i < nr; i++) {
		if (strlen(lines[i].text) > user.most_columns)
			user.most_columns = strlen(lines[i].text);
		used += snprintf(user.text + used, sizeof(user.text) - used, "%s\n", lines[i].text);
		if (i < ARRAY_LEN(user.styles))
			user.styles[i] = lines[i].style;
	}
}

int __real_top_screen_key(unsigned int ms);
int __wrap_top_screen_key(unsigned int ms);
int __wrap_top_screen_key(unsigned int ms)
{
	if (user.each_key)
		user.each_key();
	if (user.real)
		return __real_top_screen_key(ms);
	return user.keys && *user.keys ? *user.keys++ : TOP_KEY_NONE;
}

void __real_top_screen_close(void);
void __wrap_top_screen_close(void);
void __wrap_top_screen_close(void)
{
	user.closed++;
	if (user.real)
		__real_top_screen_close();
}

int __wrap_held_read(struct held_list *list, const char *sysfs, const char *debugfs,
		     const struct p2ptrace_filter *filter);
int __wrap_held_read(struct held_list *list, const char *sysfs, const char *debugfs,
		     const struct p2ptrace_filter *filter)
{
	(void)sysfs;
	(void)debugfs;
	(void)filter;
	memset(list, 0, sizeof(*list));
	if (!user.age_ms)
		return 0;
	list->held = calloc(1, sizeof(*list->held));
	assert_non_null(list->held);
	list->nr = 1;
	list->held[0].age_ms = user.age_ms;
	list->held[0].pid = 220;
	strcpy(list->held[0].dev, "p2pmem0");
	strcpy(list->held[0].owner, "nvmet_req_alloc");
	return 0;
}

void __wrap_device_known_as(const char *sysfs, const char *pci, struct known_as *known);
void __wrap_device_known_as(const char *sysfs, const char *pci, struct known_as *known)
{
	(void)sysfs;
	known->nr = !strcmp(pci, "0000:03:00.0");
	if (known->nr)
		strcpy(known->names[0], "nvme0");
}

static void set_name(struct p2ptrace_name *name, const char *text)
{
	memset(name, 0, sizeof(*name));
	strncpy(name->s, text, sizeof(name->s));
}

static void fill(void)
{
	struct sample *s;

	fake.samples[0].ts_ns = 100 * NSEC_PER_SEC;
	fake.samples[1] = fake.samples[0];
	s = &fake.samples[1];
	s->ts_ns += 2 * NSEC_PER_SEC;
	fake.nr_samples = 2;
	set_metric(s, "allocs", 14);
	set_metric(s, "maps", 24);
	set_metric(s, "map_bytes", 8000000);
	set_metric(s, "map_bytes.bus_addr", 6000000);
	set_metric(s, "map_bytes.thru_host_bridge", 2000000);
	set_metric(s, "fallbacks", 6);
	set_metric(s, "fallbacks.other", 6);
	set_metric(s, "decisions.not_supported", 3);
	set_metric(s, "alloc_fails", 2);
	set_metric(s, "alloc_fails.other", 2);
	s->gauges = (struct gauges){ 1, 67108864, 5, 20480, 6, 11, 45056 };
	set_metric(s, "dmabuf_maps", 9);
	set_metric(s, "dmabuf_maps.bar", 5);
	set_metric(s, "dmabuf_maps.ram", 4);
	set_name(&fake.pairs[0].key.provider, "0000:03:00.0");
	set_name(&fake.pairs[0].key.client, "0000:04:00.0");
	fake.pairs[0].key.map = 2;
	fake.pairs[0].maps = 20;
	fake.pairs[0].bytes = 6000000;
	set_name(&fake.pairs[1].key.provider, "0000:03:00.0");
	set_name(&fake.pairs[1].key.client, "0000:11:00.0");
	fake.pairs[1].key.map = 3;
	fake.pairs[1].maps = 30;
	fake.pairs[1].bytes = 2000000;
	fake.nr_pairs = 2;
	user.age_ms = 61500;
}

#define TOP(...) RUN(cmd_top, (char []){ "top" }, ##__VA_ARGS__)
#define W(text) (char []){ text }
#define KEYS(...) (const int []){ __VA_ARGS__, 0 }

static int setup(void **state)
{
	fake_setup(state);
	memset(&user, 0, sizeof(user));
	user.width = 80;
	user.height = 24;
	fill();
	return 0;
}

/* Runs top on a screen with these keys, one in each pause, and then quits. */
static void press(const int *keys)
{
	fake.pauses = fake.sampled = 0;
	user.keys = keys;
	for (fake.interrupted_after = 1; keys && keys[fake.interrupted_after - 1];)
		fake.interrupted_after++;
	assert_int_equal(TOP(NULL), 0);
	assert_int_equal(user.opened, user.closed);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' is in:\n%s", part, text);
}

static void the_screen_shows_everything(void **state)
{
	(void)state;
	press(KEYS('x'));
	assert_string_equal(user.text,
"p2ptrace top  every 1 s  by bytes                                 ? help  q quit\n"
"Held      5 buffers, 20KB of 67MB, 6 mapped\n"
"Oldest    61.5s, p2pmem0, pid 220, nvmet_req_alloc\n"
"Dma-bufs  11, 45KB, mappings 9: bar 5, ram 4\n"
"Per sec.  7 allocations, 12 mappings, 4000KB: 75% bus_addr, 25% thru_host_bridge\n"
"Fallbacks 6, 3 per second: other 6\n"
"Refused   pairs 3, allocations 2, binds 0, mmaps 0: other 2\n"
"\n"
"PROVIDER             CLIENT               MAP                 B/S MAPS/S  BYTES\n"
"0000:03:00.0 (nvme0) 0000:04:00.0         bus_addr          3000K     10  6000K\n"
"0000:03:00.0 (nvme0) 0000:11:00.0         thru_host_bridge  1000K     15  2000K\n");
	assert_int_equal(user.styles[0], TOP_HEAD);
	assert_int_equal(user.styles[5], TOP_FAIR);
	assert_int_equal(user.styles[6], TOP_BAD);
	assert_int_equal(user.styles[9], TOP_GOOD);
	assert_int_equal(user.styles[10], TOP_FAIR);
}

static void orders(const char *first, const char *second)
{
	const char *a = strstr(user.text, first), *b = strstr(user.text, second);

	if (!a || !b || a > b)
		fail_msg("'%s' is not before '%s' in:\n%s", first, second, user.text);
}

static void keys_select_the_order(void **state)
{
	static const struct {
		char key;
		bool swapped;
	} cases[] = {
		{ 'b', false }, { 'm', true }, { 't', false }, { 'p', false }, { 'c', false },
		{ 'y', false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *first = cases[i].swapped ? "0000:11:00.0" : "0000:04:00.0";
		const char *second = cases[i].swapped ? "0000:04:00.0" : "0000:11:00.0";

		press(KEYS(cases[i].key));
		orders(first, second);
		press(KEYS(cases[i].key, 'r'));
		orders(second, first);
		assert_has(user.text, "(reversed)");
	}
	fake.pauses = 0;
	fake.interrupted_after = 1;
	user.keys = KEYS('x');
	assert_int_equal(TOP(W("--sort"), W("maps")), 0);
	orders("0000:11:00.0", "0000:04:00.0");
}

static void the_filter_hides_other_rows(void **state)
{
	(void)state;
	press(KEYS('/', '1', '1', ':'));
	assert_has(user.text, "filter: 11:_");
	assert_has_not(user.text, "0000:04:00.0");
	assert_has(user.text, "0000:11:00.0");
	/* A key of the filter is not a command, and a mistake can be corrected */
	press(KEYS('/', 'q', TOP_KEY_BACKSPACE, 'B', 'U', 'S', TOP_KEY_ENTER, 'm'));
	assert_has(user.text, "by maps");
	assert_has(user.text, "filter: BUS");
	assert_has(user.text, "0000:04:00.0");
	assert_has_not(user.text, "0000:11:00.0");
	press(KEYS('/', 'z', TOP_KEY_ENTER));
	assert_has(user.text, "no pair matches the filter");
	press(KEYS('/', 'z', TOP_KEY_ENTER, TOP_KEY_ESCAPE));
	assert_has_not(user.text, "filter");
	assert_has(user.text, "0000:11:00.0");
	press(KEYS('/', TOP_KEY_BACKSPACE, 'a', TOP_KEY_ESCAPE));
	assert_has_not(user.text, "filter");
}

static void a_filter_has_a_limit(void **state)
{
	int keys[200] = { '/' };

	(void)state;
	for (size_t i = 1; i < ARRAY_LEN(keys) - 1; i++)
		keys[i] = 'a' + i % 26;
	press(keys);
	assert_true(user.most_columns <= 80);
}

static void help_names_all_keys(void **state)
{
	(void)state;
	press(KEYS('?'));
	assert_has(user.text, "b m t    sort by");
	assert_has_not(user.text, "PROVIDER");
	assert_true(user.most_columns <= 80 && user.most_lines <= 24);
	for (size_t i = 0; i < TOP_NR_SORTS; i++)
		assert_has(user.text, (char []){ ' ', top_orders[i].key, ' ', 0 });
	press(KEYS('?', '?'));
	assert_has(user.text, "PROVIDER");
}

static void q_quits(void **state)
{
	(void)state;
	user.keys = KEYS('q');
	assert_int_equal(TOP(NULL), 0);
	assert_int_equal(fake.pauses, 1);
	assert_int_equal(user.closed, 1);
}

static void a_paused_screen_does_not_change(void **state)
{
	size_t sampled;

	(void)state;
	/* The interval is over with each pause */
	fake.interrupted_after = 3;
	user.keys = KEYS('x', 'x', 'x');
	assert_int_equal(TOP(W("0.000000001")), 0);
	sampled = fake.sampled;
	assert_true(sampled >= 5);
	fake.pauses = fake.sampled = 0;
	user.keys = KEYS(' ', 'm', 'm');
	assert_int_equal(TOP(W("0.000000001")), 0);
	assert_int_equal(fake.sampled, 2);
	assert_has(user.text, "PAUSED");
	/* But it can be looked at */
	assert_has(user.text, "by maps");
	fake.pauses = fake.sampled = 0;
	user.keys = KEYS(' ', ' ', 'x');
	assert_int_equal(TOP(W("0.000000001")), 0);
	assert_int_equal(fake.sampled, 4);
}

static void it_fits_screens_of_any_size(void **state)
{
	static const size_t sizes[] = { 1, 2, 5, 7, 8, 9, 10, 24, 39, 80, 100, 132, 300, 600 };

	(void)state;
	for (size_t w = 0; w < ARRAY_LEN(sizes); w++) {
		for (size_t h = 0; h < ARRAY_LEN(sizes); h++) {
			user.width = sizes[w];
			user.height = sizes[h];
			user.most_columns = user.most_lines = 0;
			press(KEYS('x', TOP_KEY_DOWN, TOP_KEY_PAGE_DOWN, '?', '/'));
			assert_true(user.most_columns <= user.width);
			assert_true(user.most_lines <= user.height && user.most_lines);
		}
	}
}

static void rows_scroll_and_stop_at_the_end(void **state)
{
	(void)state;
	press(KEYS(TOP_KEY_DOWN));
	assert_has_not(user.text, "0000:04:00.0");
	assert_has(user.text, "0000:11:00.0");
	press(KEYS(TOP_KEY_DOWN, TOP_KEY_DOWN, TOP_KEY_PAGE_DOWN, TOP_KEY_DOWN));
	assert_has(user.text, "0000:11:00.0");
	press(KEYS(TOP_KEY_PAGE_DOWN, TOP_KEY_PAGE_UP, TOP_KEY_UP, TOP_KEY_UP));
	assert_has(user.text, "0000:04:00.0");
	press(KEYS(TOP_KEY_DOWN, TOP_KEY_HOME));
	assert_has(user.text, "0000:04:00.0");
}

static void a_new_pair_gets_its_row(void **state)
{
	struct top top = {};
	struct counter counter = { .sel.enums.table[ENUM_MAP_TYPE] = map_types };
	struct pair_sums pairs = { fake.pairs, 1 };
	struct sample now = { .ts_ns = 1 };

	(void)state;
	top.counter = &counter;
	assert_int_equal(top_update(&top, &now, &pairs), 0);
	assert_int_equal(top.nr_rows, 1);
	assert_int_equal(top.rows[0].new_maps, 20);
	pairs.nr = 2;
	fake.pairs[0].maps += 7;
	assert_int_equal(top_update(&top, &now, &pairs), 0);
	assert_int_equal(top.nr_rows, 2);
	assert_int_equal(top.rows[0].new_maps, 7);
	assert_int_equal(top.rows[1].new_maps, 30);
	/* The order of the sums is not that of the rows */
	pairs.sums = (struct pair_sum []){ fake.pairs[1], fake.pairs[0] };
	assert_int_equal(top_update(&top, &now, &pairs), 0);
	assert_int_equal(top.nr_rows, 2);
	assert_int_equal(top.rows[0].new_maps + top.rows[1].new_maps, 0);
	top_free(&top);
}

static void lost_events_are_shown(void **state)
{
	(void)state;
	press(KEYS('x'));
	assert_has_not(user.text, "LOST");
	fake.samples[1].lost = 3;
	press(KEYS('x'));
	assert_has(user.text, "LOST      3 events were not counted: all figures are too low");
}

static void hostile_names_do_not_reach_the_terminal(void **state)
{
	(void)state;
	set_name(&fake.pairs[0].key.provider, "\x1b[2J\n\x07");
	press(KEYS('x'));
	assert_has(user.text, "\\x1b[2J\\x0a\\x07");
	for (char *c = user.text; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
}

static void batch_prints_each_screen(void **state)
{
	const char *second;

	(void)state;
	assert_int_equal(TOP(W("-b"), W("0.5"), W("2")), 0);
	assert_int_equal(user.opened, 0);
	assert_int_equal(fake.config.interval_ns, NSEC_PER_SEC / 2);
	assert_has(command_out, "p2ptrace top  every 0.5 s  by bytes");
	second = strstr(command_out + 1, "p2ptrace top");
	assert_non_null(second);
	assert_null(strstr(second + 1, "p2ptrace top"));
	assert_has(command_out, "0000:03:00.0 (nvme0)             0000:04:00.0");
	assert_one_line(command_err.text, "watching");
}

static long long number_at(const json_t *object, const char *name)
{
	if (!json_is_integer(json_object_get(object, name)))
		fail_msg("'%s' is no number", name);
	return json_integer_value(json_object_get(object, name));
}

static void json_has_an_object_for_each_interval(void **state)
{
	char *line = command_out, *end;

	(void)state;
	assert_int_equal(TOP(W("--json"), W("1"), W("3")), 0);
	for (int i = 0; i < 3; i++, line = end + 1) {
		const json_t *pair, *oldest;
		json_t *root;

		end = strchr(line, '\n');
		assert_non_null(end);
		*end = '\0';
		root = json_loads(line, 0, NULL);
		if (!root)
			fail_msg("no JSON: %s", line);
		pair = json_array_get(json_object_get(root, "pairs"), 0);
		assert_string_equal(json_string_value(json_object_get(pair, "provider")),
				    "0000:03:00.0");
		assert_string_equal(json_string_value(json_object_get(pair, "map")), "bus_addr");
		/* Of the interval; the counts of the test stay as they are after the first */
		assert_int_equal(number_at(pair, "maps"), i ? 0 : 20);
		assert_int_equal(number_at(pair, "bytes"), i ? 0 : 6000000);
		assert_int_equal(number_at(pair, "total_bytes"), 6000000);
		oldest = json_object_get(root, "oldest");
		assert_int_equal(number_at(oldest, "age_ns"), 61500000000);
		assert_int_equal(number_at(oldest, "pid"), 220);
		assert_true(json_is_null(json_object_get(oldest, "comm")));
		assert_int_equal(number_at(root, "refused_pairs"), 3);
		assert_int_equal(number_at(root, "fallbacks"), 6);
		assert_int_equal(number_at(json_object_get(root, "fallbacks_by_reason"), "other"),
				 6);
		assert_int_equal(number_at(root, "held"), 5);
		assert_int_equal(number_at(root, "dmabufs"), 11);
		assert_int_equal(number_at(root, "dmabuf_bytes"), 45056);
		assert_int_equal(number_at(root, "dmabuf_maps"), 9);
		assert_int_equal(number_at(json_object_get(root, "dmabuf_maps_by_where"), "ram"),
				 4);
		json_decref(root);
	}
	assert_has(line, "{\"event\":\"end\",");
}

static void a_stock_kernel_shows_the_oldest_that_it_saw(void **state)
{
	struct top_run t = { .options = &(struct options){} };

	(void)state;
	t.counter.sel.set.stock = t.counter.follow = true;
	fake.live[0].buffers = 1;
	fake.live[0].first_buffer_ns = 5 * NSEC_PER_SEC;
	set_name(&fake.live[0].first_buffer.dev, "0000:03:00.0");
	strcpy(fake.live[0].first_buffer.comm, "a b");
	fake.live[0].first_buffer.pid = 7;
	fake.nr_live = 1;
	assert_int_equal(read_oldest(&t), 0);
	assert_true(t.top.oldest.any);
	assert_string_equal(t.top.oldest.comm, "a b");
	assert_int_equal(t.top.oldest.pid, 7);
	t.counter.follow = false;
	assert_int_equal(read_oldest(&t), 0);
	assert_false(t.top.oldest.any);
}

static void following_must_not_cost_mappings(void **state)
{
	struct event_set set = {};

	(void)state;
	assert_false(can_follow(&set));
	set.has[P2PTRACE_p2pmem_alloc] = set.has[P2PTRACE_p2pmem_free] = true;
	assert_true(can_follow(&set));
	set.has[P2PTRACE_p2pdma_map] = true;
	assert_false(can_follow(&set));
	set.has[P2PTRACE_p2pdma_unmap] = true;
	assert_true(can_follow(&set));
}

static void errors_give_the_terminal_back(void **state)
{
	(void)state;
	fake.failing_sample = 3;
	fake.interrupted_after = 9;
	user.keys = KEYS('x', 'x');
	assert_int_equal(TOP(W("0.000000001")), EXIT_OTHER);
	assert_int_equal(user.closed, 1);
	fake.failing_sample = 0;
	user.open_rc = EXIT_USAGE;
	fake.pauses = 0;
	assert_int_equal(TOP(NULL), EXIT_USAGE);
	assert_int_equal(fake.pauses, 0);
}

/* Standard input of a test is no terminal. */
static void without_a_terminal_it_says_so(void **state)
{
	int in = dup(STDIN_FILENO), null = temporary_file();

	(void)state;
	user.real = true;
	assert_true(dup2(null, STDIN_FILENO) >= 0);
	assert_int_not_equal(TOP(NULL), 0);
	assert_has(command_err.text, "add --batch");
	assert_true(dup2(in, STDIN_FILENO) >= 0);
	close(in);
	close(null);
	user.real = false;
}

/* Every key: counts grow as on a busy machine. */
static void make_up_counts(void)
{
	struct sample *s = &fake.samples[0];
	static unsigned int calls;

	calls++;
	s->ts_ns = clock_now_ns();
	set_metric(s, "maps", 10 * calls);
	set_metric(s, "map_bytes", 4096000ull * calls);
	set_metric(s, "map_bytes.bus_addr", 4096000ull * calls);
	fake.pairs[0].maps += 7;
	fake.pairs[0].bytes += 7 * 65536;
	fake.pairs[1].maps += 3;
	fake.pairs[1].bytes += 3 * 65536;
}

static int on_a_terminal(int argc, char **argv)
{
	int rc;

	fake.nr_samples = 1;
	fill();
	fake.samples[0] = fake.samples[1];
	fake.nr_samples = 1;
	user.real = true;
	user.each_key = make_up_counts;
	rc = cmd_top(argc, argv);
	return print_end() && !rc ? EXIT_OTHER : rc;
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(the_screen_shows_everything),
		TEST(keys_select_the_order),
		TEST(the_filter_hides_other_rows),
		TEST(a_filter_has_a_limit),
		TEST(help_names_all_keys),
		TEST(q_quits),
		TEST(a_paused_screen_does_not_change),
		TEST(it_fits_screens_of_any_size),
		TEST(rows_scroll_and_stop_at_the_end),
		TEST(a_new_pair_gets_its_row),
		TEST(lost_events_are_shown),
		TEST(hostile_names_do_not_reach_the_terminal),
		TEST(batch_prints_each_screen),
		TEST(json_has_an_object_for_each_interval),
		TEST(a_stock_kernel_shows_the_oldest_that_it_saw),
		TEST(following_must_not_cost_mappings),
		TEST(errors_give_the_terminal_back),
		TEST(without_a_terminal_it_says_so),
	};

	if (argc > 1 && !strcmp(argv[1], "--screen"))
		return on_a_terminal(argc - 1, argv + 1);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
