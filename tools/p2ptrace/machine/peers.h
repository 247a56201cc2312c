/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The decisions for all providers and clients: by which map type a client can reach the memory of a
 * provider, and why. peers_load() reads them from debugfs; see predict.h for a stock kernel.
 */
#ifndef PEERS_H
#define PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/machine.h"

/* A client of a provider. The words are the kernel's (decision.h), printable and without blanks. */
struct peer {
	char client[PCI_NAME_LEN];
	char map[WORD_LEN];
	int distance;
	char reason[WORD_LEN];
	char blocker[PCI_NAME_LEN];	/* "" if there is none */
};

struct provider {
	char dev[PCI_NAME_LEN];		/* p2pmem0; the same as @pci on a stock kernel */
	char pci[PCI_NAME_LEN];		/* 0000:01:00.0 */
	uint64_t size;
	struct peer *peers;
	size_t nr;
};

struct peers {
	struct provider *providers;	/* by name */
	size_t nr;
	bool predicted;			/* by predict_load() */
};

/* Whether the kernel shows its decisions. Only kernels with the p2pmem series do. */
bool peers_shown(const char *sysfs);

/*
 * Skips a device that is removed meanwhile. Returns 0, or an exit status after an error message.
 * Call peers_free() only after a 0.
 */
int peers_load(struct peers *peers, const char *sysfs, const char *debugfs);
void peers_free(struct peers *peers);

/*
 * For predict.c: add an empty provider or client and return it, or NULL if there is no memory. The
 * pointer is valid until the next call. Call peers_sort() after the last one.
 */
struct provider *peers_add(struct peers *peers);
struct peer *provider_add(struct provider *provider);
void peers_sort(struct peers *peers);

/* Removes the provider with this index. */
void peers_remove(struct peers *peers, size_t index);

/* The device was removed, which is not an error. */
#define PEERS_GONE	(-1)

/*
 * Reads the size of a provider from its attribute. Returns 0, PEERS_GONE, or an exit status after
 * an error message.
 */
int provider_read_size(struct provider *provider, const char *path);

/* By either name of the provider; NULL if there is none. */
const struct provider *peers_provider(const struct peers *peers, const char *name);
const struct peer *provider_peer(const struct provider *provider, const char *client);

/* The path from the root to a PCI function: the names of bridges, then its own. */
#define PATH_MAX_DEPTH	32

struct pci_path {
	char root[PCI_NAME_LEN];	/* of the host bridge: pci0000:00 */
	char names[PATH_MAX_DEPTH][PCI_NAME_LEN];
	size_t depth;
};

/* 0, or a negative errno. */
int pci_path_read(struct pci_path *path, const char *sysfs, const char *pci);

/* How many bridges two functions share. */
size_t pci_path_shared(const struct pci_path *a, const struct pci_path *b);

#endif /* PEERS_H */
