// SPDX-License-Identifier: GPL-2.0
/* The file of p2ptrace record: what is written is read, and what was cut is read up to there. */
#include <errno.h>

#include "unit.h"
#include "event/blind.h"
#include "event/json.h"
#include "event/recording.h"
#include "lib/json.h"
#include "lib/log.h"
#include "machine/snapshot.h"

static struct event_set set;
static struct enums enums;
static struct buffer file;	/* the content of a recording */
static struct recording recording;

static const struct p2ptrace_p2pmem_alloc an_alloc = {
	.h = { .ts_ns = 1001, .event = P2PTRACE_p2pmem_alloc, .cpu = 1, .pid = 77, .comm = "fio" },
	.dev.s = "p2pmem0", .id = 17, .bus_addr = 0xfedcba9876543210, .size = 16384, .nents = 1,
};

static const struct p2ptrace_p2pdma_map a_map = {
	.h = { .ts_ns = 1002, .event = P2PTRACE_p2pdma_map, .pid = 78, .comm = "kworker" },
	.provider.s = "0000:03:00.0", .client.s = "0000:04:00.0", .id = 17, .size = 16384,
	.dir = 1, .map = 2,
};

/* What a recorder writes, through a file without a name. */
static void write_file(void (*add)(struct chunk_writer *writer))
{
	int fd = temporary_file();
	struct chunk_writer writer = { .out.fd = fd };
	struct recording_about about = {
		.tool = "0.1", .release = "6.12.1", .arch = "x86_64", .start_ns = 1000,
		.start_real_ns = 1700000000000000000, .dev = "p2pmem0",
	};
	static const char *const hooks[] = { "tp_btf/p2pmem_alloc", "tp_btf/p2pdma_map" };
	struct buffer text = {};
	char byte;

	assert_int_equal(chunks_begin(&writer, RECORDING_MAGIC, RECORDING_VERSION), 0);
	recording_meta(&text, &about, &set, &enums, hooks, ARRAY_LEN(hooks));
	assert_int_equal(chunks_write(&writer, RECORDING_META, text.data, text.len), 0);
	add(&writer);
	buffer_free(&text);
	chunks_free(&writer);
	buffer_reset(&file);
	lseek(fd, 0, SEEK_SET);
	while (read(fd, &byte, 1) == 1)
		buffer_add(&file, &byte, 1);
	close(fd);
}

static void add_events(struct chunk_writer *writer)
{
	char records[sizeof(an_alloc) + sizeof(a_map)];

	memcpy(records, &an_alloc, sizeof(an_alloc));
	memcpy(records + sizeof(an_alloc), &a_map, sizeof(a_map));
	assert_int_equal(chunks_write(writer, RECORDING_EVENTS, records, sizeof(records)), 0);
}

static void add_lost(struct chunk_writer *writer)
{
	uint64_t per_cpu[] = { 3, 0, 5 };
	struct lost lost = { .total = 10, .nested = 2, .per_cpu = per_cpu, .nr_cpus = 3 };
	struct buffer text = {};

	recording_lost(&text, &lost);
	assert_int_equal(chunks_write(writer, RECORDING_LOST, text.data, text.len), 0);
	buffer_free(&text);
}

static void add_end(struct chunk_writer *writer, uint64_t nr)
{
	char *argv[] = { (char []){ "fio" }, (char []){ "a job" }, NULL };
	struct recording_end end = {
		.end_ns = 5000, .events = nr, .why = "the command ended", .argv = argv,
		.wait_status = 3 << 8, .command_end_ns = 4000,
	};
	struct buffer text = {};

	recording_end(&text, &end);
	assert_int_equal(chunks_write(writer, RECORDING_END, text.data, text.len), 0);
	buffer_free(&text);
}

static void add_all(struct chunk_writer *writer)
{
	add_events(writer);
	add_lost(writer);
	add_events(writer);
	add_end(writer, 4);
}

static int setup(void **state)
{
	(void)state;
	memset(&set, 0, sizeof(set));
	memset(set.has, true, sizeof(set.has));
	blind_add(&set, P2PTRACE_p2pdma_unmap, "a \x1b test");
	assert_int_equal(enums_add(&enums, ENUM_MAP_TYPE, 2, "bus_addr"), 0);
	assert_int_equal(enums_add(&enums, ENUM_DMA_DIRECTION, 1, "to_device"), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	enums_free(&enums);
	buffer_free(&file);
	return 0;
}

/* Reads the first @len bytes of the file. Returns the number of records, or -1. */
static int read_part(size_t len, struct buffer *lines)
{
	FILE *in = len ? fmemopen(file.data, len, "r") : fopen("/dev/null", "r");
	const void *record;
	int nr = 0;

	assert_non_null(in);
	if (recording_open(&recording, "FILE", in)) {
		fclose(in);
		return -1;
	}
	while ((record = recording_next(&recording))) {
		const struct p2ptrace_header *h = record;

		nr++;
		if (lines)
			json_line(lines, &recording.shown[h->event], record, &recording.enums,
				  recording.set.stock);
	}
	fclose(in);
	return nr;
}

static void a_recording_describes_itself(void **state)
{
	(void)state;
	write_file(add_all);
	assert_int_equal(read_part(file.len, NULL), 4);
	assert_string_equal(recording.trouble, "");
	assert_true(recording.ended);
	assert_string_equal(recording.about.release, "6.12.1");
	assert_string_equal(recording.about.dev, "p2pmem0");
	assert_int_equal(recording.about.start_real_ns, 1700000000000000000);
	assert_false(recording.set.stock);
	assert_true(recording.set.has[P2PTRACE_p2pmem_alloc]);
	assert_true(recording.set.blind[P2PTRACE_p2pdma_unmap]);
	/* Nothing that moves a terminal's cursor */
	assert_string_equal(recording.set.why[P2PTRACE_p2pdma_unmap], "a \\x1b test");
	assert_string_equal(recording.hooks.data, "tp_btf/p2pmem_alloc, tp_btf/p2pdma_map");
	assert_int_equal(recording.lost.total, 10);
	assert_int_equal(recording.lost.nested, 2);
	assert_int_equal(recording.lost.nr_cpus, 3);
	assert_int_equal(recording.lost.per_cpu[2], 5);
	assert_string_equal(recording.end.argv[1], "a job");
	assert_null(recording.end.argv[2]);
	assert_int_equal(recording.end.wait_status, 3 << 8);
	assert_int_equal(recording.end.command_end_ns, 4000);
	recording_close(&recording);
}

static void lines_are_those_of_the_records(void **state)
{
	struct buffer direct = {}, read = {};

	(void)state;
	write_file(add_all);
	for (int i = 0; i < 2; i++) {
		json_line(&direct, &events[P2PTRACE_p2pmem_alloc], &an_alloc, &enums, false);
		json_line(&direct, &events[P2PTRACE_p2pdma_map], &a_map, &enums, false);
	}
	assert_int_equal(read_part(file.len, &read), 4);
	assert_string_equal(read.data, direct.data);
	buffer_free(&direct);
	buffer_free(&read);
	recording_close(&recording);
}

/* Whole chunks are read, and what is missing is said. */
static void a_file_cut_at_any_byte_is_read_up_to_there(void **state)
{
	struct capture said;

	(void)state;
	write_file(add_all);
	for (size_t len = 0; len < file.len; len++) {
		int nr;

		capture_begin(&said);
		nr = read_part(len, NULL);
		capture_end(&said);
		if (nr < 0) {
			assert_one_line(said.text, "cannot read FILE: ");
		} else {
			assert_true(nr == 0 || nr == 2 || nr == 4);
			assert_int_equal(nr, recording.events);
			assert_string_not_equal(recording.trouble, "");
			assert_false(recording.ended);
		}
		recording_close(&recording);
	}
}

static void a_changed_byte_is_noticed_wherever_it_is(void **state)
{
	struct capture said;

	(void)state;
	write_file(add_all);
	for (size_t i = 0; i < file.len; i++) {
		int nr;

		file.data[i] ^= 1 << i % 8;
		capture_begin(&said);
		nr = read_part(file.len, NULL);
		capture_end(&said);
		file.data[i] ^= 1 << i % 8;
		if (nr < 0)
			assert_one_line(said.text, "cannot read FILE: ");
		else if (!strstr(recording.trouble, "damaged") && !strstr(recording.trouble, "cut"))
			fail_msg("byte %zu was changed, and nobody noticed", i);
		recording_close(&recording);
	}
}

static void add_wrong_end(struct chunk_writer *writer)
{
	add_events(writer);
	add_end(writer, 3);
}

static void events_that_the_end_does_not_count_are_trouble(void **state)
{
	(void)state;
	write_file(add_wrong_end);
	assert_int_equal(read_part(file.len, NULL), 2);
	assert_non_null(strstr(recording.trouble, "it has 2 events, and its end says 3"));
	recording_close(&recording);
}

static void add_newer(struct chunk_writer *writer)
{
	add_events(writer);
	assert_int_equal(chunks_write(writer, "newe", "x", 1), 0);
	add_end(writer, 2);
}

static void chunks_of_a_newer_version_are_skipped(void **state)
{
	(void)state;
	write_file(add_newer);
	assert_int_equal(read_part(file.len, NULL), 2);
	assert_string_equal(recording.trouble, "");
	recording_close(&recording);
}

static void add_half(struct chunk_writer *writer)
{
	assert_int_equal(chunks_write(writer, RECORDING_EVENTS, &a_map, sizeof(a_map) - 8), 0);
}

static void half_a_record_is_damage(void **state)
{
	(void)state;
	write_file(add_half);
	assert_int_equal(read_part(file.len, NULL), 0);
	assert_non_null(strstr(recording.trouble, "a record has no known event"));
	recording_close(&recording);
}

/* The description of another version, which is written by hand. */
static const char other[] =
	"{\"p2ptrace\":\"9\",\"kernel\":\"9.9\",\"mode\":\"tracepoint\",\"header_size\":40,"
	"\"enums\":{},\"events\":["
	"{\"name\":\"new\",\"number\":0,\"size\":48,\"recorded\":true,\"fields\":[]},"
	"{\"name\":\"p2pmem_reclaim\",\"number\":1,\"size\":72,\"recorded\":true,\"fields\":["
	"{\"name\":\"size\",\"kind\":\"bytes\",\"offset\":40,\"size\":8},"
	"{\"name\":\"more\",\"kind\":\"uint\",\"offset\":48,\"size\":8},"
	"{\"name\":\"dev\",\"kind\":\"string\",\"offset\":56,\"size\":16}]}]}";

static void write_other(const char *meta)
{
	int fd = temporary_file();
	struct chunk_writer writer = { .out.fd = fd };
	struct {
		struct p2ptrace_header h;
		uint64_t value[4];
	} records[2] = {
		{ .h = { .ts_ns = 1, .event = 1, .comm = "c" }, .value = { 4096, 5 } },
		{ .h = { .ts_ns = 2, .event = 0 } },
	};
	char bytes[72 + 48], byte;

	memcpy(&records[0].value[2], "p2pmem9", 8);
	memcpy(bytes, &records[0], 72);
	memcpy(bytes + 72, &records[1], 48);
	assert_int_equal(chunks_begin(&writer, RECORDING_MAGIC, RECORDING_VERSION), 0);
	assert_int_equal(chunks_write(&writer, RECORDING_META, meta, strlen(meta)), 0);
	assert_int_equal(chunks_write(&writer, RECORDING_EVENTS, bytes, sizeof(bytes)), 0);
	add_end(&writer, 2);
	buffer_reset(&file);
	lseek(fd, 0, SEEK_SET);
	while (read(fd, &byte, 1) == 1)
		buffer_add(&file, &byte, 1);
	close(fd);
}

static void fields_of_another_version_are_found_by_their_names(void **state)
{
	struct buffer lines = {};

	(void)state;
	write_other(other);
	assert_int_equal(read_part(file.len, &lines), 1);
	assert_string_equal(recording.trouble,
			    "this p2ptrace does not know 1 of its events; use version 9");
	/* The file has no id, so there is none */
	assert_string_equal(lines.data, "{\"ts_ns\":1,\"event\":\"p2pmem_reclaim\",\"cpu\":0,"
			    "\"pid\":0,\"comm\":\"c\",\"dev\":\"p2pmem9\",\"size\":4096}\n");
	buffer_free(&lines);
	recording_close(&recording);
}

static void bad_descriptions_are_refused(void **state)
{
	static const struct {
		const char *from, *to;
	} changes[] = {
		{ "\"size\":48", "\"size\":47" },
		{ "\"size\":48", "\"size\":32" },
		{ "\"size\":48", "\"size\":8192" },
		{ "\"offset\":40", "\"offset\":32" },
		{ "\"offset\":56", "\"offset\":64" },
		{ "\"offset\":56", "\"offset\":9999999999" },
		{ "\"offset\":56,\"size\":16", "\"offset\":56,\"size\":-1" },
		{ "\"number\":1", "\"number\":2" },
		{ "\"name\":\"new\"", "\"name\":\"p2pmem_reclaim\"" },
		{ "\"header_size\":40", "\"header_size\":48" },
		{ "\"enums\":{}", "\"enums\":{\"map_type\":[{\"value\":1,\"name\":\"a\\\"\"}]}" },
		{ "\"enums\":{}", "\"enums\":{\"map_type\":[{\"value\":1}]}" },
		{ "\"events\":[", "\"none\":[" },
		{ "]}]}", "]}]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const char *at = strstr(other, changes[i].from);
		struct buffer meta = {};
		struct capture said;

		assert_non_null(at);
		buffer_add(&meta, other, at - other);
		buffer_printf(&meta, "%s%s", changes[i].to, at + strlen(changes[i].from));
		write_other(meta.data);
		capture_begin(&said);
		if (read_part(file.len, NULL) >= 0) {
			capture_end(&said);
			fail_msg("accepted: %s", changes[i].to);
		}
		capture_end(&said);
		assert_one_line(said.text, "cannot read FILE: ");
		recording_close(&recording);
		buffer_free(&meta);
	}
}

static void other_files_are_refused(void **state)
{
	static const struct {
		const char *text, *said;
	} files[] = {
		{ "", "not a recording" }, { "x", "not a recording" },
		{ "P2PTREC\n", "cut before its first chunk" },
		{ "P2PTREC\n\1\2\3\4\1\0\0\0", "another byte order" },
		{ "P2PTREC\n\1\2\3\5\1\0\0\0", "its head is damaged" },
		{ "P2PTREC\n\4\3\2\1\2\0\0\0", "another version" },
		{ "P2PTREC\n\4\3\2\1\1\0\0\0", "cut within its description" },
		{ "PERFILE2 and so on", "not a recording" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct capture said;

		buffer_reset(&file);
		buffer_add(&file, files[i].text, strlen(files[i].text) < 8 ?
			   strlen(files[i].text) : strlen(files[i].text) == 8 ? 8 : 16);
		capture_begin(&said);
		assert_int_equal(read_part(file.len, NULL), -1);
		capture_end(&said);
		assert_one_line(said.text, files[i].said);
		recording_close(&recording);
	}
}

static void with_machine(struct chunk_writer *writer)
{
	struct machine machine;
	struct buffer text = {};

	machine_init(&machine);
	assert_non_null(machine_add_function(&machine, "0000:03:00.0"));
	snapshot_write(&text, &machine);
	machine_free(&machine);
	assert_int_equal(chunks_write(writer, RECORDING_MACHINE, text.data, text.len), 0);
	add_events(writer);
	add_end(writer, 2);
	buffer_free(&text);
}

static void with_a_bad_machine(struct chunk_writer *writer)
{
	assert_int_equal(chunks_write(writer, RECORDING_MACHINE, "{}", 2), 0);
	add_events(writer);
	add_end(writer, 2);
}

static void a_machine_that_cannot_be_read_costs_no_event(void **state)
{
	struct capture said;

	(void)state;
	write_file(with_machine);
	assert_int_equal(read_part(file.len, NULL), 2);
	assert_true(recording.has_machine);
	assert_non_null(machine_find(&recording.machine, "0000:03:00.0"));
	recording_close(&recording);
	write_file(with_a_bad_machine);
	capture_begin(&said);
	assert_int_equal(read_part(file.len, NULL), 2);
	capture_end(&said);
	assert_one_line(said.text, "the machine in FILE is not a snapshot");
	assert_false(recording.has_machine);
	assert_string_equal(recording.trouble, "");
	recording_close(&recording);
}

/* What a file must not have after its description: the rest of it is not believed. */
static void wrong_chunks_are_damage(void **state)
{
	static const struct {
		const char *type, *text, *said;
	} chunks[] = {
		{ RECORDING_META, "{}", "there is a second description" },
		{ RECORDING_LOST, "[]", "its count of lost events cannot be read" },
		{ RECORDING_LOST, "{\"total\":", "its count of lost events cannot be read" },
		{ RECORDING_END, "7", "its end cannot be read" },
		{ RECORDING_END, "{\"command\":{}}", "its command cannot be read" },
		{ RECORDING_END, "{\"command\":{\"argv\":[]}}", "its command cannot be read" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(chunks); i++) {
		int fd = temporary_file();
		struct chunk_writer writer = { .out.fd = fd };
		char text[4096];
		ssize_t len;

		assert_int_equal(chunks_begin(&writer, RECORDING_MAGIC, RECORDING_VERSION), 0);
		assert_int_equal(chunks_write(&writer, RECORDING_META, other, strlen(other)), 0);
		assert_int_equal(chunks_write(&writer, chunks[i].type, chunks[i].text,
					      strlen(chunks[i].text)), 0);
		add_end(&writer, 0);
		len = pread(fd, text, sizeof(text), 0);
		close(fd);
		assert_between(len, 1, sizeof(text));
		buffer_reset(&file);
		buffer_add(&file, text, len);
		assert_int_equal(read_part(file.len, NULL), 0);
		assert_non_null(strstr(recording.trouble, "it is damaged at byte "));
		if (!strstr(recording.trouble, chunks[i].said))
			fail_msg("%s: %s", chunks[i].text, recording.trouble);
		assert_false(recording.ended);
		recording_close(&recording);
		chunks_free(&writer);
	}
}

static void add_more(struct chunk_writer *writer)
{
	add_end(writer, 0);
	add_events(writer);
}

static void what_follows_the_end_is_not_read(void **state)
{
	(void)state;
	write_file(add_more);
	assert_int_equal(read_part(file.len, NULL), 0);
	assert_non_null(strstr(recording.trouble, "there is something behind its end"));
	recording_close(&recording);
}

/* Counts only grow, and a CPU may come later. A number below 0 is none. */
static void add_losses(struct chunk_writer *writer)
{
	static const char *const losses[] = {
		"{\"total\":1,\"per_cpu\":[1]}", "{\"total\":6,\"nested\":1,\"per_cpu\":[2,0,3]}",
		"{\"total\":6,\"nested\":-1,\"per_cpu\":[2,-5]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(losses); i++)
		assert_int_equal(chunks_write(writer, RECORDING_LOST, losses[i],
					      strlen(losses[i])), 0);
	add_end(writer, 0);
}

static void the_last_count_of_losses_counts(void **state)
{
	(void)state;
	write_file(add_losses);
	assert_int_equal(read_part(file.len, NULL), 0);
	assert_int_equal(recording.lost.total, 6);
	assert_int_equal(recording.lost.nested, 0);
	assert_int_equal(recording.lost.nr_cpus, 3);
	assert_int_equal(recording.lost.per_cpu[0], 2);
	assert_int_equal(recording.lost.per_cpu[1], 0);
	assert_int_equal(recording.lost.per_cpu[2], 3);
	recording_close(&recording);
}

/* The reader gets the same description of the recording as the writer was given. */
static void the_beginning_is_kept(void **state)
{
	uint64_t held[] = { 5, UINT64_MAX >> 1 };
	struct recording_about about = {
		.tool = "0.1", .build = "#1 SMP \x1b", .ring_bytes = 131072, .client = "c",
		.comm = "fio", .pid = 77, .min_size = 4096, .held = held, .nr_held = 2,
		.held_known = true,
	};
	int fd = temporary_file();
	struct chunk_writer writer = { .out.fd = fd };
	struct buffer text = {};
	FILE *in;

	(void)state;
	set.stock = true;
	assert_int_equal(chunks_begin(&writer, RECORDING_MAGIC, RECORDING_VERSION), 0);
	recording_meta(&text, &about, &set, &enums, NULL, 0);
	assert_int_equal(chunks_write(&writer, RECORDING_META, text.data, text.len), 0);
	/* A stock kernel has no value for some fields */
	assert_non_null(strstr(text.data, "\"absent\":true"));
	buffer_free(&text);
	chunks_free(&writer);
	lseek(fd, 0, SEEK_SET);
	in = fdopen(fd, "r");
	assert_non_null(in);
	assert_int_equal(recording_open(&recording, "FILE", in), 0);
	assert_null(recording_next(&recording));
	assert_string_equal(recording.about.build, "#1 SMP \\x1b");
	assert_int_equal(recording.about.ring_bytes, 131072);
	assert_string_equal(recording.about.client, "c");
	assert_string_equal(recording.about.comm, "fio");
	assert_string_equal(recording.about.dev, "");
	assert_int_equal(recording.about.pid, 77);
	assert_int_equal(recording.about.min_size, 4096);
	assert_true(recording.about.held_known);
	assert_int_equal(recording.about.nr_held, 2);
	assert_int_equal(recording.about.held[1], UINT64_MAX >> 1);
	assert_true(recording.set.stock);
	assert_string_equal(recording.trouble, "it has no end, so the recorder is still running, "
			    "or was killed");
	recording_close(&recording);
	fclose(in);
}

/* A file whose disk fails behind its last whole chunk. */
static ssize_t read_then_fail(void *cookie, char *to, size_t size)
{
	size_t *at = cookie, left = file.len - *at;

	if (!left) {
		errno = EIO;
		return -1;
	}
	if (size > left)
		size = left;
	memcpy(to, file.data + *at, size);
	*at += size;
	return size;
}

static void a_disk_that_fails_is_no_end(void **state)
{
	size_t at = 0;
	FILE *in;

	(void)state;
	write_file(add_events);
	in = fopencookie(&at, "r", (cookie_io_functions_t){ .read = read_then_fail });
	assert_non_null(in);
	assert_int_equal(recording_open(&recording, "FILE", in), 0);
	assert_non_null(recording_next(&recording));
	assert_non_null(recording_next(&recording));
	assert_null(recording_next(&recording));
	assert_non_null(strstr(recording.trouble, "and what follows cannot be read: Input/output"));
	recording_close(&recording);
	fclose(in);
}

static void a_file_begins_with_its_description(void **state)
{
	int fd = temporary_file();
	struct chunk_writer writer = { .out.fd = fd };
	struct capture said;
	FILE *in;

	(void)state;
	assert_int_equal(chunks_begin(&writer, RECORDING_MAGIC, RECORDING_VERSION), 0);
	add_events(&writer);
	chunks_free(&writer);
	lseek(fd, 0, SEEK_SET);
	in = fdopen(fd, "r");
	assert_non_null(in);
	capture_begin(&said);
	assert_int_equal(recording_open(&recording, "FILE", in), EXIT_OTHER);
	capture_end(&said);
	assert_one_line(said.text, "it does not begin with a description");
	recording_close(&recording);
	fclose(in);
}

static void too_many_held_buffers_are_refused(void **state)
{
	struct buffer meta = {};
	struct capture said;

	(void)state;
	buffer_add(&meta, other, strlen(other) - 1);
	buffer_printf(&meta, ",\"held\":[0");
	for (int i = 0; i < P2PTRACE_MAX_LIVE; i++)
		buffer_printf(&meta, ",1");
	buffer_printf(&meta, "]}");
	write_other(meta.data);
	capture_begin(&said);
	assert_int_equal(read_part(file.len, NULL), -1);
	capture_end(&said);
	assert_one_line(said.text, "it has too many buffers");
	recording_close(&recording);
	buffer_free(&meta);
}

#define RECORDING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	RECORDING_TEST(a_recording_describes_itself),
	RECORDING_TEST(lines_are_those_of_the_records),
	RECORDING_TEST(a_file_cut_at_any_byte_is_read_up_to_there),
	RECORDING_TEST(a_changed_byte_is_noticed_wherever_it_is),
	RECORDING_TEST(events_that_the_end_does_not_count_are_trouble),
	RECORDING_TEST(chunks_of_a_newer_version_are_skipped),
	RECORDING_TEST(half_a_record_is_damage),
	RECORDING_TEST(fields_of_another_version_are_found_by_their_names),
	RECORDING_TEST(bad_descriptions_are_refused),
	RECORDING_TEST(other_files_are_refused),
	RECORDING_TEST(a_machine_that_cannot_be_read_costs_no_event),
	RECORDING_TEST(wrong_chunks_are_damage),
	RECORDING_TEST(what_follows_the_end_is_not_read),
	RECORDING_TEST(the_last_count_of_losses_counts),
	RECORDING_TEST(the_beginning_is_kept),
	RECORDING_TEST(a_disk_that_fails_is_no_end),
	RECORDING_TEST(a_file_begins_with_its_description),
	RECORDING_TEST(too_many_held_buffers_are_refused),
};

UNIT_MAIN(tests)
