// SPDX-License-Identifier: GPL-2.0
/* The page of text: what it says about a recording, and that it stays one page. */

#include "event/recorded.h"
#include "event/blind.h"
#include "event/html.h"
#include "event/page.h"

static void sizes_have_three_digits(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0" }, { 512, "512" }, { 1023, "1023" }, { 1024, "1.00K" },
		{ 10240, "10.0K" }, { 102400, "100K" }, { 1023 << 10, "1023K" },
		{ (1024 << 10) - 1, "1.00M" }, { 8 << 20, "8.00M" }, { 1ull << 40, "1.00T" },
		{ UINT64_MAX, "16.0E" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char text[16];

		page_size(sizes[i].bytes, text, sizeof(text));
		assert_string_equal(text, sizes[i].text);
	}
}

static void labels_name_the_device_and_are_printable(void **state)
{
	static const struct {
		const char *name, *label;
	} names[] = {
		{ SSD, "0000:03:00.0 (nvme0)" }, { NIC, NIC }, { "", "-" },
		{ "a\x1b[2J", "a\\x1b[2J" },
	};

	(void)state;
	with_machine(0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct p2ptrace_name name = {};
		char label[PAGE_LABEL_LEN];

		memcpy(name.s, names[i].name, strlen(names[i].name));
		page_label(label, sizeof(label), &recording, &name);
		assert_string_equal(label, names[i].label);
	}
}

static void the_head_says_what_the_figures_rest_on(void **state)
{
	char *argv[] = { (char []){ "fio" }, (char []){ "a\x1bjob" }, NULL };
	uint64_t per_cpu[] = { 0, 7 };

	(void)state;
	recording.name = "x.rec";
	strcpy(recording.about.release, "6.12.1");
	strcpy(recording.about.arch, "x86_64");
	strcpy(recording.about.tool, "0.1");
	recording.about.start_real_ns = 1700000000000000000;
	recording.about.ring_bytes = 1 << 20;
	recording.about.pid = 77;
	recording.about.min_size = 4096;
	strcpy(recording.about.dev, "p2pmem0");
	strcpy(recording.about.client, "c");
	strcpy(recording.about.comm, "fio");
	recording.events = 1;
	strcpy(recording.trouble, "it is cut");
	recording.ended = true;
	recording.end = (struct recording_end){
		.end_ns = 2500001000, .why = "SIGUSR1", .argv = argv, .wait_status = 9,
	};
	recording.lost = (struct lost){ .total = 7, .per_cpu = per_cpu, .nr_cpus = 2 };
	recording.set.has[P2PTRACE_p2pdma_unmap] = true;
	blind_add(&recording.set, P2PTRACE_p2pdma_unmap, "it is inlined");
	page_text(&out, &recording, summary);
	assert_shown("Recording x.rec: Linux 6.12.1 x86_64, p2ptrace 0.1, mode tracepoint\n"
		     "2023-11-14 22:13:20 UTC, 2.500 s, 1 event; ended: SIGUSR1 (flight recorder: "
		     "only the last events)\n"
		     "Only events of device p2pmem0 of client c in tasks named fio in process 77 "
		     "of at least 4096 bytes were recorded\n"
		     "Command: fio a\\x1bjob (killed by signal 9)\n"
		     "NOT WHOLE: it is cut\n");
	assert_shown("it is inlined");
	assert_shown("LOST: 7 events (cpu1 7); the figures below are too low\n");
	buffer_reset(&out);
	recording.end.wait_status = 2 << 8;
	recording.lost.total = 0;
	*recording.trouble = '\0';
	page_text(&out, &recording, summary);
	assert_shown("Command: fio a\\x1bjob (exit status 2)\n");
	assert_shown("\nLost: none\n");
	assert_int_equal(count("NOT WHOLE"), 0);
}

static void pairs_come_by_bytes(void **state)
{
	(void)state;
	with_machine(0);
	map("few", SSD, 4096);
	map(NIC, SSD, 1 << 20);
	unmap_last(NIC, SSD);
	map(NIC, SSD, 1 << 20);
	map_as(NIC, FAR, 8192, 3);
	page_text(&out, &recording, summary);
	assert_shown("\nDMA mappings of peer memory: how much, and how much of it clients read "
		     "and wrote\n");
	assert_shown("     2.00M    2.00M        0          2 ");
	assert_shown(" bus_addr          sg      0000:04:00.0 -> 0000:03:00.0 (nvme0)\n");
	assert_shown(" thru_host_bridge  sg      0000:04:00.0 -> 0000:81:00.0\n");
	assert_true(strstr(out.data, "   2.00M ") < strstr(out.data, "   8.00K "));
	assert_true(strstr(out.data, "   8.00K ") < strstr(out.data, "   4.00K "));
	/* Not unmapped, so there is no time */
	assert_shown("  4.00K    4.00K        0          1        -        -  bus_addr          "
		     "sg      few -> ");
	assert_shown("Still held at the end: 0 buffers (0), 3 DMA mappings, 0 dma-bufs\n");
}

static void a_page_has_a_limit(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < 20; i++) {
		if (i == 16) {
			page_text(&out, &recording, summary);
			assert_int_equal(count(" more, which"), 0);
			buffer_reset(&out);
		}
		snprintf(name, sizeof(name), "c%d", i);
		map(name, "p", 4096);
		decide(name, "p", 1, 6);
		dmabuf_map(name, "p", P2PTRACE_WHERE_RAM, 0);
		alloc(1 + i, 4096);
		exported(1 + i, 4096);
	}
	summary->not_followed = 5;
	page_text(&out, &recording, summary);
	/* Pairs, dma-bufs, decisions */
	assert_int_equal(count("  and 4 more, which are in the JSON of this report\n"), 3);
	assert_int_equal(count("host_bridge_unknown: they share no PCI bridge"), 4);
	assert_int_equal(count("  p2pmem0 id="), 8);
	assert_int_equal(count("  vfio-pci id="), 8);
	assert_shown("\n5 events could not be followed: there were too many buffers, mappings or "
		     "devices at a time\n");
	assert_shown("Still held at the end: 20 buffers (80.0K), 20 DMA mappings, 20 dma-bufs\n");
}

static void dma_bufs_say_where_their_memory_is(void **state)
{
	(void)state;
	dmabuf_map("c", "g", P2PTRACE_WHERE_BAR, 2);
	page_text(&out, &recording, summary);
	assert_shown("\nMappings of dma-bufs\n");
	assert_shown("     8.00K          1  bar      bus_addr          c -> g\n");
	buffer_reset(&out);
	dmabuf_map("d", "", P2PTRACE_WHERE_RAM, 0);
	page_text(&out, &recording, summary);
	assert_shown("     8.00K          1  ram      -                 d -> -\n");
}

static void decisions_have_remedies_unless_they_are_direct(void **state)
{
	struct p2ptrace_p2pdma_decide blocked = {
		.h = H(p2pdma_decide), .provider.s = SSD, .client.s = NIC, .map = 1, .reason = 4,
		.blocker.s = "0000:02:00.0",
	};

	(void)state;
	with_machine(0x0c);
	decide("x", "y", 2, 77);
	add(&blocked);
	page_text(&out, &recording, summary);
	assert_shown("\nDecisions of the kernel\n");
	assert_shown("  not_supported     0000:04:00.0 -> 0000:03:00.0 (nvme0), "
		     "acs_redirect_blocked at 0000:02:00.0\n              acs_redirect_blocked: ");
	assert_shown("              "
		     "    setpci -s 0000:02:00.0 ECAP_ACS+6.w=0:");
	assert_shown("  bus_addr          x -> y, unknown(77)\n\n");
	/* Text is wrapped; commands are not, because they are pasted */
	for (const char *line = out.data; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strcspn(line, "\n") > 110 && strncmp(line, "                  ", 18))
			fail_msg("too wide: %.200s", line);
	}
	/* A stock kernel gives no reason, but the machine is known */
	buffer_reset(&out);
	recording.set.stock = true;
	page_text(&out, &recording, summary);
	assert_int_equal(count("acs_redirect_blocked"), 0);
	assert_shown("setpci -s 0000:02:00.0");
	/* Without the machine, there is the reason alone */
	buffer_reset(&out);
	recording.set.stock = false;
	recording.has_machine = false;
	page_text(&out, &recording, summary);
	assert_shown("acs_redirect_blocked: ");
	assert_int_equal(count("setpci"), 0);
}

static void mappings_that_are_refused_again_are_told_from_decisions(void **state)
{
	struct p2ptrace_p2pdma_decide refused = {
		.h = H(p2pdma_decide), .provider.s = SSD, .client.s = NIC, .map = 1, .distance = 6,
	};

	(void)state;
	recording.set.stock = true;
	add(&refused);
	refused.cached = 1;
	refused.distance = -1;
	add(&refused);
	add(&refused);
	page_text(&out, &recording, summary);
	assert_shown("           1  not_supported     0000:04:00.0 -> 0000:03:00.0\n");
	assert_shown("           2  not_supported     0000:04:00.0 -> 0000:03:00.0, by an earlier "
		     "decision\n");
	buffer_reset(&out);
	html_page(&out, &recording, summary);
	assert_shown("<td>not_supported</td><td>-</td><td class=\"n\">6</td>"
		     "<td class=\"n\">1</td>");
	assert_shown("<td>not_supported</td><td>an earlier decision</td><td class=\"n\">-</td>"
		     "<td class=\"n\">2</td>");
}

static void fallbacks_have_a_next_step(void **state)
{
	(void)state;
	fell_back(2, 4096);
	fell_back(2, 4096);
	fell_back(9, 1);
	alloc_failed("p2pmem0", 3, 1 << 20);
	page_text(&out, &recording, summary);
	assert_shown("\nRequests of the NVMe target that fell back to system memory\n");
	assert_shown("     8.00K          2  no_memory: the peer memory is full; use a larger "
		     "provider, or see p2ptrace leaks\n");
	assert_shown("         1          1  new\n");
	assert_shown("\nAllocations of peer memory that failed\n     1.00M          1  p2pmem0 "
		     "no_space\n");
	buffer_reset(&out);
	recording.set.stock = true;
	page_text(&out, &recording, summary);
	assert_shown("  (this kernel has no reason)\n");
	assert_int_equal(count("no_space"), 0);
}

static void each_reason_of_a_fallback_is_explained(void **state)
{
	static const char *const reasons[] = {
		"no_binding", "no_memory", "removed", "too_small", "cpu_access", "inline_data",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		assert_string_not_equal(page_fallback_step(reasons[i]), "");
	assert_string_equal(page_fallback_step("other"), "");
}

static void times_and_what_is_held_are_by_device(void **state)
{
	(void)state;
	summary_before(summary, 99);
	for (int i = 0; i < 3; i++) {
		alloc(1, 4096);
		now_ns += 999950;
		freed(1, 0);
	}
	alloc(7, 4096);
	freed(7, 1);
	now_ns += 2 * NSEC_PER_SEC;
	decide("c", "p", 2, 0);
	page_text(&out, &recording, summary);
	assert_shown("\nHow long buffers were held\n     buffers      p50      p95      p99      "
		     "max  device\n           3 ");
	assert_shown("   1.00ms  p2pmem0\n");
	assert_shown("Still held at the end: 1 buffer (4.00K), 0 DMA mappings, 0 dma-bufs\n"
		     "  and 1 buffer allocated before\n"
		     "     4.00K  p2pmem0 id=7 for 2.00s, by <i>-42, freed and still mapped\n");
}

#define PAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	PAGE_TEST(sizes_have_three_digits),
	PAGE_TEST(labels_name_the_device_and_are_printable),
	PAGE_TEST(the_head_says_what_the_figures_rest_on),
	PAGE_TEST(pairs_come_by_bytes),
	PAGE_TEST(a_page_has_a_limit),
	PAGE_TEST(dma_bufs_say_where_their_memory_is),
	PAGE_TEST(decisions_have_remedies_unless_they_are_direct),
	PAGE_TEST(mappings_that_are_refused_again_are_told_from_decisions),
	PAGE_TEST(fallbacks_have_a_next_step),
	PAGE_TEST(each_reason_of_a_fallback_is_explained),
	PAGE_TEST(times_and_what_is_held_are_by_device),
};

UNIT_MAIN(tests)
