/* SPDX-License-Identifier: GPL-2.0 */
/* A recording, its machine and its summary, for the tests of what is made from them. */
#ifndef RECORDED_H
#define RECORDED_H

#include "unit.h"
#include "event/recording.h"
#include "event/summary.h"
#include "lib/units.h"
#include "machine/machine.h"

static struct recording recording;
static struct summary *summary;
static struct buffer out;	/* what is made */
static uint64_t now_ns;

static int setup(void **state)
{
	static const struct {
		enum kernel_enum which;
		uint32_t value;
		const char *name;
	} values[] = {
		{ ENUM_MAP_TYPE, 1, "not_supported" }, { ENUM_MAP_TYPE, 2, "bus_addr" },
		{ ENUM_MAP_TYPE, 3, "thru_host_bridge" },
		{ ENUM_DECISION_REASON, 4, "acs_redirect_blocked" },
		{ ENUM_DECISION_REASON, 6, "host_bridge_unknown" },
		{ ENUM_FALLBACK_REASON, 2, "no_memory" }, { ENUM_FALLBACK_REASON, 9, "new" },
		{ ENUM_ALLOC_ERROR, 3, "no_space" }, { ENUM_MAP_WHERE, 1, "bar" },
		{ ENUM_MAP_WHERE, 2, "ram" }, { ENUM_MAP_KIND, 0, "sg" },
	};

	(void)state;
	memset(&recording, 0, sizeof(recording));
	recording.name = "a<b>.rec";
	recording.about.start_ns = 1000;
	strcpy(recording.about.release, "6.12\"'&");
	machine_init(&recording.machine);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		assert_int_equal(enums_add(&recording.enums, values[i].which, values[i].value,
					   values[i].name), 0);
	summary = calloc(1, sizeof(*summary));
	assert_non_null(summary);
	summary_begin(summary);
	now_ns = 1000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	summary_free(summary);
	free(summary);
	enums_free(&recording.enums);
	machine_free(&recording.machine);
	buffer_free(&out);
	return 0;
}

/* ---- the machine: two devices below a switch, and one on another host bridge ---- */

#define SSD	"0000:03:00.0"
#define NIC	"0000:04:00.0"
#define FAR	"0000:81:00.0"

static inline struct function *with_function(const char *name, int parent, int root,
					     enum function_type type)
{
	struct function *function = machine_add_function(&recording.machine, name);

	assert_non_null(function);
	function->parent = parent;
	function->root = root;
	function->type = type;
	function->bridge = type == TYPE_ENDPOINT ? ABSENT : PRESENT;
	function->config = CONFIG_COMPLETE;
	function->acs = (struct acs){ .presence = type == TYPE_ENDPOINT ? ABSENT : PRESENT };
	function->vendor = 0x8086;
	function->device = 0x2030;
	function->class = type == TYPE_ENDPOINT ? 0x010802 : 0x060400;
	return function;
}

static inline void with_machine(uint16_t acs)
{
	struct machine *machine = &recording.machine;
	struct function *function;

	assert_non_null(machine_add_root(machine, "pci0000:00"));
	assert_non_null(machine_add_root(machine, "pci0000:80"));
	strcpy(machine->kernel, "6.12.1");
	strcpy(machine->arch, "x86_64");
	strcpy(machine->cpu_vendor, "GenuineIntel");
	machine->options_known = true;
	with_function("0000:00:01.0", NONE, 0, TYPE_ROOT_PORT);
	with_function("0000:01:00.0", 0, 0, TYPE_UPSTREAM);
	with_function("0000:02:00.0", 1, 0, TYPE_DOWNSTREAM)->acs =
		(struct acs){ PRESENT, 0xff, acs };
	with_function("0000:02:01.0", 1, 0, TYPE_DOWNSTREAM);
	function = with_function(SSD, 2, 0, TYPE_ENDPOINT);
	strcpy(function->driver, "nvme");
	strcpy(function->names[0], "nvme0");
	function->nr_names = 1;
	function = with_function(NIC, 3, 0, TYPE_ENDPOINT);
	strcpy(function->driver, "<mlx5>");
	with_function("0000:80:01.0", NONE, 1, TYPE_ROOT_PORT);
	with_function(FAR, 6, 1, TYPE_ENDPOINT);
	recording.has_machine = true;
}

/* ---- events ---- */

static inline void add(const void *record)
{
	const struct p2ptrace_header *h = record;

	summary_add(summary, &events[h->event], record);
}

#define H(name) { .ts_ns = now_ns += 50, .event = P2PTRACE_##name, .pid = 42, .comm = "<i>" }

static inline void map_as(const char *client, const char *provider, uint64_t size, uint32_t type)
{
	struct p2ptrace_p2pdma_map r = {
		.h = H(p2pdma_map), .id = now_ns, .dma_addr = 1, .size = size, .dir = 1,
		.map = type,
	};

	snprintf(r.client.s, sizeof(r.client.s), "%s", client);
	snprintf(r.provider.s, sizeof(r.provider.s), "%s", provider);
	add(&r);
}

static inline void map(const char *client, const char *provider, uint64_t size)
{
	map_as(client, provider, size, 2);
}

static inline void unmap_last(const char *client, const char *provider)
{
	struct p2ptrace_p2pdma_unmap r = { .id = now_ns, .dma_addr = 1 };

	r.h = (struct p2ptrace_header)H(p2pdma_unmap);
	snprintf(r.client.s, sizeof(r.client.s), "%s", client);
	snprintf(r.provider.s, sizeof(r.provider.s), "%s", provider);
	add(&r);
}

static inline void decide(const char *client, const char *provider, uint32_t type, uint32_t reason)
{
	struct p2ptrace_p2pdma_decide r = {
		.h = H(p2pdma_decide), .map = type, .reason = reason, .distance = -1,
	};

	snprintf(r.client.s, sizeof(r.client.s), "%s", client);
	snprintf(r.provider.s, sizeof(r.provider.s), "%s", provider);
	add(&r);
}

static inline void alloc(uint64_t id, uint64_t size)
{
	struct p2ptrace_p2pmem_alloc r = {
		.h = H(p2pmem_alloc), .dev.s = "p2pmem0", .id = id, .size = size,
	};

	add(&r);
}

static inline void freed(uint64_t id, uint64_t pins)
{
	struct p2ptrace_p2pmem_free r = {
		.h = H(p2pmem_free), .dev.s = "p2pmem0", .id = id, .pins = pins,
	};

	add(&r);
}

static inline void fell_back(uint64_t reason, uint64_t size)
{
	struct p2ptrace_nvmet_p2pmem_fallback r = {
		.h = H(nvmet_p2pmem_fallback), .reason = reason, .size = size,
	};

	add(&r);
}

static inline void alloc_failed(const char *dev, uint64_t reason, uint64_t size)
{
	struct p2ptrace_p2pmem_alloc_fail r = {
		.h = H(p2pmem_alloc_fail), .reason = reason, .size = size,
	};

	snprintf(r.dev.s, sizeof(r.dev.s), "%s", dev);
	add(&r);
}

static inline void exported(uint64_t id, uint64_t size)
{
	struct p2ptrace_dma_buf_export r = {
		.h = H(dma_buf_export), .id = id, .size = size, .exporter.s = "vfio-pci",
	};

	add(&r);
}

static inline void dmabuf_map(const char *client, const char *provider, uint32_t where,
			      uint32_t type)
{
	struct p2ptrace_dma_buf_map r = {
		.h = H(dma_buf_map), .id = 1, .size = 8192, .where = where, .map = type,
	};

	snprintf(r.client.s, sizeof(r.client.s), "%s", client);
	snprintf(r.provider.s, sizeof(r.provider.s), "%s", provider);
	add(&r);
}

/* ---- what is shown ---- */

static inline size_t count(const char *what)
{
	size_t nr = 0;

	for (const char *s = out.data; (s = strstr(s, what)); s++)
		nr++;
	return nr;
}

static inline void assert_shown(const char *text)
{
	if (!strstr(out.data, text))
		fail_msg("'%s' is not in: %s", text, out.data);
}

#endif /* RECORDED_H */
