// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace top: the lines of a screen.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/top_view.h"
#include "lib/hist.h"
#include "lib/json.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/decision.h"
#include "machine/devices.h"
#include "machine/sysfs.h"

const struct top_order top_orders[TOP_NR_SORTS] = {
	[TOP_BYTES]	= { "bytes", 'b' },
	[TOP_MAPS]	= { "maps", 'm' },
	[TOP_TOTAL]	= { "total", 't' },
	[TOP_PROVIDER]	= { "provider", 'p' },
	[TOP_CLIENT]	= { "client", 'c' },
	[TOP_MAP]	= { "map", 'y' },
};

static void label_set(char *label, const struct p2ptrace_name *name)
{
	char word[4 * P2PTRACE_NAME_LEN + 1], known_word[64];
	struct known_as known = {};

	text_word(word, sizeof(word), name->s, strnlen(name->s, sizeof(name->s)));
	device_known_as(SYSFS, name->s, &known);
	if (known.nr)
		text_word(known_word, sizeof(known_word), known.names[0], strlen(known.names[0]));
	if (known.nr)
		snprintf(label, TOP_LABEL_LEN, "%.64s (%.63s)", word, known_word);
	else
		snprintf(label, TOP_LABEL_LEN, "%s", word);
}

static int by_key(const void *a, const void *b)
{
	return memcmp(&((const struct top_row *)a)->key, &((const struct top_row *)b)->key,
		      sizeof(struct p2ptrace_pair));
}

/* Names are looked up once, because that reads sysfs. */
static void row_init(struct top_row *row, const struct top *top, const struct pair_sum *sum)
{
	char unknown[32];

	memset(row, 0, sizeof(*row));
	row->key = sum->key;
	label_set(row->provider, &sum->key.provider);
	label_set(row->client, &sum->key.client);
	snprintf(row->map, sizeof(row->map), "%s",
		 enums_name(&top->counter->sel.enums, ENUM_MAP_TYPE, sum->key.map, unknown,
			    sizeof(unknown)));
}

static void row_update(struct top_row *row, const struct pair_sum *sum)
{
	row->new_maps = sum->maps - row->maps;
	row->new_bytes = sum->bytes - row->bytes;
	row->maps = sum->maps;
	row->bytes = sum->bytes;
}

int top_update(struct top *top, const struct sample *now, const struct pair_sums *pairs)
{
	size_t nr = top->nr_rows;

	sample_difference(&top->difference, now, &top->now);
	top->now = *now;
	for (size_t i = 0; i < top->nr_rows; i++)
		top->rows[i].new_maps = top->rows[i].new_bytes = 0;
	if (pairs->nr) {
		struct top_row *rows = reallocarray(top->rows, nr + pairs->nr, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		top->rows = rows;
	}
	for (size_t i = 0; i < pairs->nr; i++) {
		struct top_row key = { .key = pairs->sums[i].key }, *row = NULL;

		/* Only the rows from before are sorted; each pair comes once */
		if (nr)
			row = bsearch(&key, top->rows, nr, sizeof(*row), by_key);
		if (!row) {
			row = &top->rows[top->nr_rows++];
			row_init(row, top, &pairs->sums[i]);
		}
		row_update(row, &pairs->sums[i]);
	}
	if (top->nr_rows > nr)
		qsort(top->rows, top->nr_rows, sizeof(*top->rows), by_key);
	return 0;
}

static int compare_counts(uint64_t x, uint64_t y)
{
	return x == y ? 0 : x < y ? 1 : -1;	/* the largest first */
}

static int compare_rows(const void *a, const void *b, void *ctx)
{
	const struct top_row *x = *(const struct top_row *const *)a;
	const struct top_row *y = *(const struct top_row *const *)b;
	const struct top *top = ctx;
	int order = 0;

	switch (top->sort) {
	case TOP_BYTES:
		order = compare_counts(x->new_bytes, y->new_bytes);
		break;
	case TOP_MAPS:
		order = compare_counts(x->new_maps, y->new_maps);
		break;
	case TOP_TOTAL:
		order = compare_counts(x->bytes, y->bytes);
		break;
	case TOP_PROVIDER:
		order = strverscmp(x->provider, y->provider);
		break;
	case TOP_CLIENT:
		order = strverscmp(x->client, y->client);
		break;
	case TOP_MAP:
		order = strcmp(x->map, y->map);
		break;
	default:
		break;
	}
	if (!order)
		order = by_key(x, y);
	return top->reverse ? -order : order;
}

static bool row_passes(const struct top_row *row, const char *filter)
{
	return !*filter || strcasestr(row->provider, filter) || strcasestr(row->client, filter) ||
	       strcasestr(row->map, filter);
}

/* The rows to show, in order; the caller frees them. */
static const struct top_row **sorted_rows(const struct top *top, size_t *nr)
{
	const struct top_row **rows = calloc(top->nr_rows + 1, sizeof(*rows));

	*nr = 0;
	for (size_t i = 0; i < top->nr_rows && rows; i++)
		if (row_passes(&top->rows[i], top->filter))
			rows[(*nr)++] = &top->rows[i];
	if (rows)
		qsort_r(rows, *nr, sizeof(*rows), compare_rows, (void *)top);
	return rows;
}

static double seconds(const struct top *top)
{
	return top->difference.ts_ns ? (double)top->difference.ts_ns / NSEC_PER_SEC : 1;
}

/* "123M", at most six characters */
static void short_number(char *text, size_t size, double value)
{
	static const char *const units[] = { "", "K", "M", "G", "T", "P", "E" };
	size_t i = 0;

	while (value >= 9999.5 && i + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		i++;
	}
	snprintf(text, size, "%.*f%s", value < 9.95 && (i || value != (int)value) ? 1 : 0, value,
		 units[i]);
}

struct view {
	struct top_line *lines;
	size_t nr, room, width;
	bool failed;
};

static void line(struct view *view, enum top_style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void line(struct view *view, enum top_style style, const char *fmt, ...)
{
	struct top_line *lines = view->lines, *to;
	va_list ap;

	if (view->nr == view->room) {
		view->room = view->room ? 2 * view->room : 32;
		lines = reallocarray(lines, view->room, sizeof(*lines));
		if (!lines)
			view->failed = true;
		view->room = lines ? view->room : view->nr;
	}
	if (view->failed)
		return;
	view->lines = lines;
	to = &lines[view->nr++];
	to->style = style;
	va_start(ap, fmt);
	vsnprintf(to->text, sizeof(to->text), fmt, ap);
	va_end(ap);
	if (view->width && view->width < sizeof(to->text))
		to->text[view->width] = '\0';
}

/* "-" for a metric that this kernel lacks. */
static void metric_rate(char *text, size_t size, const struct top *top, const char *name)
{
	const struct metric *metric = metrics_find(&top->counter->metrics, name);

	if (metric)
		short_number(text, size, metric_value(metric, &top->difference) / seconds(top));
	else
		snprintf(text, size, "-");
}

static uint64_t metric_since_start(const struct top *top, const struct metric *metric)
{
	return metric_value(metric, &top->now) - metric_value(metric, &top->start);
}

static void add_item(struct buffer *text, const char *name, uint64_t value)
{
	buffer_printf(text, "%s%s %" PRIu64, text->len ? ", " : "", name, value);
}

/* "no_memory 3, cpu_access 12": the values of the field, such as reason, that are not 0. */
static void add_values(struct buffer *text, const struct top *top, enum p2ptrace_event event,
		       const char *field)
{
	const struct metrics *metrics = &top->counter->metrics;

	for (size_t i = 0; i < metrics->nr; i++) {
		const struct metric *metric = &metrics->metrics[i];

		if (metric->event == event && metric->field && !strcmp(metric->field, field) &&
		    metric_since_start(top, metric))
			add_item(text, metric->value, metric_since_start(top, metric));
	}
}

static void view_oldest(struct view *view, const struct top_oldest *oldest)
{
	char dev[4 * P2PTRACE_NAME_LEN], comm[4 * P2PTRACE_COMM_LEN], owner[160], age[32];

	text_word(dev, sizeof(dev), oldest->dev, strlen(oldest->dev));
	text_word(comm, sizeof(comm), oldest->comm, strlen(oldest->comm));
	text_printable(owner, sizeof(owner), oldest->owner, strlen(oldest->owner));
	hist_time(oldest->ns, age, sizeof(age));
	line(view, TOP_PLAIN, "Oldest    %s, %s, pid %d%s%s%s%s", age, dev, oldest->pid,
	     *comm ? ", " : "", comm, *owner ? ", " : "", owner);
}

static void view_memory(struct view *view, const struct top *top)
{
	const struct gauges *gauges = &top->now.gauges;
	const struct top_oldest *oldest = &top->oldest;
	char held[32] = "", pinned[32] = "", bytes[16], size[16];

	if (!top->counter->sel.set.stock) {
		snprintf(held, sizeof(held), "%" PRIu64 " buffer%s, ", gauges->held,
			 PLURAL(gauges->held));
		snprintf(pinned, sizeof(pinned), ", %" PRIu64 " mapped", gauges->pinned);
	}
	short_number(bytes, sizeof(bytes), gauges->held_bytes);
	short_number(size, sizeof(size), gauges->size);
	line(view, TOP_PLAIN, "Held      %s%sB of %sB%s", held, bytes, size, pinned);
	if (oldest->any)
		view_oldest(view, oldest);
	else
		line(view, TOP_PLAIN, "Oldest    no buffer is held%s", top->counter->sel.set.stock ?
		     " that was allocated since p2ptrace started" : "");
}

/* Only on a kernel that lists them or shows their mappings. */
static void view_dmabufs(struct view *view, const struct top *top)
{
	const struct metric *maps = metrics_find(&top->counter->metrics, "dmabuf_maps");
	struct buffer text = {}, where = {};
	char size[16];

	if (top->counter->sel.set.lists_dmabufs) {
		short_number(size, sizeof(size), top->now.gauges.dmabuf_bytes);
		buffer_printf(&text, "%" PRIu64 ", %sB", top->now.gauges.dmabufs, size);
	}
	if (maps) {
		add_item(&text, "mappings", metric_since_start(top, maps));
		add_values(&where, top, P2PTRACE_dma_buf_map, "where");
	}
	if (text.len)
		line(view, TOP_PLAIN, "Dma-bufs  %s%s%s", buffer_text(&text),
		     where.len ? ": " : "", where.len ? buffer_text(&where) : "");
	buffer_free(&text);
	buffer_free(&where);
}

static void view_rates(struct view *view, const struct top *top)
{
	static const char *const maps[] = { MAP_BUS_ADDR, MAP_THRU_HOST_BRIDGE };
	const struct metrics *metrics = &top->counter->metrics;
	const struct metric *all = metrics_find(metrics, "map_bytes");
	uint64_t bytes = all ? metric_value(all, &top->difference) : 0;
	char allocs[16], mappings[16], rate[16], name[64], way[128] = "";
	size_t used = 0;

	metric_rate(allocs, sizeof(allocs), top, "allocs");
	metric_rate(mappings, sizeof(mappings), top, "maps");
	metric_rate(rate, sizeof(rate), top, "map_bytes");
	for (size_t i = 0; i < ARRAY_SIZE(maps) && bytes; i++) {
		const struct metric *metric;

		snprintf(name, sizeof(name), "map_bytes.%s", maps[i]);
		metric = metrics_find(metrics, name);
		if (metric)
			used += snprintf(way + used, sizeof(way) - used, "%s%.0f%% %s",
					 used ? ", " : ": ", 100.0 *
					 metric_value(metric, &top->difference) / bytes, maps[i]);
	}
	line(view, TOP_PLAIN, "Per sec.  %s allocations, %s mappings, %sB%s", allocs, mappings,
	     rate, way);
}

static void view_fallbacks(struct view *view, const struct top *top)
{
	const struct metric *all = metrics_find(&top->counter->metrics, "fallbacks");
	struct buffer why = {};
	char rate[16];

	if (!all) {
		line(view, TOP_PLAIN, "Fallbacks -");
		return;
	}
	metric_rate(rate, sizeof(rate), top, "fallbacks");
	add_values(&why, top, P2PTRACE_nvmet_p2pmem_fallback, "reason");
	line(view, metric_value(all, &top->difference) ? TOP_FAIR : TOP_PLAIN,
	     "Fallbacks %" PRIu64 ", %s per second%s%s", metric_since_start(top, all), rate,
	     why.len ? ": " : "", buffer_text(&why));
	buffer_free(&why);
}

/* Reasons for which the kernel refuses a pair. */
static void add_refusing(struct buffer *text, const struct top *top)
{
	static const enum reason_id refusing[] = {
		REASON_ACS_REDIRECT_BLOCKED, REASON_BRIDGE_UNREADABLE, REASON_HOST_BRIDGE_UNKNOWN,
		REASON_NOT_PCI,
	};

	for (size_t i = 0; i < ARRAY_SIZE(refusing); i++) {
		const char *reason = reasons[refusing[i]].name;
		const struct metric *metric;
		char name[64];

		snprintf(name, sizeof(name), "decisions.%s", reason);
		metric = metrics_find(&top->counter->metrics, name);
		if (metric && metric_since_start(top, metric))
			add_item(text, reason, metric_since_start(top, metric));
	}
}

static void view_refusals(struct view *view, const struct top *top)
{
	static const struct {
		const char *metric, *words;
	} refusals[] = {
		{ "decisions." MAP_NOT_SUPPORTED, "pairs" }, { "alloc_fails", "allocations" },
		{ "binds_failed", "binds" }, { "mmaps_refused", "mmaps" },
	};
	struct buffer text = {}, why = {};
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct metric *metric =
			metrics_find(&top->counter->metrics, refusals[i].metric);

		/* This kernel may not show it */
		if (!metric)
			continue;
		sum += metric_since_start(top, metric);
		add_item(&text, refusals[i].words, metric_since_start(top, metric));
	}
	add_refusing(&why, top);
	add_values(&why, top, P2PTRACE_p2pmem_alloc_fail, "reason");
	line(view, sum ? TOP_BAD : TOP_PLAIN, "Refused   %s%s%s", text.len ? buffer_text(&text) :
	     "-", why.len ? ": " : "", buffer_text(&why));
	buffer_free(&text);
	buffer_free(&why);
}

static void view_head(struct view *view, const struct top *top)
{
	char left[TOP_LINE_LEN], right[] = "? help  q quit", filter[4 * sizeof(top->filter)] = "";
	int pad;

	text_printable(filter, sizeof(filter), top->filter, strlen(top->filter));
	snprintf(left, sizeof(left), "p2ptrace top  every %g s  by %s%s%s%s%s%s",
		 (double)top->interval_ns / NSEC_PER_SEC, top_orders[top->sort].name,
		 top->reverse ? " (reversed)" : "", top->paused ? "  PAUSED" : "",
		 *filter || top->typing ? "  filter: " : "", filter, top->typing ? "_" : "");
	pad = (int)view->width - (int)strlen(left) - (int)strlen(right);
	line(view, TOP_HEAD, "%s%*s%s", left, pad > 2 ? pad : view->width ? 0 : 2, "",
	     pad > 2 ? right : "");
}

static void view_lost(struct view *view, const struct top *top)
{
	uint64_t lost = top->now.lost;

	if (lost)
		line(view, TOP_BAD, "LOST      %" PRIu64 " event%s not counted: all figures are "
		     "too low", lost, lost == 1 ? " was" : "s were");
}

static enum top_style row_style(const struct top_row *row)
{
	if (!row->new_maps)
		return TOP_PLAIN;
	if (!strcmp(row->map, MAP_BUS_ADDR))
		return TOP_GOOD;
	return strcmp(row->map, MAP_THRU_HOST_BRIDGE) ? TOP_BAD : TOP_FAIR;
}

/* On 80 columns, both names have 20; on more, they get what there is. */
static int name_width(const struct view *view)
{
	int width = view->width ? ((int)view->width - 39) / 2 : 32;

	return width < 12 ? 12 : width > 48 ? 48 : width;
}

static void view_rows(struct view *view, struct top *top, size_t height)
{
	const struct top_row **rows;
	int width = name_width(view);
	char rate[16], maps[16], total[16];
	size_t nr, shown = 0, room;

	rows = sorted_rows(top, &nr);
	if (!rows) {
		view->failed = true;
		return;
	}
	line(view, TOP_HEAD, "%-*s %-*s %-16s %6s %6s %6s", width, "PROVIDER", width, "CLIENT",
	     "MAP", "B/S", "MAPS/S", "BYTES");
	room = !height ? SIZE_MAX : height > view->nr ? height - view->nr : 0;
	/* A filter, or a smaller screen, may leave nothing below */
	if (top->skip >= nr)
		top->skip = nr ? nr - 1 : 0;
	for (size_t i = top->skip; i < nr && shown < room; i++, shown++) {
		const struct top_row *row = rows[i];

		short_number(rate, sizeof(rate), row->new_bytes / seconds(top));
		short_number(maps, sizeof(maps), row->new_maps / seconds(top));
		short_number(total, sizeof(total), row->bytes);
		line(view, row_style(row), "%-*.*s %-*.*s %-16.16s %6s %6s %6s", width, width,
		     row->provider, width, width, row->client, row->map, rate, maps, total);
	}
	if (!nr && room)
		line(view, TOP_PLAIN, "%s", top->nr_rows ? "no pair matches the filter" :
		     !top->counter->sel.set.has[P2PTRACE_p2pdma_map] ?
		     "this kernel does not show DMA mappings" : "no DMA to peer memory yet");
	free(rows);
}

static void view_help(struct view *view)
{
	static const char *const words[] = {
		"",
		"  b m t    sort by bytes per second, mappings per second, total bytes",
		"  p c y    sort by provider, client, map type",
		"  r        reverse the order",
		"  /        show only rows with this text; Enter ends it, Esc shows all rows",
		"  space    pause or go on; p2ptrace counts meanwhile",
		"  Up Down PgUp PgDn Home   scroll",
		"  ? or h   show or hide this help",
		"  q        quit",
		"",
		"B/S and MAPS/S are DMA mappings in the last interval, BYTES those since the",
		"start. Map types: bus_addr is direct, thru_host_bridge a longer path.",
		"Fallbacks, refusals and mappings of dma-bufs are counts since the start. Of",
		"the latter, bar is memory of a device, and ram is system memory.",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		line(view, TOP_PLAIN, "%s", words[i]);
}

struct top_line *top_view(struct top *top, size_t width, size_t height, size_t *nr)
{
	struct view view = { .width = width };

	view_head(&view, top);
	if (top->help) {
		view_help(&view);
	} else {
		view_memory(&view, top);
		view_dmabufs(&view, top);
		view_rates(&view, top);
		view_fallbacks(&view, top);
		view_refusals(&view, top);
		view_lost(&view, top);
		line(&view, TOP_PLAIN, "%s", "");
		view_rows(&view, top, height);
	}
	if (height && view.nr > height)
		view.nr = height;
	*nr = view.nr;
	if (view.failed) {
		free(view.lines);
		return NULL;
	}
	return view.lines;
}

static void json_values(struct buffer *out, const char *key, const struct top *top,
			enum p2ptrace_event event, const char *field)
{
	const struct metrics *metrics = &top->counter->metrics;

	json_open(out, key, '{');
	for (size_t i = 0; i < metrics->nr; i++) {
		const struct metric *metric = &metrics->metrics[i];

		if (metric->event == event && metric->field && !strcmp(metric->field, field))
			json_uint(out, metric->value, metric_since_start(top, metric));
	}
	json_close(out, '}');
}

static void json_metric(struct buffer *out, const char *key, const struct top *top,
			const char *name)
{
	const struct metric *metric = metrics_find(&top->counter->metrics, name);

	if (metric)
		json_uint(out, key, metric_since_start(top, metric));
	else
		json_none(out, key);
}

void top_json(const struct top *top, struct buffer *out)
{
	const struct gauges *gauges = &top->now.gauges;
	const struct top_row **rows;
	size_t nr;

	rows = sorted_rows(top, &nr);
	if (!rows) {
		out->failed = true;
		return;
	}
	json_open(out, NULL, '{');
	json_uint(out, "ts_ns", top->now.ts_ns);
	json_str(out, "event", "top");
	json_uint(out, "interval_ns", top->difference.ts_ns);
	if (!top->counter->sel.set.stock) {
		json_uint(out, "held", gauges->held);
		json_uint(out, "pinned", gauges->pinned);
	}
	json_uint(out, "held_bytes", gauges->held_bytes);
	json_uint(out, "pool_bytes", gauges->size);
	if (top->oldest.any) {
		json_open(out, "oldest", '{');
		json_str(out, "dev", top->oldest.dev);
		json_uint(out, "age_ns", top->oldest.ns);
		json_int(out, "pid", top->oldest.pid);
		if (*top->oldest.comm)
			json_str(out, "comm", top->oldest.comm);
		else
			json_none(out, "comm");
		if (*top->oldest.owner)
			json_str(out, "owner", top->oldest.owner);
		else
			json_none(out, "owner");
		json_close(out, '}');
	} else {
		json_none(out, "oldest");
	}
	if (top->counter->sel.set.lists_dmabufs) {
		json_uint(out, "dmabufs", gauges->dmabufs);
		json_uint(out, "dmabuf_bytes", gauges->dmabuf_bytes);
	}
	json_metric(out, "dmabuf_maps", top, "dmabuf_maps");
	json_values(out, "dmabuf_maps_by_where", top, P2PTRACE_dma_buf_map, "where");
	json_metric(out, "fallbacks", top, "fallbacks");
	json_values(out, "fallbacks_by_reason", top, P2PTRACE_nvmet_p2pmem_fallback, "reason");
	json_metric(out, "refused_pairs", top, "decisions." MAP_NOT_SUPPORTED);
	json_metric(out, "alloc_fails", top, "alloc_fails");
	json_values(out, "alloc_fails_by_reason", top, P2PTRACE_p2pmem_alloc_fail, "reason");
	json_metric(out, "binds_failed", top, "binds_failed");
	json_metric(out, "mmaps_refused", top, "mmaps_refused");
	json_uint(out, "lost", top->now.lost);
	json_open(out, "pairs", '[');
	for (size_t i = 0; i < nr; i++) {
		json_open(out, NULL, '{');
		json_str_of(out, "provider", rows[i]->key.provider.s, P2PTRACE_NAME_LEN);
		json_str_of(out, "client", rows[i]->key.client.s, P2PTRACE_NAME_LEN);
		json_str(out, "map", rows[i]->map);
		json_uint(out, "maps", rows[i]->new_maps);
		json_uint(out, "bytes", rows[i]->new_bytes);
		json_uint(out, "total_bytes", rows[i]->bytes);
		json_close(out, '}');
	}
	json_close(out, ']');
	json_close(out, '}');
	buffer_add(out, "\n", 1);
	free(rows);
}

void top_free(struct top *top)
{
	free(top->rows);
	memset(top, 0, sizeof(*top));
}
