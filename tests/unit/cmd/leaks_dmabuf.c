// SPDX-License-Identifier: GPL-2.0
/* wrap: map_walk */
/* What "p2ptrace leaks" says about dma-bufs, from maps without a kernel. */
#include <errno.h>

#include "unit.h"
#include "lib/units.h"
#include "session/map_walk.h"

#include "cmd/leaks_dmabuf.c"

enum { DMABUFS = 3, ATTACHED, MAPPINGS };

static const uint64_t ids[] = { 7, 5, 6 };
static struct p2ptrace_dmabuf values[3];
static const uint64_t addresses[] = { 0x30, 0x10, 0x20 };
static struct p2ptrace_attached attached[3];
static struct p2ptrace_dmabuf_mapping mappings[3];
static int fails_for;

int __wrap_map_walk(int fd, size_t key_size, size_t value_size, uint32_t max_entries,
		    map_visit visit, void *ctx);
int __wrap_map_walk(int fd, size_t key_size, size_t value_size, uint32_t max_entries,
		    map_visit visit, void *ctx)
{
	int rc = fd == fails_for ? -EPERM : 0;

	assert_int_equal(max_entries, P2PTRACE_MAX_LIVE);
	for (size_t i = 0; i < 3 && !rc; i++) {
		if (fd == DMABUFS) {
			assert_int_equal(key_size, sizeof(ids[i]));
			assert_int_equal(value_size, sizeof(values[i]));
			rc = visit(ctx, &ids[i], &values[i]);
		} else if (fd == ATTACHED) {
			assert_int_equal(key_size, sizeof(addresses[i]));
			assert_int_equal(value_size, sizeof(attached[i]));
			rc = visit(ctx, &addresses[i], &attached[i]);
		} else {
			assert_int_equal(fd, MAPPINGS);
			assert_int_equal(key_size, sizeof(mappings[i].key));
			assert_int_equal(value_size, sizeof(mappings[i]));
			rc = visit(ctx, &mappings[i].key, &mappings[i]);
		}
	}
	return rc;
}

#define NOW (100 * NSEC_PER_SEC)
#define AGO(ms) (NOW - (ms) * NSEC_PER_MSEC)

static char to_device[] = "to_device", direct[] = "bus_addr", bar[] = "bar";
static struct enum_value dirs[] = { { 1, sizeof(to_device) - 1, to_device } };
static struct enum_value maps[] = { { 2, sizeof(direct) - 1, direct } };
static struct enum_value wheres[] = { { 1, sizeof(bar) - 1, bar } };
static const struct enums enums = {
	.table = {
		[ENUM_DMA_DIRECTION] = { dirs, 1 }, [ENUM_MAP_TYPE] = { maps, 1 },
		[ENUM_MAP_WHERE] = { wheres, 1 },
	},
};

static struct dmabufs d;
static struct p2ptrace_filter filter;
static struct buffer out;

/*
 * dma-buf 7 is two seconds old, 5 is from before, and 6 is young. Two devices are attached to 7:
 * one has mapped it twice, and the other one has pinned it.
 */
static int setup(void **state)
{
	(void)state;
	values[0] = (struct p2ptrace_dmabuf){
		.size = 65536, .since_ns = AGO(2000), .pid = 12, .comm = "a b",
		.exporter.s = "vfio_pci_core",
	};
	values[1] = (struct p2ptrace_dmabuf){ .size = 4096, .exporter.s = "system" };
	values[2] = (struct p2ptrace_dmabuf){
		.size = 8192, .since_ns = AGO(10), .pid = 13, .comm = "c", .exporter.s = "system",
	};
	attached[0] = (struct p2ptrace_attached){
		.id = 7, .since_ns = AGO(1500), .pins = 3, .p2p = 1, .client.s = "0000:05:00.0",
	};
	attached[1] = (struct p2ptrace_attached){
		.id = 7, .since_ns = AGO(1700), .dynamic = 1, .revocable = 1, .p2p = 1,
		.client.s = "0000:04:00.0",
	};
	attached[2] = (struct p2ptrace_attached){ .id = 5, .client.s = "0000:04:00.0" };
	mappings[0] = (struct p2ptrace_dmabuf_mapping){
		.key = { 0x10, 2 }, .id = 7, .since_ns = AGO(700), .times = 2, .dir = 1,
	};
	mappings[1] = (struct p2ptrace_dmabuf_mapping){
		.key = { 0x10, 1 }, .id = 7, .since_ns = AGO(900), .times = 1, .dir = 1, .map = 2,
		.where = P2PTRACE_WHERE_BAR, .provider_name.s = "0000:03:00.0",
	};
	/* Its attachment has just ended */
	mappings[2] = (struct p2ptrace_dmabuf_mapping){ .key = { 0x99, 1 }, .id = 7 };
	d = (struct dmabufs){
		.now_ns = NOW, .older_than_ns = NSEC_PER_SEC, .filter = &filter, .enums = &enums,
		.from_before = true,
	};
	filter = (struct p2ptrace_filter){};
	fails_for = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buffer_free(&out);
	dmabufs_free(&d);
	return 0;
}

static const char *text(void)
{
	buffer_free(&out);
	dmabufs_text(&d, &out);
	return buffer_text(&out);
}

static const char *json(void)
{
	buffer_free(&out);
	json_open(&out, NULL, '{');
	dmabufs_json(&d, &out);
	json_close(&out, '}');
	return buffer_text(&out);
}

static void a_dma_buf_is_shown_with_those_who_use_it(void **state)
{
	(void)state;
	assert_int_equal(dmabufs_read(&d, DMABUFS, ATTACHED, MAPPINGS), 0);
	assert_string_equal(text(),
		"dma-buf id=5 exporter=system size=4096 age=-\n"
		"        attached 0000:04:00.0 age=- dynamic=no revocable=no p2p=no pins=0\n"
		"dma-buf id=7 exporter=vfio_pci_core size=65536 age=2.000s pid=12 comm=a\\x20b\n"
		"        attached 0000:04:00.0 age=1.700s dynamic=yes revocable=yes p2p=yes "
		"pins=0\n"
		"        mapped by 0000:04:00.0 age=0.900s provider=0000:03:00.0 dir=to_device "
		"map=bus_addr where=bar\n"
		"        mapped by 0000:04:00.0 age=0.700s dir=to_device times=2\n"
		"        attached 0000:05:00.0 age=1.500s dynamic=no revocable=no p2p=yes pins=3\n"
		"# 2 dma-bufs, 69632 bytes, exported 1 s ago or earlier; 1 of them before p2ptrace "
		"started\n");
	assert_string_equal(json(),
		"{\"dmabufs\":[{\"id\":5,\"exporter\":\"system\",\"size\":4096,\"age_ms\":null,"
		"\"pid\":null,\"comm\":null,\"before\":true,\"attached\":[{\"client\":"
		"\"0000:04:00.0\",\"age_ms\":null,\"dynamic\":false,\"revocable\":false,"
		"\"p2p\":false,\"pins\":0,\"mappings\":[]}]},"
		"{\"id\":7,\"exporter\":\"vfio_pci_core\",\"size\":65536,\"age_ms\":2000,"
		"\"pid\":12,\"comm\":\"a b\",\"before\":false,\"attached\":[{\"client\":"
		"\"0000:04:00.0\",\"age_ms\":1700,\"dynamic\":true,\"revocable\":true,"
		"\"p2p\":true,\"pins\":0,\"mappings\":[{\"provider\":\"0000:03:00.0\","
		"\"age_ms\":900,\"dir\":\"to_device\",\"map\":\"bus_addr\",\"where\":\"bar\","
		"\"times\":1},{\"provider\":null,\"age_ms\":700,\"dir\":\"to_device\","
		"\"map\":null,\"where\":null,\"times\":2}]},"
		"{\"client\":\"0000:05:00.0\",\"age_ms\":1500,\"dynamic\":false,"
		"\"revocable\":false,\"p2p\":true,\"pins\":3,\"mappings\":[]}]}],"
		"\"dmabufs_from_before\":true}");
}

static void only_old_dma_bufs_of_the_provider_are_shown(void **state)
{
	(void)state;
	assert_int_equal(dmabufs_read(&d, DMABUFS, ATTACHED, MAPPINGS), 0);
	d.older_than_ns = 0;
	assert_non_null(strstr(text(), "# 3 dma-bufs, "));
	assert_non_null(strstr(json(), "\"id\":6,"));
	/* Only the dma-buf from before p2ptrace started is that old: its age is unknown */
	d.older_than_ns = 3 * NSEC_PER_SEC;
	assert_non_null(strstr(text(), "# 1 dma-buf, 4096 bytes, exported 3 s ago or earlier; 1 "));
	d.older_than_ns = 0;
	strcpy(filter.provider.s, "0000:03:00.0");
	assert_non_null(strstr(text(), "# 1 dma-buf, 65536 bytes, "));
	strcpy(filter.provider.s, "0000:09:00.0");
	assert_string_equal(text(), "");
	assert_non_null(strstr(json(), "\"dmabufs\":[],"));
}

static void attachments_of_the_same_age_are_in_the_order_of_their_names(void **state)
{
	(void)state;
	/* Not in that of their addresses, which change from run to run */
	attached[0].since_ns = attached[1].since_ns = 0;
	strcpy(attached[0].client.s, "0000:03:00.0");
	assert_int_equal(dmabufs_read(&d, DMABUFS, ATTACHED, MAPPINGS), 0);
	assert_string_equal(d.attached[1].is.client.s, "0000:03:00.0");
	assert_string_equal(d.attached[2].is.client.s, "0000:04:00.0");
}

static void a_kernel_that_cannot_list_them_is_named(void **state)
{
	(void)state;
	d.from_before = false;
	assert_non_null(strstr(text(), "# dma-bufs exported before p2ptrace started are listed "
			       "only if they were used since: this kernel cannot list them"));
	assert_string_equal(json(), "{\"dmabufs\":[],\"dmabufs_from_before\":false}");
}

static void names_that_are_cut_or_missing_do_no_harm(void **state)
{
	(void)state;
	memset(values[0].exporter.s, 'x', sizeof(values[0].exporter.s));
	memset(values[0].comm, 'y', sizeof(values[0].comm));
	memset(attached[0].client.s, 0, sizeof(attached[0].client.s));
	memset(attached[1].client.s, 'z', sizeof(attached[1].client.s));
	memset(mappings[1].provider_name.s, 'p', sizeof(mappings[1].provider_name.s));
	mappings[1].dir = 9;
	values[0].since_ns = NOW + 1;
	d.older_than_ns = 0;
	assert_int_equal(dmabufs_read(&d, DMABUFS, ATTACHED, MAPPINGS), 0);
	assert_non_null(strstr(text(), " exporter=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx size=65536 "
			       "age=0.000s pid=12 comm=yyyyyyyyyyyyyyy\n"));
	assert_non_null(strstr(text(), "attached - age="));
	assert_non_null(strstr(text(), "attached zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz age="));
	assert_non_null(strstr(text(), " provider=ppppppppppppppppppppppppppppppp "
			       "dir=unknown(9) "));
}

static void a_map_that_cannot_be_read_is_an_error(void **state)
{
	(void)state;
	for (fails_for = DMABUFS; fails_for <= MAPPINGS; fails_for++) {
		assert_int_equal(dmabufs_read(&d, DMABUFS, ATTACHED, MAPPINGS), -EPERM);
		dmabufs_free(&d);
	}
}

#define DMABUF_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	DMABUF_TEST(a_dma_buf_is_shown_with_those_who_use_it),
	DMABUF_TEST(only_old_dma_bufs_of_the_provider_are_shown),
	DMABUF_TEST(attachments_of_the_same_age_are_in_the_order_of_their_names),
	DMABUF_TEST(a_kernel_that_cannot_list_them_is_named),
	DMABUF_TEST(names_that_are_cut_or_missing_do_no_harm),
	DMABUF_TEST(a_map_that_cannot_be_read_is_an_error),
};

UNIT_MAIN(tests)
