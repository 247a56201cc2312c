// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/number.h"
#include "lib/text.h"
#include "machine/devices.h"
#include "machine/peers.h"
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
	    word_copy(peer->map, sizeof(peer->map), words[1]) || word_int(words[2], &peer->distance) ||
	    word_copy(peer->reason, sizeof(peer->reason), words[3]) ||
	    word_copy(peer->blocker, sizeof(peer->blocker), strcmp(words[4], "-") ? words[4] : "") ||
	    strchr(words[4], ' '))
		return -EINVAL;
	return 0;
}

int peers_size(const char *path, uint64_t *size)
{
	FILE *file = fopen(path, "re");
	char text[32] = "";

	if (!file)
		return fail(EXIT_OTHER, "cannot read %s: %s", path, strerror(errno));
	if (fgets(text, sizeof(text), file))
		text[strcspn(text, "\n")] = '\0';
	fclose(file);
	if (number_parse(text, size))
		return fail(EXIT_OTHER, "%s is '%s', and no number", path, text);
	return 0;
}

/* The device is on its way out, and has no decisions any more. */
#define GONE (-1)

static int read_provider(struct provider *provider, const char *sysfs, const char *debugfs, const char *dev)
{
	char path[PATH_MAX], debugfs_dir[PATH_MAX];
	int err;

	if (word_copy(provider->dev, sizeof(provider->dev), dev))
		return fail(EXIT_OTHER, "%s is no name of a p2pmem device", dev);
	err = dev_provider(sysfs, dev, provider->pci, sizeof(provider->pci));
	if (err)
		return fail(EXIT_OTHER, "cannot tell the provider of %s: %s", dev, strerror(-err));

	snprintf(path, sizeof(path), "%s/class/p2pmem/%s/size", sysfs, dev);
	err = peers_size(path, &provider->size);
	if (err)
		return err;

	snprintf(debugfs_dir, sizeof(debugfs_dir), "%s/p2pmem", debugfs);
	snprintf(path, sizeof(path), "%s/p2pmem/%s/peers", debugfs, dev);
	err = table_read(path, "client map distance reason blocker", add_peer, provider);
	if (err == -EACCES)
		return fail(EXIT_KERNEL, "cannot read %s: run p2ptrace peers as root", path);
	if (err == -ENODEV || err == -EIO || (err == -ENOENT && !access(debugfs_dir, F_OK)))
		return GONE;
	if (err == -ENOENT)
		return fail(EXIT_KERNEL, "cannot read %s: %s; if debugfs is not mounted: mount -t debugfs none %s", path,
			    strerror(-err), debugfs);
	if (err)
		return fail(EXIT_OTHER, "cannot make sense of %s: %s; is p2ptrace older than the kernel?", path, strerror(-err));
	return 0;
}

static int by_name(const void *a, const void *b)
{
	/* p2pmem10 behind p2pmem9 */
	return strverscmp(((const struct provider *)a)->dev, ((const struct provider *)b)->dev);
}

void peers_sort(struct peers *peers)
{
	if (peers->nr)
		qsort(peers->providers, peers->nr, sizeof(*peers->providers), by_name);
}

bool peers_told(const char *sysfs)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/class/p2pmem", sysfs);
	return !access(path, F_OK);
}

int peers_load(struct peers *peers, const char *sysfs, const char *debugfs)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int rc = 0;
	DIR *dir;

	memset(peers, 0, sizeof(*peers));
	snprintf(path, sizeof(path), "%s/class/p2pmem", sysfs);
	dir = opendir(path);
	if (!dir)
		return fail(EXIT_KERNEL, "this kernel has no p2pmem devices (%s: %s); boot a kernel with the p2pmem series",
			    path, strerror(errno));
	while (!rc && (entry = readdir(dir))) {
		struct provider *provider;

		if (!is_p2pmem_name(entry->d_name))
			continue;
		provider = peers_add(peers);
		rc = provider ? read_provider(provider, sysfs, debugfs, entry->d_name) : fail(EXIT_OTHER, "out of memory");
		if (rc == GONE) {
			free(peers->providers[--peers->nr].peers);
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
		if (!strcmp(peers->providers[i].dev, name) || (*pci && !strcmp(peers->providers[i].pci, pci)))
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

void pci_driver(const char *sysfs, const char *pci, char *driver, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/driver", sysfs, pci);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0) {
		snprintf(driver, size, "-");
		return;
	}
	target[len] = '\0';
	slash = strrchr(target, '/');
	slash = slash ? slash + 1 : target;
	text_word(driver, size, slash, strlen(slash));
}

int pci_path_read(struct pci_path *path, const char *sysfs, const char *pci)
{
	char link[PATH_MAX], *real, *rest, *word;
	char name[PCI_NAME_LEN];

	memset(path, 0, sizeof(*path));
	snprintf(link, sizeof(link), "%s/bus/pci/devices/%s", sysfs, pci);
	real = realpath(link, NULL);
	if (!real)
		return -errno;
	for (rest = real; (word = strsep(&rest, "/"));) {
		/* A host bridge below a device (VMD) begins a tree of its own */
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

	/* The functions themselves are no bridges */
	while (n + 1 < a->depth && n + 1 < b->depth && !strcmp(a->names[n], b->names[n]))
		n++;
	return n;
}
