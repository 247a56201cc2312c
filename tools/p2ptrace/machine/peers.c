// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "machine/debugfs.h"
#include "machine/devices.h"
#include "machine/peers.h"
#include "machine/sysfs.h"
#include "machine/table.h"

struct provider *peers_add(struct peers *peers)
{
	struct provider *provider = realloc(peers->providers, (peers->nr + 1) * sizeof(*provider));

	if (!provider)
		return NULL;
	peers->providers = provider;
	provider += peers->nr++;
	memset(provider, 0, sizeof(*provider));
	return provider;
}

struct peer *provider_add(struct provider *provider)
{
	struct peer *peer = realloc(provider->peers, (provider->nr + 1) * sizeof(*peer));

	if (!peer)
		return NULL;
	provider->peers = peer;
	peer += provider->nr++;
	memset(peer, 0, sizeof(*peer));
	return peer;
}

static int add_peer(void *ctx, char **words)
{
	struct peer *peer = provider_add(ctx);

	if (!peer)
		return -ENOMEM;
	if (!*words[0] || word_copy(peer->client, sizeof(peer->client), words[0]) ||
	    word_copy(peer->map, sizeof(peer->map), words[1]) ||
	    word_int(words[2], &peer->distance) ||
	    word_copy(peer->reason, sizeof(peer->reason), words[3]) ||
	    word_copy(peer->blocker, sizeof(peer->blocker),
		      strcmp(words[4], "-") ? words[4] : "") ||
	    strchr(words[4], ' '))
		return -EINVAL;
	return 0;
}

int provider_read_size(struct provider *provider, const char *path)
{
	int err = sysfs_read_number(&provider->size, "%s", path);

	if (!err)
		return 0;
	if (sysfs_gone(err))
		return PEERS_GONE;
	if (err == -EINVAL || err == -ERANGE)
		return fail(EXIT_OTHER, "cannot parse %s: it does not hold a number; install a "
			    "p2ptrace as new as the kernel", path);
	return fail(EXIT_OTHER, "cannot read %s: %s", path, strerror(-err));
}

static int read_provider(struct provider *provider, const char *sysfs, const char *debugfs,
			 const char *dev)
{
	char path[PATH_MAX];
	int err, rc;

	err = word_copy(provider->dev, sizeof(provider->dev), dev);
	if (!err)
		err = dev_provider(sysfs, dev, provider->pci, sizeof(provider->pci));
	if (!err)
		err = sysfs_path(path, sizeof(path), "%s/" P2PMEM_CLASS "/%s/size", sysfs, dev);
	if (sysfs_gone(err))
		return PEERS_GONE;
	if (err)
		return fail(EXIT_OTHER, "cannot find the provider of %s: %s", dev, strerror(-err));
	rc = provider_read_size(provider, path);
	if (rc)
		return rc;
	rc = debugfs_read(debugfs, dev, "peers", "client map distance reason blocker", add_peer,
			  provider);
	return rc == DEBUGFS_GONE ? PEERS_GONE : rc;
}

static int by_name(const void *a, const void *b)
{
	const struct provider *x = a, *y = b;

	/* p2pmem9 before p2pmem10 */
	return strverscmp(x->dev, y->dev);
}

void peers_sort(struct peers *peers)
{
	if (peers->nr)
		qsort(peers->providers, peers->nr, sizeof(*peers->providers), by_name);
}

bool peers_shown(const char *sysfs)
{
	return sysfs_exists("%s/" P2PMEM_CLASS, sysfs);
}

int peers_load(struct peers *peers, const char *sysfs, const char *debugfs)
{
	DIR *dir = sysfs_open_dir("%s/" P2PMEM_CLASS, sysfs);
	struct dirent *entry;
	int rc = 0;

	memset(peers, 0, sizeof(*peers));
	if (!dir)
		return fail(EXIT_KERNEL, "this kernel has no p2pmem devices (%s/" P2PMEM_CLASS ": "
			    "%s); boot a kernel with the p2pmem series", sysfs, strerror(errno));
	while (!rc && (entry = readdir(dir))) {
		struct provider *provider;

		if (!is_p2pmem_name(entry->d_name))
			continue;
		provider = peers_add(peers);
		rc = provider ? read_provider(provider, sysfs, debugfs, entry->d_name) :
				fail(EXIT_OTHER, "out of memory");
		if (rc == PEERS_GONE) {
			peers_remove(peers, peers->nr - 1);
			rc = 0;
		}
	}
	closedir(dir);
	if (rc)
		peers_free(peers);
	else
		peers_sort(peers);
	return rc;
}

void peers_remove(struct peers *peers, size_t index)
{
	struct provider *provider = &peers->providers[index];

	free(provider->peers);
	memmove(provider, provider + 1, (--peers->nr - index) * sizeof(*provider));
}

void peers_free(struct peers *peers)
{
	for (size_t i = 0; i < peers->nr; i++)
		free(peers->providers[i].peers);
	free(peers->providers);
	memset(peers, 0, sizeof(*peers));
}

const struct provider *peers_provider(const struct peers *peers, const char *name)
{
	char pci[PCI_NAME_LEN] = "";

	if (pci_name_parse(name, pci, sizeof(pci)))
		pci[0] = '\0';
	for (size_t i = 0; i < peers->nr; i++)
		if (!strcmp(peers->providers[i].dev, name) ||
		    (*pci && !strcmp(peers->providers[i].pci, pci)))
			return &peers->providers[i];
	return NULL;
}

const struct peer *provider_peer(const struct provider *provider, const char *client)
{
	char pci[PCI_NAME_LEN];

	if (pci_name_parse(client, pci, sizeof(pci)))
		return NULL;
	for (size_t i = 0; i < provider->nr; i++)
		if (!strcmp(provider->peers[i].client, pci))
			return &provider->peers[i];
	return NULL;
}

int pci_path_read(struct pci_path *path, const char *sysfs, const char *pci)
{
	char *real = sysfs_real_path("%s/" PCI_DEVICES "/%s", sysfs, pci), *rest, *word;
	char name[PCI_NAME_LEN];

	memset(path, 0, sizeof(*path));
	if (!real)
		return -errno;
	for (rest = real; (word = strsep(&rest, "/"));) {
		/* A host bridge below a device (VMD) begins a new tree */
		if (!strncmp(word, "pci", 3) && strchr(word, ':')) {
			path->depth = 0;
			if (word_copy(path->root, sizeof(path->root), word))
				break;
		}
		if (pci_name_parse(word, name, sizeof(name)) || strcmp(name, word))
			continue;
		if (path->depth == PATH_MAX_DEPTH)
			break;
		strcpy(path->names[path->depth++], name);
	}
	free(real);
	return path->depth && !strcmp(path->names[path->depth - 1], pci) ? 0 : -EINVAL;
}

size_t pci_path_shared(const struct pci_path *a, const struct pci_path *b)
{
	size_t n = 0;

	/* The last name of a path is the function itself */
	while (n + 1 < a->depth && n + 1 < b->depth && !strcmp(a->names[n], b->names[n]))
		n++;
	return n;
}
