// SPDX-License-Identifier: GPL-2.0
/* What the kernel says of peers is read whole or refused, and paths through bridges are told from sysfs. */
#include <stdlib.h>
#include <sys/stat.h>

#include "unit.h"
#include "lib/log.h"
#include "machine/peers.h"

static char sysfs[64], debugfs[80];

static void make_dir(const char *base, const char *dir)
{
	char command[256];

	snprintf(command, sizeof(command), "mkdir -p %s/%s", base, dir);
	assert_int_equal(system(command), 0);
}

static void make_link(const char *base, const char *name, const char *target)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(sysfs, "/tmp/p2ptrace-unit-XXXXXX");
	assert_non_null(mkdtemp(sysfs));
	snprintf(debugfs, sizeof(debugfs), "%s/debug", sysfs);
	make_dir(sysfs, "debug");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return remove_tree(sysfs);
}

static void make_provider(const char *dev, const char *pci, const char *text)
{
	char path[128], target[64];

	snprintf(path, sizeof(path), "class/p2pmem/%s", dev);
	make_dir(sysfs, path);
	snprintf(path, sizeof(path), "class/p2pmem/%s/size", dev);
	write_text(sysfs, path, "65536\n");
	snprintf(path, sizeof(path), "class/p2pmem/%s/device", dev);
	snprintf(target, sizeof(target), "../../../%s", pci);
	make_link(sysfs, path, target);
	snprintf(path, sizeof(path), "p2pmem/%s", dev);
	make_dir(debugfs, path);
	snprintf(path, sizeof(path), "p2pmem/%s/peers", dev);
	write_text(debugfs, path, text);
}

#define HEAD "client map distance reason blocker\n"

static void peers_are_read_by_provider(void **state)
{
	const struct peer *peer;
	struct peers peers;

	(void)state;
	make_provider("p2pmem10", "0000:02:00.0", HEAD "0000:03:00.0 bus_addr 4 same_bridge -\n");
	make_provider("p2pmem9", "0000:01:00.0",
		      HEAD "0000:03:00.0 not_supported 6 acs_redirect_blocked 0000:00:01.0\n0001:04:00.1 new -1 newer -\n");
	assert_int_equal(peers_load(&peers, sysfs, debugfs), 0);
	assert_int_equal(peers.nr, 2);
	assert_string_equal(peers.providers[0].dev, "p2pmem9");
	assert_string_equal(peers.providers[0].pci, "0000:01:00.0");
	assert_int_equal(peers.providers[0].size, 65536);
	assert_int_equal(peers.providers[0].nr, 2);
	assert_ptr_equal(peers_provider(&peers, "p2pmem10"), &peers.providers[1]);
	assert_ptr_equal(peers_provider(&peers, "02:00.0"), &peers.providers[1]);
	assert_null(peers_provider(&peers, "p2pmem1"));
	assert_null(peers_provider(&peers, ""));

	peer = provider_peer(&peers.providers[0], "3:0.0");
	assert_non_null(peer);
	assert_string_equal(peer->map, "not_supported");
	assert_int_equal(peer->distance, 6);
	assert_string_equal(peer->blocker, "0000:00:01.0");
	peer = provider_peer(&peers.providers[0], "0001:04:00.1");
	assert_non_null(peer);
	assert_string_equal(peer->reason, "newer");
	assert_string_equal(peer->blocker, "");
	assert_null(provider_peer(&peers.providers[0], "0000:04:00.1"));
	assert_null(provider_peer(&peers.providers[0], "nonsense"));
	peers_free(&peers);
}

static void what_is_not_as_it_should_be_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "client map\n", HEAD "0000:03:00.0 bus_addr 4 same_bridge\n", HEAD "0000:03:00.0 bus_addr 4 a - more\n",
		HEAD "0000:03:00.0 bus_addr x a -\n", HEAD "0000:03:00.0 bus_addr 99999999999 a -\n", HEAD "\n",
		HEAD "0000:03:00.0-and-what-is-far-too-long-for-a-name bus_addr 4 a -\n",
	};
	struct peers peers;
	struct capture c;

	(void)state;
	make_provider("p2pmem0", "0000:01:00.0", HEAD);
	assert_int_equal(peers_load(&peers, sysfs, debugfs), 0);
	assert_int_equal(peers.providers[0].nr, 0);
	peers_free(&peers);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		write_text(debugfs, "p2pmem/p2pmem0/peers", texts[i]);
		capture_begin(&c);
		assert_int_equal(peers_load(&peers, sysfs, debugfs), EXIT_OTHER);
		capture_end(&c);
		assert_one_line(c.text, "cannot make sense of");
	}
}

static void hostile_words_cannot_move_the_cursor(void **state)
{
	struct peers peers;

	(void)state;
	make_provider("p2pmem0", "0000:01:00.0", HEAD "0000:03:00.0 \033[2J 1 a -\n");
	assert_int_equal(peers_load(&peers, sysfs, debugfs), 0);
	assert_string_equal(peers.providers[0].peers[0].map, "\\x1b[2J");
	peers_free(&peers);
}

static void what_is_missing_is_said(void **state)
{
	struct peers peers;
	struct capture c;

	(void)state;
	capture_begin(&c);
	assert_int_equal(peers_load(&peers, sysfs, debugfs), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "boot a kernel with the p2pmem series");

	make_dir(sysfs, "class/p2pmem");
	assert_int_equal(peers_load(&peers, sysfs, debugfs), 0);
	assert_int_equal(peers.nr, 0);

	make_provider("p2pmem0", "0000:01:00.0", HEAD);
	capture_begin(&c);
	assert_int_equal(peers_load(&peers, sysfs, "/nowhere"), EXIT_KERNEL);
	capture_end(&c);
	assert_one_line(c.text, "mount -t debugfs");
}

static void paths_go_from_the_root_to_the_device(void **state)
{
	struct pci_path a, b, c;

	(void)state;
	make_dir(sysfs, "bus/pci/devices");
	make_dir(sysfs, "devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:00.0/0000:03:00.0");
	make_dir(sysfs, "devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0/0000:04:00.0");
	make_dir(sysfs, "devices/pci0000:00/0000:00:02.0");
	make_link(sysfs, "bus/pci/devices/0000:03:00.0",
		  "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:00.0/0000:03:00.0");
	make_link(sysfs, "bus/pci/devices/0000:04:00.0",
		  "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0/0000:04:00.0");
	make_link(sysfs, "bus/pci/devices/0000:00:02.0", "../../../devices/pci0000:00/0000:00:02.0");
	assert_int_equal(pci_path_read(&a, sysfs, "0000:03:00.0"), 0);
	assert_int_equal(pci_path_read(&b, sysfs, "0000:04:00.0"), 0);
	assert_int_equal(pci_path_read(&c, sysfs, "0000:00:02.0"), 0);
	assert_int_equal(a.depth, 4);
	assert_string_equal(a.names[0], "0000:00:01.0");
	assert_string_equal(a.names[3], "0000:03:00.0");
	assert_int_equal(pci_path_shared(&a, &b), 2);
	assert_int_equal(pci_path_shared(&a, &c), 0);
	/* To itself, all bridges above it */
	assert_int_equal(pci_path_shared(&a, &a), 3);
	assert_true(pci_path_read(&a, sysfs, "0000:09:00.0") < 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(peers_are_read_by_provider),
	TEST(what_is_not_as_it_should_be_is_refused),
	TEST(hostile_words_cannot_move_the_cursor),
	TEST(what_is_missing_is_said),
	TEST(paths_go_from_the_root_to_the_device),
};

UNIT_MAIN(tests)
