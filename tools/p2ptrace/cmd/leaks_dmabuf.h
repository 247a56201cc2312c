/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of "p2ptrace leaks" about dma-bufs: those that exist, the devices that are attached to
 * them, and their mappings.
 */
#ifndef LEAKS_DMABUF_H
#define LEAKS_DMABUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/enums.h"
#include "lib/buffer.h"
#include "p2ptrace.h"

struct dmabuf {
	uint64_t id;
	struct p2ptrace_dmabuf is;
};

struct dmabuf_attached {
	uint64_t address;
	struct p2ptrace_attached is;
};

/* All zero, it is empty. */
struct dmabufs {
	struct dmabuf *dmabufs;		/* the oldest first */
	struct dmabuf_attached *attached;	/* by dma-buf */
	struct p2ptrace_dmabuf_mapping *mappings;	/* by attachment */
	size_t nr, nr_attached, nr_mappings;
	/* The caller sets these */
	uint64_t now_ns, older_than_ns;
	const struct p2ptrace_filter *filter;
	const struct enums *enums;
	bool from_before;	/* whether those are listed that nobody has used since the start */
};

/* The maps of leaks.bpf.c. Returns 0 or a negative errno. */
int dmabufs_read(struct dmabufs *d, int dmabufs_fd, int attached_fd, int mappings_fd);
void dmabufs_free(struct dmabufs *d);

void dmabufs_text(const struct dmabufs *d, struct buffer *out);
/* The members "dmabufs" and "dmabufs_from_before" of an object. */
void dmabufs_json(const struct dmabufs *d, struct buffer *out);

#endif /* LEAKS_DMABUF_H */
