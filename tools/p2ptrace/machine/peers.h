/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who can reach whose memory, as this kernel sees it: the decisions in debugfs, and where the devices are in sysfs. For
 * kernels that do not tell, there is predict.h.
 */
#ifndef PEERS_H
#define PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEBUGFS "/sys/kernel/debug"

#define PCI_NAME_LEN	32
#define WORD_LEN	48

/* A client of a provider. The words are the kernel's; all are printable, without blanks. */
struct peer {
	char client[PCI_NAME_LEN];
	char map[WORD_LEN];
	int distance;
	char reason[WORD_LEN];
	char blocker[PCI_NAME_LEN];	/* "" if there is none */
};

struct provider {
	char dev[PCI_NAME_LEN];		/* p2pmem0; as @pci on a kernel that has no such names */
	char pci[PCI_NAME_LEN];		/* 0000:01:00.0 */
	uint64_t size;
	struct peer *peers;
	size_t nr;
};

struct peers {
	struct provider *providers;	/* by name */
	size_t nr;
	bool predicted;			/* and not asked of the kernel */
};

/* Whether the kernel tells its decisions: it has our series. */
bool peers_told(const char *sysfs);

/* Returns 0 or an exit status after saying what is wrong, and what to do about it. peers_free() only after a 0. */
int peers_load(struct peers *peers, const char *sysfs, const char *debugfs);
void peers_free(struct peers *peers);

/*
 * To fill it by oneself: an empty provider or client more, NULL if there is no memory. Either is valid until the next;
 * peers_sort() at the end.
 */
struct provider *peers_add(struct peers *peers);
struct peer *provider_add(struct provider *provider);
void peers_sort(struct peers *peers);

/* A number in a file, as sysfs has them: 0 or an exit status. */
int peers_size(const char *path, uint64_t *size);

/* By either name of the provider; NULL if there is none. */
const struct provider *peers_provider(const struct peers *peers, const char *name);
const struct peer *provider_peer(const struct provider *provider, const char *client);

/* The driver of a PCI function, "-" if it has none. */
void pci_driver(const char *sysfs, const char *pci, char *driver, size_t size);

/* The way from the root to a PCI function: names of bridges, and its own at last. */
#define PATH_MAX_DEPTH	32

struct pci_path {
	char root[PCI_NAME_LEN];	/* of the host bridge: pci0000:00 */
	char names[PATH_MAX_DEPTH][PCI_NAME_LEN];
	size_t depth;
};

/* 0, or a negative errno. */
int pci_path_read(struct pci_path *path, const char *sysfs, const char *pci);

/* How many bridges two functions share; 0: they meet, if at all, in a host bridge. */
size_t pci_path_shared(const struct pci_path *a, const struct pci_path *b);

#endif /* PEERS_H */
