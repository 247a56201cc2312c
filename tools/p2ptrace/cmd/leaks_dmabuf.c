// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/leaks_dmabuf.h"
#include "lib/json.h"
#include "lib/text.h"
#include "lib/units.h"
#include "session/map_walk.h"

#define INDENT "        "

/* Makes room for one more element. NULL: out of memory. */
static void *grow(void *array, size_t *nr, size_t size)
{
	char *elements = reallocarray(*(void **)array, *nr + 1, size);

	if (!elements)
		return NULL;
	*(void **)array = elements;
	return elements + size * (*nr)++;
}

/* The kernel pads names, but do not rely on data from outside. */
static void end_name(struct p2ptrace_name *name)
{
	name->s[sizeof(name->s) - 1] = '\0';
}

static int add_dmabuf(void *ctx, const void *key, const void *value)
{
	struct dmabufs *d = ctx;
	struct dmabuf *dmabuf = grow(&d->dmabufs, &d->nr, sizeof(*dmabuf));

	if (!dmabuf)
		return -ENOMEM;
	memcpy(&dmabuf->id, key, sizeof(dmabuf->id));
	memcpy(&dmabuf->is, value, sizeof(dmabuf->is));
	end_name(&dmabuf->is.exporter);
	dmabuf->is.comm[sizeof(dmabuf->is.comm) - 1] = '\0';
	return 0;
}

static int add_attached(void *ctx, const void *key, const void *value)
{
	struct dmabufs *d = ctx;
	struct dmabuf_attached *a = grow(&d->attached, &d->nr_attached, sizeof(*a));

	if (!a)
		return -ENOMEM;
	memcpy(&a->address, key, sizeof(a->address));
	memcpy(&a->is, value, sizeof(a->is));
	end_name(&a->is.client);
	return 0;
}

static int add_mapping(void *ctx, const void *key, const void *value)
{
	struct dmabufs *d = ctx;
	struct p2ptrace_dmabuf_mapping *m = grow(&d->mappings, &d->nr_mappings, sizeof(*m));

	(void)key;
	if (!m)
		return -ENOMEM;
	memcpy(m, value, sizeof(*m));
	end_name(&m->provider_name);
	return 0;
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* The time of those from before is 0. */
static int by_age(const void *a, const void *b)
{
	const struct dmabuf *x = a, *y = b;

	return compare(x->is.since_ns, y->is.since_ns) ?: compare(x->id, y->id);
}

static int by_dmabuf(const void *a, const void *b)
{
	const struct dmabuf_attached *x = a, *y = b;

	return compare(x->is.id, y->is.id) ?: compare(x->is.since_ns, y->is.since_ns) ?:
	       strcmp(x->is.client.s, y->is.client.s) ?: compare(x->address, y->address);
}

static int by_attachment(const void *a, const void *b)
{
	const struct p2ptrace_dmabuf_mapping *x = a, *y = b;

	return compare(x->key.attach, y->key.attach) ?: compare(x->since_ns, y->since_ns) ?:
	       compare(x->key.sgt, y->key.sgt);
}

static void sort(void *array, size_t nr, size_t size, int (*order)(const void *, const void *))
{
	if (nr)
		qsort(array, nr, size, order);
}

int dmabufs_read(struct dmabufs *d, int dmabufs_fd, int attached_fd, int mappings_fd)
{
	int err;

	/* The users first: no user lacks its dma-buf */
	err = map_walk(mappings_fd, sizeof(struct p2ptrace_dmabuf_table), sizeof(*d->mappings),
		       P2PTRACE_MAX_LIVE, add_mapping, d);
	if (!err)
		err = map_walk(attached_fd, sizeof(uint64_t), sizeof(struct p2ptrace_attached),
			       P2PTRACE_MAX_LIVE, add_attached, d);
	if (!err)
		err = map_walk(dmabufs_fd, sizeof(uint64_t), sizeof(struct p2ptrace_dmabuf),
			       P2PTRACE_MAX_LIVE, add_dmabuf, d);
	sort(d->mappings, d->nr_mappings, sizeof(*d->mappings), by_attachment);
	sort(d->attached, d->nr_attached, sizeof(*d->attached), by_dmabuf);
	sort(d->dmabufs, d->nr, sizeof(*d->dmabufs), by_age);
	return err;
}

void dmabufs_free(struct dmabufs *d)
{
	free(d->dmabufs);
	free(d->attached);
	free(d->mappings);
	memset(d, 0, sizeof(*d));
}

/* The first of the attachments of a dma-buf, and of the mappings of an attachment. */
static size_t first_attached(const struct dmabufs *d, uint64_t id)
{
	size_t low = 0, high = d->nr_attached;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (d->attached[middle].is.id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t first_mapping(const struct dmabufs *d, uint64_t attach)
{
	size_t low = 0, high = d->nr_mappings;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (d->mappings[middle].key.attach < attach)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

#define for_each_attached(a, d, of)							\
	for (a = &(d)->attached[first_attached(d, (of)->id)];				\
	     a < &(d)->attached[(d)->nr_attached] && a->is.id == (of)->id; a++)

#define for_each_mapping(m, d, of)							\
	for (m = &(d)->mappings[first_mapping(d, (of)->address)];			\
	     m < &(d)->mappings[(d)->nr_mappings] && m->key.attach == (of)->address; m++)

static uint64_t age_ns(const struct dmabufs *d, uint64_t since_ns)
{
	return d->now_ns > since_ns ? d->now_ns - since_ns : 0;
}

static bool is_mapped_of(const struct dmabufs *d, const struct dmabuf *dmabuf,
			 const char *provider)
{
	const struct p2ptrace_dmabuf_mapping *m;
	const struct dmabuf_attached *a;

	for_each_attached(a, d, dmabuf)
		for_each_mapping(m, d, a)
			if (!strcmp(m->provider_name.s, provider))
				return true;
	return false;
}

/* With a filter, the memory must be known to be that of the provider. */
static bool is_shown(const struct dmabufs *d, const struct dmabuf *dmabuf)
{
	const struct p2ptrace_filter *filter = d->filter;

	if (dmabuf->is.since_ns && age_ns(d, dmabuf->is.since_ns) < d->older_than_ns)
		return false;
	return (!*filter->dev.s && !*filter->provider.s) ||
	       is_mapped_of(d, dmabuf, filter->provider.s);
}

static const char *enum_name(const struct dmabufs *d, enum kernel_enum which, uint32_t value)
{
	static char unknown[32];

	return enums_name(d->enums, which, value, unknown, sizeof(unknown));
}

static void text_age(const struct dmabufs *d, struct buffer *out, uint64_t since_ns)
{
	if (since_ns)
		buffer_printf(out, " age=%.3fs", (double)age_ns(d, since_ns) / NSEC_PER_SEC);
	else
		buffer_printf(out, " age=-");
}

/* A name that is unknown is left out, or shown as "-" if it has no @key. */
static void text_name(struct buffer *out, const char *key, const char *name)
{
	char word[4 * P2PTRACE_NAME_LEN + 1];
	bool known = text_word(word, sizeof(word), name, strlen(name));

	if (known || !*key)
		buffer_printf(out, " %s%s", key, known ? word : "-");
}

static void text_mapping(const struct dmabufs *d, struct buffer *out, const char *client,
			 const struct p2ptrace_dmabuf_mapping *m)
{
	buffer_printf(out, INDENT "mapped by");
	text_name(out, "", client);
	text_age(d, out, m->since_ns);
	text_name(out, "provider=", m->provider_name.s);
	buffer_printf(out, " dir=%s", enum_name(d, ENUM_DMA_DIRECTION, m->dir));
	if (m->map)
		buffer_printf(out, " map=%s", enum_name(d, ENUM_MAP_TYPE, m->map));
	if (m->where)
		buffer_printf(out, " where=%s", enum_name(d, ENUM_MAP_WHERE, m->where));
	if (m->times > 1)
		buffer_printf(out, " times=%" PRId64, (int64_t)m->times);
	buffer_printf(out, "\n");
}

static void text_attached(const struct dmabufs *d, struct buffer *out,
			  const struct dmabuf_attached *a)
{
	const struct p2ptrace_dmabuf_mapping *m;

	buffer_printf(out, INDENT "attached");
	text_name(out, "", a->is.client.s);
	text_age(d, out, a->is.since_ns);
	buffer_printf(out, " dynamic=%s revocable=%s p2p=%s pins=%" PRId64 "\n",
		      a->is.dynamic ? "yes" : "no", a->is.revocable ? "yes" : "no",
		      a->is.p2p ? "yes" : "no", (int64_t)a->is.pins);
	for_each_mapping(m, d, a)
		text_mapping(d, out, a->is.client.s, m);
}

static void text_dmabuf(const struct dmabufs *d, struct buffer *out, const struct dmabuf *dmabuf)
{
	const struct dmabuf_attached *a;

	buffer_printf(out, "dma-buf id=%" PRIu64, dmabuf->id);
	text_name(out, "exporter=", dmabuf->is.exporter.s);
	buffer_printf(out, " size=%" PRIu64, (uint64_t)dmabuf->is.size);
	text_age(d, out, dmabuf->is.since_ns);
	if (dmabuf->is.since_ns) {
		buffer_printf(out, " pid=%" PRIu32, (uint32_t)dmabuf->is.pid);
		text_name(out, "comm=", dmabuf->is.comm);
	}
	buffer_printf(out, "\n");
	for_each_attached(a, d, dmabuf)
		text_attached(d, out, a);
}

void dmabufs_text(const struct dmabufs *d, struct buffer *out)
{
	uint64_t nr = 0, bytes = 0, before = 0;

	for (size_t i = 0; i < d->nr; i++) {
		const struct dmabuf *dmabuf = &d->dmabufs[i];

		if (!is_shown(d, dmabuf))
			continue;
		nr++;
		bytes += dmabuf->is.size;
		before += !dmabuf->is.since_ns;
		text_dmabuf(d, out, dmabuf);
	}
	if (!d->from_before)
		buffer_printf(out, "# dma-bufs exported before p2ptrace started are listed only if "
			      "they were used since: this kernel cannot list them (Linux 6.16 and "
			      "later can)\n");
	if (nr)
		buffer_printf(out, "# %" PRIu64 " dma-buf%s, %" PRIu64 " bytes, exported %g s ago "
			      "or earlier; %" PRIu64 " of them before p2ptrace started\n", nr,
			      PLURAL(nr), bytes, (double)d->older_than_ns / NSEC_PER_SEC, before);
}

static void json_age(const struct dmabufs *d, struct buffer *out, uint64_t since_ns)
{
	if (since_ns)
		json_uint(out, "age_ms", age_ns(d, since_ns) / NSEC_PER_MSEC);
	else
		json_none(out, "age_ms");
}

static void json_known(struct buffer *out, const char *key, const char *text)
{
	if (*text)
		json_str(out, key, text);
	else
		json_none(out, key);
}

static void json_mapping(const struct dmabufs *d, struct buffer *out,
			 const struct p2ptrace_dmabuf_mapping *m)
{
	json_open(out, NULL, '{');
	json_known(out, "provider", m->provider_name.s);
	json_age(d, out, m->since_ns);
	json_str(out, "dir", enum_name(d, ENUM_DMA_DIRECTION, m->dir));
	json_known(out, "map", m->map ? enum_name(d, ENUM_MAP_TYPE, m->map) : "");
	json_known(out, "where", m->where ? enum_name(d, ENUM_MAP_WHERE, m->where) : "");
	json_int(out, "times", m->times);
	json_close(out, '}');
}

static void json_attached(const struct dmabufs *d, struct buffer *out,
			  const struct dmabuf_attached *a)
{
	const struct p2ptrace_dmabuf_mapping *m;

	json_open(out, NULL, '{');
	json_str(out, "client", a->is.client.s);
	json_age(d, out, a->is.since_ns);
	json_bool(out, "dynamic", a->is.dynamic);
	json_bool(out, "revocable", a->is.revocable);
	json_bool(out, "p2p", a->is.p2p);
	json_int(out, "pins", a->is.pins);
	json_open(out, "mappings", '[');
	for_each_mapping(m, d, a)
		json_mapping(d, out, m);
	json_close(out, ']');
	json_close(out, '}');
}

static void json_dmabuf(const struct dmabufs *d, struct buffer *out, const struct dmabuf *dmabuf)
{
	const struct dmabuf_attached *a;
	bool before = !dmabuf->is.since_ns;

	json_open(out, NULL, '{');
	json_uint(out, "id", dmabuf->id);
	json_str(out, "exporter", dmabuf->is.exporter.s);
	json_uint(out, "size", dmabuf->is.size);
	json_age(d, out, dmabuf->is.since_ns);
	if (before)
		json_none(out, "pid");
	else
		json_uint(out, "pid", dmabuf->is.pid);
	json_known(out, "comm", dmabuf->is.comm);
	json_bool(out, "before", before);
	json_open(out, "attached", '[');
	for_each_attached(a, d, dmabuf)
		json_attached(d, out, a);
	json_close(out, ']');
	json_close(out, '}');
}

void dmabufs_json(const struct dmabufs *d, struct buffer *out)
{
	json_open(out, "dmabufs", '[');
	for (size_t i = 0; i < d->nr; i++)
		if (is_shown(d, &d->dmabufs[i]))
			json_dmabuf(d, out, &d->dmabufs[i]);
	json_close(out, ']');
	json_bool(out, "dmabufs_from_before", d->from_before);
}
