// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "event/blind.h"
#include "event/html.h"
#include "event/output.h"
#include "event/page.h"
#include "lib/hist.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/findings.h"

/* So that the page stays small whatever is recorded */
#define TABLE_ROWS	100
#define TREE_ROWS	200
#define LINES		100	/* between devices */
#define HISTOGRAMS	12
#define REMEDIES	20

#define TREE_ROW	26	/* pixels */
#define TREE_INDENT	22
#define TREE_LETTER	7.3	/* about the width of a letter */
#define TREE_REACH	260	/* of the lines, to the right of the tree */
#define CHART_WIDTH	860
#define CHART_HEIGHT	180
#define CHART_LEFT	70

/* A $ begins the name of a variable: CSS has two hyphens there. */
static const char style[] =
	":root{color-scheme:light dark;$bg:#fff;$fg:#1b1f24;$dim:#57606a;$line:#d0d7de;"
	"$panel:#f6f8fa;$bus:#0b6bcb;$host:#b35900;$no:#c3261c;$ram:#6e7781;$other:#8250df;"
	"$held:#1a7f37}\n"
	"@media(prefers-color-scheme:dark){:root{$bg:#0d1117;$fg:#e6edf3;$dim:#9da7b3;"
	"$line:#30363d;$panel:#161b22;$bus:#58a6ff;$host:#f0a04b;$no:#ff7b72;$ram:#8b949e;"
	"$other:#d2a8ff;$held:#56d364}}\n"
	"body{margin:0 auto;max-width:62rem;padding:1rem;background:var($bg);color:var($fg);"
	"font:16px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.25rem;margin:2rem 0 .5rem;"
	"border-bottom:1px solid var($line)}h3{font-size:1rem;margin:1rem 0 .25rem}\n"
	"a{color:var($bus)}a:focus-visible,summary:focus-visible,path:focus-visible,"
	"div:focus-visible{outline:3px solid var($host);outline-offset:2px}\n"
	".skip{position:absolute;left:-99rem}.skip:focus{position:static}\n"
	"nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;padding:0}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0}"
	"dt{color:var($dim)}dd{margin:0;overflow-wrap:anywhere}\n"
	".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}"
	"caption{text-align:left;color:var($dim)}"
	"th,td{padding:.2rem .6rem;border-bottom:1px solid var($line);text-align:left;"
	"vertical-align:top}.n{text-align:right;font-variant-numeric:tabular-nums}\n"
	"pre{background:var($panel);padding:.5rem .75rem;overflow-x:auto;white-space:pre-wrap;"
	"overflow-wrap:anywhere;margin:.25rem 0}\n"
	".warn{border-left:4px solid var($no);background:var($panel);padding:.5rem .75rem;"
	"margin:.5rem 0}\n"
	"svg{display:block;max-width:none}svg text{fill:var($fg);font:13px system-ui,sans-serif}"
	"svg .dim{fill:var($dim)}svg .axis{stroke:var($line)}\n"
	"path.pair{fill:none;stroke-linecap:round;opacity:.8}path.pair:hover,path.pair:focus"
	"{opacity:1}\n"
	".s-bus{stroke:var($bus)}.s-host{stroke:var($host)}.s-no{stroke:var($no);"
	"stroke-dasharray:6 5}.s-ram{stroke:var($ram);stroke-dasharray:2 5}"
	".s-other{stroke:var($other)}\n"
	".f-bus{fill:var($bus)}.f-host{fill:var($host)}.f-no{fill:var($no)}"
	".f-ram{fill:var($ram)}.f-other{fill:var($other)}.f-held{fill:none;stroke:var($held);"
	"stroke-width:2}\n"
	".key{display:inline-block;width:1.6em;height:.7em;margin-right:.4em}"
	".b-bus{background:var($bus)}.b-host{background:var($host)}.b-no{background:var($no)}"
	".b-ram{background:var($ram)}.b-other{background:var($other)}.b-held{background:"
	"var($held)}.legend{display:flex;flex-wrap:wrap;gap:0 1.2rem;list-style:none;padding:0;"
	"margin:.25rem 0}\n"
	"@media print{nav,.skip{display:none}}\n";

static void put(struct buffer *out, const char *text)
{
	buffer_add(out, text, strlen(text));
}

static void put_style(struct buffer *out)
{
	for (const char *s = style; *s; s++)
		if (*s == '$')
			put(out, "-" "-");
		else
			buffer_add(out, s, 1);
}

/* Adds text from the recording, escaped, so that the browser shows it and never runs it. */
static void esc_of(struct buffer *out, const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	for (size_t i = 0, taken; i < len; i += taken) {
		size_t n = text_utf8_next(s + i, len - i, &taken);

		if (!n || (n == 1 && (unsigned char)s[i] < ' ' && s[i] != '\n'))
			put(out, TEXT_REPLACEMENT);
		else if (s[i] == '&')
			put(out, "&amp;");
		else if (s[i] == '<')
			put(out, "&lt;");
		else if (s[i] == '>')
			put(out, "&gt;");
		else if (s[i] == '"')
			put(out, "&quot;");
		else
			buffer_add(out, s + i, n);
	}
}

static void esc(struct buffer *out, const char *s)
{
	esc_of(out, s, strlen(s));
}

static void __attribute__((format(printf, 2, 3))) esc_printf(struct buffer *out, const char *fmt,
							      ...)
{
	struct buffer text = {};
	va_list ap;

	va_start(ap, fmt);
	buffer_vprintf(&text, fmt, ap);
	va_end(ap);
	esc(out, buffer_text(&text));
	out->failed |= text.failed;
	buffer_free(&text);
}

/* ---- map types and their colours ---- */

enum colour { BUS, HOST, NO, RAM, OTHER, NR_COLOURS };

static const struct {
	const char *class, *words;
} colours[NR_COLOURS] = {
	[BUS]	= { "bus", "bus_addr: direct, through a switch" },
	[HOST]	= { "host", "thru_host_bridge: through the host bridge" },
	[NO]	= { "no", "not_supported: refused" },
	[RAM]	= { "ram", "dma-buf in system memory" },
	[OTHER]	= { "other", "other" },
};

static enum colour colour_of(const struct recording *r, uint32_t map)
{
	char name[32];
	const char *word = enums_name(&r->enums, ENUM_MAP_TYPE, map, name, sizeof(name));

	return !strcmp(word, MAP_BUS_ADDR) ? BUS : !strcmp(word, MAP_THRU_HOST_BRIDGE) ? HOST :
	       !strcmp(word, MAP_NOT_SUPPORTED) ? NO : OTHER;
}

static void legend(struct buffer *out, const bool used[NR_COLOURS], const char *more)
{
	put(out, "<ul class=\"legend\">");
	for (int c = 0; c < NR_COLOURS; c++)
		if (used[c])
			buffer_printf(out, "<li><span class=\"key b-%s\"></span>%s</li>",
				      colours[c].class, colours[c].words);
	put(out, more);
	put(out, "</ul>\n");
}

/* ---- tables ---- */

/* @heads: "*" in front of one whose column has numbers. */
static void table_open(struct buffer *out, const char *caption, const char *const *heads)
{
	buffer_printf(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">"
		      "<table><caption>%s</caption><thead><tr>", caption, caption);
	for (; *heads; heads++)
		buffer_printf(out, "<th scope=\"col\"%s>%s</th>", **heads == '*' ?
			      " class=\"n\"" : "", *heads + (**heads == '*'));
	put(out, "</tr></thead><tbody>\n");
}

static void table_close(struct buffer *out, size_t nr)
{
	put(out, "</tbody></table></div>\n");
	if (nr > TABLE_ROWS)
		buffer_printf(out, "<p>And %zu more, which are in the JSON of this report.</p>\n",
			      nr - TABLE_ROWS);
}

static void cell(struct buffer *out, const char *text)
{
	put(out, "<td>");
	esc(out, text);
	put(out, "</td>");
}

static void cell_number(struct buffer *out, uint64_t number)
{
	buffer_printf(out, "<td class=\"n\">%" PRIu64 "</td>", number);
}

static void cell_size(struct buffer *out, uint64_t bytes)
{
	char size[16];

	page_size(bytes, size, sizeof(size));
	buffer_printf(out, "<td class=\"n\">%s</td>", size);
}

static void cell_time(struct buffer *out, const struct hist *hist, unsigned int percent)
{
	char text[16] = "-";

	if (hist->count)
		hist_time(percent == 100 ? hist->max_ns : hist_percentile(hist, percent), text,
			  sizeof(text));
	buffer_printf(out, "<td class=\"n\">%s</td>", text);
}

static void cell_label(struct buffer *out, const struct recording *r,
		       const struct p2ptrace_name *name)
{
	char label[PAGE_LABEL_LEN];

	page_label(label, sizeof(label), r, name);
	cell(out, label);
}

/* ---- the head ---- */

static void fact(struct buffer *out, const char *name, const char *value)
{
	buffer_printf(out, "<dt>%s</dt><dd>", name);
	esc(out, value);
	put(out, "</dd>\n");
}

static void warning(struct buffer *out, const char *text)
{
	put(out, "<p class=\"warn\" role=\"note\">");
	esc(out, text);
	put(out, "</p>\n");
}

static void facts(struct buffer *out, const struct recording *r, const struct summary *s)
{
	const struct recording_about *about = &r->about;
	time_t start = about->start_real_ns / NSEC_PER_SEC;
	struct buffer text = {};
	char line[256] = "";
	struct tm tm;

	put(out, "<dl>\n");
	snprintf(line, sizeof(line), "Linux %s %s, mode %s", about->release, about->arch,
		 event_set_mode(&r->set));
	fact(out, "Kernel", line);
	if (gmtime_r(&start, &tm) && strftime(line, sizeof(line), "%Y-%m-%d %H:%M:%S UTC", &tm))
		fact(out, "Start", line);
	snprintf(line, sizeof(line), "%" PRIu64 " in %.3f s", r->events, s->last_ns >
		 about->start_ns ? (double)(s->last_ns - about->start_ns) / NSEC_PER_SEC : 0);
	fact(out, "Events", line);
	if (r->end.argv) {
		for (char **word = r->end.argv; *word && text.len < 512; word++)
			buffer_printf(&text, "%s%.256s", text.len ? " " : "", *word);
		if (WIFEXITED(r->end.wait_status))
			buffer_printf(&text, " (exit status %d)", WEXITSTATUS(r->end.wait_status));
		else
			buffer_printf(&text, " (killed by signal %d)",
				      WTERMSIG(r->end.wait_status));
		fact(out, "Command", buffer_text(&text));
		buffer_reset(&text);
	}
	if (r->ended)
		fact(out, "End", r->end.why);
	if (*about->dev)
		fact(out, "Only device", about->dev);
	if (*about->client)
		fact(out, "Only client", about->client);
	if (*about->comm)
		fact(out, "Only tasks named", about->comm);
	if (about->ring_bytes)
		fact(out, "Flight recorder", "only the last events");
	snprintf(line, sizeof(line), "p2ptrace %s", about->tool);
	fact(out, "Recorded by", line);
	put(out, "</dl>\n");
	if (*r->trouble) {
		buffer_printf(&text, "The file is not whole: %s.", r->trouble);
		warning(out, buffer_text(&text));
		buffer_reset(&text);
	}
	if (r->lost.total) {
		buffer_printf(&text, "%" PRIu64 " event%s lost (", r->lost.total,
			      PLURAL_WAS(r->lost.total));
		output_lost_detail(&text, &r->lost);
		buffer_printf(&text, "). The figures are too low.");
		warning(out, buffer_text(&text));
		buffer_reset(&text);
	}
	if (blind_any(&r->set)) {
		blind_text(&text, &r->set, "");
		warning(out, buffer_text(&text));
	}
	out->failed |= text.failed;
	buffer_free(&text);
}

/* ---- the tree of devices ---- */

/* A line between two devices. */
struct arc {
	const struct p2ptrace_name *provider, *client;
	enum colour colour;
	uint64_t bytes, times;
	const char *what;	/* "mappings", "decisions" */
};

struct row {
	struct p2ptrace_name name;	/* not a function of the machine */
	int function;			/* index; -1 */
	int depth;
};

struct tree {
	const struct recording *r;
	struct arc arcs[LINES];
	size_t nr_arcs;
	int wanted[TREE_ROWS];		/* functions */
	size_t nr_wanted;
	struct row rows[2 * TREE_ROWS];
	size_t nr;
	int width;			/* of the names, in pixels */
};

static void add_arc(struct tree *t, const struct arc *arc)
{
	if (t->nr_arcs < LINES && *arc->provider->s && *arc->client->s)
		t->arcs[t->nr_arcs++] = *arc;
}

static void gather_arcs(struct tree *t, const struct summary *s)
{
	struct hash_node **list = hash_sorted(&s->pairs, page_by_bytes), *node = NULL;

	for (size_t i = 0; list && i < s->pairs.nr; i++) {
		const struct summary_pair_key *key = hash_key(&s->pairs, list[i]);
		const struct summary_pair *pair = hash_value(&s->pairs, list[i]);

		add_arc(t, &(struct arc){ &key->provider, &key->client, colour_of(t->r, key->map),
					  pair->bytes, pair->maps, "mapping" });
	}
	free(list);
	while (hash_next(&s->dmabufs, &node)) {
		const struct summary_dmabuf_key *key = hash_key(&s->dmabufs, node);
		const struct summary_sum *sum = hash_value(&s->dmabufs, node);

		/* Those on a BAR are p2pdma_map as well */
		if (key->where == P2PTRACE_WHERE_RAM)
			add_arc(t, &(struct arc){ &key->provider, &key->client, RAM, sum->bytes,
						  sum->count, "mapping" });
	}
	node = NULL;
	while (hash_next(&s->decisions, &node)) {
		const struct summary_decision_key *key = hash_key(&s->decisions, node);
		const struct summary_sum *sum = hash_value(&s->decisions, node);

		if (colour_of(t->r, key->map) == NO)
			add_arc(t, &(struct arc){ &key->provider, &key->client, NO, 0, sum->count,
						  "refusal" });
	}
}

static int function_named(const struct tree *t, const struct p2ptrace_name *name)
{
	const struct function *function;
	char word[P2PTRACE_NAME_LEN + 1] = "";

	memcpy(word, name->s, sizeof(name->s));
	function = t->r->has_machine ? machine_find(&t->r->machine, word) : NULL;
	return function ? machine_index(&t->r->machine, function) : -1;
}

static void want_function(struct tree *t, int function)
{
	while (function >= 0) {
		for (size_t i = 0; i < t->nr_wanted; i++)
			if (t->wanted[i] == function)
				return;
		if (t->nr_wanted == TREE_ROWS)
			return;
		t->wanted[t->nr_wanted++] = function;
		function = t->r->machine.functions[function].parent;
	}
}

static void add_row(struct tree *t, int function, const struct p2ptrace_name *name, int depth)
{
	struct row *row;

	if (t->nr == ARRAY_SIZE(t->rows))
		return;
	row = &t->rows[t->nr++];
	*row = (struct row){ .function = function, .depth = depth };
	if (name)
		row->name = *name;
}

static void add_below(struct tree *t, int parent, int root, int depth)
{
	for (size_t i = 0; i < t->nr_wanted; i++) {
		const struct function *f = &t->r->machine.functions[t->wanted[i]];
		int above = f->parent < 0 ? -1 : f->parent;

		if (above != parent || (parent < 0 && f->root != root) || depth > MAX_DEPTH)
			continue;
		add_row(t, t->wanted[i], NULL, depth);
		add_below(t, t->wanted[i], root, depth + 1);
	}
}

static int by_index(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void add_named(struct tree *t, const struct p2ptrace_name *name)
{
	if (function_named(t, name) >= 0)
		return;
	for (size_t i = 0; i < t->nr; i++)
		if (t->rows[i].function < 0 && !memcmp(&t->rows[i].name, name, sizeof(*name)))
			return;
	add_row(t, -1, name, 0);
}

static void gather_rows(struct tree *t)
{
	int last = -1;

	for (size_t i = 0; i < t->nr_arcs; i++) {
		want_function(t, function_named(t, t->arcs[i].provider));
		want_function(t, function_named(t, t->arcs[i].client));
	}
	qsort(t->wanted, t->nr_wanted, sizeof(t->wanted[0]), by_index);
	for (size_t i = 0; i < t->nr_wanted; i++) {
		const struct function *f = &t->r->machine.functions[t->wanted[i]];
		struct p2ptrace_name name = {};

		if (f->parent >= 0 || f->root == last)
			continue;
		last = f->root;
		snprintf(name.s, sizeof(name.s), "host bridge %.19s", f->root >= 0 ?
			 t->r->machine.roots[f->root].name : "");
		add_row(t, -1, &name, 0);
		add_below(t, -1, f->root, 1);
	}
	for (size_t i = 0; i < t->nr_arcs; i++) {
		add_named(t, t->arcs[i].provider);
		add_named(t, t->arcs[i].client);
	}
}

/* -1 if there was no room for it. */
static int row_of(const struct tree *t, const struct p2ptrace_name *name)
{
	int function = function_named(t, name);

	for (size_t i = 0; i < t->nr; i++)
		if (function >= 0 ? t->rows[i].function == function :
		    t->rows[i].function < 0 && !memcmp(&t->rows[i].name, name, sizeof(*name)))
			return i;
	return -1;
}

static void arc_words(struct buffer *out, const struct tree *t, const struct arc *arc)
{
	char size[16], client[PAGE_LABEL_LEN], provider[PAGE_LABEL_LEN];

	page_label(client, sizeof(client), t->r, arc->client);
	page_label(provider, sizeof(provider), t->r, arc->provider);
	page_size(arc->bytes, size, sizeof(size));
	esc_printf(out, "%s to memory of %s, %s: ", client, provider, colours[arc->colour].words);
	if (arc->bytes)
		buffer_printf(out, "%sB in ", size);
	buffer_printf(out, "%" PRIu64 " %s%s", arc->times, arc->what, PLURAL(arc->times));
}

/* Where the name of a row begins, and its words. */
static int row_left(const struct row *row)
{
	int depth = row->depth < 16 ? row->depth : 16;

	return 6 + depth * TREE_INDENT;
}

static void row_words(const struct tree *t, const struct row *row, char *label, size_t size,
		      const char **more)
{
	const struct function *f;

	*more = "";
	if (row->function < 0) {
		snprintf(label, size, "%.*s", (int)sizeof(row->name.s), row->name.s);
		return;
	}
	f = &t->r->machine.functions[row->function];
	function_label(label, size, f);
	*more = f->bridge == PRESENT || !is_given(f->driver) ? function_kind(f) : f->driver;
}

static void measure(struct tree *t)
{
	char label[LABEL_LEN];
	const char *more;

	for (size_t i = 0; i < t->nr; i++) {
		int width;

		row_words(t, &t->rows[i], label, sizeof(label), &more);
		width = row_left(&t->rows[i]) + (strlen(label) + strlen(more) + 3) * TREE_LETTER;
		if (width > t->width)
			t->width = width;
	}
}

/* The lines before this one between the same two devices. */
static int same_before(const struct tree *t, const struct arc *arc)
{
	int nr = 0;

	for (const struct arc *a = t->arcs; a < arc; a++)
		nr += !memcmp(a->client, arc->client, sizeof(*a->client)) &&
		      !memcmp(a->provider, arc->provider, sizeof(*a->provider));
	return nr;
}

static void draw_arc(struct buffer *out, const struct tree *t, const struct arc *arc, uint64_t most)
{
	int from = row_of(t, arc->client), to = row_of(t, arc->provider);
	double width = most && arc->bytes ? 2 + 14.0 * arc->bytes / most : 2;
	int y1 = from * TREE_ROW + TREE_ROW / 2, y2 = to * TREE_ROW + TREE_ROW / 2;
	int reach = 40 + abs(to - from) * 14 + same_before(t, arc) * 24;

	if (from < 0 || to < 0)
		return;
	if (reach > TREE_REACH)
		reach = TREE_REACH;
	/* A device with itself */
	if (from == to)
		y2 += 8;
	buffer_printf(out, "<path class=\"pair s-%s\" stroke-width=\"%.1f\" tabindex=\"0\" "
		      "role=\"img\" d=\"M%d %dC%d %d %d %d %d %d\" aria-label=\"",
		      colours[arc->colour].class, width, t->width, y1, t->width + reach, y1,
		      t->width + reach, y2, t->width, y2);
	arc_words(out, t, arc);
	put(out, "\"><title>");
	arc_words(out, t, arc);
	put(out, "</title></path>\n");
}

static void draw_row(struct buffer *out, const struct tree *t, size_t i)
{
	const struct row *row = &t->rows[i];
	int x = row_left(row), y = i * TREE_ROW + TREE_ROW / 2;
	char label[LABEL_LEN];
	const char *more;

	if (row->depth)
		buffer_printf(out, "<path class=\"axis\" fill=\"none\" d=\"M%d %dv%dh%d\"/>",
			      x - TREE_INDENT + 8, y - TREE_ROW / 2 - 6, TREE_ROW / 2 + 6,
			      TREE_INDENT - 12);
	row_words(t, row, label, sizeof(label), &more);
	buffer_printf(out, "<text x=\"%d\" y=\"%d\">", x, y + 5);
	esc(out, label);
	put(out, " <tspan class=\"dim\">");
	esc(out, more);
	put(out, "</tspan></text>\n");
}

/* A dotted line from the name of a device to where its lines begin. */
static void draw_leader(struct buffer *out, const struct tree *t, const struct p2ptrace_name *name)
{
	int i = row_of(t, name), from;
	char label[LABEL_LEN];
	const char *more;

	if (i < 0)
		return;
	row_words(t, &t->rows[i], label, sizeof(label), &more);
	from = row_left(&t->rows[i]) + (strlen(label) + strlen(more) + 2) * TREE_LETTER;
	buffer_printf(out, "<path class=\"axis\" stroke-dasharray=\"1 4\" fill=\"none\" "
		      "d=\"M%d %dH%d\"/>\n", from, i * TREE_ROW + TREE_ROW / 2, t->width);
}

static void tree_section(struct buffer *out, const struct recording *r, const struct summary *s)
{
	struct tree *t = calloc(1, sizeof(*t));
	bool used[NR_COLOURS] = {};
	uint64_t most = 0;

	if (!t) {
		out->failed = true;
		return;
	}
	t->r = r;
	gather_arcs(t, s);
	gather_rows(t);
	measure(t);
	for (size_t i = 0; i < t->nr_arcs; i++) {
		used[t->arcs[i].colour] = true;
		if (t->arcs[i].bytes > most)
			most = t->arcs[i].bytes;
	}
	put(out, "<section aria-labelledby=\"tree\"><h2 id=\"tree\">What went between whom</h2>\n");
	if (t->nr_arcs) {
		put(out, "<p>A line is wider if more data was mapped. Each line says what it is "
		    "when you point at it or reach it with the Tab key. The table below has the "
		    "same figures.</p>\n");
		legend(out, used, "");
		buffer_printf(out, "<div class=\"scroll\"><svg role=\"group\" aria-label=\"Tree of "
			      "devices\" width=\"%d\" height=\"%zu\" viewBox=\"0 0 %d %zu\">\n",
			      t->width + TREE_REACH, t->nr * TREE_ROW + 10,
			      t->width + TREE_REACH, t->nr * TREE_ROW + 10);
		for (size_t i = 0; i < t->nr; i++)
			draw_row(out, t, i);
		for (size_t i = 0; i < t->nr_arcs; i++) {
			draw_leader(out, t, t->arcs[i].client);
			draw_leader(out, t, t->arcs[i].provider);
		}
		for (size_t i = 0; i < t->nr_arcs; i++)
			draw_arc(out, t, &t->arcs[i], most);
		put(out, "</svg></div>\n");
	}
	free(t);
}

static void pairs_table(struct buffer *out, const struct recording *r, const struct summary *s)
{
	static const char *const heads[] = {
		"client", "provider", "map type", "kind", "*bytes", "*to client", "*from client",
		"*mappings", "*p50", "*p99", "*max", NULL
	};
	struct hash_node **list = hash_sorted(&s->pairs, page_by_bytes);

	if (!list)
		put(out, "<p>No DMA mapping of peer memory was recorded.</p>\n");
	else
		table_open(out, "DMA mappings, and for how long they existed", heads);
	for (size_t i = 0; list && i < s->pairs.nr && i < TABLE_ROWS; i++) {
		const struct summary_pair_key *key = hash_key(&s->pairs, list[i]);
		const struct summary_pair *pair = hash_value(&s->pairs, list[i]);
		char map[32], kind[32];

		put(out, "<tr>");
		cell_label(out, r, &key->client);
		cell_label(out, r, &key->provider);
		cell(out, enums_name(&r->enums, ENUM_MAP_TYPE, key->map, map, sizeof(map)));
		cell(out, enums_name(&r->enums, ENUM_MAP_KIND, key->kind, kind, sizeof(kind)));
		cell_size(out, pair->bytes);
		cell_size(out, pair->bytes_to);
		cell_size(out, pair->bytes_from);
		cell_number(out, pair->maps);
		cell_time(out, &pair->mapped, 50);
		cell_time(out, &pair->mapped, 99);
		cell_time(out, &pair->mapped, 100);
		put(out, "</tr>\n");
	}
	if (list)
		table_close(out, s->pairs.nr);
	free(list);
	put(out, "</section>\n");
}

static void dmabufs_section(struct buffer *out, const struct recording *r, const struct summary *s)
{
	static const char *const heads[] = {
		"client", "provider", "where", "map type", "*bytes", "*mappings", NULL
	};
	struct hash_node *node = NULL;
	size_t rows = 0;

	if (!s->dmabufs.nr)
		return;
	put(out, "<section aria-labelledby=\"dmabufs\"><h2 id=\"dmabufs\">dma-bufs</h2>\n");
	table_open(out, "Mappings of dma-bufs", heads);
	while (hash_next(&s->dmabufs, &node) && rows++ < TABLE_ROWS) {
		const struct summary_dmabuf_key *key = hash_key(&s->dmabufs, node);
		const struct summary_sum *sum = hash_value(&s->dmabufs, node);
		char map[32], where[32];

		put(out, "<tr>");
		cell_label(out, r, &key->client);
		cell_label(out, r, &key->provider);
		cell(out, enums_name(&r->enums, ENUM_MAP_WHERE, key->where, where, sizeof(where)));
		cell(out, key->map ? enums_name(&r->enums, ENUM_MAP_TYPE, key->map, map,
						sizeof(map)) : "-");
		cell_size(out, sum->bytes);
		cell_number(out, sum->count);
		put(out, "</tr>\n");
	}
	table_close(out, s->dmabufs.nr);
	put(out, "</section>\n");
}

/* ---- the timeline ---- */

static void bin_bytes(const struct recording *r, const struct summary_bin *bin,
		      uint64_t bytes[NR_COLOURS])
{
	memset(bytes, 0, NR_COLOURS * sizeof(*bytes));
	for (uint32_t v = 0; v < P2PTRACE_NR_VALUES; v++)
		bytes[colour_of(r, v)] += bin->bytes[v];
}

static uint64_t sum_of(const uint64_t bytes[NR_COLOURS])
{
	uint64_t sum = 0;

	for (int c = 0; c < NR_COLOURS; c++)
		sum += bytes[c];
	return sum;
}

static void axis(struct buffer *out, uint64_t most, const char *what, uint64_t span_ns)
{
	char text[32], time[16];

	page_size(most, text, sizeof(text));
	buffer_printf(out, "<path class=\"axis\" fill=\"none\" d=\"M%d 10v%dh%d\"/><text class="
		      "\"dim\" x=\"0\" y=\"20\">%s</text><text class=\"dim\" x=\"0\" y=\"36\">%s"
		      "</text>", CHART_LEFT, CHART_HEIGHT - 10, CHART_WIDTH - CHART_LEFT, text,
		      what);
	for (int i = 0; i <= 4; i++) {
		int x = CHART_LEFT + (CHART_WIDTH - CHART_LEFT) * i / 4;

		hist_time(span_ns / 4 * i, time, sizeof(time));
		buffer_printf(out, "<text class=\"dim\" text-anchor=\"%s\" x=\"%d\" y=\"%d\">%s"
			      "</text>", i == 4 ? "end" : "middle", x, CHART_HEIGHT + 18, time);
	}
	put(out, "\n");
}

static void draw_bins(struct buffer *out, const struct recording *r, const struct summary *s,
		      uint64_t most, bool used[NR_COLOURS])
{
	double width = (double)(CHART_WIDTH - CHART_LEFT) / s->nr_bins;

	for (size_t i = 0; i < s->nr_bins; i++) {
		uint64_t bytes[NR_COLOURS];
		double y = CHART_HEIGHT;

		bin_bytes(r, &s->bins[i], bytes);
		for (int c = 0; c < NR_COLOURS && most; c++) {
			double height = (double)(CHART_HEIGHT - 20) * bytes[c] / most;

			if (!bytes[c])
				continue;
			used[c] = true;
			y -= height;
			buffer_printf(out, "<rect class=\"f-%s\" x=\"%.1f\" y=\"%.1f\" width="
				      "\"%.1f\" height=\"%.1f\"/>", colours[c].class,
				      CHART_LEFT + width * i, y, width > 1.5 ? width - .5 : width,
				      height);
		}
	}
	put(out, "\n");
}

static void draw_held(struct buffer *out, const struct summary *s, uint64_t most)
{
	double width = (double)(CHART_WIDTH - CHART_LEFT) / s->nr_bins;

	put(out, "<path class=\"f-held\" d=\"");
	for (size_t i = 0; i < s->nr_bins; i++)
		buffer_printf(out, "%c%.1f %.1fh%.1f", i ? 'L' : 'M', CHART_LEFT + width * i,
			      CHART_HEIGHT - (double)(CHART_HEIGHT - 20) * s->bins[i].held_bytes /
				      most, width);
	put(out, "\"/>\n");
}

static void chart_open(struct buffer *out, const char *label)
{
	buffer_printf(out, "<div class=\"scroll\"><svg role=\"img\" aria-label=\"%s\" width=\"%d\" "
		      "height=\"%d\" viewBox=\"0 0 %d %d\">\n", label, CHART_WIDTH,
		      CHART_HEIGHT + 26, CHART_WIDTH, CHART_HEIGHT + 26);
}

/* At most 24 rows, each of several intervals. */
static void bins_table(struct buffer *out, const struct recording *r, const struct summary *s)
{
	static const char *const heads[] = {
		"*from", "*bytes mapped", "*of these bus_addr", "*bytes held at most",
		"*fallbacks", "*events", NULL
	};
	size_t step = (s->nr_bins + 23) / 24;

	put(out, "<details><summary>The timeline as a table</summary>\n");
	table_open(out, "What happened when", heads);
	for (size_t i = 0; i < s->nr_bins; i += step) {
		uint64_t all[NR_COLOURS] = {}, held = 0, fallbacks = 0, nr = 0;
		char time[16];

		for (size_t k = i; k < i + step && k < s->nr_bins; k++) {
			uint64_t bytes[NR_COLOURS];

			bin_bytes(r, &s->bins[k], bytes);
			for (int c = 0; c < NR_COLOURS; c++)
				all[c] += bytes[c];
			if (s->bins[k].held_bytes > held)
				held = s->bins[k].held_bytes;
			fallbacks += s->bins[k].fallbacks;
			nr += s->bins[k].events;
		}
		hist_time(i * s->bin_ns, time, sizeof(time));
		buffer_printf(out, "<tr><td class=\"n\">%s</td>", time);
		cell_size(out, sum_of(all));
		cell_size(out, all[BUS]);
		cell_size(out, held);
		cell_number(out, fallbacks);
		cell_number(out, nr);
		put(out, "</tr>\n");
	}
	table_close(out, 0);
	put(out, "</details>\n");
}

static void fallback_marks(struct buffer *out, const struct summary *s)
{
	double width = (double)(CHART_WIDTH - CHART_LEFT) / s->nr_bins;

	for (size_t i = 0; i < s->nr_bins; i++)
		if (s->bins[i].fallbacks)
			buffer_printf(out, "<path class=\"f-no\" d=\"M%.1f 2h6l-3 7z\"><title>%"
				      PRIu64 " fallback%s</title></path>",
				      CHART_LEFT + width * i + width / 2 - 3, s->bins[i].fallbacks,
				      PLURAL(s->bins[i].fallbacks));
	put(out, "\n");
}

static void time_section(struct buffer *out, const struct recording *r, const struct summary *s)
{
	uint64_t most = 0, held = 0, fallbacks = 0, span = s->nr_bins * s->bin_ns;
	bool used[NR_COLOURS] = {};
	struct buffer chart = {};
	char width[16];

	if (!s->nr_bins)
		return;
	for (size_t i = 0; i < s->nr_bins; i++) {
		uint64_t bytes[NR_COLOURS];

		bin_bytes(r, &s->bins[i], bytes);
		if (sum_of(bytes) > most)
			most = sum_of(bytes);
		if (s->bins[i].held_bytes > held)
			held = s->bins[i].held_bytes;
		fallbacks += s->bins[i].fallbacks;
	}
	hist_time(s->bin_ns, width, sizeof(width));
	buffer_printf(out, "<section aria-labelledby=\"time\"><h2 id=\"time\">Time line</h2>\n"
		      "<p>Times are since the first event. A bar is %s wide.</p>\n"
		      "<h3>Bytes mapped for DMA</h3>\n", width);
	chart_open(&chart, "Bytes mapped for DMA, in time");
	axis(&chart, most, "per bar", span);
	draw_bins(&chart, r, s, most, used);
	fallback_marks(&chart, s);
	put(&chart, "</svg></div>\n");
	legend(out, used, fallbacks ? "<li><span class=\"key b-no\"></span>a triangle: requests "
	       "fell back to system memory</li>" : "");
	out->failed |= chart.failed;
	put(out, buffer_text(&chart));
	buffer_reset(&chart);
	if (held) {
		put(out, "<h3>Bytes of buffers that were held</h3>\n");
		chart_open(out, "Bytes of buffers that were held, in time");
		axis(out, held, "held", span);
		draw_held(out, s, held);
		put(out, "</svg></div>\n");
	}
	bins_table(out, r, s);
	put(out, "</section>\n");
	buffer_free(&chart);
}

/* ---- histograms ---- */

#define BAR_WIDTH 300

static void histogram(struct buffer *out, const char *title, const struct hist *hist)
{
	unsigned int first = HIST_NR_SLOTS, last = 0;
	uint64_t most = 0;

	for (unsigned int i = 0; i < HIST_NR_SLOTS; i++) {
		if (!hist->slots[i])
			continue;
		if (first == HIST_NR_SLOTS)
			first = i;
		last = i;
		if (hist->slots[i] > most)
			most = hist->slots[i];
	}
	if (!most)
		return;
	put(out, "<h3>");
	esc(out, title);
	put(out, "</h3>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\" class=\"n\">"
	    "from</th><th scope=\"col\" class=\"n\">to</th><th scope=\"col\" class=\"n\">number"
	    "</th><td></td></tr></thead><tbody>\n");
	for (unsigned int i = first; i <= last; i++) {
		uint64_t from, to;
		char low[16], high[16];

		hist_slot_range(i, &from, &to);
		hist_time(from, low, sizeof(low));
		hist_time(to, high, sizeof(high));
		buffer_printf(out, "<tr><td class=\"n\">%s</td><td class=\"n\">%s</td><td class="
			      "\"n\">%" PRIu64 "</td><td><svg aria-hidden=\"true\" width=\"%d\" "
			      "height=\"14\"><rect class=\"f-bus\" width=\"%.1f\" height=\"14\"/>"
			      "</svg></td></tr>\n", low, high, (uint64_t)hist->slots[i],
			      BAR_WIDTH, (double)BAR_WIDTH * hist->slots[i] / most);
	}
	put(out, "</tbody></table></div>\n");
}

static void histograms_section(struct buffer *out, const struct recording *r,
			       const struct summary *s)
{
	struct hash_node **list = hash_sorted(&s->pairs, page_by_bytes), *node = NULL;
	char title[2 * PAGE_LABEL_LEN + 32], client[PAGE_LABEL_LEN], provider[PAGE_LABEL_LEN];
	size_t nr = 0;

	if (s->held.nr || list)
		put(out, "<section aria-labelledby=\"hist\"><h2 id=\"hist\">How long</h2>\n");
	while (hash_next(&s->held, &node) && nr++ < HISTOGRAMS) {
		const struct summary_sum *sum = hash_value(&s->held, node);

		page_label(client, sizeof(client), r, hash_key(&s->held, node));
		snprintf(title, sizeof(title), "Buffers of %s were held for", client);
		histogram(out, title, &sum->times);
	}
	for (size_t i = 0; list && i < s->pairs.nr && i < HISTOGRAMS; i++) {
		const struct summary_pair_key *key = hash_key(&s->pairs, list[i]);
		const struct summary_pair *pair = hash_value(&s->pairs, list[i]);

		page_label(client, sizeof(client), r, &key->client);
		page_label(provider, sizeof(provider), r, &key->provider);
		snprintf(title, sizeof(title), "Memory of %s was mapped for %s for", provider,
			 client);
		histogram(out, title, &pair->mapped);
	}
	if (s->held.nr || list)
		put(out, "</section>\n");
	free(list);
}

/* ---- decisions and fallbacks ---- */

static void decisions_section(struct buffer *out, const struct recording *r,
			      const struct summary *s)
{
	static const char *const heads[] = {
		"client", "provider", "map type", "reason", "*distance", "*decisions", NULL
	};
	struct hash_node **list = hash_sorted(&s->decisions, page_by_count);
	char map[32], reason[32];
	unsigned int remedies = 0;

	if (!list)
		return;
	put(out, "<section aria-labelledby=\"decisions\"><h2 id=\"decisions\">Decisions of the "
	    "kernel</h2>\n");
	table_open(out, "Decisions, by pair", heads);
	for (size_t i = 0; i < s->decisions.nr && i < TABLE_ROWS; i++) {
		const struct summary_decision_key *key = hash_key(&s->decisions, list[i]);
		const struct summary_sum *sum = hash_value(&s->decisions, list[i]);

		put(out, "<tr>");
		cell_label(out, r, &key->client);
		cell_label(out, r, &key->provider);
		cell(out, enums_name(&r->enums, ENUM_MAP_TYPE, key->map, map, sizeof(map)));
		cell(out, key->cached ? "an earlier decision" : r->set.stock ? "-" :
		     enums_name(&r->enums, ENUM_DECISION_REASON, key->reason, reason,
				sizeof(reason)));
		if (key->cached)
			put(out, "<td class=\"n\">-</td>");
		else
			buffer_printf(out, "<td class=\"n\">%" PRId64 "</td>", key->distance);
		cell_number(out, sum->count);
		put(out, "</tr>\n");
	}
	table_close(out, s->decisions.nr);
	for (size_t i = 0; i < s->decisions.nr && remedies < REMEDIES; i++) {
		const struct summary_decision_key *key = hash_key(&s->decisions, list[i]);
		char client[PAGE_LABEL_LEN], provider[PAGE_LABEL_LEN];
		struct buffer text = {};

		if (colour_of(r, key->map) == BUS)
			continue;
		remedies++;
		page_label(client, sizeof(client), r, &key->client);
		page_label(provider, sizeof(provider), r, &key->provider);
		put(out, "<h3>");
		esc_printf(out, "%s to memory of %s: %s", client, provider,
			   enums_name(&r->enums, ENUM_MAP_TYPE, key->map, map, sizeof(map)));
		put(out, "</h3>\n");
		page_remedies(&text, r, key, "");
		if (text.len) {
			put(out, "<pre>");
			esc(out, buffer_text(&text));
			put(out, "</pre>\n");
		}
		out->failed |= text.failed;
		buffer_free(&text);
	}
	put(out, "</section>\n");
	free(list);
}

static void fallbacks_section(struct buffer *out, const struct recording *r,
			      const struct summary *s)
{
	static const char *const heads[] = { "reason", "*requests", "*bytes", "next step", NULL };
	static const char *const fail_heads[] = {
		"device", "reason", "*allocations", "*bytes", NULL
	};
	struct hash_node *node = NULL;
	char name[32];

	if (!s->fallbacks.nr && !s->alloc_fails.nr)
		return;
	put(out, "<section aria-labelledby=\"fallbacks\"><h2 id=\"fallbacks\">Fallbacks and "
	    "failures</h2>\n");
	if (s->fallbacks.nr)
		table_open(out, "Requests of the NVMe target that fell back to system memory",
			   heads);
	while (hash_next(&s->fallbacks, &node)) {
		const struct summary_reason_key *key = hash_key(&s->fallbacks, node);
		const struct summary_sum *sum = hash_value(&s->fallbacks, node);
		const char *reason = r->set.stock ? "this kernel has no reason" :
				     enums_name(&r->enums, ENUM_FALLBACK_REASON, key->reason, name,
						sizeof(name));

		put(out, "<tr>");
		cell(out, reason);
		cell_number(out, sum->count);
		cell_size(out, sum->bytes);
		cell(out, page_fallback_step(reason));
		put(out, "</tr>\n");
	}
	if (s->fallbacks.nr)
		table_close(out, 0);
	if (s->alloc_fails.nr)
		table_open(out, "Allocations of peer memory that failed", fail_heads);
	for (size_t rows = 0; rows < TABLE_ROWS && hash_next(&s->alloc_fails, &node); rows++) {
		const struct summary_reason_key *key = hash_key(&s->alloc_fails, node);
		const struct summary_sum *sum = hash_value(&s->alloc_fails, node);

		put(out, "<tr>");
		cell_label(out, r, &key->dev);
		cell(out, r->set.stock ? "-" : enums_name(&r->enums, ENUM_ALLOC_ERROR, key->reason,
							  name, sizeof(name)));
		cell_number(out, sum->count);
		cell_size(out, sum->bytes);
		put(out, "</tr>\n");
	}
	if (s->alloc_fails.nr)
		table_close(out, s->alloc_fails.nr);
	put(out, "</section>\n");
}

/* ---- what was still held ---- */

static void held_rows(struct buffer *out, const struct recording *r, const struct summary *s,
		      const struct hash *hash, const char *what)
{
	struct hash_node *node = NULL;
	size_t rows = 0;

	while (rows < TABLE_ROWS / 2 && hash_next(hash, &node)) {
		const struct summary_buffer *buffer = hash_value(hash, node);
		char age[16];
		uint64_t id;

		if (buffer->before)
			continue;
		rows++;
		memcpy(&id, hash_key(hash, node), sizeof(id));
		hist_time(s->last_ns > buffer->since_ns ? s->last_ns - buffer->since_ns : 0, age,
			  sizeof(age));
		buffer_printf(out, "<tr><td>%s</td>", what);
		cell_label(out, r, &buffer->dev);
		cell_number(out, id);
		cell_size(out, buffer->size);
		buffer_printf(out, "<td class=\"n\">%s</td><td>", age);
		esc_of(out, buffer->comm, sizeof(buffer->comm));
		buffer_printf(out, "-%" PRIu32 "%s</td></tr>\n", buffer->pid, buffer->freed ?
			      " (freed, still mapped)" : "");
	}
}

static void held_section(struct buffer *out, const struct recording *r, const struct summary *s)
{
	static const char *const heads[] = {
		"what", "device", "*id", "*bytes", "*for", "allocated by", NULL
	};
	size_t before = 0;
	struct hash_node *node = NULL;
	char size[16];

	while (hash_next(&s->buffers, &node))
		before += ((const struct summary_buffer *)hash_value(&s->buffers, node))->before;
	page_size(s->held_bytes, size, sizeof(size));
	buffer_printf(out, "<section aria-labelledby=\"held\"><h2 id=\"held\">Still held at the "
		      "end</h2>\n<p>%zu buffers (%s), %zu DMA mappings, %zu dma-bufs",
		      s->buffers.nr - before, size, s->mappings.nr, s->exported.nr);
	if (before)
		buffer_printf(out, ", and %zu buffers allocated before the recording", before);
	put(out, ".</p>\n");
	if (s->buffers.nr - before || s->exported.nr) {
		table_open(out, "The oldest of them", heads);
		held_rows(out, r, s, &s->buffers, "buffer");
		held_rows(out, r, s, &s->exported, "dma-buf");
		table_close(out, 0);
	}
	put(out, "</section>\n");
}

void html_page(struct buffer *out, const struct recording *r, const struct summary *s)
{
	put(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	    "'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n<title>Peer-to-peer DMA: ");
	esc(out, r->name);
	put(out, "</title>\n<style>\n");
	put_style(out);
	put(out, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#tree\">Skip to the "
	    "content</a>\n<header><h1>Peer-to-peer DMA: ");
	esc(out, r->name);
	put(out, "</h1>\n");
	facts(out, r, s);
	put(out, "<nav aria-label=\"Sections\"><ul><li><a href=\"#tree\">What went between whom</a>"
	    "</li>");
	if (s->dmabufs.nr)
		put(out, "<li><a href=\"#dmabufs\">dma-bufs</a></li>");
	if (s->nr_bins)
		put(out, "<li><a href=\"#time\">Time line</a></li>");
	if (s->decisions.nr)
		put(out, "<li><a href=\"#decisions\">Decisions</a></li>");
	if (s->fallbacks.nr || s->alloc_fails.nr)
		put(out, "<li><a href=\"#fallbacks\">Fallbacks</a></li>");
	if (s->held.nr || s->pairs.nr)
		put(out, "<li><a href=\"#hist\">How long</a></li>");
	put(out, "<li><a href=\"#held\">Still held</a></li></ul></nav></header>\n<main>\n");
	tree_section(out, r, s);
	pairs_table(out, r, s);
	dmabufs_section(out, r, s);
	time_section(out, r, s);
	decisions_section(out, r, s);
	fallbacks_section(out, r, s);
	histograms_section(out, r, s);
	held_section(out, r, s);
	put(out, "</main>\n</body>\n</html>\n");
}
