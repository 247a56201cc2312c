// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "event/blind.h"
#include "event/output.h"
#include "event/page.h"
#include "lib/hist.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/findings.h"

/* Rows of a table, so that the page remains one. */
#define ROWS 16
#define REMEDIES 4

#define WORD_MAX (4 * P2PTRACE_NAME_LEN + 1)

static const struct {
	const char *reason, *step;
} fallback_steps[] = {
	{ "no_binding", "the controller found no suitable peer memory; run p2ptrace nvmet" },
	{ "no_memory", "the peer memory is full; use a larger provider, or see p2ptrace leaks" },
	{ "removed", "the provider was removed, and there is no other; see /sys/class/*p2pmem/" },
	{ "too_small", "the request is smaller than p2pmem_min_size; lower it, if intended" },
	{ "cpu_access", "the CPU handles this data, as for admin commands: this is expected" },
	{ "inline_data", "small writes bring their data with the command: this is expected" },
};

const char *page_fallback_step(const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(fallback_steps); i++)
		if (!strcmp(fallback_steps[i].reason, reason))
			return fallback_steps[i].step;
	return "";
}

void page_size(uint64_t bytes, char *text, size_t size)
{
	static const char unit[] = " KMGTPE";
	double value = bytes;
	int i = 0;

	while (value >= 1023.5 && unit[i + 1]) {
		value /= 1024;
		i++;
	}
	if (!i)
		snprintf(text, size, "%" PRIu64, bytes);
	else
		snprintf(text, size, "%.*f%c", value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2, value,
			 unit[i]);
}

static const char *name_word(char *to, const struct p2ptrace_name *name)
{
	return text_word(to, WORD_MAX, name->s, strnlen(name->s, sizeof(name->s))) ? to : "-";
}

void page_label(char *label, size_t size, const struct recording *recording,
		const struct p2ptrace_name *name)
{
	const struct function *function;
	char word[WORD_MAX];

	text_printable(word, sizeof(word), name->s, strnlen(name->s, sizeof(name->s)));
	snprintf(label, size, "%s", *word ? word : "-");
	function = recording->has_machine ? machine_find(&recording->machine, word) : NULL;
	if (function)
		function_label(label, size, function);
}

int page_by_bytes(const void *a, const void *b)
{
	static const struct hash shape = {
		.key_size = sizeof(struct summary_pair_key),
	};
	const struct summary_pair *x = hash_value(&shape, *(struct hash_node **)a);
	const struct summary_pair *y = hash_value(&shape, *(struct hash_node **)b);

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return memcmp(hash_key(&shape, *(struct hash_node **)a),
		      hash_key(&shape, *(struct hash_node **)b), shape.key_size);
}

int page_by_count(const void *a, const void *b)
{
	static const struct hash shape = {
		.key_size = sizeof(struct summary_decision_key),
	};
	const struct summary_sum *x = hash_value(&shape, *(struct hash_node **)a);
	const struct summary_sum *y = hash_value(&shape, *(struct hash_node **)b);

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return memcmp(hash_key(&shape, *(struct hash_node **)a),
		      hash_key(&shape, *(struct hash_node **)b), shape.key_size);
}

static void more_rows(struct buffer *out, size_t nr)
{
	if (nr > ROWS)
		buffer_printf(out, "  and %zu more, which are in the JSON of this report\n",
			      nr - ROWS);
}

/* ---- the head ---- */

static void head_text(struct buffer *out, const struct recording *r, const struct summary *s)
{
	const struct recording_about *about = &r->about;
	time_t start = about->start_real_ns / NSEC_PER_SEC;
	uint64_t end = r->ended && r->end.end_ns > about->start_ns ? r->end.end_ns : s->last_ns;
	char when[64] = "";
	struct tm tm;

	if (gmtime_r(&start, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	buffer_printf(out, "Recording %s: Linux %s %s, p2ptrace %s, mode %s\n", r->name,
		      about->release, about->arch, about->tool, event_set_mode(&r->set));
	buffer_printf(out, "%s, %.3f s, %" PRIu64 " event%s%s%s%s\n", when,
		      end > about->start_ns ? (double)(end - about->start_ns) / NSEC_PER_SEC : 0,
		      r->events, PLURAL(r->events), r->ended ? "; ended: " : "", r->end.why,
		      about->ring_bytes ? " (flight recorder: only the last events)" : "");
	if (*about->dev || *about->client || *about->comm || about->pid || about->min_size) {
		buffer_printf(out, "Only events");
		if (*about->dev)
			buffer_printf(out, " of device %s", about->dev);
		if (*about->client)
			buffer_printf(out, " of client %s", about->client);
		if (*about->comm)
			buffer_printf(out, " in tasks named %s", about->comm);
		if (about->pid)
			buffer_printf(out, " in process %" PRIu64, about->pid);
		if (about->min_size)
			buffer_printf(out, " of at least %" PRIu64 " bytes", about->min_size);
		buffer_printf(out, " were recorded\n");
	}
	if (r->end.argv) {
		int status = r->end.wait_status;

		buffer_printf(out, "Command:");
		for (char **word = r->end.argv; *word; word++) {
			char text[128];

			text_printable(text, sizeof(text), *word, strlen(*word));
			buffer_printf(out, " %s", text);
		}
		if (WIFEXITED(status))
			buffer_printf(out, " (exit status %d)\n", WEXITSTATUS(status));
		else
			buffer_printf(out, " (killed by signal %d)\n", WTERMSIG(status));
	}
	if (*r->trouble)
		buffer_printf(out, "NOT WHOLE: %s\n", r->trouble);
	blind_text(out, &r->set, "");
	if (r->lost.total) {
		buffer_printf(out, "LOST: %" PRIu64 " event%s (", r->lost.total,
			      PLURAL(r->lost.total));
		output_lost_detail(out, &r->lost);
		buffer_printf(out, "); the figures below are too low\n");
	} else {
		buffer_printf(out, "Lost: none\n");
	}
}

/* ---- the sections ---- */

static void pairs_text(struct buffer *out, const struct recording *r, const struct summary *s)
{
	struct hash_node **list = hash_sorted(&s->pairs, page_by_bytes);

	buffer_printf(out, "\nDMA mappings of peer memory%s\n",
		      list ? ": how much, and how much of it clients read and wrote" : ": none");
	if (list)
		buffer_printf(out, "  %8s %8s %8s %10s %8s %8s  %-17s %-7s %s\n", "bytes", "read",
			      "written", "mappings", "p50", "p99", "map type", "kind",
			      "client -> provider");
	for (size_t i = 0; list && i < s->pairs.nr && i < ROWS; i++) {
		const struct summary_pair_key *key = hash_key(&s->pairs, list[i]);
		const struct summary_pair *pair = hash_value(&s->pairs, list[i]);
		char size[16], to[16], from[16], p50[16] = "-", p99[16] = "-", map[32], kind[32];
		char client[PAGE_LABEL_LEN], provider[PAGE_LABEL_LEN];

		page_size(pair->bytes, size, sizeof(size));
		page_size(pair->bytes_to, to, sizeof(to));
		page_size(pair->bytes_from, from, sizeof(from));
		if (pair->mapped.count) {
			hist_time(hist_percentile(&pair->mapped, 50), p50, sizeof(p50));
			hist_time(hist_percentile(&pair->mapped, 99), p99, sizeof(p99));
		}
		page_label(client, sizeof(client), r, &key->client);
		page_label(provider, sizeof(provider), r, &key->provider);
		buffer_printf(out, "  %8s %8s %8s %10" PRIu64 " %8s %8s  %-17s %-7s %s -> %s\n",
			      size, to, from, pair->maps, p50, p99,
			      enums_name(&r->enums, ENUM_MAP_TYPE, key->map, map, sizeof(map)),
			      enums_name(&r->enums, ENUM_MAP_KIND, key->kind, kind, sizeof(kind)),
			      client, provider);
	}
	more_rows(out, s->pairs.nr);
	free(list);
}

static void dmabufs_text(struct buffer *out, const struct recording *r, const struct summary *s)
{
	struct hash_node *node = NULL;
	size_t rows = 0;

	if (s->dmabufs.nr)
		buffer_printf(out, "\nMappings of dma-bufs\n  %8s %10s  %-8s %-17s %s\n", "bytes",
			      "mappings", "where", "map type", "client -> provider");
	while (hash_next(&s->dmabufs, &node) && rows++ < ROWS) {
		const struct summary_dmabuf_key *key = hash_key(&s->dmabufs, node);
		const struct summary_sum *sum = hash_value(&s->dmabufs, node);
		char client[PAGE_LABEL_LEN], provider[PAGE_LABEL_LEN];
		char size[16], map[32], where[32];

		page_size(sum->bytes, size, sizeof(size));
		page_label(client, sizeof(client), r, &key->client);
		page_label(provider, sizeof(provider), r, &key->provider);
		buffer_printf(out, "  %8s %10" PRIu64 "  %-8s %-17s %s -> %s\n", size, sum->count,
			      enums_name(&r->enums, ENUM_MAP_WHERE, key->where, where,
					 sizeof(where)),
			      key->map ? enums_name(&r->enums, ENUM_MAP_TYPE, key->map, map,
						    sizeof(map)) : "-",
			      client, provider);
	}
	more_rows(out, s->dmabufs.nr);
}

static bool is_direct(const struct recording *r, const struct summary_decision_key *key)
{
	char map[32];

	return !strcmp(enums_name(&r->enums, ENUM_MAP_TYPE, key->map, map, sizeof(map)),
		       MAP_BUS_ADDR);
}

#define COLUMNS 96

/* Words, in lines that begin with @indent. */
static void wrapped(struct buffer *out, const char *text, const char *indent)
{
	size_t at = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (at && at + 1 + len > COLUMNS) {
			buffer_add(out, "\n", 1);
			at = 0;
		}
		buffer_printf(out, "%s%.*s", at ? " " : indent, (int)len, text);
		at += len + (at ? 1 : strlen(indent));
		text += len;
		text += strspn(text, " ");
	}
	buffer_add(out, "\n", 1);
}

/* Sentences, and commands to paste. */
static void finding_lines(struct buffer *out, const struct finding *finding, const char *indent)
{
	const char *line = buffer_text(&finding->commands);

	wrapped(out, buffer_text(&finding->text), indent);
	while (*line) {
		size_t len = strcspn(line, "\n");

		buffer_printf(out, "%s    %.*s\n", indent, (int)len, line);
		line += len + !!line[len];
	}
}

void page_remedies(struct buffer *out, const struct recording *r,
		   const struct summary_decision_key *key, const char *indent)
{
	int provider = -1, client = -1;
	char reason[32], word[WORD_MAX], words[512];
	const struct reason *known;
	struct findings findings = {};
	struct release release;
	struct pair pair;

	if (!r->set.stock) {
		const char *name = enums_name(&r->enums, ENUM_DECISION_REASON, key->reason, reason,
					      sizeof(reason));

		known = reason_find(name);
		snprintf(words, sizeof(words), "%s%s%s", name, known ? ": " : "",
			 known ? known->words : "");
		wrapped(out, words, indent);
	}
	if (!r->has_machine)
		return;
	provider = machine_find_any(&r->machine, name_word(word, &key->provider));
	client = machine_find_any(&r->machine, name_word(word, &key->client));
	if (provider < 0 || client < 0 || release_parse(r->machine.kernel, &release))
		return;
	pair_set(&pair, &r->machine, &release, provider, client);
	findings_gather(&findings, &pair);
	for (size_t i = 0; i < findings.nr; i++)
		if (findings.list[i].level == LEVEL_remedy)
			finding_lines(out, &findings.list[i], indent);
	findings_free(&findings);
}

static void decisions_text(struct buffer *out, const struct recording *r, const struct summary *s)
{
	struct hash_node **list = hash_sorted(&s->decisions, page_by_count);
	unsigned int remedies = 0;

	if (list)
		buffer_printf(out, "\nDecisions of the kernel\n");
	for (size_t i = 0; list && i < s->decisions.nr && i < ROWS; i++) {
		const struct summary_decision_key *key = hash_key(&s->decisions, list[i]);
		const struct summary_sum *sum = hash_value(&s->decisions, list[i]);
		char client[PAGE_LABEL_LEN], provider[PAGE_LABEL_LEN], map[32], reason[32];
		char blocker[WORD_MAX];

		page_label(client, sizeof(client), r, &key->client);
		page_label(provider, sizeof(provider), r, &key->provider);
		buffer_printf(out, "  %10" PRIu64 "  %-17s %s -> %s", sum->count,
			      enums_name(&r->enums, ENUM_MAP_TYPE, key->map, map, sizeof(map)),
			      client, provider);
		if (!r->set.stock)
			buffer_printf(out, ", %s", enums_name(&r->enums, ENUM_DECISION_REASON,
							      key->reason, reason, sizeof(reason)));
		if (*key->blocker.s)
			buffer_printf(out, " at %s", name_word(blocker, &key->blocker));
		buffer_printf(out, "%s\n", key->cached ? ", by an earlier decision" : "");
		if (!is_direct(r, key) && remedies++ < REMEDIES)
			page_remedies(out, r, key, "              ");
	}
	more_rows(out, s->decisions.nr);
	free(list);
}

static void fallbacks_text(struct buffer *out, const struct recording *r, const struct summary *s)
{
	struct hash_node *node = NULL;
	char size[16], name[32], dev[WORD_MAX];

	if (s->fallbacks.nr)
		buffer_printf(out, "\nRequests of the NVMe target that fell back to system "
			      "memory\n");
	while (hash_next(&s->fallbacks, &node)) {
		const struct summary_reason_key *key = hash_key(&s->fallbacks, node);
		const struct summary_sum *sum = hash_value(&s->fallbacks, node);
		const char *reason = r->set.stock ? "(this kernel has no reason)" :
				     enums_name(&r->enums, ENUM_FALLBACK_REASON, key->reason, name,
						sizeof(name));

		page_size(sum->bytes, size, sizeof(size));
		buffer_printf(out, "  %8s %10" PRIu64 "  %s%s%s\n", size, sum->count, reason,
			      *page_fallback_step(reason) ? ": " : "", page_fallback_step(reason));
	}
	if (s->alloc_fails.nr)
		buffer_printf(out, "\nAllocations of peer memory that failed\n");
	while (hash_next(&s->alloc_fails, &node)) {
		const struct summary_reason_key *key = hash_key(&s->alloc_fails, node);
		const struct summary_sum *sum = hash_value(&s->alloc_fails, node);

		page_size(sum->bytes, size, sizeof(size));
		buffer_printf(out, "  %8s %10" PRIu64 "  %s %s\n", size, sum->count,
			      name_word(dev, &key->dev), r->set.stock ? "" :
			      enums_name(&r->enums, ENUM_ALLOC_ERROR, key->reason, name,
					 sizeof(name)));
	}
}

static void lifetimes_text(struct buffer *out, const struct summary *s)
{
	struct hash_node *node = NULL;

	if (s->held.nr)
		buffer_printf(out, "\nHow long buffers were held\n  %10s %8s %8s %8s %8s  "
			      "device\n", "buffers", "p50", "p95", "p99", "max");
	while (hash_next(&s->held, &node)) {
		const struct summary_sum *sum = hash_value(&s->held, node);
		char p50[16], p95[16], p99[16], max[16], dev[WORD_MAX];

		hist_time(hist_percentile(&sum->times, 50), p50, sizeof(p50));
		hist_time(hist_percentile(&sum->times, 95), p95, sizeof(p95));
		hist_time(hist_percentile(&sum->times, 99), p99, sizeof(p99));
		hist_time(sum->times.max_ns, max, sizeof(max));
		buffer_printf(out, "  %10" PRIu64 " %8s %8s %8s %8s  %s\n", sum->count, p50, p95,
			      p99, max, name_word(dev, hash_key(&s->held, node)));
	}
}

static void buffer_line(struct buffer *out, const struct summary *s, const struct hash *hash,
			struct hash_node *node)
{
	const struct summary_buffer *buffer = hash_value(hash, node);
	char size[16], age[16], dev[WORD_MAX], comm[4 * P2PTRACE_COMM_LEN + 1];
	uint64_t id;

	memcpy(&id, hash_key(hash, node), sizeof(id));
	page_size(buffer->size, size, sizeof(size));
	hist_time(s->last_ns > buffer->since_ns ? s->last_ns - buffer->since_ns : 0, age,
		  sizeof(age));
	if (!text_word(comm, sizeof(comm), buffer->comm,
		       strnlen(buffer->comm, sizeof(buffer->comm))))
		strcpy(comm, "-");
	buffer_printf(out, "  %8s  %s id=%" PRIu64 " for %s, by %s-%" PRIu32 "%s\n", size,
		      name_word(dev, &buffer->dev), id, age, comm, buffer->pid,
		      buffer->freed ? ", freed and still mapped" : "");
}

/* The oldest come first. */
static void held_text(struct buffer *out, const struct summary *s)
{
	size_t before = 0, rows = 0, now = 0;
	struct hash_node *node = NULL;
	char size[16];

	while (hash_next(&s->buffers, &node))
		before += ((const struct summary_buffer *)hash_value(&s->buffers, node))->before;
	now = s->buffers.nr - before;
	page_size(s->held_bytes, size, sizeof(size));
	buffer_printf(out, "\nStill held at the end: %zu buffer%s (%s), %zu DMA mapping%s, "
		      "%zu dma-buf%s\n", now, PLURAL(now), size, s->mappings.nr,
		      PLURAL(s->mappings.nr), s->exported.nr, PLURAL(s->exported.nr));
	if (before)
		buffer_printf(out, "  and %zu buffer%s allocated before\n", before,
			      PLURAL(before));
	node = NULL;
	while (hash_next(&s->buffers, &node) && rows < ROWS / 2) {
		if (((const struct summary_buffer *)hash_value(&s->buffers, node))->before)
			continue;
		buffer_line(out, s, &s->buffers, node);
		rows++;
	}
	rows = 0;
	node = NULL;
	while (hash_next(&s->exported, &node) && rows++ < ROWS / 2)
		buffer_line(out, s, &s->exported, node);
}

void page_text(struct buffer *out, const struct recording *r, const struct summary *s)
{
	head_text(out, r, s);
	pairs_text(out, r, s);
	dmabufs_text(out, r, s);
	decisions_text(out, r, s);
	fallbacks_text(out, r, s);
	lifetimes_text(out, s);
	held_text(out, s);
	if (s->not_followed)
		buffer_printf(out, "\n%" PRIu64 " event%s could not be followed: there were too "
			      "many buffers, mappings or devices at a time\n", s->not_followed,
			      PLURAL(s->not_followed));
}
