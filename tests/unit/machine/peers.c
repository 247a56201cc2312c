// SPDX-License-Identifier: GPL-2.0
/* The kernel's decisions are read whole or refused; the path to a function comes from sysfs. */
#include "machine/tree.h"
#include "lib/log.h"
#include "machine/peers.h"

#define HEAD "client map distance reason blocker\n"

static void make_provider(const char *dev, const char *pci, const char *text)
{
	char name[128], target[64];

	snprintf(name, sizeof(name), "class/p2pmem/%s/size", dev);
	tree_file(name, "65536\n");
	snprintf(name, sizeof(name), "class/p2pmem/%s/device", dev);
	snprintf(target, sizeof(target), "../../../%s", pci);
	tree_link(name, target);
	snprintf(name, sizeof(name), "debug/p2pmem/%s/peers", dev);
	tree_file(name, text);
}

static int load(struct peers *peers)
{
	char debugfs[PATH_MAX];

	strcpy(debugfs, in_tree("debug"));
	return peers_load(peers, tree, debugfs);
}

static void peers_are_read_by_provider(void **state)
{
	const struct peer *peer;
	struct peers peers;

	(void)state;
	make_provider("p2pmem10", "0000:02:00.0", HEAD "0000:03:00.0 bus_addr 4 same_bridge -\n");
	make_provider("p2pmem9", "0000:01:00.0",
		      HEAD "0000:03:00.0 not_supported 6 acs_redirect_blocked 0000:00:01.0\n"
		      "0001:04:00.1 new -1 newer -\n");
	assert_int_equal(load(&peers), 0);
	assert_false(peers.predicted);
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

static void assert_refused(int status, const char *thing)
{
	struct peers peers;
	struct capture c;

	capture_begin(&c);
	assert_int_equal(load(&peers), status);
	capture_end(&c);
	assert_one_line(c.text, thing);
}

static void a_malformed_file_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "client map\n", HEAD "0000:03:00.0 bus_addr 4 same_bridge\n",
		HEAD "0000:03:00.0 bus_addr 4 a - more\n", HEAD "0000:03:00.0 bus_addr x a -\n",
		HEAD "0000:03:00.0 bus_addr 99999999999 a -\n", HEAD "\n",
		HEAD "0000:03:00.0-and-more-text-than-fits-a-name bus_addr 4 a -\n",
	};
	struct peers peers;

	(void)state;
	make_provider("p2pmem0", "0000:01:00.0", HEAD);
	assert_int_equal(load(&peers), 0);
	assert_int_equal(peers.providers[0].nr, 0);
	peers_free(&peers);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		tree_file("debug/p2pmem/p2pmem0/peers", texts[i]);
		assert_refused(EXIT_OTHER, "cannot parse");
	}
	tree_file("debug/p2pmem/p2pmem0/peers", HEAD);
	tree_file("class/p2pmem/p2pmem0/size", "\033[2J\n");
	assert_refused(EXIT_OTHER, "/p2pmem0/size: it does not hold a number");
	tree_file("class/p2pmem/p2pmem0/size", "18446744073709551616\n");
	assert_refused(EXIT_OTHER, "/p2pmem0/size: it does not hold a number");
	tree_file("class/p2pmem/p2pmem0/size", "");
	assert_refused(EXIT_OTHER, "/p2pmem0/size: it does not hold a number");
}

static void words_are_printable(void **state)
{
	struct peers peers;

	(void)state;
	make_provider("p2pmem0", "0000:01:00.0", HEAD "0000:03:00.0 \033[2J 1 a -\n");
	assert_int_equal(load(&peers), 0);
	assert_string_equal(peers.providers[0].peers[0].map, "\\x1b[2J");
	peers_free(&peers);
}

static void missing_files_are_reported(void **state)
{
	struct peers peers;

	(void)state;
	assert_false(peers_shown(tree));
	assert_refused(EXIT_KERNEL, "boot a kernel with the p2pmem series");

	tree_dir("class/p2pmem");
	assert_true(peers_shown(tree));
	assert_int_equal(load(&peers), 0);
	assert_int_equal(peers.nr, 0);
	peers_free(&peers);

	make_provider("p2pmem0", "0000:01:00.0", HEAD);
	assert_int_equal(remove_tree(in_tree("debug")), 0);
	assert_refused(EXIT_KERNEL, "mount -t debugfs");
}

static void refused_permissions_are_reported(void **state)
{
	uid_t uid = geteuid();

	(void)state;
	make_provider("p2pmem0", "0000:01:00.0", HEAD);
	fail_open("/peers", EPERM);
	assert_refused(EXIT_KERNEL, "the kernel is locked down (integrity or confidentiality)");
	fail_open("/peers", EACCES);
	if (!uid) {
		assert_refused(EXIT_KERNEL, "the kernel is locked down");
		assert_int_equal(chmod(tree, 0755), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	assert_refused(EXIT_KERNEL, "/p2pmem0/peers; run it as root");
	assert_int_equal(seteuid(uid), 0);
	fail_open("/size", EACCES);
	assert_refused(EXIT_OTHER, "/p2pmem0/size: Permission denied");
}

/* Whether p2pmem0 alone is read. */
static void assert_only_p2pmem0(void)
{
	struct peers peers;
	struct capture c;
	int rc;

	capture_begin(&c);
	rc = load(&peers);
	capture_end(&c);
	assert_string_equal(c.text, "");
	assert_int_equal(rc, 0);
	assert_int_equal(peers.nr, 1);
	assert_string_equal(peers.providers[0].dev, "p2pmem0");
	assert_int_equal(peers.providers[0].nr, 1);
	peers_free(&peers);
}

static void a_device_that_is_removed_is_skipped(void **state)
{
	static const int errors[] = { ENOENT, ENODEV, EIO };

	(void)state;
	make_provider("p2pmem0", "0000:01:00.0", HEAD "0000:03:00.0 bus_addr 4 same_bridge -\n");
	make_provider("p2pmem1", "0000:02:00.0", HEAD "0000:03:00.0 bus_addr 4 same_bridge -\n");
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		fail_open("/p2pmem1/peers", errors[i]);
		assert_only_p2pmem0();
		fail_read("/p2pmem1/peers", errors[i]);
		assert_only_p2pmem0();
	}
	for (size_t i = 0; i < 2; i++) {
		fail_open("/p2pmem1/size", errors[i]);
		assert_only_p2pmem0();
		fail_read("/p2pmem1/size", errors[i]);
		assert_only_p2pmem0();
	}
	fail_nothing();
	tree_unlink("class/p2pmem/p2pmem1/size");
	assert_only_p2pmem0();
	tree_file("class/p2pmem/p2pmem1/size", "65536\n");
	tree_unlink("class/p2pmem/p2pmem1/device");
	assert_only_p2pmem0();
}

/* The link exists, so the device was not removed. */
static void a_provider_with_a_long_name_is_an_error(void **state)
{
	(void)state;
	make_provider("p2pmem0", "0000:01:00.0-and-more-text-than-fits-a-name", HEAD);
	assert_refused(EXIT_OTHER, "cannot find the provider of p2pmem0: File name too long");
}

static void paths_go_from_the_root_to_the_device(void **state)
{
	static const char *const paths[] = {
		"devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:00.0/0000:03:00.0",
		"devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0/0000:04:00.0",
		"devices/pci0000:00/0000:00:02.0",
	};
	struct pci_path a, b, c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		char target[128], name[128];

		tree_dir(paths[i]);
		snprintf(target, sizeof(target), "../../../%s", paths[i]);
		snprintf(name, sizeof(name), "bus/pci/devices%s", strrchr(paths[i], '/'));
		tree_link(name, target);
	}
	assert_int_equal(pci_path_read(&a, tree, "0000:03:00.0"), 0);
	assert_int_equal(pci_path_read(&b, tree, "0000:04:00.0"), 0);
	assert_int_equal(pci_path_read(&c, tree, "0000:00:02.0"), 0);
	assert_int_equal(a.depth, 4);
	assert_string_equal(a.root, "pci0000:00");
	assert_string_equal(a.names[0], "0000:00:01.0");
	assert_string_equal(a.names[3], "0000:03:00.0");
	assert_int_equal(pci_path_shared(&a, &b), 2);
	assert_int_equal(pci_path_shared(&a, &c), 0);
	/* A function shares all bridges above it with itself */
	assert_int_equal(pci_path_shared(&a, &a), 3);
	assert_int_equal(pci_path_read(&a, tree, "0000:09:00.0"), -ENOENT);
}

static const struct CMUnitTest tests[] = {
	TREE_TEST(peers_are_read_by_provider),
	TREE_TEST(a_malformed_file_is_refused),
	TREE_TEST(words_are_printable),
	TREE_TEST(missing_files_are_reported),
	TREE_TEST(refused_permissions_are_reported),
	TREE_TEST(a_device_that_is_removed_is_skipped),
	TREE_TEST(a_provider_with_a_long_name_is_an_error),
	TREE_TEST(paths_go_from_the_root_to_the_device),
};

UNIT_MAIN(tests)
