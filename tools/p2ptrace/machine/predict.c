// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "lib/log.h"
#include "lib/units.h"
#include "machine/acs.h"
#include "machine/devices.h"
#include "machine/kernel.h"
#include "machine/predict.h"
#include "machine/table.h"

/*
 * pci_p2pdma_whitelist[] in drivers/pci/p2pdma.c of Linux 6.12.117. Other versions have others: before dea286bb71ba
 * ("PCI/P2PDMA: Allow P2PDMA on AMD Zen and newer CPUs", 5.9), AMD's host bridges were in it and the CPU was not looked
 * at; Google's SoCs came later. No kernel tells its own.
 */
static const struct {
	unsigned int vendor, device;
	enum host_bridge known;
} whitelist[] = {
	/* Intel Xeon E5/Core i7 */
	{ 0x8086, 0x3c00, HOST_BRIDGE_OWN },
	{ 0x8086, 0x3c01, HOST_BRIDGE_OWN },
	/* Intel Xeon E7 v3/Xeon E5 v3/Core i7 */
	{ 0x8086, 0x2f00, HOST_BRIDGE_OWN },
	{ 0x8086, 0x2f01, HOST_BRIDGE_OWN },
	/* Intel Skylake-E */
	{ 0x8086, 0x2030, HOST_BRIDGE_ALL },
	{ 0x8086, 0x2031, HOST_BRIDGE_ALL },
	{ 0x8086, 0x2032, HOST_BRIDGE_ALL },
	{ 0x8086, 0x2033, HOST_BRIDGE_ALL },
	{ 0x8086, 0x2020, HOST_BRIDGE_ALL },
	{ 0x8086, 0x09a2, HOST_BRIDGE_ALL },
};

static bool exists(const char *sysfs, const char *pci)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s", sysfs, pci);
	return !access(path, F_OK);
}

/* An attribute as sysfs writes ids: 0x8086. */
static int read_id(const char *sysfs, const char *pci, const char *attribute, unsigned int *id)
{
	char path[PATH_MAX];
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/%s", sysfs, pci, attribute);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	n = fscanf(file, "%x", id);
	fclose(file);
	return n == 1 ? 0 : -EINVAL;
}

/*
 * The first function on the root bus. The kernel has them in the order in which it found them, which is that of their
 * numbers unless one was removed and found again.
 */
static bool first_on_root_bus(const char *sysfs, const char *root, char *pci, size_t size)
{
	for (unsigned int devfn = 0; devfn < 256; devfn++) {
		snprintf(pci, size, "%s:%02x.%x", root + strlen("pci"), devfn >> 3, devfn & 7);
		if (exists(sysfs, pci))
			return true;
	}
	return false;
}

/* pci_host_bridge_dev() and __host_bridge_whitelist(). */
static int host_bridge_read(enum host_bridge *known, struct pci_access *config, const char *sysfs, const char *root)
{
	unsigned int vendor, device;
	struct function function;
	char pci[PCI_NAME_LEN + 8];
	int err;

	*known = HOST_BRIDGE_UNKNOWN;
	if (!*root || !first_on_root_bus(sysfs, root, pci, sizeof(pci)))
		return 0;
	if (strcmp(pci + strlen(pci) - strlen(":00.0"), ":00.0")) {
		err = config_read(config, pci, &function);
		if (err || !function.root_port)
			return err;
	}
	err = read_id(sysfs, pci, "vendor", &vendor);
	if (!err)
		err = read_id(sysfs, pci, "device", &device);
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(whitelist); i++)
		if (whitelist[i].vendor == vendor && whitelist[i].device == device)
			*known = whitelist[i].known;
	return 0;
}

int end_read(struct end *end, struct pci_access *config, const char *sysfs, const char *pci)
{
	struct function function;
	int err;

	memset(end, 0, sizeof(*end));
	err = pci_path_read(&end->path, sysfs, pci);
	for (size_t i = 0; !err && i < end->path.depth; i++) {
		err = config_read(config, end->path.names[i], &function);
		end->redirects[i] = function.redirects;
		end->endpoint = function.endpoint;
	}
	if (!err)
		err = host_bridge_read(&end->host_bridge, config, sysfs, end->path.root);
	return err;
}

int end_refused(const char *pci, int err)
{
	if (err == -EACCES)
		return fail(EXIT_KERNEL, "the kernel does not show all of the PCI config space on the way to %s, which says what "
			    "ports redirect (ACS): run p2ptrace peers as root", pci);
	return fail(EXIT_OTHER, "cannot tell where %s is, or read the PCI config space on the way to it: %s; see "
		    "'lspci -vvs %s'", pci, strerror(-err), pci);
}

/* How many functions both paths begin with: all, if they are one. Unlike pci_path_shared(), not only bridges. */
static size_t common(const struct pci_path *a, const struct pci_path *b)
{
	size_t n = 0;

	while (n < a->depth && n < b->depth && !strcmp(a->names[n], b->names[n]))
		n++;
	return n;
}

/* Up from the end to what is below number @top. */
static void gather_up(struct redirects *redirects, const struct end *end, size_t top)
{
	for (size_t i = end->path.depth; i > top; i--)
		if (end->redirects[i - 1])
			redirects->names[redirects->nr++] = end->path.names[i - 1];
}

void redirects_gather(struct redirects *redirects, const struct end *provider, const struct end *client)
{
	size_t nr = common(&provider->path, &client->path);

	memset(redirects, 0, sizeof(*redirects));
	/* Redirect changes nothing for who has to go to the root anyway */
	if (!nr)
		return;
	gather_up(redirects, provider, nr - 1);
	redirects->nr_provider = redirects->nr;
	gather_up(redirects, client, nr);
}

/* The first that a request meets: on the client's side, which it goes down, that is the last on the way up. */
static const char *first_redirect(const struct redirects *redirects)
{
	if (redirects->nr_provider)
		return redirects->names[0];
	return redirects->nr ? redirects->names[redirects->nr - 1] : "";
}

static bool host_bridges_allow(const struct end *a, const struct end *b)
{
	if (!strcmp(a->path.root, b->path.root))
		return a->host_bridge != HOST_BRIDGE_UNKNOWN;
	return a->host_bridge == HOST_BRIDGE_ALL && b->host_bridge == HOST_BRIDGE_ALL;
}

static void judge(struct peer *peer, const char *map, const char *reason)
{
	snprintf(peer->map, sizeof(peer->map), "%s", map);
	snprintf(peer->reason, sizeof(peer->reason), "%s", reason);
}

void predict(const struct end *provider, const struct end *client, bool cpu_allows, struct peer *peer)
{
	size_t nr = common(&provider->path, &client->path);
	struct redirects redirects;

	redirects_gather(&redirects, provider, client);
	peer->distance = provider->path.depth + client->path.depth - 2 * nr;
	snprintf(peer->blocker, sizeof(peer->blocker), "%s", first_redirect(&redirects));
	if (nr && !redirects.nr)
		judge(peer, "bus_addr", peer->distance ? "same_bridge" : "same_function");
	else if (!cpu_allows && !host_bridges_allow(provider, client))
		judge(peer, "not_supported", nr ? "acs_redirect_blocked" : "host_bridge_unknown");
	else if (nr)
		judge(peer, "thru_host_bridge", "acs_redirect_allowed");
	else
		judge(peer, "thru_host_bridge", cpu_allows ? "cpu_allowed" : "host_bridge_allowed");
}

/* Any AMD CPU of Zen's family or newer; the first one speaks for all. */
int cpu_read(const char *cpuinfo, bool *allows)
{
	FILE *file = fopen(cpuinfo, "re");
	char vendor[32] = "", *line = NULL;
	unsigned int family = 0;
	size_t size = 0;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0 && *line != '\n') {
		sscanf(line, "vendor_id : %31s", vendor);
		sscanf(line, "cpu family : %u", &family);
	}
	free(line);
	fclose(file);
	*allows = !strcmp(vendor, "AuthenticAMD") && family >= 0x17;
	return 0;
}

/* Which fit all that is as long as PCI_NAME_LEN. */
static int only_pci_names(const struct dirent *entry)
{
	char name[PCI_NAME_LEN];

	return !pci_name_parse(entry->d_name, name, sizeof(name)) && !strcmp(entry->d_name, name);
}

/* Domains of more than four digits are behind the others; else, they are all of one length. */
static int by_number(const struct dirent **a, const struct dirent **b)
{
	size_t len_a = strlen((*a)->d_name), len_b = strlen((*b)->d_name);

	return len_a == len_b ? strcmp((*a)->d_name, (*b)->d_name) : len_a < len_b ? -1 : 1;
}

/* The name of its p2pmem device, on a kernel that has those, or its own. */
static void provider_name(const char *sysfs, const char *pci, char *dev, size_t size)
{
	char path[PATH_MAX], provider[PCI_NAME_LEN];
	struct dirent *entry;
	DIR *dir;

	word_copy(dev, size, pci);
	snprintf(path, sizeof(path), "%s/class/p2pmem", sysfs);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (is_p2pmem_name(entry->d_name) &&
		    !dev_provider(sysfs, entry->d_name, provider, sizeof(provider)) && !strcmp(provider, pci))
			word_copy(dev, size, entry->d_name);
	closedir(dir);
}

static int add_provider(struct peers *peers, const char *sysfs, const char *pci)
{
	struct provider *provider;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/p2pmem/size", sysfs, pci);
	if (access(path, F_OK))
		return 0;
	provider = peers_add(peers);
	if (!provider)
		return fail(EXIT_OTHER, "out of memory");
	word_copy(provider->pci, sizeof(provider->pci), pci);
	provider_name(sysfs, pci, provider->dev, sizeof(provider->dev));
	return peers_size(path, &provider->size);
}

/* A client of all providers, unless it is a bridge. */
static int add_client(struct peers *peers, const struct end *providers, const struct end *client, bool cpu_allows)
{
	if (!client->endpoint)
		return 0;
	for (size_t i = 0; i < peers->nr; i++) {
		struct peer *peer = provider_add(&peers->providers[i]);

		if (!peer)
			return fail(EXIT_OTHER, "out of memory");
		snprintf(peer->client, sizeof(peer->client), "%s", client->path.names[client->path.depth - 1]);
		predict(&providers[i], client, cpu_allows, peer);
	}
	return 0;
}

static int predict_all(struct peers *peers, const char *sysfs, bool cpu_allows, struct dirent **entries, int nr)
{
	struct end *providers = calloc(peers->nr, sizeof(*providers)), client;
	struct pci_access *config = config_open(sysfs);
	int err, rc = providers ? 0 : fail(EXIT_OTHER, "out of memory");

	for (size_t i = 0; !rc && i < peers->nr; i++) {
		err = end_read(&providers[i], config, sysfs, peers->providers[i].pci);
		if (err)
			rc = end_refused(peers->providers[i].pci, err);
	}
	for (int i = 0; !rc && i < nr; i++) {
		err = end_read(&client, config, sysfs, entries[i]->d_name);
		if (!err)
			rc = add_client(peers, providers, &client, cpu_allows);
		else if (err == -EACCES || exists(sysfs, entries[i]->d_name))
			rc = end_refused(entries[i]->d_name, err);
	}
	config_close(config);
	free(providers);
	return rc;
}

/* Nobody lends anything: is that a matter of devices, or of the kernel? */
static int check_support(const char *vmlinux_btf)
{
	struct btf *btf = btf__parse_raw(vmlinux_btf);
	enum kernel_support support;

	if (!btf)
		return fail(EXIT_KERNEL, "nobody lends peer memory, and without %s (%s) there is no telling whether this kernel "
			    "could; boot a kernel with CONFIG_PCI_P2PDMA=y and CONFIG_DEBUG_INFO_BTF=y", vmlinux_btf,
			    strerror(errno));
	support = kernel_support(btf);
	btf__free(btf);
	if (support == KERNEL_NOTHING)
		return fail(EXIT_KERNEL, "this kernel was built without CONFIG_PCI_P2PDMA, so nobody can lend peer memory; boot a "
			    "kernel with CONFIG_PCI_P2PDMA=y");
	return 0;
}

int predict_load(struct peers *peers, const char *sysfs, const char *cpuinfo, const char *vmlinux_btf)
{
	struct dirent **entries;
	char path[PATH_MAX];
	bool cpu_allows;
	int err, nr, rc = 0;

	memset(peers, 0, sizeof(*peers));
	peers->predicted = true;
	snprintf(path, sizeof(path), "%s/bus/pci/devices", sysfs);
	nr = scandir(path, &entries, only_pci_names, by_number);
	/* No PCI at all */
	if (nr < 0 && errno == ENOENT)
		return check_support(vmlinux_btf);
	if (nr < 0)
		return fail(EXIT_OTHER, "cannot read %s: %s; is sysfs mounted?", path, strerror(errno));

	for (int i = 0; !rc && i < nr; i++)
		rc = add_provider(peers, sysfs, entries[i]->d_name);
	if (!rc && !peers->nr) {
		rc = check_support(vmlinux_btf);
	} else if (!rc) {
		peers_sort(peers);
		err = cpu_read(cpuinfo, &cpu_allows);
		rc = err ? fail(EXIT_OTHER, "cannot read %s: %s; is /proc mounted?", cpuinfo, strerror(-err)) :
			   predict_all(peers, sysfs, cpu_allows, entries, nr);
	}
	for (int i = 0; i < nr; i++)
		free(entries[i]);
	free(entries);
	if (rc)
		peers_free(peers);
	return rc;
}
