// SPDX-License-Identifier: GPL-2.0
/* The web page of a recording: whatever names a file has, they are text. */

#include "event/recorded.h"
#include "event/blind.h"
#include "event/html.h"
#include "event/page.h"

static void names_are_text_whatever_they_are(void **state)
{
	struct p2ptrace_p2pmem_alloc held = {
		.h = { .ts_ns = 5000, .event = P2PTRACE_p2pmem_alloc, .comm = "</td><b>" },
		.dev.s = "<script>x</script>", .id = 1, .size = 4096,
	};

	(void)state;
	map("<img src=x onerror=y>", "\"><svg/onload=z>", 4096);
	map("\x1b\xff", "p&q", 10);
	add(&held);
	html_page(&out, &recording, summary);
	assert_false(out.failed);
	assert_int_equal(count("<script"), 0);
	assert_int_equal(count("<img"), 0);
	assert_int_equal(count("<svg/"), 0);
	assert_int_equal(count("<b>"), 0);
	assert_int_equal(count("\x1b"), 0);
	assert_int_equal(count("\xff"), 0);
	assert_true(count("&lt;img src=x onerror=y&gt;") > 2);
	assert_true(count("p&amp;q") > 1);
	assert_shown("<title>Peer-to-peer DMA: a&lt;b&gt;.rec</title>");
}

static void nothing_is_loaded(void **state)
{
	(void)state;
	map("c", "p", 4096);
	html_page(&out, &recording, summary);
	assert_int_equal(count("http://") + count("https://") + count("src=") + count("url("), 0);
	assert_shown("content=\"default-src 'none'; style-src");
	assert_shown("prefers-color-scheme:dark");
	assert_shown("<html lang=\"en\">");
}

static void a_pair_is_a_line_and_a_row(void **state)
{
	(void)state;
	map("c1", "p", 3 << 20);
	map("c2", "p", 1 << 20);
	html_page(&out, &recording, summary);
	/* The widest is 16 wide, the other one of a third of the bytes less */
	assert_shown("class=\"pair s-bus\" stroke-width=\"16.0\" tabindex=\"0\"");
	assert_shown("class=\"pair s-bus\" stroke-width=\"6.7\"");
	assert_shown("aria-label=\"c1 to memory of p, bus_addr: direct, through "
			       "a switch: 3.00MB in 1 mapping\"");
	assert_shown("<tr><td>c1</td><td>p</td><td>bus_addr</td>");
}

static void a_refusal_has_its_reason(void **state)
{
	(void)state;
	decide("c", "p", 1, 6);
	html_page(&out, &recording, summary);
	assert_shown("class=\"pair s-no\"");
	assert_shown("<pre>host_bridge_unknown: they share no PCI bridge, and the");
}

/* The page has sums: it does not grow with the number of events, and little with that of pairs. */
static void the_page_is_small_whatever_was_recorded(void **state)
{
	char client[32], provider[32];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		snprintf(client, sizeof(client), "client<%d>", i % 1000);
		snprintf(provider, sizeof(provider), "provider<%d>", i % 900);
		map(client, provider, 4096);
	}
	html_page(&out, &recording, summary);
	assert_false(out.failed);
	assert_true(out.len < 400000);
	assert_shown("more, which are in the JSON of this report");
}

static void an_empty_recording_is_a_page(void **state)
{
	(void)state;
	strcpy(recording.trouble, "it is cut");
	html_page(&out, &recording, summary);
	assert_shown("The file is not whole: it is cut.");
	assert_shown("</html>");
	buffer_reset(&out);
	page_text(&out, &recording, summary);
	assert_shown("NOT WHOLE: it is cut\n");
}

/* Bridges above a device are shown, those without traffic are not. */
static void devices_are_drawn_as_a_tree(void **state)
{
	(void)state;
	with_machine(0);
	map(NIC, SSD, 4096);
	map("elsewhere", SSD, 10);
	html_page(&out, &recording, summary);
	/* By depth: 22 pixels each, from the host bridge on */
	assert_shown("<text x=\"6\" y=\"18\">host bridge pci0000:00 ");
	assert_shown("<text x=\"28\" y=\"44\">0000:00:01.0 <tspan class=\"dim\">root port</tspan>");
	assert_shown("<text x=\"50\" y=\"70\">0000:01:00.0 <tspan class=\"dim\">switch upstream "
		     "port</tspan>");
	assert_shown("<text x=\"72\" y=\"96\">0000:02:00.0 ");
	assert_shown("<text x=\"94\" y=\"122\">0000:03:00.0 (nvme0) <tspan class=\"dim\">"
		     "nvme</tspan>");
	assert_shown("<text x=\"72\" y=\"148\">0000:02:01.0 ");
	assert_shown("<text x=\"94\" y=\"174\">0000:04:00.0 <tspan class=\"dim\">"
		     "&lt;mlx5&gt;</tspan>");
	/* A device that the machine does not have, at the left */
	assert_shown("<text x=\"6\" y=\"200\">elsewhere ");
	assert_int_equal(count("pci0000:80"), 0);
	assert_int_equal(count("<path class=\"pair "), 2);
	/* From the client to the provider */
	assert_int_equal(count(" 169C"), 1);
	assert_shown("0000:04:00.0 to memory of 0000:03:00.0 (nvme0), bus_addr: direct, through a "
		     "switch: 4.00KB in 1 mapping");
}

static void two_host_bridges_are_two_trees(void **state)
{
	(void)state;
	with_machine(0);
	map_as(FAR, SSD, 4096, 3);
	map(SSD, SSD, 5);
	html_page(&out, &recording, summary);
	assert_shown(">host bridge pci0000:00 ");
	assert_shown(">host bridge pci0000:80 ");
	assert_shown("class=\"pair s-host\" stroke-width=\"16.0\"");
	assert_shown("thru_host_bridge: through the host bridge</li>");
	/* One device with itself is a line, too: it ends 8 pixels below its beginning */
	assert_int_equal(count("class=\"pair s-bus\""), 1);
	assert_int_equal(count(" 117C"), 1);
	assert_int_equal(count(" 125\" aria-label"), 1);
}

static void a_host_bridge_has_one_tree_whatever_is_below_it(void **state)
{
	(void)state;
	with_machine(0);
	with_function("0000:00:02.0", NONE, 0, TYPE_ROOT_PORT);
	with_function("0000:05:00.0", recording.machine.nr - 1, 0, TYPE_ENDPOINT);
	map("0000:05:00.0", SSD, 4096);
	html_page(&out, &recording, summary);
	assert_int_equal(count(">host bridge pci0000:00 "), 1);
	assert_int_equal(count(">0000:05:00.0 <tspan"), 1);
}

static void several_lines_of_a_pair_do_not_cover_each_other(void **state)
{
	size_t at[2];

	(void)state;
	map_as("c", "p", 4096, 2);
	map_as("c", "p", 4096, 3);
	html_page(&out, &recording, summary);
	assert_int_equal(count("<path class=\"pair "), 2);
	for (int i = 0; i < 2; i++) {
		char *line = strstr(out.data, i ? "class=\"pair s-host" : "class=\"pair s-bus");

		assert_non_null(line);
		at[i] = strtoul(strchr(strstr(line, " d=\"M"), 'C') + 1, NULL, 10);
	}
	assert_int_equal(at[1] > at[0] ? at[1] - at[0] : at[0] - at[1], 24);
}

static void a_dma_buf_in_system_memory_is_a_line_of_its_own(void **state)
{
	(void)state;
	exported(1, 8192);
	dmabuf_map("c", "g", P2PTRACE_WHERE_RAM, 0);
	dmabuf_map("c", "g", P2PTRACE_WHERE_BAR, 2);
	dmabuf_map("c", "", P2PTRACE_WHERE_RAM, 0);
	html_page(&out, &recording, summary);
	assert_shown("<a href=\"#dmabufs\">");
	assert_shown("<h2 id=\"dmabufs\">dma-bufs</h2>");
	assert_int_equal(count("<path class=\"pair "), 1);
	assert_shown("class=\"pair s-ram\"");
	assert_shown("<tr><td>c</td><td>g</td><td>ram</td><td>-</td><td class=\"n\">8.00K</td>"
		     "<td class=\"n\">1</td></tr>");
	assert_shown("<td>bar</td><td>bus_addr</td>");
	assert_shown("1 dma-bufs");
	assert_shown("<tr><td>dma-buf</td><td>vfio-pci</td>");
}

static void fallbacks_have_a_next_step(void **state)
{
	(void)state;
	fell_back(2, 4096);
	fell_back(2, 4096);
	fell_back(9, 1);
	alloc_failed("p2pmem0", 3, 1 << 20);
	html_page(&out, &recording, summary);
	assert_shown("<a href=\"#fallbacks\">");
	assert_shown("<tr><td>no_memory</td><td class=\"n\">2</td><td class=\"n\">8.00K</td><td>"
		     "the peer memory is full; use a larger provider, or see p2ptrace leaks</td>"
		     "</tr>");
	assert_shown("<tr><td>new</td><td class=\"n\">1</td><td class=\"n\">1</td><td></td></tr>");
	assert_shown("<tr><td>p2pmem0</td><td>no_space</td><td class=\"n\">1</td><td class=\"n\">"
		     "1.00M</td></tr>");
	/* In the time line, a triangle for each interval */
	assert_shown("<title>3 fallbacks</title>");
	assert_shown("a triangle: requests fell back");
	/* A stock kernel has no reasons */
	buffer_reset(&out);
	recording.set.stock = true;
	html_page(&out, &recording, summary);
	assert_shown("<tr><td>this kernel has no reason</td>");
	assert_shown("<tr><td>p2pmem0</td><td>-</td>");
}

static void a_refusal_has_remedies_to_paste(void **state)
{
	(void)state;
	with_machine(0x0c);
	decide(NIC, SSD, 1, 4);
	html_page(&out, &recording, summary);
	assert_shown("<h3>0000:04:00.0 to memory of 0000:03:00.0 (nvme0): not_supported</h3>");
	assert_shown("<pre>acs_redirect_blocked: ");
	assert_shown("pci=disable_acs_redir=0000:02:00.0");
	assert_shown("setpci -s 0000:02:00.0 ECAP_ACS+6.w=0:");
	assert_shown("</pre>");
}

static void the_time_line_has_bars_and_a_table(void **state)
{
	(void)state;
	map_as("c", "p", 4096, 2);
	alloc(1, 3 << 20);
	map_as("c", "p", 1024, 3);
	now_ns += 10 * NSEC_PER_SEC;
	freed(1, 0);
	map_as("c", "p", 2048, 3);
	html_page(&out, &recording, summary);
	assert_shown("aria-label=\"Bytes mapped for DMA, in time\"");
	assert_int_equal(count("<rect class=\"f-bus\" x="), 1);
	assert_int_equal(count("<rect class=\"f-host\" x="), 2);
	/* The first bar is the highest: both parts are 160 pixels; the axis says how much it is */
	assert_shown("y=\"52.0\" width");
	assert_shown("y=\"20.0\" width");
	assert_shown(">5.00K</text>");
	assert_shown("aria-label=\"Bytes of buffers that were held, in time\"");
	assert_shown("<path class=\"f-held\" d=\"M70.0 20.0h");
	assert_shown(">3.00M</text>");
	assert_shown("<td class=\"n\">5.00K</td><td class=\"n\">4.00K</td><td class=\"n\">"
		     "3.00M</td><td class=\"n\">0</td><td class=\"n\">3</td></tr>");
}

static void histograms_are_of_devices_and_pairs(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		alloc(1, 4096);
		now_ns += 1000000;
		freed(1, 0);
	}
	map("c", "p", 4096);
	unmap_last("c", "p");
	html_page(&out, &recording, summary);
	assert_shown("<a href=\"#hist\">");
	assert_shown("<h3>Buffers of p2pmem0 were held for</h3>");
	assert_shown("<td class=\"n\">4</td><td><svg aria-hidden=\"true\" width=\"300\" "
		     "height=\"14\"><rect class=\"f-bus\" width=\"300.0\"");
	assert_shown("<h3>Memory of p was mapped for c for</h3>");
}

static void what_is_held_is_named(void **state)
{
	(void)state;
	summary_before(summary, 99);
	alloc(7, 4096);
	freed(7, 1);
	now_ns += 1000000;
	alloc(8, 4096);
	html_page(&out, &recording, summary);
	assert_shown("<p>2 buffers (8.00K), 0 DMA mappings, 0 dma-bufs, and 1 buffers allocated "
		     "before the recording.</p>");
	assert_shown("<tr><td>buffer</td><td>p2pmem0</td><td class=\"n\">7</td><td class=\"n\">"
		     "4.00K</td>");
	assert_shown("<td>&lt;i&gt;-42 (freed, still mapped)</td></tr>");
	assert_shown("<td>&lt;i&gt;-42</td></tr>");
	assert_int_equal(count("<tr><td>buffer</td>"), 2);
}

static void the_head_says_what_the_figures_rest_on(void **state)
{
	char *argv[] = { (char []){ "fio" }, (char []){ "<job>" }, NULL };
	uint64_t per_cpu[] = { 0, 7 };

	(void)state;
	recording.about.start_real_ns = 1700000000000000000;
	recording.about.ring_bytes = 1 << 20;
	strcpy(recording.about.dev, "p2pmem<0>");
	strcpy(recording.about.client, "c&c");
	strcpy(recording.about.comm, "\"fio\"");
	recording.end = (struct recording_end){
		.argv = argv, .wait_status = 3 << 8, .why = "<why>",
	};
	recording.ended = true;
	recording.lost = (struct lost){ .total = 7, .per_cpu = per_cpu, .nr_cpus = 2 };
	recording.set.has[P2PTRACE_p2pdma_unmap] = true;
	blind_add(&recording.set, P2PTRACE_p2pdma_unmap, "it is <inlined>");
	html_page(&out, &recording, summary);
	assert_shown("<dt>Kernel</dt><dd>Linux 6.12&quot;'&amp; , mode tracepoint</dd>");
	assert_shown("<dt>Start</dt><dd>2023-11-14 22:13:20 UTC</dd>");
	assert_shown("<dt>Command</dt><dd>fio &lt;job&gt; (exit status 3)</dd>");
	assert_shown("<dt>End</dt><dd>&lt;why&gt;</dd>");
	assert_shown("<dt>Only device</dt><dd>p2pmem&lt;0&gt;</dd>");
	assert_shown("<dt>Only client</dt><dd>c&amp;c</dd>");
	assert_shown("<dt>Only tasks named</dt><dd>&quot;fio&quot;</dd>");
	assert_shown("<dt>Flight recorder</dt><dd>only the last events</dd>");
	assert_shown("<p class=\"warn\" role=\"note\">7 events were lost (cpu1 7). The figures are "
		     "too low.</p>");
	assert_shown("it is &lt;inlined&gt;");
	buffer_reset(&out);
	recording.end.wait_status = 9;
	html_page(&out, &recording, summary);
	assert_shown("fio &lt;job&gt; (killed by signal 9)</dd>");
}

/* Each row is something that the browser lays out, so there are only so many. */
static void tables_and_the_tree_have_a_limit(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "0000:03:00.%d", i);
		map(name, "p", 4096);
		decide(name, "p", 1, 6);
		alloc_failed(name, 3, 1);
		dmabuf_map(name, "p", P2PTRACE_WHERE_RAM, 0);
		alloc(1000 + i, 1);
		exported(1000 + i, 1);
	}
	html_page(&out, &recording, summary);
	assert_false(out.failed);
	/* Pairs, decisions, allocations that failed, dma-bufs */
	assert_int_equal(count("<p>And 200 more, which are in the JSON of this report.</p>"), 4);
	assert_int_equal(count("<path class=\"pair "), 100);
	assert_int_equal(count("<pre>"), 20);
	assert_int_equal(count("<tr><td>buffer</td>"), 50);
	assert_int_equal(count("<tr><td>dma-buf</td>"), 50);
}

#define HTML_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	HTML_TEST(names_are_text_whatever_they_are),
	HTML_TEST(nothing_is_loaded),
	HTML_TEST(a_pair_is_a_line_and_a_row),
	HTML_TEST(a_refusal_has_its_reason),
	HTML_TEST(the_page_is_small_whatever_was_recorded),
	HTML_TEST(an_empty_recording_is_a_page),
	HTML_TEST(devices_are_drawn_as_a_tree),
	HTML_TEST(two_host_bridges_are_two_trees),
	HTML_TEST(a_host_bridge_has_one_tree_whatever_is_below_it),
	HTML_TEST(several_lines_of_a_pair_do_not_cover_each_other),
	HTML_TEST(a_dma_buf_in_system_memory_is_a_line_of_its_own),
	HTML_TEST(fallbacks_have_a_next_step),
	HTML_TEST(a_refusal_has_remedies_to_paste),
	HTML_TEST(the_time_line_has_bars_and_a_table),
	HTML_TEST(histograms_are_of_devices_and_pairs),
	HTML_TEST(what_is_held_is_named),
	HTML_TEST(the_head_says_what_the_figures_rest_on),
	HTML_TEST(tables_and_the_tree_have_a_limit),
};

UNIT_MAIN(tests)
