// SPDX-License-Identifier: GPL-2.0
/* A trace of Perfetto: slices of a track do not overlap, and arrows lead from request to DMA. */

#include "unit.h"
#include "event/perfetto.h"

static struct recording recording;
static struct perfetto perfetto;
static struct buffer out;
static uint64_t now_ns;

static int setup(void **state)
{
	(void)state;
	memset(&recording, 0, sizeof(recording));
	memcpy(recording.shown, events, sizeof(recording.shown));
	assert_int_equal(enums_add(&recording.enums, ENUM_MAP_TYPE, 2, "bus_addr"), 0);
	recording.about.start_ns = 1000;
	recording.about.start_real_ns = 5000;
	now_ns = 2000;
	perfetto_begin(&perfetto, &recording, &out);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	perfetto_free(&perfetto);
	enums_free(&recording.enums);
	buffer_free(&out);
	return 0;
}

/* ---- a reader ---- */

struct wire {
	const unsigned char *at, *end;
};

static uint64_t varint(struct wire *w)
{
	uint64_t value = 0;
	int shift = 0;

	for (;;) {
		unsigned char byte;

		assert_true(w->at < w->end && shift < 64);
		byte = *w->at++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
		shift += 7;
	}
}

/* The next field: its number; its value, or its bytes. False at the end. */
static bool next(struct wire *w, unsigned int *field, uint64_t *value, struct wire *bytes)
{
	uint64_t tag, len;

	if (w->at == w->end)
		return false;
	tag = varint(w);
	*field = tag >> 3;
	switch (tag & 7) {
	case 0:
		*value = varint(w);
		break;
	case 1:
		assert_true(w->end - w->at >= 8);
		memcpy(value, w->at, 8);
		w->at += 8;
		break;
	case 2:
		len = varint(w);
		assert_true(len <= (uint64_t)(w->end - w->at));
		*bytes = (struct wire){ w->at, w->at + len };
		w->at += len;
		break;
	default:
		fail_msg("wire type %d", (int)(tag & 7));
	}
	return true;
}

static void copy_text(char *to, size_t size, struct wire bytes)
{
	assert_true(bytes.end - bytes.at < (ptrdiff_t)size);
	snprintf(to, size, "%.*s", (int)(bytes.end - bytes.at), bytes.at);
}

struct an_event {
	uint64_t ts, type, track, flow, counter;
	char name[64];
	char fields[512];		/* "NAME=VALUE ", of annotations */
};

/* An annotation has a name and one value. */
static void read_annotation(char *to, size_t size, struct wire w)
{
	char name[64] = "", text[128] = "";
	unsigned int field, nr = 0;
	struct wire bytes;
	uint64_t value;

	while (next(&w, &field, &value, &bytes)) {
		nr++;
		if (field == 10)
			copy_text(name, sizeof(name), bytes);
		else if (field == 2)
			snprintf(text, sizeof(text), "%s", value ? "true" : "false");
		else if (field == 3)
			snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
		else if (field == 4)
			snprintf(text, sizeof(text), "%lld", (long long)value);
		else if (field == 6)
			copy_text(text, sizeof(text), bytes);
		else
			fail_msg("an annotation has field %u", field);
	}
	assert_int_equal(nr, 2);
	snprintf(to + strlen(to), size - strlen(to), "%s=%s ", name, text);
}

static struct an_event read_event(struct wire w)
{
	struct an_event event = {};
	unsigned int field;
	struct wire bytes;
	uint64_t value;

	while (next(&w, &field, &value, &bytes)) {
		if (field == 9)
			event.type = value;
		else if (field == 11)
			event.track = value;
		else if (field == 47)
			event.flow = value;
		else if (field == 30)
			event.counter = value;
		else if (field == 23)
			copy_text(event.name, sizeof(event.name), bytes);
		else if (field == 4)
			read_annotation(event.fields, sizeof(event.fields), bytes);
	}
	return event;
}

/* All events, in the order of their times, and in the order of packets for the same time. */
static size_t read_events(struct an_event *to, size_t max)
{
	struct wire w = { (unsigned char *)out.data, (unsigned char *)out.data + out.len };
	struct wire packet, part, event = {};
	unsigned int field;
	uint64_t value;
	size_t nr = 0;

	while (next(&w, &field, &value, &packet)) {
		uint64_t ts = 0;

		assert_int_equal(field, 1);
		event.at = NULL;
		while (next(&packet, &field, &value, &part)) {
			if (field == 8)
				ts = value;
			else if (field == 11)
				event = part;
		}
		if (!event.at)
			continue;
		assert_true(nr < max);
		to[nr] = read_event(event);
		to[nr].ts = ts;
		for (size_t i = nr++; i && to[i].ts < to[i - 1].ts; i--) {
			struct an_event swap = to[i];

			to[i] = to[i - 1];
			to[i - 1] = swap;
		}
	}
	return nr;
}

struct a_track {
	uint64_t uuid, parent, unit;
	char name[64];
};

static struct a_track read_track(struct wire w)
{
	struct a_track track = {};
	unsigned int field;
	struct wire bytes;
	uint64_t value;

	while (next(&w, &field, &value, &bytes)) {
		if (field == 1)
			track.uuid = value;
		else if (field == 5)
			track.parent = value;
		else if (field == 2)
			copy_text(track.name, sizeof(track.name), bytes);
		else if (field == 8)
			while (next(&bytes, &field, &value, NULL))
				track.unit = field == 3 ? value : 0;
	}
	return track;
}

/* "PARENT/NAME" or, with a unit, "PARENT/NAME in UNIT" of each track, separated by "; ". */
static const char *read_tracks(void)
{
	struct wire w = { (unsigned char *)out.data, (unsigned char *)out.data + out.len };
	struct wire packet, part = {};
	static struct a_track tracks[64];
	static char text[4096];
	unsigned int field;
	uint64_t value;
	size_t nr = 0;

	*text = '\0';
	while (next(&w, &field, &value, &packet))
		while (next(&packet, &field, &value, &part)) {
			const char *parent = NULL;

			if (field != 60)
				continue;
			assert_true(nr < ARRAY_LEN(tracks));
			tracks[nr] = read_track(part);
			for (size_t i = 0; i < nr; i++) {
				assert_int_not_equal(tracks[i].uuid, tracks[nr].uuid);
				if (tracks[i].uuid == tracks[nr].parent)
					parent = tracks[i].name;
			}
			/* A parent comes first */
			assert_true(!tracks[nr].parent || parent);
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%s%s%s",
				 *text ? "; " : "", parent ?: "", parent ? "/" : "",
				 tracks[nr].name, tracks[nr].unit == 3 ? " in bytes" : "");
			nr++;
		}
	return text;
}

/* ---- what is recorded ---- */

#define H(name) { .ts_ns = now_ns += 10, .event = P2PTRACE_##name, .comm = "fio" }

static void alloc(uint64_t id)
{
	struct p2ptrace_p2pmem_alloc r = {
		.h = H(p2pmem_alloc), .dev.s = "p2pmem0", .id = id, .size = 4096,
	};

	perfetto_add(&perfetto, &r);
}

static void use(uint64_t id)
{
	struct p2ptrace_nvmet_p2pmem_use r = { .h = H(nvmet_p2pmem_use), .id = id, .opcode = 2 };

	perfetto_add(&perfetto, &r);
}

static void map(uint64_t id)
{
	struct p2ptrace_p2pdma_map r = {
		.h = H(p2pdma_map), .client.s = "c", .id = id, .dma_addr = id, .size = 512,
		.map = 2,
	};

	perfetto_add(&perfetto, &r);
}

static void unmap(uint64_t id)
{
	struct p2ptrace_p2pdma_unmap r = {
		.h = H(p2pdma_unmap), .client.s = "c", .id = id, .dma_addr = id,
	};

	perfetto_add(&perfetto, &r);
}

static void freed(uint64_t id)
{
	struct p2ptrace_p2pmem_free r = { .h = H(p2pmem_free), .dev.s = "p2pmem0", .id = id };

	perfetto_add(&perfetto, &r);
}

static void arrows_lead_from_the_request_to_its_buffer_to_dma(void **state)
{
	struct an_event list[64], flows[8];
	size_t nr, found = 0;

	(void)state;
	alloc(17);
	use(17);
	map(17);
	unmap(17);
	freed(17);
	perfetto_end(&perfetto);
	nr = read_events(list, ARRAY_LEN(list));
	for (size_t i = 0; i < nr; i++)
		if (list[i].flow == 17)
			flows[found++] = list[i];
	assert_int_equal(found, 3);
	assert_string_equal(flows[0].name, "read nsid 0 qid 0 cid 0");
	assert_string_equal(flows[1].name, "buffer 17 (4.00K)");
	assert_string_equal(flows[2].name, "map 17 (512)");
	assert_int_equal(flows[0].ts, 2010);
	assert_int_equal(flows[2].ts, 2030);
}

static void slices_of_a_track_do_not_overlap(void **state)
{
	static struct an_event list[4096];
	uint64_t open[256] = {}, begun = 0, ended = 0;
	size_t nr;

	(void)state;
	for (uint64_t id = 1; id <= 200; id++) {
		alloc(id);
		map(id);
		if (id % 3) {
			unmap(id);
			freed(id);
		}
		if (id % 7 == 0 && id % 3) {
			/* Ends without a beginning */
			unmap(id + 1000);
			freed(id + 1000);
		}
	}
	perfetto_end(&perfetto);
	nr = read_events(list, ARRAY_LEN(list));
	for (size_t i = 0; i < nr; i++) {
		assert_true(list[i].track && list[i].track < ARRAY_LEN(open));
		if (list[i].type == 1) {
			assert_int_equal(open[list[i].track]++, 0);
			begun++;
		} else if (list[i].type == 2) {
			assert_int_equal(--open[list[i].track], 0);
			ended++;
		}
	}
	assert_int_equal(begun, 400);
	assert_int_equal(ended, 2 * 134);
}

static void counters_add_up(void **state)
{
	struct an_event list[64];
	uint64_t most = 0, last = 1;
	size_t nr;

	(void)state;
	alloc(1);
	alloc(2);
	freed(1);
	freed(2);
	perfetto_end(&perfetto);
	nr = read_events(list, ARRAY_LEN(list));
	for (size_t i = 0; i < nr; i++) {
		if (list[i].type != 4)
			continue;
		last = list[i].counter;
		if (last > most)
			most = last;
	}
	assert_int_equal(most, 8192);
	assert_int_equal(last, 0);
}

/* A buffer counts once, however many mappings it has. */
static void a_buffer_is_pinned_while_it_is_mapped(void **state)
{
	struct p2ptrace_p2pdma_map other = { .client.s = "d", .id = 1, .size = 512 };
	struct an_event list[64];
	char values[256] = "";
	uint64_t pinned = 0;
	size_t nr;

	(void)state;
	alloc(1);
	map(1);
	other.h = (struct p2ptrace_header)H(p2pdma_map);
	perfetto_add(&perfetto, &other);
	unmap(1);
	alloc(2);
	map(2);
	unmap(2);
	/* As if the end of its mapping was lost */
	freed(1);
	perfetto_end(&perfetto);
	nr = read_events(list, ARRAY_LEN(list));
	/* The counter that changes with the first mapping, after that of the client */
	for (size_t i = 0; i < nr; i++) {
		if (list[i].type == 4 && list[i].ts == 2020)
			pinned = list[i].track;
		if (list[i].type == 4 && list[i].track == pinned)
			sprintf(values + strlen(values), "%llu:%llu ",
				(unsigned long long)list[i].ts,
				(unsigned long long)list[i].counter);
	}
	assert_non_null(strstr(read_tracks(), "p2pmem0/bytes pinned in bytes"));
	assert_string_equal(strstr(values, "2020:4096 ") ?: "none",
			    "2020:4096 2060:8192 2070:4096 2080:0 ");
}

static void the_rest_are_instants_of_their_device(void **state)
{
	struct p2ptrace_nvmet_p2pmem_fallback fallback = { .h = H(nvmet_p2pmem_fallback) };
	struct p2ptrace_p2pdma_decide decide = { .h = H(p2pdma_decide), .client.s = "c\xff" };
	uint64_t per_cpu[] = { 4 };
	struct an_event list[16];

	(void)state;
	recording.lost = (struct lost){ .total = 4, .per_cpu = per_cpu, .nr_cpus = 1 };
	perfetto_add(&perfetto, &fallback);
	perfetto_add(&perfetto, &decide);
	perfetto_end(&perfetto);
	assert_int_equal(read_events(list, ARRAY_LEN(list)), 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(list[i].type, 3);
	assert_string_equal(list[0].name, "nvmet_p2pmem_fallback");
	assert_string_equal(list[2].name, "lost events");
	assert_int_not_equal(list[0].track, list[1].track);
}

static void each_device_has_its_tracks(void **state)
{
	(void)state;
	alloc(1);
	use(1);
	map(1);
	alloc(2);
	map(2);
	unmap(1);
	freed(1);
	/* The lane of the first is free again */
	alloc(3);
	freed(3);
	perfetto_end(&perfetto);
	assert_string_equal(read_tracks(),
			    "p2pmem0; p2pmem0/bytes held in bytes; NVMe target; "
			    "NVMe target/requests; p2pmem0/buffers; c; c/DMA mappings; "
			    "c/bytes mapped in bytes; p2pmem0/bytes pinned in bytes; "
			    "p2pmem0/buffers; c/DMA mappings");
}

static void a_device_has_the_name_that_people_use(void **state)
{
	struct p2ptrace_p2pdma_decide decide = {
		.h = H(p2pdma_decide), .client.s = "0000:03:00.0",
	};
	struct function *function;

	(void)state;
	machine_init(&recording.machine);
	function = machine_add_function(&recording.machine, "0000:03:00.0");
	assert_non_null(function);
	strcpy(function->names[0], "nvme0");
	function->nr_names = 1;
	recording.has_machine = true;
	perfetto_add(&perfetto, &decide);
	perfetto_end(&perfetto);
	assert_string_equal(read_tracks(), "0000:03:00.0 (nvme0)");
	machine_free(&recording.machine);
}

/* All other packets have the clock from the first one, which ties it to the time of day. */
static void times_are_of_the_clock_of_the_events(void **state)
{
	struct wire w = { (unsigned char *)out.data, (unsigned char *)out.data + out.len };
	struct wire packet, part, clock;
	uint64_t value, number = 0, clocks[4] = {};
	unsigned int field, seen = 0;

	(void)state;
	assert_true(next(&w, &field, &value, &packet));
	while (next(&packet, &field, &value, &part)) {
		if (field == 13) {
			/* SEQ_INCREMENTAL_STATE_CLEARED */
			assert_int_equal(value, 1);
			seen |= 1;
		} else if (field == 59) {
			assert_true(next(&part, &field, &value, NULL));
			assert_int_equal(field, 58);
			assert_int_equal(value, 3);
			seen |= 2;
		} else if (field == 6) {
			while (next(&part, &field, &value, &clock)) {
				if (field == 2)
					assert_int_equal(value, 3);
				while (field == 1 && next(&clock, &field, &value, NULL)) {
					if (field == 1)
						number = value;
					assert_true(number < ARRAY_LEN(clocks));
					clocks[number] = value;
					field = 1;
				}
			}
			seen |= 4;
		}
	}
	assert_int_equal(seen, 7);
	/* BUILTIN_CLOCK_REALTIME, BUILTIN_CLOCK_MONOTONIC */
	assert_int_equal(clocks[1], 5000);
	assert_int_equal(clocks[3], 1000);
}

static void an_event_has_the_fields_of_its_record(void **state)
{
	struct p2ptrace_p2pdma_decide decide = {
		.h = H(p2pdma_decide), .provider.s = "p", .client.s = "c", .map = 2, .distance = -1,
		.reason = 77,
	};
	struct p2ptrace_p2pmem_mmap mmap = {
		.h = H(p2pmem_mmap), .dev.s = "p2pmem0", .size = 8192, .allowed = 5,
	};
	struct p2ptrace_p2pmem_find find = {
		.h = H(p2pmem_find), .dev.s = "p2pmem0", .clients = 2, .err = -12,
	};
	struct an_event list[8];

	(void)state;
	decide.h.pid = 4711;
	decide.h.cpu = 3;
	perfetto_add(&perfetto, &decide);
	perfetto_add(&perfetto, &mmap);
	perfetto_add(&perfetto, &find);
	recording.set.stock = true;
	perfetto_add(&perfetto, &decide);
	perfetto_end(&perfetto);
	assert_int_equal(read_events(list, ARRAY_LEN(list)), 4);
	assert_string_equal(list[0].fields, "provider=p client=c map=bus_addr distance=-1 "
			    "reason=unknown(77) blocker= pid=4711 cpu=3 comm=fio ");
	/* A stock kernel has no reasons; the same time, so it comes second */
	assert_string_equal(list[1].fields, "provider=p client=c map=bus_addr distance=-1 "
			    "pid=4711 cpu=3 comm=fio ");
	assert_string_equal(list[2].fields, "dev=p2pmem0 size=8192 allowed=true pid=0 cpu=0 "
			    "comm=fio ");
	assert_string_equal(list[3].fields, "dev=p2pmem0 clients=2 candidates=0 distance=0 "
			    "err=-12 pid=0 cpu=0 comm=fio ");
}

/* The event that begins or ends something on a track, by its number. */
static const struct an_event *nth(const struct an_event *list, size_t nr, uint64_t type, size_t n)
{
	for (size_t i = 0; i < nr; i++)
		if (list[i].type == type && !n--)
			return &list[i];
	fail_msg("there is no such event");
	return NULL;
}

static void a_buffer_that_is_freed_while_mapped_lasts_until_its_memory_returns(void **state)
{
	struct p2ptrace_p2pmem_free pinned = {
		.dev.s = "p2pmem0", .id = 5, .pins = 1,
	};
	struct p2ptrace_p2pmem_reclaim reclaim = { .dev.s = "p2pmem0", .id = 5 };
	struct an_event list[16];
	size_t nr;

	(void)state;
	alloc(5);
	map(5);
	pinned.h = (struct p2ptrace_header)H(p2pmem_free);
	perfetto_add(&perfetto, &pinned);
	unmap(5);
	reclaim.h = (struct p2ptrace_header)H(p2pmem_reclaim);
	perfetto_add(&perfetto, &reclaim);
	/* Again, as if a file had it: there is nothing to end */
	perfetto_add(&perfetto, &reclaim);
	perfetto_end(&perfetto);
	nr = read_events(list, ARRAY_LEN(list));
	assert_string_equal(nth(list, nr, 3, 0)->name, "p2pmem_free");
	assert_int_equal(nth(list, nr, 2, 0)->ts, 2040);
	assert_int_equal(nth(list, nr, 2, 1)->ts, 2050);
	assert_int_equal(nth(list, nr, 2, 1)->track, nth(list, nr, 1, 0)->track);
}

static void a_buffer_that_is_still_held_has_no_end(void **state)
{
	struct an_event list[16];
	size_t nr;

	(void)state;
	alloc(5);
	perfetto_end(&perfetto);
	nr = read_events(list, ARRAY_LEN(list));
	assert_int_equal(nr, 2);
	assert_string_equal(nth(list, nr, 1, 0)->name, "buffer 5 (4.00K)");
}

/* A stock kernel's ids are addresses, and the free of the older buffer may be missed. */
static void an_id_that_is_allocated_again_ends_the_older_buffer(void **state)
{
	struct an_event list[16];
	size_t nr;

	(void)state;
	alloc(5);
	alloc(5);
	freed(5);
	perfetto_end(&perfetto);
	nr = read_events(list, ARRAY_LEN(list));
	assert_int_equal(nth(list, nr, 1, 0)->ts, 2010);
	assert_int_equal(nth(list, nr, 2, 0)->ts, 2020);
	assert_int_equal(nth(list, nr, 1, 1)->ts, 2020);
	assert_int_equal(nth(list, nr, 2, 1)->ts, 2030);
	assert_int_equal(nth(list, nr, 4, 3)->counter, 0);
}

static void what_has_no_beginning_or_a_second_one_is_an_instant(void **state)
{
	struct an_event list[16];
	size_t nr;

	(void)state;
	unmap(8);
	use(8);
	map(9);
	map(9);
	perfetto_end(&perfetto);
	nr = read_events(list, ARRAY_LEN(list));
	assert_string_equal(nth(list, nr, 3, 0)->name, "p2pdma_unmap");
	assert_string_equal(nth(list, nr, 3, 1)->name, "nvmet_p2pmem_use");
	assert_string_equal(nth(list, nr, 3, 2)->name, "p2pdma_map");
	assert_string_equal(nth(list, nr, 1, 0)->name, "map 9 (512)");
	assert_int_equal(nr, 5);
}

static void dma_bufs_have_arrows_of_their_own(void **state)
{
	struct p2ptrace_dma_buf_export exported = {
		.h = H(dma_buf_export), .id = 7, .exporter.s = "vfio-pci", .size = 1 << 20,
	};
	struct p2ptrace_p2pdma_map mapped = {
		.h = H(p2pdma_map), .client.s = "c", .id = 7, .size = 4096,
		.kind = P2PTRACE_KIND_DMABUF,
	};
	struct p2ptrace_dma_buf_release release = { .h = H(dma_buf_release), .id = 7 };
	struct p2ptrace_dma_buf_pin pin = { .h = H(dma_buf_pin), .id = 7, .client.s = "c" };
	struct an_event list[16];
	size_t nr;

	(void)state;
	perfetto_add(&perfetto, &exported);
	perfetto_add(&perfetto, &mapped);
	perfetto_add(&perfetto, &release);
	perfetto_add(&perfetto, &release);
	perfetto_add(&perfetto, &pin);
	perfetto_end(&perfetto);
	nr = read_events(list, ARRAY_LEN(list));
	assert_string_equal(nth(list, nr, 1, 0)->name, "dma-buf 7 (1.00M)");
	assert_string_equal(nth(list, nr, 1, 1)->name, "map 7 (4.00K)");
	assert_true(nth(list, nr, 1, 0)->flow == nth(list, nr, 1, 1)->flow);
	/* Not the flow of a buffer with the same id */
	assert_true(nth(list, nr, 1, 0)->flow != 7);
	assert_int_equal(nth(list, nr, 2, 0)->ts, release.h.ts_ns);
	assert_string_equal(nth(list, nr, 3, 0)->name, "dma_buf_pin");
	assert_string_equal(read_tracks(), "dma-bufs vfio-pci; dma-bufs vfio-pci/buffers; c; "
			    "c/DMA mappings; c/bytes mapped in bytes");
}

/* A device has only so many tracks; what finds none is counted, and its counter is right. */
static void more_slices_than_tracks_are_left_out_and_counted(void **state)
{
	static struct an_event list[4096];
	size_t nr, begun = 0;

	(void)state;
	for (uint64_t id = 1; id <= 600; id++)
		alloc(id);
	for (uint64_t id = 1; id <= 600; id++)
		freed(id);
	perfetto_end(&perfetto);
	nr = read_events(list, ARRAY_LEN(list));
	for (size_t i = 0; i < nr; i++)
		begun += list[i].type == 1;
	/* A buffer is shown when it ends, so only one has a track at a time */
	assert_int_equal(begun, 600);
	assert_int_equal(perfetto.left_out, 0);
	teardown(NULL);
	assert_int_equal(setup(NULL), 0);
	for (uint64_t id = 1; id <= 600; id++) {
		alloc(id);
		map(id);
	}
	perfetto_end(&perfetto);
	nr = read_events(list, ARRAY_LEN(list));
	begun = 0;
	for (size_t i = 0; i < nr; i++)
		begun += list[i].type == 1;
	assert_int_equal(begun, 2 * 512);
	assert_int_equal(perfetto.left_out, 2 * 88);
}

/* A file can have any number of names. */
static void more_devices_than_groups_are_left_out_and_counted(void **state)
{
	struct p2ptrace_p2pdma_decide decide = { .h = H(p2pdma_decide) };

	(void)state;
	for (int i = 0; i < 4096 + 7; i++) {
		snprintf(decide.client.s, sizeof(decide.client.s), "c%d", i);
		perfetto_add(&perfetto, &decide);
		out.len = 0;
	}
	assert_int_equal(perfetto.left_out, 7);
}

#define PERFETTO_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	PERFETTO_TEST(arrows_lead_from_the_request_to_its_buffer_to_dma),
	PERFETTO_TEST(slices_of_a_track_do_not_overlap),
	PERFETTO_TEST(counters_add_up),
	PERFETTO_TEST(a_buffer_is_pinned_while_it_is_mapped),
	PERFETTO_TEST(the_rest_are_instants_of_their_device),
	PERFETTO_TEST(each_device_has_its_tracks),
	PERFETTO_TEST(a_device_has_the_name_that_people_use),
	PERFETTO_TEST(times_are_of_the_clock_of_the_events),
	PERFETTO_TEST(an_event_has_the_fields_of_its_record),
	PERFETTO_TEST(a_buffer_that_is_freed_while_mapped_lasts_until_its_memory_returns),
	PERFETTO_TEST(a_buffer_that_is_still_held_has_no_end),
	PERFETTO_TEST(an_id_that_is_allocated_again_ends_the_older_buffer),
	PERFETTO_TEST(what_has_no_beginning_or_a_second_one_is_an_instant),
	PERFETTO_TEST(dma_bufs_have_arrows_of_their_own),
	PERFETTO_TEST(more_slices_than_tracks_are_left_out_and_counted),
	PERFETTO_TEST(more_devices_than_groups_are_left_out_and_counted),
};

UNIT_MAIN(tests)
