// SPDX-License-Identifier: GPL-2.0
/* The exact line that each event prints, in text and in JSON. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include <bpf/btf.h>

#include "unit.h"
#include "event/json.h"
#include "event/blind.h"
#include "event/output.h"
#include "lib/json.h"

/* Values are distinct, so that a field read from the wrong offset fails a test. */
#define HEADER(name)									\
	.h = { .ts_ns = 12345678901, .event = P2PTRACE_##name, .cpu = 3, .pid = 4321, \
	       .comm = "kworker/3:1" }

static const struct p2ptrace_p2pmem_dev_add dev_add = {
	HEADER(p2pmem_dev_add), .dev.s = "p2pmem0", .provider.s = "0000:03:00.0",
	.bus_addr = 0xfe00000000000001, .size = 64 << 20, .node = -1,
};
static const struct p2ptrace_p2pmem_dev_del dev_del = {
	HEADER(p2pmem_dev_del), .dev.s = "p2pmem0", .provider.s = "0000:03:00.0", .buffers = 2,
	.bytes = 24576, .pins = 1,
};
static const struct p2ptrace_p2pmem_dev_drained dev_drained = {
	HEADER(p2pmem_dev_drained), .dev.s = "p2pmem0", .provider.s = "0000:03:00.0",
	.waited_ns = 1234567,
};
static const struct p2ptrace_p2pmem_drain_stall drain_stall = {
	HEADER(p2pmem_drain_stall), .dev.s = "p2pmem0", .provider.s = "0000:03:00.0",
	.buffers = 5, .pins = 6, .oldest_id = 7,
};
static const struct p2ptrace_p2pmem_alloc alloc = {
	HEADER(p2pmem_alloc), .dev.s = "p2pmem0", .id = 17, .bus_addr = 0xfe004000,
	.size = 16384, .nents = 1,
};
static const struct p2ptrace_p2pmem_alloc_fail alloc_fail = {
	HEADER(p2pmem_alloc_fail), .dev.s = "p2pmem0", .size = 16385, .reason = 1,
};
static const struct p2ptrace_p2pmem_free free_ = {
	HEADER(p2pmem_free), .dev.s = "p2pmem0", .id = 17, .size = 16384, .pins = 2,
};
static const struct p2ptrace_p2pmem_reclaim reclaim = {
	HEADER(p2pmem_reclaim), .dev.s = "p2pmem0", .id = 17, .size = 16384,
};
static const struct p2ptrace_p2pdma_decide decide = {
	HEADER(p2pdma_decide), .provider.s = "0000:03:00.0", .client.s = "0000:04:00.0",
	.map = 1, .distance = -1, .reason = 3, .blocker.s = "0000:00:02.0", .cached = 1,
};
static const struct p2ptrace_p2pmem_find find = {
	HEADER(p2pmem_find), .clients = 2, .candidates = 3, .distance = -1, .err = -ENODEV,
};
static const struct p2ptrace_p2pdma_map dma_map = {
	HEADER(p2pdma_map), .provider.s = "0000:03:00.0", .client.s = "0000:04:00.0",
	.kind = P2PTRACE_KIND_SG, .id = 17, .bus_addr = 0xfe004000,
	.dma_addr = 0xfe004000, .size = 4096, .dir = 1, .map = 2,
};
static const struct p2ptrace_p2pdma_unmap dma_unmap = {
	HEADER(p2pdma_unmap), .provider.s = "0000:03:00.0", .client.s = "0000:04:00.0",
	.kind = P2PTRACE_KIND_VIRT, .id = 17, .dma_addr = 0xfe004000, .size = 4096, .dir = 2,
};
static const struct p2ptrace_p2pmem_mmap mmap_ = {
	HEADER(p2pmem_mmap), .dev.s = "p2pmem0", .size = 2 << 20, .allowed = 1,
};
static const struct p2ptrace_dma_buf_export dmabuf_export = {
	HEADER(dma_buf_export), .id = 19, .exporter.s = "vfio_pci_core", .size = 65536,
};
static const struct p2ptrace_dma_buf_release dmabuf_release = {
	HEADER(dma_buf_release), .id = 19, .exporter.s = "vfio_pci_core", .size = 65536,
};
static const struct p2ptrace_dma_buf_attach dmabuf_attach = {
	HEADER(dma_buf_attach), .id = 19, .client.s = "0000:04:00.0", .revocable = 1,
};
static const struct p2ptrace_dma_buf_detach dmabuf_detach = {
	HEADER(dma_buf_detach), .id = 19, .client.s = "0000:04:00.0", .revocable = 1,
};
static const struct p2ptrace_dma_buf_unmap dmabuf_unmap = {
	HEADER(dma_buf_unmap), .id = 19, .client.s = "0000:04:00.0", .size = 65536,
	.dir = 2, .where = P2PTRACE_WHERE_RAM,
};
static const struct p2ptrace_dma_buf_map dmabuf_map = {
	HEADER(dma_buf_map), .id = 19, .provider.s = "0000:03:00.0",
	.client.s = "0000:04:00.0", .size = 65536, .dir = 1, .map = 2, .where = P2PTRACE_WHERE_BAR,
};
static const struct p2ptrace_dma_buf_pin dmabuf_pin = {
	HEADER(dma_buf_pin), .id = 19, .client.s = "0000:04:00.0",
};
static const struct p2ptrace_dma_buf_unpin dmabuf_unpin = {
	HEADER(dma_buf_unpin), .id = 19, .client.s = "0000:04:00.0",
};
static const struct p2ptrace_dma_buf_revoke dmabuf_revoke = {
	HEADER(dma_buf_revoke), .id = 19, .client.s = "0000:04:00.0", .waited_ns = 1234567,
};
static const struct p2ptrace_nvmet_p2pmem_bind bind_ = {
	HEADER(nvmet_p2pmem_bind), .subsys = "nqn.2024-01.org.example:s1", .cntlid = 65519,
	.nsid = 4294967295, .dev.s = "p2pmem0", .distance = 4, .err = 0,
};
static const struct p2ptrace_nvmet_p2pmem_unbind unbind_ = {
	HEADER(nvmet_p2pmem_unbind), .subsys = "nqn.2024-01.org.example:s1", .cntlid = 1,
	.nsid = 2, .dev.s = "p2pmem0", .reason = 2,
};
static const struct p2ptrace_nvmet_p2pmem_use use = {
	HEADER(nvmet_p2pmem_use), .cntlid = 1, .qid = 2, .cid = 65535, .nsid = 3, .opcode = 2,
	.size = 16384, .id = 17,
};
static const struct p2ptrace_nvmet_p2pmem_fallback fallback = {
	HEADER(nvmet_p2pmem_fallback), .cntlid = 1, .qid = 2, .cid = 3, .nsid = 4,
	.opcode = 0x81, .size = 512, .reason = 4,
};

#define TEXT(event) "   12.345678 [003] kworker/3:1-4321       " event " "
#define JSON(event) \
	"{\"ts_ns\":12345678901,\"event\":\"" event "\",\"cpu\":3,\"pid\":4321," \
	"\"comm\":\"kworker/3:1\","

static const struct {
	const void *record;
	size_t size;
	const char *text, *json;
} lines[P2PTRACE_NR_EVENTS] = {
	[P2PTRACE_p2pmem_dev_add] = { &dev_add, sizeof(dev_add),
		TEXT("p2pmem_dev_add       ") "dev=p2pmem0 provider=0000:03:00.0 "
		"bus_addr=0xfe00000000000001 size=64M node=-1",
		JSON("p2pmem_dev_add") "\"dev\":\"p2pmem0\",\"provider\":\"0000:03:00.0\","
		"\"bus_addr\":18302628885633695745,\"size\":67108864,\"node\":-1}" },
	[P2PTRACE_p2pmem_dev_del] = { &dev_del, sizeof(dev_del),
		TEXT("p2pmem_dev_del       ") "dev=p2pmem0 provider=0000:03:00.0 buffers=2 "
		"bytes=24K pins=1",
		JSON("p2pmem_dev_del") "\"dev\":\"p2pmem0\",\"provider\":\"0000:03:00.0\","
		"\"buffers\":2,\"bytes\":24576,\"pins\":1}" },
	[P2PTRACE_p2pmem_dev_drained] = { &dev_drained, sizeof(dev_drained),
		TEXT("p2pmem_dev_drained   ") "dev=p2pmem0 provider=0000:03:00.0 waited_ns=1234567",
		JSON("p2pmem_dev_drained") "\"dev\":\"p2pmem0\",\"provider\":\"0000:03:00.0\","
		"\"waited_ns\":1234567}" },
	[P2PTRACE_p2pmem_drain_stall] = { &drain_stall, sizeof(drain_stall),
		TEXT("p2pmem_drain_stall   ") "dev=p2pmem0 provider=0000:03:00.0 buffers=5 pins=6 "
		"oldest_id=7",
		JSON("p2pmem_drain_stall") "\"dev\":\"p2pmem0\",\"provider\":\"0000:03:00.0\","
		"\"buffers\":5,\"pins\":6,\"oldest_id\":7}" },
	[P2PTRACE_p2pmem_alloc] = { &alloc, sizeof(alloc),
		TEXT("p2pmem_alloc         ") "dev=p2pmem0 id=17 bus_addr=0xfe004000 size=16K "
		"nents=1",
		JSON("p2pmem_alloc") "\"dev\":\"p2pmem0\",\"id\":17,\"bus_addr\":4261429248,"
		"\"size\":16384,\"nents\":1}" },
	[P2PTRACE_p2pmem_alloc_fail] = { &alloc_fail, sizeof(alloc_fail),
		TEXT("p2pmem_alloc_fail    ") "dev=p2pmem0 size=16385 reason=removed",
		JSON("p2pmem_alloc_fail") "\"dev\":\"p2pmem0\",\"size\":16385,"
		"\"reason\":\"removed\"}" },
	[P2PTRACE_p2pmem_free] = { &free_, sizeof(free_),
		TEXT("p2pmem_free          ") "dev=p2pmem0 id=17 size=16K pins=2",
		JSON("p2pmem_free") "\"dev\":\"p2pmem0\",\"id\":17,\"size\":16384,\"pins\":2}" },
	[P2PTRACE_p2pmem_reclaim] = { &reclaim, sizeof(reclaim),
		TEXT("p2pmem_reclaim       ") "dev=p2pmem0 id=17 size=16K",
		JSON("p2pmem_reclaim") "\"dev\":\"p2pmem0\",\"id\":17,\"size\":16384}" },
	[P2PTRACE_p2pdma_decide] = { &decide, sizeof(decide),
		TEXT("p2pdma_decide        ") "provider=0000:03:00.0 client=0000:04:00.0 "
		"map=not_supported distance=-1 reason=acs_redirect_blocked blocker=0000:00:02.0 "
		"cached=yes",
		JSON("p2pdma_decide") "\"provider\":\"0000:03:00.0\",\"client\":\"0000:04:00.0\","
		"\"map\":\"not_supported\",\"distance\":-1,\"reason\":\"acs_redirect_blocked\","
		"\"blocker\":\"0000:00:02.0\",\"cached\":true}" },
	[P2PTRACE_p2pmem_find] = { &find, sizeof(find),
		TEXT("p2pmem_find          ") "dev=- clients=2 candidates=3 distance=-1 "
		"err=-ENODEV",
		JSON("p2pmem_find") "\"dev\":\"\",\"clients\":2,\"candidates\":3,\"distance\":-1,"
		"\"err\":-19}" },
	[P2PTRACE_p2pdma_map] = { &dma_map, sizeof(dma_map),
		TEXT("p2pdma_map           ") "provider=0000:03:00.0 client=0000:04:00.0 kind=sg "
		"id=17 bus_addr=0xfe004000 dma_addr=0xfe004000 size=4K dir=to_device map=bus_addr",
		JSON("p2pdma_map") "\"provider\":\"0000:03:00.0\",\"client\":\"0000:04:00.0\","
		"\"kind\":\"sg\",\"id\":17,\"bus_addr\":4261429248,"
		"\"dma_addr\":4261429248,\"size\":4096,\"dir\":\"to_device\","
		"\"map\":\"bus_addr\"}" },
	[P2PTRACE_p2pdma_unmap] = { &dma_unmap, sizeof(dma_unmap),
		TEXT("p2pdma_unmap         ") "provider=0000:03:00.0 client=0000:04:00.0 "
		"kind=virt id=17 dma_addr=0xfe004000 size=4K dir=from_device",
		JSON("p2pdma_unmap") "\"provider\":\"0000:03:00.0\","
		"\"client\":\"0000:04:00.0\",\"kind\":\"virt\",\"id\":17,"
		"\"dma_addr\":4261429248,\"size\":4096,"
		"\"dir\":\"from_device\"}" },
	[P2PTRACE_p2pmem_mmap] = { &mmap_, sizeof(mmap_),
		TEXT("p2pmem_mmap          ") "dev=p2pmem0 size=2M allowed=yes",
		JSON("p2pmem_mmap") "\"dev\":\"p2pmem0\",\"size\":2097152,\"allowed\":true}" },
	[P2PTRACE_dma_buf_export] = { &dmabuf_export, sizeof(dmabuf_export),
		TEXT("dma_buf_export       ") "id=19 exporter=vfio_pci_core size=64K",
		JSON("dma_buf_export")
		"\"id\":19,\"exporter\":\"vfio_pci_core\",\"size\":65536}" },
	[P2PTRACE_dma_buf_release] = { &dmabuf_release, sizeof(dmabuf_release),
		TEXT("dma_buf_release      ") "id=19 exporter=vfio_pci_core size=64K",
		JSON("dma_buf_release")
		"\"id\":19,\"exporter\":\"vfio_pci_core\",\"size\":65536}" },
	[P2PTRACE_dma_buf_attach] = { &dmabuf_attach, sizeof(dmabuf_attach),
		TEXT("dma_buf_attach       ")
		"id=19 client=0000:04:00.0 dynamic=no revocable=yes p2p=no",
		JSON("dma_buf_attach")
		"\"id\":19,\"client\":\"0000:04:00.0\",\"dynamic\":false,"
		"\"revocable\":true,\"p2p\":false}" },
	[P2PTRACE_dma_buf_detach] = { &dmabuf_detach, sizeof(dmabuf_detach),
		TEXT("dma_buf_detach       ")
		"id=19 client=0000:04:00.0 dynamic=no revocable=yes p2p=no",
		JSON("dma_buf_detach")
		"\"id\":19,\"client\":\"0000:04:00.0\",\"dynamic\":false,"
		"\"revocable\":true,\"p2p\":false}" },
	[P2PTRACE_dma_buf_unmap] = { &dmabuf_unmap, sizeof(dmabuf_unmap),
		TEXT("dma_buf_unmap        ")
		"id=19 client=0000:04:00.0 size=64K dir=from_device where=ram",
		JSON("dma_buf_unmap")
		"\"id\":19,\"client\":\"0000:04:00.0\",\"size\":65536,"
		"\"dir\":\"from_device\",\"where\":\"ram\"}" },
	[P2PTRACE_dma_buf_map] = { &dmabuf_map, sizeof(dmabuf_map),
		TEXT("dma_buf_map          ") "id=19 provider=0000:03:00.0 client=0000:04:00.0 "
		"size=64K dir=to_device map=bus_addr where=bar",
		JSON("dma_buf_map")
		"\"id\":19,\"provider\":\"0000:03:00.0\",\"client\":\"0000:04:00.0\","
		"\"size\":65536,\"dir\":\"to_device\",\"map\":\"bus_addr\",\"where\":\"bar\"}" },
	[P2PTRACE_dma_buf_pin] = { &dmabuf_pin, sizeof(dmabuf_pin),
		TEXT("dma_buf_pin          ")
		"id=19 client=0000:04:00.0",
		JSON("dma_buf_pin")
		"\"id\":19,\"client\":\"0000:04:00.0\"}" },
	[P2PTRACE_dma_buf_unpin] = { &dmabuf_unpin, sizeof(dmabuf_unpin),
		TEXT("dma_buf_unpin        ")
		"id=19 client=0000:04:00.0",
		JSON("dma_buf_unpin")
		"\"id\":19,\"client\":\"0000:04:00.0\"}" },
	[P2PTRACE_dma_buf_revoke] = { &dmabuf_revoke, sizeof(dmabuf_revoke),
		TEXT("dma_buf_revoke       ")
		"id=19 client=0000:04:00.0 waited_ns=1234567",
		JSON("dma_buf_revoke")
		"\"id\":19,\"client\":\"0000:04:00.0\",\"waited_ns\":1234567}" },
	[P2PTRACE_nvmet_p2pmem_bind] = { &bind_, sizeof(bind_),
		TEXT("nvmet_p2pmem_bind    ") "subsys=nqn.2024-01.org.example:s1 cntlid=65519 "
		"nsid=4294967295 dev=p2pmem0 distance=4 err=0",
		JSON("nvmet_p2pmem_bind") "\"subsys\":\"nqn.2024-01.org.example:s1\","
		"\"cntlid\":65519,\"nsid\":4294967295,\"dev\":\"p2pmem0\",\"distance\":4,"
		"\"err\":0}" },
	[P2PTRACE_nvmet_p2pmem_unbind] = { &unbind_, sizeof(unbind_),
		TEXT("nvmet_p2pmem_unbind  ") "subsys=nqn.2024-01.org.example:s1 cntlid=1 nsid=2 "
		"dev=p2pmem0 reason=teardown",
		JSON("nvmet_p2pmem_unbind") "\"subsys\":\"nqn.2024-01.org.example:s1\","
		"\"cntlid\":1,\"nsid\":2,\"dev\":\"p2pmem0\",\"reason\":\"teardown\"}" },
	[P2PTRACE_nvmet_p2pmem_use] = { &use, sizeof(use),
		TEXT("nvmet_p2pmem_use     ") "cntlid=1 qid=2 cid=65535 nsid=3 opcode=0x2 "
		"size=16K id=17",
		JSON("nvmet_p2pmem_use") "\"cntlid\":1,\"qid\":2,\"cid\":65535,\"nsid\":3,"
		"\"opcode\":2,\"size\":16384,\"id\":17}" },
	[P2PTRACE_nvmet_p2pmem_fallback] = { &fallback, sizeof(fallback),
		TEXT("nvmet_p2pmem_fallback") "cntlid=1 qid=2 cid=3 nsid=4 opcode=0x81 size=512 "
		"reason=too_small",
		JSON("nvmet_p2pmem_fallback") "\"cntlid\":1,\"qid\":2,\"cid\":3,\"nsid\":4,"
		"\"opcode\":129,\"size\":512,\"reason\":\"too_small\"}" },
};

static struct enums enums;
static struct buffer line;
static bool on_stock;

/* Adds an enum whose @values are 0, 1, 2, ... */
static void add_enum(struct btf *btf, const char *name, const char *const *values)
{
	btf__add_enum(btf, name, 4);
	for (int i = 0; values[i]; i++)
		btf__add_enum_value(btf, values[i], i);
}

static int setup(void **state)
{
	static const char *const map[] = {
		"PCI_P2PDMA_MAP_UNKNOWN", "PCI_P2PDMA_MAP_NOT_SUPPORTED", "PCI_P2PDMA_MAP_BUS_ADDR",
		NULL
	};
	static const char *const reason[] = {
		"PCI_P2PDMA_REASON_SAME_FUNCTION", "PCI_P2PDMA_REASON_SAME_BRIDGE",
		"PCI_P2PDMA_REASON_ACS_REDIRECT_ALLOWED", "PCI_P2PDMA_REASON_ACS_REDIRECT_BLOCKED",
		NULL
	};
	static const char *const error[] = {
		"P2PMEM_ALLOC_NO_MEMORY", "P2PMEM_ALLOC_REMOVED", NULL
	};
	static const char *const fall[] = {
		"NVMET_P2PMEM_FALLBACK_NO_BINDING", "NVMET_P2PMEM_FALLBACK_NO_MEMORY",
		"NVMET_P2PMEM_FALLBACK_REMOVED", "NVMET_P2PMEM_FALLBACK_CPU_ACCESS",
		"NVMET_P2PMEM_FALLBACK_TOO_SMALL", NULL
	};
	static const char *const unbind[] = {
		"NVMET_P2PMEM_UNBIND_DISABLED", "NVMET_P2PMEM_UNBIND_REMOVED",
		"NVMET_P2PMEM_UNBIND_TEARDOWN", NULL
	};
	static const char *const dir[] = {
		"DMA_BIDIRECTIONAL", "DMA_TO_DEVICE", "DMA_FROM_DEVICE", NULL
	};
	struct btf *btf = btf__new_empty();
	int err;

	(void)state;
	add_enum(btf, "pci_p2pdma_map_type", map);
	add_enum(btf, "pci_p2pdma_reason", reason);
	add_enum(btf, "p2pmem_alloc_error", error);
	add_enum(btf, "nvmet_p2pmem_fallback_reason", fall);
	add_enum(btf, "nvmet_p2pmem_unbind_reason", unbind);
	add_enum(btf, "dma_data_direction", dir);
	err = enums_load(&enums, btf);
	btf__free(btf);
	return err;
}

static int teardown(void **state)
{
	(void)state;
	enums_free(&enums);
	buffer_free(&line);
	return 0;
}

static const char *text(const void *record, size_t size)
{
	const struct event *event = event_of_record(record, size);

	assert_non_null(event);
	buffer_reset(&line);
	assert_int_equal(output_text(&line, event, record, &enums, on_stock), 0);
	return line.data;
}

static const char *json(const void *record, size_t size)
{
	const struct event *event = event_of_record(record, size);

	assert_non_null(event);
	buffer_reset(&line);
	assert_int_equal(json_line(&line, event, record, &enums, on_stock), 0);
	return line.data;
}

static void assert_line(const char *printed, const char *expected)
{
	size_t len = strlen(expected);

	if (strncmp(printed, expected, len) || strcmp(printed + len, "\n"))
		fail_msg("printed:  %sexpected: %s", printed, expected);
}

static void every_event_prints_its_line_of_text(void **state)
{
	(void)state;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		if (!lines[i].text)
			fail_msg("%s has no line here", events[i].name);
		assert_line(text(lines[i].record, lines[i].size), lines[i].text);
	}
}

static void every_event_prints_its_line_of_json(void **state)
{
	(void)state;
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		if (!lines[i].json)
			fail_msg("%s has no line here", events[i].name);
		assert_line(json(lines[i].record, lines[i].size), lines[i].json);
	}
}

static void fields_unknown_to_a_stock_kernel_are_left_out(void **state)
{
	(void)state;
	on_stock = true;
	assert_null(strstr(text(&alloc, sizeof(alloc)), " nents="));
	assert_non_null(strstr(line.data, " id=17 bus_addr="));
	assert_null(strstr(json(&alloc, sizeof(alloc)), "\"nents\""));
	assert_non_null(strstr(line.data, "\"id\":17,"));
	/* Stock kernels lack this event, so it has no field to leave out */
	assert_non_null(strstr(text(&reclaim, sizeof(reclaim)), " size="));
	on_stock = false;
	assert_non_null(strstr(text(&alloc, sizeof(alloc)), " nents="));
}

static void sizes_have_a_unit_only_if_it_is_exact(void **state)
{
	static const struct {
		uint64_t size;
		const char *text;
	} cases[] = {
		{ 0, "size=0 " }, { 1, "size=1 " }, { 1023, "size=1023 " },
		{ 1024, "size=1K " }, { 1536, "size=1536 " }, { 12288, "size=12K " },
		{ 1 << 20, "size=1M " }, { 8ull << 30, "size=8G " }, { 3ull << 40, "size=3T " },
		{ 1ull << 63, "size=8388608T " }, { UINT64_MAX, "size=18446744073709551615 " },
	};
	struct p2ptrace_p2pmem_alloc record = alloc;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		record.size = cases[i].size;
		if (!strstr(text(&record, sizeof(record)), cases[i].text))
			fail_msg("no '%s' in: %s", cases[i].text, line.data);
	}
}

static void errors_have_names_in_text(void **state)
{
	static const struct {
		int err;
		const char *text;
	} cases[] = {
		{ 0, "err=0\n" }, { -ENOMEM, "err=-ENOMEM\n" }, { -524, "err=-524\n" },
		{ 1, "err=1\n" }, { INT_MIN, "err=-2147483648\n" },
		{ -EREMOTEIO, "err=-EREMOTEIO\n" },
	};
	struct p2ptrace_p2pmem_find record = find;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		record.err = cases[i].err;
		if (!strstr(text(&record, sizeof(record)), cases[i].text))
			fail_msg("no '%s' in: %s", cases[i].text, line.data);
	}
}

static void numbers_are_exact_to_64_bits(void **state)
{
	struct p2ptrace_p2pmem_alloc record = alloc;

	(void)state;
	record.h.ts_ns = UINT64_MAX;
	record.id = UINT64_MAX;
	record.bus_addr = UINT64_MAX - 1;
	record.nents = UINT32_MAX;
	assert_line(json(&record, sizeof(record)),
		    "{\"ts_ns\":18446744073709551615,\"event\":\"p2pmem_alloc\",\"cpu\":3,"
		    "\"pid\":4321,\"comm\":\"kworker/3:1\",\"dev\":\"p2pmem0\","
		    "\"id\":18446744073709551615,"
		    "\"bus_addr\":18446744073709551614,\"size\":16384,\"nents\":4294967295}");
	assert_line(text(&record, sizeof(record)),
		    "18446744073.709551 [003] kworker/3:1-4321       p2pmem_alloc          "
		    "dev=p2pmem0 id=18446744073709551615 bus_addr=0xfffffffffffffffe size=16K "
		    "nents=4294967295");
}

static void unknown_enum_values_show_their_number(void **state)
{
	struct p2ptrace_p2pmem_alloc_fail record = alloc_fail;

	(void)state;
	record.reason = 99;
	assert_non_null(strstr(text(&record, sizeof(record)), " reason=unknown(99)\n"));
	assert_non_null(strstr(json(&record, sizeof(record)), "\"reason\":\"unknown(99)\"}"));
}

/* A thread can be given an empty name. */
static void an_empty_command_prints_as_a_dash(void **state)
{
	struct p2ptrace_p2pmem_reclaim record = reclaim;

	(void)state;
	memset(record.h.comm, 0, sizeof(record.h.comm));
	assert_line(text(&record, sizeof(record)),
		    "   12.345678 [003] --4321                 p2pmem_reclaim        dev=p2pmem0 "
		    "id=17 size=16K");
	assert_non_null(strstr(json(&record, sizeof(record)), ",\"comm\":\"\","));
}

static void special_characters_in_names_are_escaped(void **state)
{
	struct p2ptrace_p2pmem_reclaim record = reclaim;

	(void)state;
	memcpy(record.h.comm, "\x1b[2J\"a b\\\n\xff", 12);
	strcpy(record.dev.s, "a=b size=9\r\"},{\x7f\xc2\x9b");
	assert_line(text(&record, sizeof(record)),
		    "   12.345678 [003] \\x1b[2J\"a\\x20b\\x5c\\x0a\\xff-4321 "
		    "p2pmem_reclaim        "
		    "dev=a=b\\x20size=9\\x0d\"},{\\x7f\\xc2\\x9b id=17 size=16K");

	assert_line(json(&record, sizeof(record)),
		    "{\"ts_ns\":12345678901,\"event\":\"p2pmem_reclaim\",\"cpu\":3,\"pid\":4321,"
		    "\"comm\":\"\\u001b[2J\\\"a b\\\\\\n\xef\xbf\xbd\",\"dev\":\"a=b "
		    "size=9\\r\\\"},{\xef\xbf\xbd\xef\xbf\xbd\",\"id\":17,\"size\":16384}");
}

/* json_line() and json_str() agree about every byte at every position. */
static void both_json_writers_escape_every_byte_alike(void **state)
{
	struct p2ptrace_p2pmem_reclaim record = reclaim;
	struct buffer expected = {};

	(void)state;
	for (size_t place = 0; place < P2PTRACE_NAME_LEN - 1; place++) {
		for (int byte = 1; byte < 256; byte++) {
			memset(record.dev.s, 0, sizeof(record.dev.s));
			memset(record.dev.s, 'a',
			       (place | 7) < P2PTRACE_NAME_LEN - 1 ? place | 7 : place);
			record.dev.s[place] = byte;
			buffer_reset(&expected);
			json_str(&expected, NULL, record.dev.s);
			json_uint(&expected, "id", 17);
			if (!strstr(json(&record, sizeof(record)), buffer_text(&expected)))
				fail_msg("no '%s' in: %s", buffer_text(&expected), line.data);
		}
	}
	buffer_free(&expected);
}

static void numbers_of_every_length_print_exactly(void **state)
{
	struct p2ptrace_p2pmem_find record = find;
	char expected[128];

	(void)state;
	for (uint64_t number = 1; ; number *= 10) {
		for (int less = 0; less < 2; less++) {
			record.h.ts_ns = number - less;
			record.distance = (int32_t)(number - less);
			snprintf(expected, sizeof(expected), "{\"ts_ns\":%" PRIu64 ",",
				 number - less);
			if (strncmp(json(&record, sizeof(record)), expected, strlen(expected)))
				fail_msg("no '%s' in: %s", expected, line.data);
			snprintf(expected, sizeof(expected), ",\"distance\":%d,",
				 (int)record.distance);
			if (!strstr(line.data, expected))
				fail_msg("no '%s' in: %s", expected, line.data);
		}
		if (number > UINT64_MAX / 10)
			break;
	}
}

/* The longest strings that fit in a record, without a NUL. */
static void strings_without_a_nul_end_with_their_field(void **state)
{
	struct p2ptrace_nvmet_p2pmem_bind record = bind_;
	char expected[4 * P2PTRACE_NQN_LEN + 16] = "subsys=";

	(void)state;
	memset(record.h.comm, 'c', sizeof(record.h.comm));
	memset(record.dev.s, 'd', sizeof(record.dev.s));
	memset(record.subsys, 0xff, sizeof(record.subsys));
	text(&record, sizeof(record));
	for (int i = 0; i < P2PTRACE_NQN_LEN; i++)
		strcat(expected, "\\xff");
	strcat(expected, " cntlid=");
	assert_non_null(strstr(line.data, expected));
	assert_non_null(strstr(line.data, " cccccccccccccccc-4321 "));
	assert_non_null(strstr(line.data, " dev=dddddddddddddddddddddddddddddddd "));

	strcpy(expected, "\"subsys\":\"");
	for (int i = 0; i < P2PTRACE_NQN_LEN; i++)
		strcat(expected, "\xef\xbf\xbd");
	strcat(expected, "\",\"cntlid\":");
	assert_non_null(strstr(json(&record, sizeof(record)), expected));
	assert_non_null(strstr(line.data, "\"comm\":\"cccccccccccccccc\","));
	assert_non_null(strstr(line.data, "\"dev\":\"dddddddddddddddddddddddddddddddd\","));
}

/* The room for a line depends on its event, and is not checked while the line is written. */
static void the_longest_line_of_every_event_fits(void **state)
{
	static const size_t room[] = {
#define ROOM(e) [P2PTRACE_##e] = sizeof(((union json_longest *)0)->e),
		P2PTRACE_EVENTS(ROOM)
#undef ROOM
	};
	static struct enums longest;
	uint64_t record[sizeof(struct p2ptrace_nvmet_p2pmem_bind) / sizeof(uint64_t)];
	static struct enum_value value = { .value = 0x01010101, .len = 2 * JSON_ENUM_LEN };

	(void)state;
	value.name = calloc(1, 2 * JSON_ENUM_LEN + ENUM_NAME_STEP);
	assert_non_null(value.name);
	memset(value.name, 'e', value.len);
	for (int i = 0; i < NR_ENUMS; i++)
		longest.table[i] = (struct enum_table){ &value, 1 };
	for (int i = 0; i < P2PTRACE_NR_EVENTS; i++) {
		struct p2ptrace_header *h = (void *)record;

		/* Each byte of a string takes six, and a number is a long one */
		assert_true(events[i].size <= sizeof(record));
		memset(record, 1, sizeof(record));
		for (size_t f = 0; f < events[i].nr_fields; f++) {
			const struct field *field = &events[i].fields[f];

			if (field->kind != FIELD_STRING && field->kind != FIELD_ENUM)
				memset((char *)record + field->offset,
				       field->kind == FIELD_BOOL ? 0 : 0xff, 8);
			if (field->kind == FIELD_INT || field->kind == FIELD_ERRNO)
				*(int64_t *)((char *)record + field->offset) = INT_MIN;
		}
		h->event = i;
		h->ts_ns = UINT64_MAX;
		h->cpu = h->pid = UINT32_MAX;
		buffer_reset(&line);
		assert_int_equal(json_line(&line, &events[i], record, &longest, false), 0);
		assert_true(line.len >= room[i] / 2 && line.len < room[i]);
		assert_true(room[i] <= sizeof(union json_longest));
	}
	free(value.name);
}

static void the_last_line_counts_the_lost_events(void **state)
{
	uint64_t per_cpu[] = { 40, 0, 12, 0 };
	struct lost lost = {
		.total = 56, .nested = 4, .per_cpu = per_cpu, .nr_cpus = ARRAY_LEN(per_cpu),
	};
	struct event_set all_seen = {};
	struct lost none = { .per_cpu = per_cpu };

	(void)state;
	buffer_reset(&line);
	output_text_end(&line, 1009, &lost, &all_seen);
	assert_string_equal(line.data, "# 1009 events, 56 lost (cpu0 40, cpu2 12, nested 4)\n");
	buffer_reset(&line);
	output_text_end(&line, 1, &none, &all_seen);
	assert_string_equal(line.data, "# 1 event, 0 lost\n");
	buffer_reset(&line);
	output_json_end(&line, 1009, &lost, &all_seen, NULL);
	assert_string_equal(line.data, "{\"event\":\"end\",\"events\":1009,\"lost\":56,"
			    "\"blind\":[]}\n");
	buffer_reset(&line);
	output_json_end(&line, 0, &none, &all_seen, NULL);
	assert_string_equal(line.data, "{\"event\":\"end\",\"events\":0,\"lost\":0,"
			    "\"blind\":[]}\n");
}

/* 0 events are no news if they could not be seen. */
static void the_end_names_what_was_not_seen(void **state)
{
	struct event_set set = { .has[P2PTRACE_p2pmem_free] = true };
	struct lost none = {};

	(void)state;
	blind_add(&set, P2PTRACE_p2pdma_unmap, "%s: %s", "dma_unmap_sg", "missing");
	blind_add(&set, P2PTRACE_p2pmem_free, "lists: pci_p2pmem_free_sgl: inlined");
	buffer_reset(&line);
	output_text_end(&line, 0, &none, &set);
	assert_string_equal(line.data, "# p2pmem_free is seen in part, without lists: "
			    "pci_p2pmem_free_sgl: inlined\n"
			    "# p2pdma_unmap is not seen: dma_unmap_sg: missing\n"
			    "# 0 events, 0 lost\n");
	buffer_reset(&line);
	output_json_end(&line, 0, &none, &set, "it is cut");
	assert_string_equal(line.data, "{\"event\":\"end\",\"events\":0,\"lost\":0,"
			    "\"blind\":[\"p2pmem_free\",\"p2pdma_unmap\"],"
			    "\"cut\":\"it is cut\"}\n");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_event_prints_its_line_of_text),
	cmocka_unit_test(every_event_prints_its_line_of_json),
	cmocka_unit_test(fields_unknown_to_a_stock_kernel_are_left_out),
	cmocka_unit_test(sizes_have_a_unit_only_if_it_is_exact),
	cmocka_unit_test(errors_have_names_in_text),
	cmocka_unit_test(numbers_are_exact_to_64_bits),
	cmocka_unit_test(unknown_enum_values_show_their_number),
	cmocka_unit_test(an_empty_command_prints_as_a_dash),
	cmocka_unit_test(special_characters_in_names_are_escaped),
	cmocka_unit_test(both_json_writers_escape_every_byte_alike),
	cmocka_unit_test(numbers_of_every_length_print_exactly),
	cmocka_unit_test(strings_without_a_nul_end_with_their_field),
	cmocka_unit_test(the_longest_line_of_every_event_fits),
	cmocka_unit_test(the_last_line_counts_the_lost_events),
	cmocka_unit_test(the_end_names_what_was_not_seen),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
