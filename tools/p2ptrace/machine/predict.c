// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "lib/log.h"
#include "lib/units.h"
#include "machine/acs.h"
#include "machine/decision.h"
#include "machine/devices.h"
#include "machine/kernel.h"
#include "machine/predict.h"
#include "machine/sysfs.h"
#include "machine/table.h"

/*
 * pci_p2pdma_whitelist[] in drivers/pci/p2pdma.c of Linux 6.12.117. Other versions differ: before
 * dea286bb71ba ("PCI/P2PDMA: Allow P2PDMA on AMD Zen and newer CPUs", 5.9), the list had AMD's host
 * bridges and the CPU made no difference; Google's SoCs were added later. A kernel does not show
 * its list.
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

static int read_id(const char *sysfs, const char *pci, const char *attribute, unsigned int *id)
{
	return sysfs_read_id(id, "%s/" PCI_DEVICES "/%s/%s", sysfs, pci, attribute);
}

/*
 * Finds the first function on a root bus. The kernel takes the one that it found first. That is the
 * one with the lowest number, unless a function was removed and found again.
 */
static bool first_on_root_bus(const char *sysfs, const char *root, char *pci, size_t size)
{
	for (unsigned int devfn = 0; devfn < 256; devfn++) {
		snprintf(pci, size, "%s:%02x.%x", root + strlen("pci"), devfn >> 3, devfn & 7);
		if (pci_exists(sysfs, pci))
			return true;
	}
	return false;
}

/* The tests of the kernel's pci_host_bridge_dev() and __host_bridge_whitelist(). */
static int host_bridge_read(enum host_bridge *known, struct pci_access *config, const char *sysfs,
			    const char *root)
{
	unsigned int vendor, device;
	struct config_function function;
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
	struct config_function function;
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
		return fail(EXIT_KERNEL, "not permitted to read the PCI config space of %s and of "
			    "the bridges above it, which tells whether they redirect peer requests "
			    "(ACS); run p2ptrace peers as root", pci);
	return fail(EXIT_OTHER, "cannot read the path in sysfs or the PCI config space of %s and "
		    "of the bridges above it: %s; see 'lspci -vvs %s'", pci, strerror(-err), pci);
}

/* How many functions both paths begin with. Unlike pci_path_shared(), this counts the last ones. */
static size_t common(const struct pci_path *a, const struct pci_path *b)
{
	size_t n = 0;

	while (n < a->depth && n < b->depth && !strcmp(a->names[n], b->names[n]))
		n++;
	return n;
}

/* Adds those functions of the path that redirect, from the last one up to index @top. */
static void gather_up(struct redirects *redirects, const struct end *end, size_t top)
{
	for (size_t i = end->path.depth; i > top; i--)
		if (end->redirects[i - 1])
			redirects->names[redirects->nr++] = end->path.names[i - 1];
}

void redirects_gather(struct redirects *redirects, const struct end *provider,
		      const struct end *client)
{
	size_t nr = common(&provider->path, &client->path);

	memset(redirects, 0, sizeof(*redirects));
	/* Without a shared bridge, every request goes to the root in any case */
	if (!nr)
		return;
	gather_up(redirects, provider, nr - 1);
	redirects->nr_provider = redirects->nr;
	gather_up(redirects, client, nr);
}

/* The first one as seen from the provider. The client's side is listed from the bottom up. */
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

static void set_decision(struct peer *peer, const char *map, enum reason_id reason)
{
	snprintf(peer->map, sizeof(peer->map), "%s", map);
	snprintf(peer->reason, sizeof(peer->reason), "%s", reasons[reason].name);
}

void predict(const struct end *provider, const struct end *client, bool cpu_allows,
	     struct peer *peer)
{
	size_t nr = common(&provider->path, &client->path);
	struct redirects redirects;

	redirects_gather(&redirects, provider, client);
	peer->distance = provider->path.depth + client->path.depth - 2 * nr;
	snprintf(peer->blocker, sizeof(peer->blocker), "%s", first_redirect(&redirects));
	if (nr && !redirects.nr)
		set_decision(peer, MAP_BUS_ADDR,
			     peer->distance ? REASON_SAME_BRIDGE : REASON_SAME_FUNCTION);
	else if (!cpu_allows && !host_bridges_allow(provider, client))
		set_decision(peer, MAP_NOT_SUPPORTED,
			     nr ? REASON_ACS_REDIRECT_BLOCKED : REASON_HOST_BRIDGE_UNKNOWN);
	else if (nr)
		set_decision(peer, MAP_THRU_HOST_BRIDGE, REASON_ACS_REDIRECT_ALLOWED);
	else
		set_decision(peer, MAP_THRU_HOST_BRIDGE,
			     cpu_allows ? REASON_CPU_ALLOWED : REASON_HOST_BRIDGE_ALLOWED);
}

/* AMD CPUs forward peer requests since Zen. The kernel only tests the first CPU. */
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

/* Names that pci_name_parse() leaves unchanged, so they fit PCI_NAME_LEN. */
static int only_pci_names(const struct dirent *entry)
{
	char name[PCI_NAME_LEN];

	return !pci_name_parse(entry->d_name, name, sizeof(name)) && !strcmp(entry->d_name, name);
}

/* Names only differ in length by the digits of their domain, of which there are at least four. */
static int by_number(const struct dirent **a, const struct dirent **b)
{
	size_t len_a = strlen((*a)->d_name), len_b = strlen((*b)->d_name);

	if (len_a != len_b)
		return len_a < len_b ? -1 : 1;
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The name of the provider's p2pmem device or, on a stock kernel, its PCI name. */
static void provider_name(const char *sysfs, const char *pci, char *dev, size_t size)
{
	DIR *dir = sysfs_open_dir("%s/" P2PMEM_CLASS, sysfs);
	char provider[PCI_NAME_LEN];
	struct dirent *entry;

	word_copy(dev, size, pci);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (is_p2pmem_name(entry->d_name) &&
		    !dev_provider(sysfs, entry->d_name, provider, sizeof(provider)) &&
		    !strcmp(provider, pci))
			word_copy(dev, size, entry->d_name);
	closedir(dir);
}

static int add_provider(struct peers *peers, const char *sysfs, const char *pci)
{
	struct provider *provider;
	char path[PATH_MAX];
	int rc;

	if (!pci_provides(sysfs, pci))
		return 0;
	if (sysfs_path(path, sizeof(path), "%s/" PCI_DEVICES "/%s/" P2PMEM_GROUP "/size", sysfs,
		       pci))
		return fail(EXIT_OTHER, "the path of sysfs is too long: %s", sysfs);
	provider = peers_add(peers);
	if (!provider)
		return fail(EXIT_OTHER, "out of memory");
	word_copy(provider->pci, sizeof(provider->pci), pci);
	provider_name(sysfs, pci, provider->dev, sizeof(provider->dev));
	rc = provider_read_size(provider, path);
	if (rc == PEERS_GONE) {
		peers_remove(peers, peers->nr - 1);
		rc = 0;
	}
	return rc;
}

/* Adds an endpoint as a client of all providers. */
static int add_client(struct peers *peers, const struct end *providers, const struct end *client,
		      bool cpu_allows)
{
	const char *name = client->path.names[client->path.depth - 1];

	if (!client->endpoint)
		return 0;
	for (size_t i = 0; i < peers->nr; i++) {
		struct peer *peer = provider_add(&peers->providers[i]);

		if (!peer)
			return fail(EXIT_OTHER, "out of memory");
		snprintf(peer->client, sizeof(peer->client), "%s", name);
		predict(&providers[i], client, cpu_allows, peer);
	}
	return 0;
}

/* end_read(). Returns 0, PEERS_GONE, or an exit status after an error message. */
static int read_end(struct end *end, struct pci_access *config, const char *sysfs, const char *pci)
{
	int err = end_read(end, config, sysfs, pci);

	if (!err)
		return 0;
	/* libpci does not tell why it failed */
	return err != -EACCES && !pci_exists(sysfs, pci) ? PEERS_GONE : end_refused(pci, err);
}

static int read_providers(struct peers *peers, struct end *providers, struct pci_access *config,
			  const char *sysfs)
{
	size_t i = 0;

	while (i < peers->nr) {
		int rc = read_end(&providers[i], config, sysfs, peers->providers[i].pci);

		if (rc == PEERS_GONE)
			peers_remove(peers, i);
		else if (rc)
			return rc;
		else
			i++;
	}
	return 0;
}

static int predict_all(struct peers *peers, const char *sysfs, bool cpu_allows,
		       struct dirent **entries, int nr)
{
	struct end *providers = calloc(peers->nr, sizeof(*providers)), client;
	struct pci_access *config;
	int rc;

	if (!providers)
		return fail(EXIT_OTHER, "out of memory");
	config = config_open(sysfs);
	rc = read_providers(peers, providers, config, sysfs);
	for (int i = 0; !rc && i < nr; i++) {
		rc = read_end(&client, config, sysfs, entries[i]->d_name);
		if (!rc)
			rc = add_client(peers, providers, &client, cpu_allows);
		else if (rc == PEERS_GONE)
			rc = 0;
	}
	config_close(config);
	free(providers);
	return rc;
}

/* Called if there is no provider. Prints an error if this kernel cannot have one. */
static int check_support(const char *vmlinux_btf)
{
	struct btf *btf = btf__parse_raw(vmlinux_btf);
	enum kernel_support support;

	if (!btf)
		return fail(EXIT_KERNEL, "no device provides peer memory, and without %s (%s) it "
			    "is unknown whether this kernel supports it; boot a kernel with "
			    "CONFIG_PCI_P2PDMA=y and CONFIG_DEBUG_INFO_BTF=y", vmlinux_btf,
			    strerror(errno));
	support = kernel_support(btf);
	btf__free(btf);
	if (support == KERNEL_NOTHING)
		return fail(EXIT_KERNEL, "this kernel was built without CONFIG_PCI_P2PDMA, so no "
			    "device can provide peer memory; boot a kernel with "
			    "CONFIG_PCI_P2PDMA=y");
	return 0;
}

/* predict_load() for the PCI functions in @entries. */
static int predict_entries(struct peers *peers, const char *sysfs, const char *cpuinfo,
			   const char *vmlinux_btf, struct dirent **entries, int nr)
{
	bool cpu_allows;
	int err;

	for (int i = 0; i < nr; i++) {
		int rc = add_provider(peers, sysfs, entries[i]->d_name);

		if (rc)
			return rc;
	}
	if (!peers->nr)
		return check_support(vmlinux_btf);
	peers_sort(peers);
	err = cpu_read(cpuinfo, &cpu_allows);
	if (err)
		return fail(EXIT_OTHER, "cannot read %s: %s; is /proc mounted?", cpuinfo,
			    strerror(-err));
	return predict_all(peers, sysfs, cpu_allows, entries, nr);
}

int predict_load(struct peers *peers, const char *sysfs, const char *cpuinfo,
		 const char *vmlinux_btf)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int nr, rc;

	memset(peers, 0, sizeof(*peers));
	peers->predicted = true;
	if (sysfs_path(path, sizeof(path), "%s/" PCI_DEVICES, sysfs))
		return fail(EXIT_OTHER, "the path of sysfs is too long: %s", sysfs);
	nr = scandir(path, &entries, only_pci_names, by_number);
	/* A machine without PCI */
	if (nr < 0 && errno == ENOENT)
		return check_support(vmlinux_btf);
	if (nr < 0)
		return fail(EXIT_OTHER, "cannot read %s: %s; is /sys mounted?", path,
			    strerror(errno));

	rc = predict_entries(peers, sysfs, cpuinfo, vmlinux_btf, entries, nr);
	for (int i = 0; i < nr; i++)
		free(entries[i]);
	free(entries);
	if (rc)
		peers_free(peers);
	return rc;
}
