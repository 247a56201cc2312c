// SPDX-License-Identifier: GPL-2.0
/*
 * What people paste into reports: lspci's text and bytes, and the dump of rdma_topo. The files in
 * tests/field/dumps/ come from the guest of the lab, NAME-FORMAT from topology NAME.
 */
#include "tree.h"
#include "lib/buffer.h"
#include "lib/log.h"
#include "machine/dump.h"
#include "machine/machine.h"

/* The path of tests/field/dumps/NAME, from this file's. */
static const char *sample_path(const char *name)
{
	static const char here[] = "unit/machine/dump.c";
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*sfield/dumps/%s",
		 (int)(strlen(__FILE__) - strlen(here)), __FILE__, name);
	return path;
}

static char *sample(const char *name)
{
	FILE *file = fopen(sample_path(name), "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	return text;
}

static int read_text(struct machine *machine, const char *text, size_t len)
{
	/* Of exactly its size, so that a read behind its end is noticed */
	char *copy = malloc(len + !len);
	const char *bad;
	int rc;

	assert_non_null(copy);
	memcpy(copy, text, len);
	machine_init(machine);
	rc = machine_read_text(machine, copy, len, "FILE");
	free(copy);
	if (!rc && machine_check(machine, &bad))
		fail_msg("what is above %s contradicts itself", bad);
	return rc;
}

static void read_well(struct machine *machine, const char *text)
{
	assert_int_equal(read_text(machine, text, strlen(text)), 0);
}

static void read_sample(struct machine *machine, const char *name)
{
	char *text = sample(name);

	read_well(machine, text);
	free(text);
}

static struct function *find(const struct machine *machine, const char *name)
{
	struct function *function = machine_find(machine, name);

	if (!function)
		fail_msg("%s is missing", name);
	return function;
}

static const char *parent_of(const struct machine *machine, const struct function *function)
{
	if (function->parent == UNKNOWN)
		return "unknown";
	return function->parent == NONE ? "none" : machine->functions[function->parent].name;
}

static const char *root_of(const struct machine *machine, const struct function *function)
{
	return function->root == UNKNOWN ? "unknown" : machine->roots[function->root].name;
}

/* What a decision depends on is the same for both. */
static void assert_same(const struct machine *machine, const struct machine *other)
{
	assert_int_equal(machine->nr, other->nr);
	for (size_t i = 0; i < machine->nr; i++) {
		const struct function *a = &machine->functions[i], *b = find(other, a->name);

		if (strcmp(parent_of(machine, a), parent_of(other, b)) ||
		    strcmp(root_of(machine, a), root_of(other, b)))
			fail_msg("%s is below %s and %s", a->name, parent_of(machine, a),
				 parent_of(other, b));
		if (a->type != b->type || a->bridge != b->bridge)
			fail_msg("%s has types %d and %d", a->name, a->type, b->type);
		if (a->acs.presence != b->acs.presence || a->acs.ctrl != b->acs.ctrl)
			fail_msg("%s has ACS %d 0x%x and %d 0x%x", a->name, a->acs.presence,
				 a->acs.ctrl, b->acs.presence, b->acs.ctrl);
		assert_int_equal(a->class >> 8, b->class >> 8);
		assert_int_equal(a->secondary, b->secondary);
		assert_int_equal(a->subordinate, b->subordinate);
		assert_int_equal(a->config, b->config);
		assert_memory_equal(&a->link, &b->link, sizeof(a->link));
	}
}

/* What @part knows is not otherwise in @whole. */
static void assert_part(const struct machine *part, const struct machine *whole, size_t at)
{
#define PART(field, none)							\
	if (a->field != (none) && (long)a->field != (long)b->field)		\
		fail_msg("after %zu bytes, " #field " of %s is %ld, not %ld", at, a->name, \
			 (long)a->field, (long)b->field)
	for (size_t i = 0; i < part->nr; i++) {
		const struct function *a = &part->functions[i], *b = find(whole, a->name);

		if (a->parent != UNKNOWN)
			assert_string_equal(parent_of(part, a), parent_of(whole, b));
		if (a->root != UNKNOWN)
			assert_string_equal(root_of(part, a), root_of(whole, b));
		PART(vendor, UNKNOWN);
		PART(device, UNKNOWN);
		PART(class >> 8, UNKNOWN >> 8);
		PART(type, TYPE_UNKNOWN);
		PART(bridge, PRESENCE_UNKNOWN);
		PART(secondary, UNKNOWN);
		PART(subordinate, UNKNOWN);
		PART(acs.presence, PRESENCE_UNKNOWN);
		PART(acs.ctrl, 0);
		PART(acs.cap, 0);
		PART(numa_node, UNKNOWN);
		PART(iommu_group, UNKNOWN);
		PART(link.speed, 0);
		PART(link.max_speed, 0);
		PART(link.width, 0);
		PART(link.max_width, 0);
		PART(window.presence, PRESENCE_UNKNOWN);
		PART(window.last, 0);
		PART(prefetchable_window.last, 0);
		for (int k = 0; k < NR_BARS; k++) {
			PART(bars[k].size, 0);
			PART(bars[k].start, 0);
			if (a->bars_known == PRESENT)
				assert_int_equal(a->bars[k].size, b->bars[k].size);
		}
		if (*a->driver && strcmp(a->driver, b->driver))
			fail_msg("after %zu bytes, %s has driver %s", at, a->name, a->driver);
	}
#undef PART
}

static void the_text_and_the_bytes_of_a_machine_agree(void **state)
{
	static const char *const names[][2] = {
		{ "acs-vvv", "acs-xxxx" }, { "acs-vvv-nn", "acs-vvv-xxxx" },
		{ "switch-vvv", "switch-xxxx" }, { "switch-vvv-nn", "switch-xxxx" },
		{ "two-vvv-nn", "two-xxxx" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct machine text, bytes;

		read_sample(&text, names[i][0]);
		read_sample(&bytes, names[i][1]);
		assert_same(&text, &bytes);
		machine_free(&text);
		machine_free(&bytes);
	}
}

static void the_sample_is_read_as_it_is(void **state)
{
	struct machine machine;
	const struct function *function;

	(void)state;
	read_sample(&machine, "switch-vvv-nn");
	assert_string_equal(machine.source, "lspci -vvv");
	assert_true(machine.partial);
	assert_int_equal(machine.nr, 16);
	function = find(&machine, "0000:03:00.0");
	assert_string_equal(parent_of(&machine, function), "0000:02:00.0");
	assert_string_equal(root_of(&machine, function), "pci0000:00");
	assert_int_equal(function->type, TYPE_ENDPOINT);
	assert_int_equal(function->bridge, ABSENT);
	assert_int_equal(function->vendor, 0x1b36);
	assert_int_equal(function->device, 0x0010);
	assert_int_equal(function->class, 0x010802);
	assert_string_equal(function->title, "Red Hat, Inc. QEMU NVM Express Controller");
	assert_string_equal(function->driver, "nvme");
	assert_int_equal(function->acs.presence, ABSENT);
	assert_int_equal(function->config, CONFIG_COMPLETE);
	assert_int_equal(function->bars_known, PRESENT);
	assert_int_equal(function->bars[0].size, 16 << 10);
	assert_int_equal(function->bars[2].start, 0xf4000000);
	assert_int_equal(function->bars[2].size, 64 << 20);
	assert_true(function->bars[2].memory && function->bars[2].prefetchable &&
		    function->bars[2].wide && function->bars[2].assigned);
	assert_int_equal(function->bars[2].resizable, ABSENT);
	function = find(&machine, "0000:00:01.0");
	assert_string_equal(parent_of(&machine, function), "none");
	assert_int_equal(function->acs.presence, PRESENT);
	assert_int_equal(function->acs.cap, 0x5f);
	assert_int_equal(function->secondary, 1);
	assert_int_equal(function->subordinate, 5);
	assert_int_equal(function->window.first, 0xfe200000);
	assert_int_equal(function->window.last, 0xfe7fffff);
	assert_int_equal(function->prefetchable_window.first, 0xf4000000);
	assert_int_equal(function->link.speed, 2500);
	assert_int_equal(function->link.max_speed, 16000);
	assert_int_equal(function->link.width, 1);
	assert_int_equal(function->link.max_width, 32);
	machine_free(&machine);
}

static void redirects_are_read(void **state)
{
	static const char *const names[] = { "acs-vvv", "acs-vvv-nn", "acs-xxxx", "acs-vvv-xxxx" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct machine machine;

		read_sample(&machine, names[i]);
		assert_int_equal(find(&machine, "0000:00:01.0")->acs.presence, PRESENT);
		assert_int_equal(find(&machine, "0000:00:01.0")->acs.ctrl, 0x1d);
		machine_free(&machine);
	}
}

static void a_user_who_is_not_root_sees_no_acs(void **state)
{
	struct machine user, root;

	(void)state;
	read_sample(&user, "switch-user");
	read_sample(&root, "switch-vvv-nn");
	assert_part(&user, &root, 0);
	assert_int_equal(find(&user, "0000:02:00.0")->config, CONFIG_HEAD);
	assert_int_equal(find(&user, "0000:02:00.0")->acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(find(&user, "0000:03:00.0")->type, TYPE_UNKNOWN);
	assert_int_equal(find(&user, "0000:03:00.0")->bars[2].size, 64 << 20);
	assert_string_equal(parent_of(&user, find(&user, "0000:03:00.0")), "0000:02:00.0");
	/* A function without capabilities has nothing to hide */
	assert_int_equal(find(&user, "0000:00:00.0")->acs.presence, ABSENT);
	machine_free(&user);
	machine_free(&root);
}

static void lspci_v_shows_that_there_is_acs_but_not_its_bits(void **state)
{
	struct machine brief, whole;

	(void)state;
	read_sample(&brief, "switch-v");
	read_sample(&whole, "switch-vvv");
	assert_part(&brief, &whole, 0);
	assert_string_equal(brief.source, "lspci -v");
	assert_int_equal(find(&brief, "0000:00:01.0")->acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(find(&brief, "0000:02:00.0")->acs.presence, ABSENT);
	assert_int_equal(find(&brief, "0000:02:00.0")->type, TYPE_DOWNSTREAM);
	assert_string_equal(parent_of(&brief, find(&brief, "0000:03:00.0")), "0000:02:00.0");
	machine_free(&brief);
	machine_free(&whole);
}

static void a_list_alone_has_no_more_than_classes_and_drivers(void **state)
{
	struct machine list, whole;

	(void)state;
	read_sample(&list, "switch-k");
	read_sample(&whole, "switch-vvv");
	assert_part(&list, &whole, 0);
	assert_string_equal(find(&list, "0000:03:00.0")->driver, "nvme");
	assert_int_equal(find(&list, "0000:03:00.0")->class >> 8, 0x0108);
	assert_int_equal(find(&list, "0000:03:00.0")->config, CONFIG_MISSING);
	assert_string_equal(parent_of(&list, find(&list, "0000:03:00.0")), "unknown");
	machine_free(&list);
	machine_free(&whole);
}

/* Changes each line of a text. */
static char *each_line(const char *text, void (*change)(struct buffer *out, const char *line,
							size_t len))
{
	struct buffer out = {};
	char *copy;

	while (*text) {
		size_t len = strcspn(text, "\n");

		change(&out, text, len);
		text += len + (text[len] == '\n');
	}
	assert_false(out.failed);
	copy = strdup(buffer_text(&out));
	buffer_free(&out);
	return copy;
}

static void quote(struct buffer *out, const char *line, size_t len)
{
	buffer_printf(out, "> %.*s\n", (int)len, line);
}

static void quote_twice(struct buffer *out, const char *line, size_t len)
{
	buffer_printf(out, "> >%.*s\n", (int)len, line);
}

static void quote_in_html(struct buffer *out, const char *line, size_t len)
{
	buffer_printf(out, "&gt; %.*s\r\n", (int)len, line);
}

static void indent(struct buffer *out, const char *line, size_t len)
{
	buffer_printf(out, "    %.*s\n", (int)len, line);
}

static void end_in_cr_lf(struct buffer *out, const char *line, size_t len)
{
	buffer_printf(out, "%.*s\r\n", (int)len, line);
}

static void lose_indentation(struct buffer *out, const char *line, size_t len)
{
	size_t tabs = strspn(line, "\t");

	buffer_printf(out, "%.*s\n", (int)(len - tabs), line + tabs);
}

static void tabs_to_blanks(struct buffer *out, const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buffer_printf(out, "%.*s", line[i] == '\t' ? 8 : 1, line[i] == '\t' ? "        " :
			      line + i);
	buffer_printf(out, "\n");
}

static void wrap_at(struct buffer *out, const char *line, size_t len, size_t width)
{
	while (len > width) {
		size_t cut = width;

		while (cut && line[cut] != ' ')
			cut--;
		if (!cut)
			break;
		buffer_printf(out, "%.*s\n", (int)cut, line);
		line += cut + 1;
		len -= cut + 1;
	}
	buffer_printf(out, "%.*s\n", (int)len, line);
}

static void wrap(struct buffer *out, const char *line, size_t len)
{
	wrap_at(out, line, len, 72);
}

static void wrap_and_quote(struct buffer *out, const char *line, size_t len)
{
	struct buffer wrapped = {};
	char *quoted;

	wrap_at(&wrapped, line, len, 76);
	quoted = each_line(buffer_text(&wrapped), quote);
	buffer_printf(out, "%s", quoted);
	free(quoted);
	buffer_free(&wrapped);
}

static void however_it_is_pasted_it_is_the_same(void **state)
{
	static void (*const changes[])(struct buffer *out, const char *line, size_t len) = {
		quote, quote_twice, quote_in_html, indent, end_in_cr_lf, lose_indentation,
		tabs_to_blanks, wrap, wrap_and_quote,
	};
	static const char *const names[] = { "acs-vvv", "switch-vvv-nn", "acs-vvv-xxxx" };

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(names); n++) {
		char *text = sample(names[n]);
		struct machine whole;

		read_well(&whole, text);
		for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
			char *changed = each_line(text, changes[i]);
			struct machine machine;

			read_well(&machine, changed);
			assert_same(&machine, &whole);
			machine_free(&machine);
			free(changed);
		}
		machine_free(&whole);
		free(text);
	}
}

static void prose_around_it_is_no_function(void **state)
{
	char *text = sample("acs-vvv"), *report;
	struct machine machine, whole;

	(void)state;
	read_well(&whole, text);
	assert_true(asprintf(&report,
			     "[1.] One line summary of the problem:\n"
			     "P2P is slow. 01:00.0 is the drive: it should be fast.\n"
			     "09:00.1 does not work: see below.\n\n"
			     "[   12.345678] nvme 0000:01:00.0: pci function 0000:01:00.0\n"
			     "0000:01:00.0: link is down: really\n"
			     "10:20: we booted; 00: 11 22\n"
			     "```\n%s```\n"
			     "Thanks: Somebody\n", text) > 0);
	read_well(&machine, report);
	assert_same(&machine, &whole);
	machine_free(&machine);
	machine_free(&whole);
	free(report);
	free(text);
}

static void a_text_that_is_cut_says_nothing_wrong(void **state)
{
	static const struct {
		const char *name;
		size_t step;
	} samples[] = {
		{ "acs-vvv-nn", 1 }, { "switch-v", 3 }, { "switch-k", 1 }, { "switch-user", 17 },
		{ "switch-vvv", 31 }, { "acs-xxxx", 307 }, { "acs-vvv-xxxx", 311 },
	};
	struct capture c;

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(samples); n++) {
		char *text = sample(samples[n].name);
		struct machine whole;

		read_well(&whole, text);
		for (size_t len = 0; len < strlen(text); len += samples[n].step) {
			struct machine part;
			int rc;

			capture_begin(&c);
			rc = read_text(&part, text, len);
			capture_end(&c);
			assert_true(rc == 0 || (rc == EXIT_OTHER && len < 200));
			if (!rc)
				assert_part(&part, &whole, len);
			machine_free(&part);
		}
		machine_free(&whole);
		free(text);
	}
}

static size_t cut_width;

static void cut_line(struct buffer *out, const char *line, size_t len)
{
	buffer_printf(out, "%.*s\n", (int)(len < cut_width ? len : cut_width), line);
}

static void lines_that_are_cut_say_nothing_wrong(void **state)
{
	char *text = sample("acs-vvv-nn");
	struct machine whole;

	(void)state;
	read_well(&whole, text);
	for (cut_width = 60; cut_width < 130; cut_width++) {
		char *cut = each_line(text, cut_line);
		struct machine part;

		read_well(&part, cut);
		assert_part(&part, &whole, cut_width);
		machine_free(&part);
		free(cut);
	}
	machine_free(&whole);
	free(text);
}

#define PORT "0000:00:01.0 PCI bridge [0604]: Vendor Port [8086:352a] (rev 04)\n"	\
	"\tControl: I/O+ Mem+ BusMaster+\n"						\
	"\tStatus: Cap+ 66MHz-\n"							\
	"\tBus: primary=00, secondary=01, subordinate=02, sec-latency=0\n"		\
	"\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00\n"
#define ACS "\tCapabilities: [148 v1] Access Control Services\n"			\
	"\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- "	\
	"DirectTrans-\n"
#define FLAGS "\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir- UpstreamFwd- EgressCtrl- " \
	"DirectTrans-\n"
#define REGION(n) "\tRegion " n ": Memory at f6000000 (32-bit, non-prefetchable) [size=16M]\n"
#define AER "\tCapabilities: [100 v2] Advanced Error Reporting\n"

/* The first function of a text. */
static struct function first_of(const char *text)
{
	struct machine machine;
	struct function function;

	read_well(&machine, text);
	function = machine.functions[0];
	machine_free(&machine);
	return function;
}

static void acs_is_absent_only_from_what_is_whole(void **state)
{
	(void)state;
	assert_int_equal(first_of(PORT ACS FLAGS "\n").acs.ctrl, 0x05);
	assert_int_equal(first_of(PORT ACS FLAGS "\n").acs.cap, 0x1f);
	assert_int_equal(first_of(PORT AER "\n").acs.presence, ABSENT);
	assert_int_equal(first_of(PORT AER "\tKernel driver in use: x\n").acs.presence, ABSENT);
	/* The end may be missing, or something in between */
	assert_int_equal(first_of(PORT AER).acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(first_of(PORT AER "[...]\n\n").acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(first_of(PORT AER "\t...\n\n").acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(first_of(PORT AER "and so on\n\n").acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(first_of(PORT AER "\tCapabilities: [148 v1]\n\n").acs.presence,
			 PRESENCE_UNKNOWN);
	assert_int_equal(first_of(PORT AER "\tCapabilities: [148 v1] Access Co\n\n").acs.presence,
			 PRESENCE_UNKNOWN);
	/* The bits are missing, or one is */
	assert_int_equal(first_of(PORT ACS "\n").acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(first_of(PORT ACS "\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir- "
				  "UpstreamFwd- EgressCtr\n\n").acs.presence, PRESENCE_UNKNOWN);
	/* Nothing shows that the kernel shows the capabilities that ACS is among */
	assert_int_equal(first_of(PORT "\n").acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(first_of(PORT "\n").config, CONFIG_CONVENTIONAL);
	assert_int_equal(first_of(PORT "\tCapabilities: <access denied>\n\n").config, CONFIG_HEAD);
	/* A conventional function has none of them */
	assert_int_equal(first_of("00:02.0 Host bridge: X\n\tControl: I/O-\n\tStatus: Cap-\n\n")
			 .acs.presence, ABSENT);
	/* There are capabilities, but somebody has taken them out */
	assert_int_equal(first_of("00:02.0 Host bridge: X\n\tControl: I/O-\n\tStatus: Cap+\n\n")
			 .acs.presence, PRESENCE_UNKNOWN);
}

static void types_are_those_of_the_express_capability(void **state)
{
	static const struct {
		const char *text;
		enum function_type type;
	} types[] = {
		{ "Express (v2) Endpoint, MSI 00", TYPE_ENDPOINT },
		{ "Express (v2) Endpoint, IntMsgNum 0", TYPE_ENDPOINT },
		{ "Express (v1) Legacy Endpoint, MSI 00", TYPE_LEGACY_ENDPOINT },
		{ "Express (v2) Root Port (Slot-), MSI 00", TYPE_ROOT_PORT },
		{ "Express Root Port (Slot+), MSI 00", TYPE_ROOT_PORT },
		{ "Express (v2) Upstream Port, MSI 00", TYPE_UPSTREAM },
		{ "Express (v2) Downstream Port (Slot+), MSI 00", TYPE_DOWNSTREAM },
		{ "Express (v1) PCI-Express to PCI/PCI-X Bridge, MSI 00", TYPE_TO_PCI },
		{ "Express (v1) PCI/PCI-X to PCI-Express Bridge (Slot-), MSI 00", TYPE_FROM_PCI },
		{ "Express (v2) Root Complex Integrated Endpoint, MSI 00", TYPE_RC_ENDPOINT },
		{ "Express (v2) Root Complex Event Collector, MSI 00", TYPE_RC_EVENT_COLLECTOR },
		{ "Express (v2) Root Comp", TYPE_UNKNOWN },
		{ "Power Management version 3", TYPE_PCI },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct machine machine;
		char *text;

		assert_true(asprintf(&text, "01:00.0 Bridge: X\n\tControl: I/O-\n\tStatus: Cap+\n"
				     "\tCapabilities: [40] %s\n" AER "\n", types[i].text) > 0);
		read_well(&machine, text);
		if (machine.functions->type != types[i].type)
			fail_msg("%s: %d", types[i].text, machine.functions->type);
		machine_free(&machine);
		free(text);
	}
}

static void bytes_count_up_to_the_first_that_is_missing(void **state)
{
	struct function function;

	(void)state;
	/* The second line is missing, so nothing shows where the buses are */
	function = first_of("01:00.0 PCI bridge: X\n"
			    "00: 86 80 30 20 07 04 10 00 00 00 04 06 00 00 81 00\n"
			    "20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
			    "30: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
			    "40: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n\n");
	assert_int_equal(function.config, CONFIG_MISSING);
	assert_int_equal(function.vendor, UNKNOWN);
	assert_int_equal(function.secondary, UNKNOWN);
}

static void what_reads_all_ones_is_said_to(void **state)
{
	struct function function;

	(void)state;
	function = first_of("01:00.0 VGA compatible controller: NVIDIA (rev ff) (prog-if ff)\n"
			    "\t!!! Unknown header type 7f\n\tKernel driver in use: nvidia\n\n");
	assert_int_equal(function.config, CONFIG_ALL_ONES);
	assert_int_equal(function.bridge, ABSENT);
	assert_int_equal(function.acs.presence, PRESENCE_UNKNOWN);
	assert_int_equal(function.type, TYPE_UNKNOWN);
	assert_string_equal(function.driver, "nvidia");
	function = first_of("01:00.0 PCI bridge: X (rev ff)\n");
	assert_int_equal(function.config, CONFIG_ALL_ONES);
	assert_int_equal(function.bridge, PRESENT);
	function = first_of("01:00.0 PCI bridge: X\n"
			    "00: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff\n"
			    "10: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff\n"
			    "20: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff\n"
			    "30: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff\n\n");
	assert_int_equal(function.config, CONFIG_ALL_ONES);
	assert_int_equal(function.vendor, UNKNOWN);
	/* Too few bytes to tell: those of a virtual function begin like this */
	function = first_of("01:00.0 PCI bridge: X\n00: ff ff ff ff\n");
	assert_int_equal(function.config, CONFIG_MISSING);
}

#define DRIVE "01:00.0 Non-Volatile memory controller: X (prog-if 02 [NVM Express])\n"	\
	"\tControl: I/O-\n\tStatus: Cap-\n"

static void bars_are_those_of_the_regions(void **state)
{
	struct function function;

	(void)state;
	function = first_of(DRIVE
		"\tRegion 0: Memory at f6000000 (32-bit, non-prefetchable) [size=16M]\n"
		"\tRegion 1: Memory at 383800000000 (64-bit, prefetchable) [virtual] [size=256G]\n"
		"\tRegion 3: Memory at <unassigned> (64-bit, prefetchable) [disabled] [size=32M]\n"
		"\tRegion 5: I/O ports at e000 [disabled] [size=128]\n\n");
	assert_int_equal(function.bars_known, PRESENT);
	assert_int_equal(function.bars[0].size, 16 << 20);
	assert_int_equal(function.bars[0].start, 0xf6000000);
	assert_true(function.bars[0].memory && !function.bars[0].prefetchable &&
		    !function.bars[0].wide && function.bars[0].assigned);
	assert_int_equal(function.bars[1].size, 256ull << 30);
	assert_int_equal(function.bars[1].start, 0x383800000000);
	assert_true(function.bars[1].wide && function.bars[1].prefetchable);
	assert_int_equal(function.bars[2].size, 0);
	assert_int_equal(function.bars[3].size, 32 << 20);
	assert_false(function.bars[3].assigned);
	assert_int_equal(function.bars[5].size, 128);
	assert_false(function.bars[5].memory);
	assert_int_equal(function.class, 0x010802);
}

static void a_bar_without_a_size_leaves_the_bars_unknown(void **state)
{
	struct function function;

	(void)state;
	function = first_of(DRIVE "\tRegion 0: Memory at <ignored> (64-bit, prefetchable)\n"
			    REGION("2") "\n");
	assert_int_equal(function.bars_known, PRESENCE_UNKNOWN);
	assert_int_equal(function.bars[2].size, 16 << 20);
	/* Ports that are not in use have none, and do not matter */
	function = first_of(DRIVE "\tRegion 5: I/O ports at <unassigned> [disabled]\n"
			    REGION("2") "\n");
	assert_int_equal(function.bars_known, PRESENT);
	/* More may have followed */
	function = first_of(DRIVE
			    REGION("0"));
	assert_int_equal(function.bars_known, PRESENCE_UNKNOWN);
	/* The bytes show no sizes */
	assert_int_equal(first_of("01:00.0 Bridge: X\n00: 86 80\n").bars_known, PRESENCE_UNKNOWN);
}

static void bars_of_virtual_functions_are_not_those_of_the_physical_one(void **state)
{
	struct function function;

	(void)state;
	function = first_of(
		"01:00.0 Ethernet controller: X\n\tControl: I/O-\n\tStatus: Cap+\n"
		"\tCapabilities: [60] Express (v2) Endpoint, MSI 00\n"
		"\tCapabilities: [180 v1] Single Root I/O Virtualization (SR-IOV)\n"
		"\t\tRegion 0: Memory at 0000380000000000 (64-bit, prefetchable)\n\n");
	assert_int_equal(function.bars_known, PRESENT);
	assert_int_equal(function.bars[0].size, 0);
}

static void resizable_bars_have_their_sizes(void **state)
{
	struct function function;

	(void)state;
	function = first_of(
		"01:00.0 VGA compatible controller: X\n\tControl: I/O-\n\tStatus: Cap+\n"
		"\tRegion 0: Memory at 4000000000 (64-bit, prefetchable) [size=256M]\n"
		"\tRegion 5: Memory at f6000000 (32-bit, non-prefetchable) [size=1M]\n"
		"\tCapabilities: [64] Express (v2) Legacy Endpoint, MSI 00\n"
		"\tCapabilities: [200 v1] Physical Resizable BAR\n"
		"\t\tBAR 0: current size: 256MB, supported: 256MB 512MB 1GB 2GB 16GB\n\n");
	assert_int_equal(function.bars[0].resizable, PRESENT);
	assert_int_equal(function.bars[0].sizes, 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 14);
	assert_int_equal(function.bars[5].resizable, ABSENT);
	function = first_of(PORT AER "\n");
	assert_int_equal(function.bars[0].resizable, ABSENT);
	function = first_of(PORT "\n");
	assert_int_equal(function.bars[0].resizable, PRESENCE_UNKNOWN);
}

static void windows_are_open_closed_or_unknown(void **state)
{
	static const struct {
		const char *text;
		enum presence presence;
		uint64_t first, last;
	} windows[] = {
		{ "Memory behind bridge: de000000-df0fffff [size=17M] [32-bit]\n", PRESENT,
		  0xde000000, 0xdf0fffff },
		{ "Memory behind bridge: de000000-df0fffff\n", PRESENT, 0xde000000, 0xdf0fffff },
		{ "Memory behind bridge: fff00000-000fffff [disabled] [32-bit]\n", PRESENT,
		  0xfff00000, 0x000fffff },
		{ "Memory behind bridge: 00000000-000fffff [disabled] [32-bit]\n", PRESENT, 1, 0 },
		{ "Memory behind bridge: [disabled] [32-bit]\n", PRESENT, 1, 0 },
		{ "Memory behind bridge: None\n", PRESENT, 1, 0 },
		{ "Memory behind bridge: de000000-\n", PRESENCE_UNKNOWN, 0, 0 },
		{ "Memory behind bridge:\n", PRESENCE_UNKNOWN, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		struct machine machine;
		char *text;

		assert_true(asprintf(&text, "00:01.0 PCI bridge: X\n"
				     "\tControl: I/O-\n\tStatus: Cap-\n"
				     "\tBus: primary=00, secondary=01, subordinate=01, \n"
				     "\t%s\n", windows[i].text) > 0);
		read_well(&machine, text);
		assert_int_equal(machine.functions->window.presence, windows[i].presence);
		assert_int_equal(machine.functions->window.first, windows[i].first);
		assert_int_equal(machine.functions->window.last, windows[i].last);
		machine_free(&machine);
		free(text);
	}
}

static void links_have_speeds_and_widths(void **state)
{
	struct function function;

	(void)state;
	function = first_of(PORT
		"\t\tLnkCap:\tPort #0, Speed 32GT/s, Width x16, ASPM L1, Exit Latency L1 <4us\n"
		"\t\tLnkSta:\tSpeed 2.5GT/s (downgraded), Width x8 (downgraded)\n"
		"\t\tLnkCap2: Supported Link Speeds: 2.5-32GT/s\n\n");
	assert_int_equal(function.link.max_speed, 32000);
	assert_int_equal(function.link.max_width, 16);
	assert_int_equal(function.link.speed, 2500);
	assert_int_equal(function.link.width, 8);
	/* As older releases print it; and with no link */
	function = first_of(PORT "\t\tLnkSta:\tSpeed 8GT/s, Width x4, TrErr- Train- SlotClk+\n\n");
	assert_int_equal(function.link.speed, 8000);
	assert_int_equal(function.link.width, 4);
	function = first_of(PORT "\t\tLnkSta:\tSpeed unknown, Width x0\n\n");
	assert_int_equal(function.link.speed, 0);
	assert_int_equal(function.link.width, 0);
}

static void nodes_and_groups_are_read(void **state)
{
	struct function function;

	(void)state;
	function = first_of(DRIVE "\tNUMA node: 1\n\tIOMMU group: 24\n\n");
	assert_int_equal(function.numa_node, 1);
	assert_int_equal(function.iommu_group, 24);
	function = first_of("01:00.0 Bridge: X\n"
			    "\tFlags: fast devsel, IRQ 16, NUMA node 1, IOMMU group 24\n\n");
	assert_int_equal(function.numa_node, 1);
	assert_int_equal(function.iommu_group, 24);
	/* The last digit may be missing */
	function = first_of(DRIVE "\tNUMA node: 1");
	assert_int_equal(function.numa_node, UNKNOWN);
	function = first_of(DRIVE "\n");
	assert_int_equal(function.numa_node, UNKNOWN);
	assert_int_equal(function.iommu_group, UNKNOWN);
}

static void ids_and_classes_come_as_names_or_numbers(void **state)
{
	struct function function;

	(void)state;
	function = first_of("01:00.0 Ethernet controller [0200]: Mellanox MT28800 [ConnectX-5 Ex] "
			    "[15b3:1019] (rev 01)\n");
	assert_int_equal(function.class, 0x020000);
	assert_int_equal(function.vendor, 0x15b3);
	assert_int_equal(function.device, 0x1019);
	assert_string_equal(function.title, "Mellanox MT28800 [ConnectX-5 Ex]");
	function = first_of("01:00.0 0200: 15b3:1019 (rev 01)\n");
	assert_int_equal(function.class, 0x020000);
	assert_int_equal(function.device, 0x1019);
	assert_string_equal(function.title, "");
	function = first_of("01:00.0 3D controller: NVIDIA Corporation GA100 [A100 PCIe 40GB]\n");
	assert_int_equal(function.class, 0x030200);
	assert_int_equal(function.vendor, UNKNOWN);
	assert_string_equal(function.title, "NVIDIA Corporation GA100 [A100 PCIe 40GB]");
	/* A class that is newer than this program */
	function = first_of("01:00.0 Quantum thing: X\n\tControl: I/O-\n\tStatus: Cap-\n\n");
	assert_string_equal(function.title, "X");
	assert_int_equal(function.class, UNKNOWN);
	function = first_of("01:00.0 Class 1234: X\n\tControl: I/O-\n\n");
	assert_int_equal(function.class, 0x123400);
}

static void what_is_not_printable_in_a_listing_is_escaped(void **state)
{
	struct function function;
	char line[256];

	(void)state;
	function = first_of("01:00.0 3D controller: A\xc2\x9b" "2J\xe2\x80\xae" "B\x1b[31m\n"
			    "\tControl: I/O-\n\tKernel driver in use: x\xc2\x9b" "31m\n\n");
	assert_string_equal(function.title, "A\\xc2\\x9b2J\\xe2\\x80\\xaeB [31m");
	assert_string_equal(function.driver, "x\\xc2\\x9b31m");
	/* The title has no room for the last byte of this character */
	snprintf(line, sizeof(line), "01:00.0 3D controller: %092d\xc3\xa9 and more\n\n", 0);
	function = first_of(line);
	assert_int_equal(strlen(function.title), 92);
	assert_int_equal(function.title[91], '0');
	/* Half a name would be that of another driver */
	function = first_of("01:00.0 3D controller: A\n\tControl: I/O-\n"
			    "\tKernel driver in use: 0123456789012345678901234567\xc3\xa9\n\n");
	assert_string_equal(function.driver, "");
}

static void domains_may_be_left_out_or_large(void **state)
{
	struct machine machine;

	(void)state;
	read_well(&machine, "00:00.0 Host bridge: X\n"
		  "10000:E1:00.0 Non-Volatile memory controller: X\n"
		  "00000000:01:00.0 Ethernet controller: X\n");
	find(&machine, "0000:00:00.0");
	find(&machine, "10000:e1:00.0");
	find(&machine, "0000:01:00.0");
	machine_free(&machine);
}

#define SRIOV_PORT "3a:00.0 PCI bridge: X\n\tControl: I/O-\n\tStatus: Cap+\n"			\
	"\tBus: primary=3a, secondary=3b, subordinate=3c, sec-latency=0\n"			\
	"\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00\n\n"
#define SRIOV_NIC "\tControl: I/O-\n\tStatus: Cap+\n"						\
	"\tCapabilities: [60] Express (v2) Endpoint, MSI 00\n"

static void virtual_functions_are_found_by_the_offset_and_stride(void **state)
{
	struct machine machine;
	const struct function *function;

	(void)state;
	read_well(&machine, SRIOV_PORT
		"3b:00.0 Ethernet controller [0200]: X [15b3:1017]\n" SRIOV_NIC
		"\tCapabilities: [180 v1] Single Root I/O Virtualization (SR-IOV)\n"
		"\t\tIOVCap:\tMigration-, Interrupt Message Number: 000\n"
		"\t\tIOVCtl:\tEnable+ Migration- Interrupt- MSE+ ARIHierarchy+\n"
		"\t\tInitial VFs: 8, Total VFs: 8, Number of VFs: 3, Function Dependency Link: 00\n"
		"\t\tVF offset: 2, stride: 256, Device ID: 1018\n\n"
		"3b:00.2 Fabric controller: X\n" SRIOV_NIC "\n"
		"3c:00.2 Fabric controller: X\n" SRIOV_NIC "\n"
		"3c:00.3 3D controller: X\n" SRIOV_NIC "\n"
		"3d:00.2 PCI bridge: X\n");
	function = find(&machine, "0000:3c:00.2");
	assert_string_equal(function->physfn, "0000:3b:00.0");
	assert_int_equal(function->vendor, 0x15b3);
	assert_int_equal(function->device, 0x1018);
	assert_string_equal(parent_of(&machine, function), "0000:3a:00.0");
	assert_string_equal(find(&machine, "0000:3b:00.2")->physfn, "0000:3b:00.0");
	/* A bridge is none, whatever its address */
	assert_string_equal(find(&machine, "0000:3d:00.2")->physfn, "");
	/* Not at one of the addresses, and of another class */
	assert_string_equal(find(&machine, "0000:3c:00.3")->physfn, "");
	assert_string_equal(parent_of(&machine, find(&machine, "0000:3c:00.3")), "unknown");
	machine_free(&machine);
}

static void set(uint8_t *bytes, size_t at, unsigned int value, size_t len)
{
	for (; len--; value >>= 8)
		bytes[at++] = value;
}

static void add_bytes(struct buffer *out, const char *title, const uint8_t *bytes, size_t len)
{
	buffer_printf(out, "%s\n", title);
	for (size_t i = 0; i < len; i++) {
		if (i % 16 == 0)
			buffer_printf(out, "%02zx:", i);
		buffer_printf(out, " %02x%s", bytes[i], i % 16 == 15 ? "\n" : "");
	}
	buffer_printf(out, "\n");
}

static void bytes_show_virtual_functions_too(void **state)
{
	uint8_t port[4096] = {}, nic[4096] = {}, vf[4096] = {};
	const struct function *function;
	struct buffer out = {};
	struct machine machine;

	(void)state;
	set(port, 0x00, 0x20308086, 4);
	set(port, 0x08, 0x06040000, 4);
	set(port, 0x0e, 1, 1);
	set(port, 0x18, 0x3c3b3a, 3);
	set(port, 0x06, 0x10, 2);
	set(port, 0x34, 0x40, 1);
	set(port, 0x40, 0x00420010, 4);	/* root port */
	set(nic, 0x00, 0x101715b3, 4);
	set(nic, 0x08, 0x02000000, 4);
	set(nic, 0x06, 0x10, 2);
	set(nic, 0x34, 0x40, 1);
	set(nic, 0x40, 0x00020010, 4);	/* endpoint */
	memcpy(vf, nic, sizeof(vf));
	set(vf, 0x00, 0xffffffff, 4);
	set(nic, 0x100, 0x18010001, 4);
	set(nic, 0x180, 0x00010010, 4);	/* SR-IOV */
	set(nic, 0x188, 1, 1);
	set(nic, 0x190, 1, 2);
	set(nic, 0x194, 0x100, 2);
	set(nic, 0x19a, 0x1018, 2);
	add_bytes(&out, "3a:00.0 PCI bridge: X", port, sizeof(port));
	add_bytes(&out, "3b:00.0 Ethernet controller: X", nic, sizeof(nic));
	add_bytes(&out, "3c:00.0 Ethernet controller: X", vf, sizeof(vf));
	read_well(&machine, buffer_text(&out));
	assert_string_equal(machine.source, "lspci -xxxx");
	function = find(&machine, "0000:3c:00.0");
	assert_string_equal(function->physfn, "0000:3b:00.0");
	assert_int_equal(function->vendor, 0x15b3);
	assert_int_equal(function->device, 0x1018);
	assert_string_equal(parent_of(&machine, function), "0000:3a:00.0");
	assert_string_equal(root_of(&machine, function), "pci0000:3a");
	machine_free(&machine);
	buffer_free(&out);
}

static void a_list_and_its_details_are_one(void **state)
{
	char *list = sample("switch-k"), *detail = sample("switch-vvv-nn"), *both;
	struct machine machine, whole;

	(void)state;
	read_well(&whole, detail);
	assert_true(asprintf(&both, "%s\n%s", list, detail) > 0);
	read_well(&machine, both);
	assert_same(&machine, &whole);
	assert_int_equal(find(&machine, "0000:03:00.0")->vendor, 0x1b36);
	assert_int_equal(find(&machine, "0000:03:00.0")->bars[2].size, 64 << 20);
	machine_free(&machine);
	machine_free(&whole);
	free(both);
	free(list);
	free(detail);
}

/* Reading @text fails with one sentence that has @thing in it. */
static void assert_refused(const char *text, const char *thing)
{
	struct machine machine;
	struct capture c;
	int rc;

	capture_begin(&c);
	rc = read_text(&machine, text, strlen(text));
	capture_end(&c);
	machine_free(&machine);
	assert_one_line(c.text, thing);
	assert_int_equal(rc, EXIT_OTHER);
}

static void listings_that_contradict_each_other_are_refused(void **state)
{
	(void)state;
	assert_refused(PORT ACS FLAGS "\n" PORT AER "\n",
		       "FILE shows 0000:00:01.0 twice, with different ACS; keep only");
	assert_refused("01:00.0 Bridge [0680]: X [8086:0001]\n"
		       "01:00.0 Bridge [0680]: X [8086:0002]\n", "different ids");
	assert_refused("01:00.0 Host bridge: X\n01:00.0 PCI bridge: X\n", "different classes");
	assert_refused(PORT AER "\n00:01.0 PCI bridge: X\n\tBus: primary=00, secondary=03, "
		       "subordinate=04, sec-latency=0\n", "different bus numbers");
	assert_refused(PORT AER "\n00:01.0 PCI bridge: X\n\tControl: I/O-\n\tStatus: Cap-\n\n",
		       "different types");
	assert_refused(PORT AER "\n00:01.0 PCI bridge: X (rev ff)\n", "different config space");
#define CARD_WITH(line) "01:00.0 Ethernet controller: X\n\tControl: I/O-\n\tStatus: Cap-\n\t" line \
	"\n\n"
	assert_refused(CARD_WITH("NUMA node: 0") CARD_WITH("NUMA node: 1"),
		       "FILE shows 0000:01:00.0 twice, with different NUMA nodes; keep only");
	assert_refused(CARD_WITH("IOMMU group: 7") CARD_WITH("IOMMU group: 8"),
		       "different IOMMU groups");
	assert_refused(CARD_WITH("Region 0: Memory at 80000000 (32-bit, prefetchable) [size=1M]")
		       CARD_WITH("Region 0: Memory at 90000000 (32-bit, prefetchable) [size=1M]"),
		       "different BARs");
	assert_refused(CARD_WITH("Region 0: Memory at 80000000 (32-bit, prefetchable) [size=1M]")
		       CARD_WITH("Region 0: Memory at 80000000 (32-bit, prefetchable) [size=2M]"),
		       "different BARs");
}

static void the_output_of_peers_is_no_machine(void **state)
{
	(void)state;
	assert_refused("{\"kernel\":\"6.12\",\"pairs\":[{\"map\":\"bus_addr\"}]}",
		       "FILE is the JSON that 'p2ptrace peers' prints, which lacks much of the "
		       "machine; use a file that 'p2ptrace snapshot' writes");
}

static void what_is_no_dump_is_refused(void **state)
{
	static const char start[] = "no PCI function found in FILE; p2ptrace reads a snapshot of ";

	(void)state;
	assert_refused("", "FILE is empty; p2ptrace reads");
	assert_refused("Hello.\n", start);
	assert_refused("\n\n\n", start);
	assert_refused("[]", start);
	assert_refused("0000:01:00.0\n", start);
	assert_refused("00: 86 80 00 00\n", start);
}

static void too_many_functions_are_refused(void **state)
{
	struct buffer out = {};

	(void)state;
	for (int i = 0; i <= MAX_FUNCTIONS; i++)
		buffer_printf(&out, "%04x:00:00.0 Host bridge: X\n", i);
	assert_refused(buffer_text(&out), "FILE shows more than 65536 functions");
	buffer_free(&out);
}

static int read_path(const char *path, struct capture *c)
{
	struct machine machine;
	int rc;

	machine_init(&machine);
	capture_begin(c);
	rc = machine_read_file(&machine, path);
	capture_end(c);
	machine_free(&machine);
	return rc;
}

static void a_file_that_is_not_there_is_a_mistake_of_the_user(void **state)
{
	char long_name[300] = {};
	struct capture c;

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	assert_int_equal(read_path(in_tree("nothing"), &c), EXIT_USAGE);
	assert_one_line(c.text, "nothing: No such file or directory; name a file with a snapshot");
	assert_int_equal(read_path(tree, &c), EXIT_USAGE);
	assert_one_line(c.text, "Is a directory");
	tree_file("file", "");
	assert_int_equal(read_path(in_tree("file"), &c), EXIT_OTHER);
	assert_one_line(c.text, "file is empty");
	assert_int_equal(read_path(long_name, &c), EXIT_USAGE);
	assert_one_line(c.text, "xxx...: the name is too long; name a file with a snapshot");
}

static void a_file_that_may_not_be_read_is_a_matter_of_privileges(void **state)
{
	struct capture c;

	(void)state;
	assert_int_equal(chmod(tree, 0755), 0);
	tree_file("folder/file", "");
	assert_int_equal(chmod(in_tree("folder/file"), 0), 0);
	be_nobody(true);
	assert_int_equal(read_path(in_tree("folder/file"), &c), EXIT_KERNEL);
	be_nobody(false);
	assert_one_line(c.text, "/folder/file: you may not read the file ");
	assert_one_line(c.text, "/folder/file; run p2ptrace as root");
	assert_int_equal(chmod(in_tree("folder"), 0), 0);
	be_nobody(true);
	assert_int_equal(read_path(in_tree("folder/file"), &c), EXIT_KERNEL);
	be_nobody(false);
	assert_one_line(c.text, "/folder/file: you may not search the folder ");
	assert_one_line(c.text, "/folder; run p2ptrace as root");
	assert_int_equal(chmod(in_tree("folder"), 0755), 0);
}

static void a_file_that_is_too_large_is_refused(void **state)
{
	struct capture c;

	(void)state;
	tree_file("file", "");
	assert_int_equal(truncate(in_tree("file"), DUMP_MAX_SIZE + 1), 0);
	assert_int_equal(read_path(in_tree("file"), &c), EXIT_OTHER);
	assert_one_line(c.text, "file is larger than 64 MiB");
}

static void a_hyphen_is_standard_input(void **state)
{
	int saved = dup(STDIN_FILENO), fd;
	struct capture c;

	(void)state;
	tree_file("file", "01:00.0 Host bridge: X\n");
	fd = open(in_tree("file"), O_RDONLY);
	assert_true(fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	assert_int_equal(read_path("-", &c), 0);
	assert_int_equal(read_path("-", &c), EXIT_OTHER);
	assert_one_line(c.text, "standard input is empty");
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(fd);
}

static void a_dump_of_rdma_topo_has_the_same_machine(void **state)
{
	struct machine machine, whole;

	(void)state;
	read_sample(&machine, "switch-rdma_topo");
	read_sample(&whole, "switch-xxxx");
	assert_string_equal(machine.source, "rdma_topo dump");
	assert_true(machine.partial);
	/* The host bridge and the ISA bridge are left out */
	assert_int_equal(machine.nr, whole.nr - 2);
	assert_part(&machine, &whole, 0);
	for (size_t i = 0; i < machine.nr; i++)
		assert_int_not_equal(machine.functions[i].parent, UNKNOWN);
	assert_int_equal(find(&machine, "0000:00:01.0")->acs.presence, PRESENT);
	assert_string_equal(find(&machine, "0000:03:00.0")->names[0], "nvme0");
	assert_string_equal(find(&machine, "0000:05:00.0")->names[0], "eth0");
	machine_free(&machine);
	machine_free(&whole);
}

/* 64 zero bytes */
#define ZEROS "eJxjYKAMAAAAQAAB"

#define MODALIAS "\"modalias\": \"pci:v000015B3d00001021sv000015B3sd00000041bc02sc00i00\""
#define RDMA(path, more)								\
	"{ \"realpath\": \"/sys/devices/" path "\", \"config\": \"" ZEROS "\", " MODALIAS more " }"

static void paths_of_rdma_topo_show_parents_and_roots(void **state)
{
	struct machine machine;
	const struct function *function;

	(void)state;
	read_well(&machine, "[" RDMA("pci0000:00/0000:00:0e.0", "") ", "
		  RDMA("pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0", "") ", "
		  RDMA("pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0",
		       ", \"numa_node\": -1, \"iommu_group\": 7, \"vpd\": null, "
		       "\"subsystems\": { \"net\": [ \"eth0\", 3 ], "
		       "\"infiniband\": [ \"mlx5_0\" ] }")
		  ", " RDMA("pci0000:00/0000:00:01.0/0000:01:00.0", "") "]");
	function = find(&machine, "10000:e1:00.0");
	assert_string_equal(parent_of(&machine, function), "10000:e0:06.0");
	assert_string_equal(root_of(&machine, function), "pci10000:e0");
	assert_string_equal(machine.roots[function->root].under, "0000:00:0e.0");
	assert_int_equal(function->numa_node, -1);
	assert_int_equal(function->iommu_group, 7);
	assert_int_equal(function->vendor, 0x15b3);
	assert_int_equal(function->device, 0x1021);
	assert_int_equal(function->class, 0x020000);
	assert_int_equal(function->nr_names, 2);
	assert_string_equal(function->names[0], "mlx5_0");
	assert_string_equal(function->names[1], "eth0");
	assert_string_equal(parent_of(&machine, find(&machine, "10000:e0:06.0")), "none");
	/* The port above it is left out */
	function = find(&machine, "0000:01:00.0");
	assert_string_equal(parent_of(&machine, function), "unknown");
	assert_string_equal(root_of(&machine, function), "pci0000:00");
	machine_free(&machine);
}

static void what_is_not_printable_in_rdma_topo_is_escaped(void **state)
{
	struct machine machine;
	const struct function *function;

	(void)state;
	read_well(&machine, "[" RDMA("pci0000:00/0000:00:01.0",
				     ", \"subsystems\": { \"net\": [ \"\\u001b[31mEVIL\", "
				     "\"a b\", \"\\u009b2J\", "
				     "\"0123456789012345678901234567\\u00e9\" ] }")
		  ", " RDMA("pci0000:\\t00/0000:00:02.0", "") ", "
		  RDMA("pci0000:-1/0000:00:03.0", "") "]");
	function = find(&machine, "0000:00:01.0");
	assert_int_equal(function->nr_names, 3);
	assert_string_equal(function->names[0], "\\x1b[31mEVIL");
	assert_string_equal(function->names[1], "a\\x20b");
	assert_string_equal(function->names[2], "\\xc2\\x9b2J");
	/* No host bridge has such a name: these are found by their numbers */
	for (size_t i = 0; i < machine.nr_roots; i++)
		assert_string_equal(machine.roots[i].name, "pci0000:00");
	machine_free(&machine);
}

static void the_error_of_a_dump_has_no_bytes_of_it(void **state)
{
	struct machine machine;
	struct capture c;

	(void)state;
	capture_begin(&c);
	assert_int_equal(read_text(&machine, "[ { \"a\": SECRET } ]", 17), EXIT_OTHER);
	capture_end(&c);
	machine_free(&machine);
	assert_non_null(strstr(c.text, "line 1, column"));
	assert_null(strstr(c.text, "SECRET"));
}

static void a_modalias_with_other_than_hexadecimal_digits_is_refused(void **state)
{
	static const char *const ends[] = {
		"bc-1sc00i00", "bc02sc-1i00", "bc02sc00i-1", "bc+2sc00i00", "bc 2sc00i00",
		"bc0xsc00i00", "bc2sc00i00", "bc02sc00i000", "bc02sc00i", "bc02sc00i0\\u0009",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char text[512];

		snprintf(text, sizeof(text), "[ { \"realpath\": \"/0000:00:01.0\", \"config\": \""
			 ZEROS "\", \"modalias\": \"pci:v000015B3d00001021sv000015B3sd00000041%s\""
			 " } ]", ends[i]);
		assert_refused(text, "modalias of function 1");
	}
}

static void a_malformed_dump_of_rdma_topo_is_refused(void **state)
{
	char *text = sample("switch-rdma_topo");

	(void)state;
	text[strlen(text) / 2] = '\0';
	assert_refused(text, "FILE, line ");
	free(text);
	assert_refused("[\n{ \"a\" 1 } ]", "FILE, line 2, column");
	assert_refused("[ {} ]", "realpath of function 1");
	assert_refused("[ " RDMA("pci0000:00/0000:00:01.0", "") ", { \"realpath\": \"/a/../b\" } ]",
		       "realpath of function 2");
	assert_refused("[ { \"realpath\": \"/0000:00:01.0\", \"config\": 3 } ]",
		       "config of function 1");
	assert_refused("[ { \"realpath\": \"/0000:00:01.0\", \"config\": \"AAA?\", "
		       MODALIAS " } ]",
		       "config of function 1");
	assert_refused("[ { \"realpath\": \"/0000:00:01.0\", \"config\": \"AAAA\", "
		       MODALIAS " } ]",
		       "config of function 1");
	assert_refused("[ { \"realpath\": \"/0000:00:01.0\", \"config\": \"" ZEROS "\", "
		       "\"modalias\": \"usb:v\" } ]", "modalias of function 1");
	assert_refused("[ " RDMA("pci0000:00/0000:00:01.0", "") ", "
		       RDMA("pci0000:80/0000:00:01.0", "") " ]", "0000:00:01.0 twice");
}

static void a_dump_of_rdma_topo_that_is_cut_is_refused(void **state)
{
	char *text = sample("switch-rdma_topo");
	struct capture c;

	(void)state;
	capture_begin(&c);
	for (size_t len = 0; len < strlen(text) - 1; len++) {
		struct machine machine;

		assert_int_equal(read_text(&machine, text, len), EXIT_OTHER);
		machine_free(&machine);
	}
	capture_end(&c);
	free(text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_text_and_the_bytes_of_a_machine_agree),
	cmocka_unit_test(the_sample_is_read_as_it_is),
	cmocka_unit_test(redirects_are_read),
	cmocka_unit_test(a_user_who_is_not_root_sees_no_acs),
	cmocka_unit_test(lspci_v_shows_that_there_is_acs_but_not_its_bits),
	cmocka_unit_test(a_list_alone_has_no_more_than_classes_and_drivers),
	cmocka_unit_test(however_it_is_pasted_it_is_the_same),
	cmocka_unit_test(prose_around_it_is_no_function),
	cmocka_unit_test(a_text_that_is_cut_says_nothing_wrong),
	cmocka_unit_test(lines_that_are_cut_say_nothing_wrong),
	cmocka_unit_test(acs_is_absent_only_from_what_is_whole),
	cmocka_unit_test(types_are_those_of_the_express_capability),
	cmocka_unit_test(bytes_count_up_to_the_first_that_is_missing),
	cmocka_unit_test(what_reads_all_ones_is_said_to),
	cmocka_unit_test(bars_are_those_of_the_regions),
	cmocka_unit_test(a_bar_without_a_size_leaves_the_bars_unknown),
	cmocka_unit_test(bars_of_virtual_functions_are_not_those_of_the_physical_one),
	cmocka_unit_test(resizable_bars_have_their_sizes),
	cmocka_unit_test(windows_are_open_closed_or_unknown),
	cmocka_unit_test(links_have_speeds_and_widths),
	cmocka_unit_test(nodes_and_groups_are_read),
	cmocka_unit_test(ids_and_classes_come_as_names_or_numbers),
	cmocka_unit_test(what_is_not_printable_in_a_listing_is_escaped),
	cmocka_unit_test(domains_may_be_left_out_or_large),
	cmocka_unit_test(virtual_functions_are_found_by_the_offset_and_stride),
	cmocka_unit_test(bytes_show_virtual_functions_too),
	cmocka_unit_test(a_list_and_its_details_are_one),
	cmocka_unit_test(listings_that_contradict_each_other_are_refused),
	cmocka_unit_test(what_is_no_dump_is_refused),
	cmocka_unit_test(the_output_of_peers_is_no_machine),
	cmocka_unit_test(too_many_functions_are_refused),
	TREE_TEST(a_file_that_is_not_there_is_a_mistake_of_the_user),
	TREE_TEST(a_file_that_may_not_be_read_is_a_matter_of_privileges),
	TREE_TEST(a_file_that_is_too_large_is_refused),
	TREE_TEST(a_hyphen_is_standard_input),
	cmocka_unit_test(a_dump_of_rdma_topo_has_the_same_machine),
	cmocka_unit_test(paths_of_rdma_topo_show_parents_and_roots),
	cmocka_unit_test(what_is_not_printable_in_rdma_topo_is_escaped),
	cmocka_unit_test(the_error_of_a_dump_has_no_bytes_of_it),
	cmocka_unit_test(a_modalias_with_other_than_hexadecimal_digits_is_refused),
	cmocka_unit_test(a_malformed_dump_of_rdma_topo_is_refused),
	cmocka_unit_test(a_dump_of_rdma_topo_that_is_cut_is_refused),
};

UNIT_MAIN(tests)
