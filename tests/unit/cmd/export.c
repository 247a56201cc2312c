// SPDX-License-Identifier: GPL-2.0
/* What "p2ptrace export" serves and writes, for given counts, durations and a drawn machine. */
#include "fake-counter.h"

#include <errno.h>

#include "openmetrics-strict.h"
#include "machine/held.h"
#include "machine/live.h"
#include "session/durations.h"
#include "lib/http.h"

#define durations_start		fake_durations_start
#define durations_read		fake_durations_read
#define durations_oldest	fake_durations_oldest
#define durations_close		fake_durations_close
#define session_count_lost	fake_count_lost
#define machine_read_live	fake_machine
#define held_read		fake_held
#define http_open		fake_http_open
#define http_serve		fake_http_serve
#define http_close		fake_http_close

int fake_durations_start(struct durations *durations, const struct selected *sel,
			 uint64_t duration_ns);
int fake_durations_read(struct durations *durations);
int fake_durations_oldest(struct durations *durations, uint64_t *since_ns);
void fake_durations_close(struct durations *durations);
int fake_count_lost(struct session *session);
int fake_machine(struct machine *machine, const struct live_roots *roots);
int fake_held(struct held_list *list, const char *sysfs, const char *debugfs,
	      const struct p2ptrace_filter *filter);
int fake_http_open(struct http_server **server, struct http_address *address,
		   const struct http_page *page);
void fake_http_serve(struct http_server *server, unsigned int ms);
void fake_http_close(struct http_server *server);

#include "cmd/export_text.c"
#include "cmd/export.c"

static struct {
	struct duration durations[5];
	size_t nr_durations;
	struct event_set followed;
	size_t started, closed, machines, helds, serves, reads;
	uint64_t lost, age_ms, since_ns;
	int machine_rc, read_rc, http_rc;
	bool stock;
	/* The pages that a client gets in each round */
	struct http_page page;
	char address[HTTP_ADDRESS_LEN];
	char texts[2][65536], last_texts[2][65536];
	const char *types[2];
	uint64_t lost_in_round[8];
} here;

int fake_durations_start(struct durations *d, const struct selected *sel, uint64_t duration_ns)
{
	(void)duration_ns;
	memset(d, 0, sizeof(*d));
	here.followed = sel->set;
	here.started++;
	return 0;
}

int fake_durations_read(struct durations *d)
{
	d->list = here.durations;
	d->nr = here.nr_durations;
	here.reads++;
	return here.read_rc;
}

int fake_durations_oldest(struct durations *d, uint64_t *since_ns)
{
	(void)d;
	*since_ns = here.since_ns;
	return 0;
}

void fake_durations_close(struct durations *d)
{
	(void)d;
	here.closed++;
}

int fake_count_lost(struct session *session)
{
	session->lost.total = here.lost;
	return 0;
}

int fake_machine(struct machine *machine, const struct live_roots *roots)
{
	static const char *const names[] = { "0000:01:00.0", "0000:02:00.0" };

	(void)roots;
	here.machines++;
	if (here.machine_rc)
		return here.machine_rc;
	strcpy(machine->kernel, "7.3.4");
	assert_non_null(machine_add_root(machine, "pci0000:00"));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct function *function = machine_add_function(machine, names[i]);

		assert_non_null(function);
		function->root = 0;
		function->parent = NONE;
		function->class = 0x010802;
		function->type = TYPE_ENDPOINT;
		function->bridge = ABSENT;
		strcpy(function->physfn, "-");
	}
	machine->functions[1].pool.presence = PRESENT;
	return 0;
}

int fake_held(struct held_list *list, const char *sysfs, const char *debugfs,
	      const struct p2ptrace_filter *filter)
{
	(void)sysfs;
	(void)debugfs;
	(void)filter;
	here.helds++;
	memset(list, 0, sizeof(*list));
	if (!here.age_ms)
		return 0;
	list->held = calloc(1, sizeof(*list->held));
	assert_non_null(list->held);
	list->nr = 1;
	list->held[0].age_ms = here.age_ms;
	return 0;
}

int fake_http_open(struct http_server **server, struct http_address *address,
		   const struct http_page *page)
{
	*server = here.http_rc ? NULL : (struct http_server *)&here;
	here.page = *page;
	http_address_text(here.address, sizeof(here.address), address);
	return here.http_rc;
}

/* A client for each format in each round */
void fake_http_serve(struct http_server *server, unsigned int ms)
{
	static const char *const accept[] = { "application/openmetrics-text", NULL };

	assert_ptr_equal(server, &here);
	assert_between(ms, 1, 1000);
	for (int i = 0; i < 2; i++) {
		const struct buffer *text = here.page.get(here.page.ctx, accept[i], &here.types[i]);

		strcpy(here.last_texts[i], here.texts[i]);
		*here.texts[i] = '\0';
		if (text && text->len < sizeof(here.texts[i]))
			strcpy(here.texts[i], buffer_text(text));
	}
	here.serves++;
}

void fake_http_close(struct http_server *server)
{
	assert_true(!server || server == (struct http_server *)&here);
}

#define EXPORT(...) RUN(cmd_export, (char []){ "export" }, ##__VA_ARGS__)
#define W(text) (char []){ text }

static char dir[64], file[128];

static int setup(void **state)
{
	fake_setup(state);
	memset(&here, 0, sizeof(here));
	fake.interrupted_after = 1;
	strcpy(dir, "/tmp/p2ptrace-export-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/p2ptrace.prom", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return remove_tree(dir);
}

static const char *file_text(void)
{
	static char text[65536];
	FILE *from = fopen(file, "r");
	size_t n;

	assert_non_null(from);
	n = fread(text, 1, sizeof(text) - 1, from);
	text[n] = '\0';
	fclose(from);
	return text;
}

static void assert_sample(const char *text, const char *line)
{
	char whole[512];

	const char *like;

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (strstr(text, whole))
		return;
	/* The first line with the same name */
	snprintf(whole, sizeof(whole), "\n%.*s", (int)strcspn(line, "{ "), line);
	like = strstr(text, whole);
	fail_msg("'%s' is not there, but: %.300s", line, like ? like : "none like it");
}

static void assert_well_formed(const char *text, bool plain)
{
	const char *error = openmetrics_error(text, plain);

	if (error)
		fail_msg("%s", error);
}

static void set_name(struct p2ptrace_name *name, const char *text)
{
	memset(name, 0, sizeof(*name));
	strncpy(name->s, text, sizeof(name->s));
}

static void fill(void)
{
	struct sample *s = &fake.samples[0];

	set_metric(s, "allocs", 7);
	set_metric(s, "alloc_bytes", 28672);
	set_metric(s, "maps", 12);
	set_metric(s, "maps.bus_addr", 8);
	set_metric(s, "map_bytes.bus_addr", 4096);
	set_metric(s, "binds_failed", 3);
	s->gauges = (struct gauges){ 2, 1 << 20, 5, 20480, 6, 11, 45056 };
	s->lost = 4;
	set_name(&fake.pairs[0].key.provider, "0000:01:00.0");
	set_name(&fake.pairs[0].key.client, "0000:02:00.0");
	fake.pairs[0].key.map = 2;
	fake.pairs[0].maps = 8;
	fake.pairs[0].bytes = 32768;
	/* Names that look the same once they are cut or cleaned must stay different */
	set_name(&fake.pairs[1].key.provider, "a\"\\\n\xff");
	set_name(&fake.pairs[1].key.client, "eth0");
	fake.pairs[1].key.map = 9;
	fake.pairs[1].maps = 1;
	fake.nr_pairs = 2;
	set_name(&here.durations[0].key.dev, "p2pmem0");
	here.durations[0].hist.slots[20] = 3;
	here.durations[0].hist.total_ns = 4000000;
	set_name(&here.durations[1].key.dev, "p2pmem0");
	set_name(&here.durations[1].key.client, "0000:02:00.0");
	here.durations[1].hist.slots[30] = 1;
	here.durations[1].hist.total_ns = 1500000000;
	set_name(&here.durations[2].key.dev, "i915");
	here.durations[2].key.kind = P2PTRACE_LIFE_DMABUF;
	here.durations[2].hist.slots[20] = 5;
	here.durations[3] = here.durations[2];
	set_name(&here.durations[3].key.client, "eth0");
	here.durations[3].hist.slots[20] = 6;
	here.durations[4] = here.durations[3];
	here.durations[4].key.kind = P2PTRACE_LIFE_REVOKE;
	here.durations[4].hist.slots[20] = 7;
	here.nr_durations = 5;
	here.lost = 9;
	here.age_ms = 61500;
}

static void clients_get_all_values(void **state)
{
	const char *text = here.texts[0];

	(void)state;
	fill();
	assert_int_equal(EXPORT(NULL), 0);
	assert_string_equal(here.address, "127.0.0.1:9737");
	assert_string_equal(here.page.path, "/metrics");
	assert_string_equal(here.types[0], OPENMETRICS_CONTENT);
	assert_string_equal(here.types[1], OPENMETRICS_CONTENT_PLAIN);
	assert_well_formed(here.texts[0], false);
	assert_well_formed(here.texts[1], true);
	assert_sample(text, "p2ptrace_up 1");
	assert_sample(text, "p2ptrace_lost_events_total{part=\"counts\"} 4");
	assert_sample(text, "p2ptrace_lost_events_total{part=\"durations\"} 9");
	assert_sample(text, "p2ptrace_allocs_total 7");
	assert_sample(text, "p2ptrace_alloc_bytes_total 28672");
	assert_sample(text, "# HELP p2ptrace_alloc_bytes buffers allocated: their size");
	assert_sample(text, "# UNIT p2ptrace_alloc_bytes bytes");
	assert_sample(text, "p2ptrace_maps_total 12");
	assert_sample(text, "p2ptrace_maps_by_map_total{map=\"bus_addr\"} 8");
	assert_sample(text, "p2ptrace_map_bytes_by_map_total{map=\"bus_addr\"} 4096");
	assert_sample(text, "p2ptrace_maps_by_map_total{map=\"not_supported\"} 0");
	assert_sample(text, "p2ptrace_binds_failed_total 3");
	assert_sample(text, "p2ptrace_held 5");
	assert_sample(text, "p2ptrace_held_bytes 20480");
	assert_sample(text, "p2ptrace_pinned 6");
	assert_sample(text, "p2ptrace_pools 2");
	assert_sample(text, "p2ptrace_dmabufs 11");
	assert_sample(text, "# HELP p2ptrace_dmabufs dma-bufs that exist");
	assert_sample(text, "p2ptrace_dmabuf_bytes 45056");
	assert_sample(text, "# HELP p2ptrace_dmabuf_bytes dma-bufs that exist: their size");
	assert_sample(text, "p2ptrace_pool_bytes 1048576");
	assert_sample(text, "p2ptrace_pair_maps_total{provider=\"0000:01:00.0\","
		      "client=\"0000:02:00.0\",map=\"bus_addr\"} 8");
	assert_sample(text, "p2ptrace_pair_map_bytes_total{provider=\"0000:01:00.0\","
		      "client=\"0000:02:00.0\",map=\"bus_addr\"} 32768");
	assert_sample(text, "p2ptrace_pair_maps_total{provider=\"a\\\"\\\\x5c\\\\x0a\\\\xff\","
		      "client=\"eth0\",map=\"unknown(9)\"} 1");
	assert_sample(text, "p2ptrace_oldest_held_seconds 61.500000000");
	assert_sample(text, "p2ptrace_held_seconds_count{dev=\"p2pmem0\"} 3");
	assert_sample(text, "p2ptrace_held_seconds_sum{dev=\"p2pmem0\"} 0.004000000");
	assert_sample(text, "p2ptrace_mapped_seconds_count{dev=\"p2pmem0\","
		      "client=\"0000:02:00.0\"} 1");
	assert_sample(text, "p2ptrace_dmabuf_held_seconds_count{exporter=\"i915\"} 5");
	assert_sample(text, "p2ptrace_dmabuf_mapped_seconds_count{exporter=\"i915\","
		      "client=\"eth0\"} 6");
	assert_sample(text, "p2ptrace_dmabuf_revoke_wait_seconds_count{exporter=\"i915\","
		      "client=\"eth0\"} 7");
	assert_null(strstr(text, "dev=\"i915\""));
	/* The provider with peer memory comes first. A fact is missing, which is not "refused" */
	assert_sample(text, "p2ptrace_path_decision_info{provider=\"0000:02:00.0\","
		      "client=\"0000:01:00.0\",map=\"unknown\",reason=\"cpu_unknown\","
		      "blocker=\"\",source=\"predicted\"} 1");
	assert_null(strstr(text, "\np2ptrace_path{"));
	assert_sample(text, "p2ptrace_paths_left_out 0");
	assert_one_line(command_err.text, "at http://127.0.0.1:9737/metrics (Ctrl-C ends)");
}

static void events_that_are_not_seen_are_named(void **state)
{
	(void)state;
	fake.not_there[P2PTRACE_p2pdma_map] = true;
	fake.in_part[P2PTRACE_p2pdma_unmap] = true;
	assert_int_equal(EXPORT(NULL), 0);
	assert_well_formed(here.texts[0], false);
	assert_sample(here.texts[0], "p2ptrace_event_seen{event=\"p2pdma_map\"} 0");
	assert_sample(here.texts[0], "p2ptrace_event_seen{event=\"p2pdma_unmap\"} 0");
	assert_sample(here.texts[0], "p2ptrace_event_seen{event=\"p2pmem_alloc\"} 1");
	assert_null(strstr(here.texts[0], "p2ptrace_maps"));
	assert_null(strstr(here.texts[0], "p2ptrace_pair_maps"));
	/* Mappings have no durations without their beginnings; buffers have */
	assert_false(here.followed.has[P2PTRACE_p2pdma_unmap]);
	assert_true(here.followed.has[P2PTRACE_p2pmem_alloc]);
	assert_false(here.followed.has[P2PTRACE_nvmet_p2pmem_use]);
}

static void durations_can_be_left_out(void **state)
{
	(void)state;
	fill();
	assert_int_equal(EXPORT(W("--no-durations")), 0);
	assert_int_equal(here.started + here.closed + here.reads + here.helds, 0);
	assert_well_formed(here.texts[0], false);
	assert_null(strstr(here.texts[0], "_seconds"));
	assert_null(strstr(here.texts[0], "part=\"durations\""));
}

static void a_kernel_that_shows_no_ends_has_no_durations(void **state)
{
	(void)state;
	fake.not_there[P2PTRACE_p2pmem_free] = fake.not_there[P2PTRACE_p2pdma_unmap] = true;
	fake.not_there[P2PTRACE_dma_buf_release] = fake.not_there[P2PTRACE_dma_buf_unmap] = true;
	assert_int_equal(EXPORT(NULL), 0);
	assert_int_equal(here.started, 0);
	assert_null(strstr(here.texts[0], "_seconds"));
	/* It is enough that it shows those of dma-bufs */
	fake.not_there[P2PTRACE_dma_buf_release] = false;
	assert_int_equal(EXPORT(NULL), 0);
	assert_int_equal(here.started, 1);
	assert_true(here.followed.has[P2PTRACE_dma_buf_release]);
}

/* Of two clients at once, only the first makes us read the values. */
static void values_are_read_once_a_second(void **state)
{
	(void)state;
	fake.interrupted_after = 3;
	assert_int_equal(EXPORT(NULL), 0);
	assert_int_equal(here.serves, 3);
	assert_int_equal(here.machines, 1);
	assert_int_equal(fake.sampled, here.reads);
	assert_between(here.reads, 1, 2);
}

/* The estimate of lost events may be corrected downwards, which Prometheus takes for a restart. */
static void lost_events_never_decrease(void **state)
{
	struct exporter e = { .options = &(struct options){} };

	(void)state;
	e.counter.sel.set.stock = true;
	e.values.durations = &e.durations;
	fake.samples[0].lost = 7;
	fake.samples[1].lost = 5;
	fake.samples[2].lost = 8;
	fake.nr_samples = 3;
	here.lost = 3;
	assert_int_equal(read_values(&e), 0);
	assert_int_equal(e.values.lost, 7);
	assert_int_equal(e.values.durations_lost, 3);
	here.lost = 2;
	assert_int_equal(read_values(&e), 0);
	assert_int_equal(e.values.lost, 7);
	assert_int_equal(e.values.durations_lost, 3);
	assert_int_equal(read_values(&e), 0);
	assert_int_equal(e.values.lost, 8);
	/* A stock kernel does not list its buffers */
	assert_int_equal(here.helds, 0);
	here.since_ns = clock_now_ns() - 5 * NSEC_PER_SEC;
	assert_int_equal(read_values(&e), 0);
	assert_true(e.values.oldest_ns >= 5 * NSEC_PER_SEC);
	pair_sums_free(&e.values.pairs);
}

static void the_file_is_for_node_exporter(void **state)
{
	(void)state;
	fill();
	fake.interrupted_after = -1;
	assert_int_equal(EXPORT(W("--textfile"), file), 0);
	assert_int_equal(here.serves, 0);
	assert_well_formed(file_text(), true);
	assert_sample(file_text(), "p2ptrace_allocs_total 7");
	assert_one_line(command_err.text, "to the file (Ctrl-C ends)");
}

/* Last values in a file would look alive for ever. */
static void the_file_says_that_p2ptrace_has_ended(void **state)
{
	(void)state;
	fake.interrupted_after = -1;
	assert_int_equal(EXPORT(W("--textfile"), file), 0);
	assert_sample(file_text(), "p2ptrace_up 0");
	/* The first file and the last one */
	assert_int_equal(fake.sampled, 2);
}

static void the_file_is_written_after_each_interval(void **state)
{
	(void)state;
	fake.interrupted_after = 5;
	assert_int_equal(EXPORT(W("--textfile"), file, W("--interval"), W("0.000000001")), 0);
	assert_int_equal(fake.sampled, 7);
	fake.sampled = fake.pauses = 0;
	assert_int_equal(EXPORT(W("--textfile"), file, W("--interval"), W("1000")), 0);
	assert_int_equal(fake.sampled, 2);
}

static void both_ways_work_at_once(void **state)
{
	(void)state;
	fill();
	assert_int_equal(EXPORT(W("--textfile"), file, W("--listen"), W("[::1]:1234")), 0);
	assert_string_equal(here.address, "[::1]:1234");
	assert_well_formed(file_text(), true);
	assert_well_formed(here.texts[0], false);
}

static void a_file_that_cannot_be_written_ends_it_at_the_start_only(void **state)
{
	char missing[256];

	(void)state;
	snprintf(missing, sizeof(missing), "%s/no/p2ptrace.prom", dir);
	assert_int_equal(EXPORT(W("--textfile"), missing), EXIT_USAGE);
	assert_one_line(command_err.text, missing);
	assert_int_equal(fake.pauses, 0);
}

static void others_are_told_who_can_read(void **state)
{
	(void)state;
	assert_int_equal(EXPORT(W("--listen"), W("0.0.0.0:9737")), 0);
	assert_non_null(strstr(command_err.text, "no password and no encryption"));
	assert_int_equal(EXPORT(W("--textfile"), W("/dev/null")), 0);
	assert_non_null(strstr(command_err.text, "names end in .prom"));
}

static void without_the_machine_the_rest_is_exported(void **state)
{
	(void)state;
	fill();
	here.machine_rc = EXIT_OTHER;
	assert_int_equal(EXPORT(NULL), 0);
	assert_well_formed(here.texts[0], false);
	assert_sample(here.texts[0], "p2ptrace_allocs_total 7");
	assert_null(strstr(here.texts[0], "p2ptrace_path{"));
}

static void assert_metrics_exist(const char *name)
{
	char path[128], word[128], metadata[160];
	static char text[131072];
	unsigned int found = 0;
	FILE *from;

	snprintf(path, sizeof(path), "tools/p2ptrace/export/%s", name);
	from = fopen(path, "r");
	assert_non_null(from);
	text[fread(text, 1, sizeof(text) - 1, from)] = '\0';
	fclose(from);
	for (char *at = text; (at = strstr(at, "p2ptrace_")); at += strlen(word), found++) {
		size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");

		snprintf(word, sizeof(word), "%.*s", (int)n, at);
		/* In format 0.0.4, a family is called as its samples, but a histogram's */
		snprintf(metadata, sizeof(metadata), "\n# TYPE %.*s ",
			 (int)(n - (ends_with(word, "_bucket") ? strlen("_bucket") : 0)), word);
		if (!strstr(here.texts[1], metadata) && !strstr(metadata, " p2ptrace_up "))
			fail_msg("%s has %s, which is not exported", name, word);
	}
	assert_true(found > 10);
}

/* A renamed metric would make an alert silent. */
static void alerts_and_dashboard_know_the_metrics(void **state)
{
	(void)state;
	assert_int_equal(EXPORT(NULL), 0);
	assert_metrics_exist("alerts.yml");
	assert_metrics_exist("alerts-test.yml");
	assert_metrics_exist("dashboard.json");
}

static void errors_end_it(void **state)
{
	(void)state;
	fake.failing_sample = 1;
	fake.interrupted_after = 9;
	assert_int_equal(EXPORT(NULL), EXIT_OTHER);
	assert_int_equal(fake.pauses, 1);
	assert_string_equal(here.texts[0], "");
	fake.failing_sample = 0;
	here.read_rc = EXIT_OTHER;
	assert_int_equal(EXPORT(NULL), EXIT_OTHER);
	here.http_rc = EXIT_KERNEL;
	fake.started = false;
	assert_int_equal(EXPORT(NULL), EXIT_KERNEL);
	/* A wrong address is reported before anything is attached */
	assert_false(fake.started);
	fake.open_rc = EXIT_KERNEL;
	assert_int_equal(EXPORT(NULL), EXIT_KERNEL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(clients_get_all_values),
		TEST(events_that_are_not_seen_are_named),
		TEST(durations_can_be_left_out),
		TEST(a_kernel_that_shows_no_ends_has_no_durations),
		TEST(values_are_read_once_a_second),
		TEST(lost_events_never_decrease),
		TEST(the_file_is_for_node_exporter),
		TEST(the_file_says_that_p2ptrace_has_ended),
		TEST(the_file_is_written_after_each_interval),
		TEST(both_ways_work_at_once),
		TEST(a_file_that_cannot_be_written_ends_it_at_the_start_only),
		TEST(others_are_told_who_can_read),
		TEST(without_the_machine_the_rest_is_exported),
		TEST(alerts_and_dashboard_know_the_metrics),
		TEST(errors_end_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
