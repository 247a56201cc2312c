// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/openmetrics.h"
#include "lib/text.h"
#include "lib/units.h"

/* The first bound of a histogram is 2^FIRST_BOUND ns, the last one 2^LAST_BOUND ns. */
#define FIRST_BOUND	10
#define LAST_BOUND	42
#define BOUND_STEP	2

static const struct {
	const char *type, *plain_type;
	const char *suffix;		/* of the samples */
} types[] = {
	[OPENMETRICS_GAUGE]	= { "gauge", "gauge", "" },
	[OPENMETRICS_COUNTER]	= { "counter", "counter", "_total" },
	[OPENMETRICS_HISTOGRAM]	= { "histogram", "histogram", "" },
	[OPENMETRICS_INFO]	= { "info", "gauge", "_info" },
};

/* Well-formed UTF-8 in one line. In a label (@quotes), a quotation mark is escaped as well. */
static void add_escaped(struct buffer *text, const char *s, bool quotes)
{
	for (size_t i = 0, len = strlen(s), taken; i < len; i += taken) {
		size_t n = text_utf8_next(s + i, len - i, &taken);

		if (!n)
			buffer_add(text, TEXT_REPLACEMENT, strlen(TEXT_REPLACEMENT));
		else if (s[i] == '\n')
			buffer_add(text, "\\n", 2);
		else if (s[i] == '\\' || (quotes && s[i] == '"'))
			buffer_printf(text, "\\%c", s[i]);
		else
			buffer_add(text, s + i, n);
	}
}

/* In format 0.0.4, a family has the name of its samples. */
static const char *family_suffix(const struct openmetrics *om)
{
	return om->plain ? types[om->type].suffix : "";
}

void openmetrics_family(struct openmetrics *om, enum openmetrics_type type, const char *name,
			const char *unit, const char *help)
{
	snprintf(om->name, sizeof(om->name), "%s", name);
	om->type = type;
	buffer_printf(&om->text, "# TYPE %s%s %s\n", om->name, family_suffix(om),
		      om->plain ? types[type].plain_type : types[type].type);
	if (unit && !om->plain)
		buffer_printf(&om->text, "# UNIT %s %s\n", om->name, unit);
	buffer_printf(&om->text, "# HELP %s%s ", om->name, family_suffix(om));
	/* A quotation mark may be escaped in OpenMetrics, and must not be in 0.0.4 */
	add_escaped(&om->text, help, !om->plain);
	buffer_add(&om->text, "\n", 1);
}

/* @le: the bound of a bucket, or NULL */
static void begin(struct openmetrics *om, const char *suffix,
		  const struct openmetrics_label *labels, const char *le)
{
	struct buffer *text = &om->text;
	char before = '{';

	buffer_printf(text, "%s%s", om->name, suffix);
	for (; labels && labels->name; labels++) {
		buffer_printf(text, "%c%s=\"", before, labels->name);
		add_escaped(text, labels->value, true);
		buffer_add(text, "\"", 1);
		before = ',';
	}
	if (le) {
		buffer_printf(text, "%cle=\"%s\"", before, le);
		before = ',';
	}
	buffer_printf(text, "%s ", before == ',' ? "}" : "");
}

void openmetrics_uint(struct openmetrics *om, const struct openmetrics_label *labels,
		      uint64_t value)
{
	begin(om, types[om->type].suffix, labels, NULL);
	buffer_printf(&om->text, "%" PRIu64 "\n", value);
}

static void add_seconds(struct buffer *text, uint64_t ns)
{
	buffer_printf(text, "%" PRIu64 ".%09" PRIu64 "\n", (uint64_t)(ns / NSEC_PER_SEC),
		      (uint64_t)(ns % NSEC_PER_SEC));
}

void openmetrics_ns(struct openmetrics *om, const struct openmetrics_label *labels, uint64_t ns)
{
	begin(om, types[om->type].suffix, labels, NULL);
	add_seconds(&om->text, ns);
}

static void bucket(struct openmetrics *om, const struct openmetrics_label *labels, const char *le,
		   uint64_t count)
{
	begin(om, "_bucket", labels, le);
	buffer_printf(&om->text, "%" PRIu64 "\n", count);
}

void openmetrics_hist(struct openmetrics *om, const struct openmetrics_label *labels,
		      const struct hist *hist)
{
	uint64_t count = 0;
	char le[32];

	for (unsigned int slot = 0; slot < HIST_NR_SLOTS; slot++) {
		/* Slot n begins at 2^n ns, where the bucket of this bound ends */
		if (slot >= FIRST_BOUND && slot <= LAST_BOUND &&
		    (slot - FIRST_BOUND) % BOUND_STEP == 0) {
			snprintf(le, sizeof(le), "%.15g", (double)(1ull << slot) / NSEC_PER_SEC);
			bucket(om, labels, le, count);
		}
		count += hist->slots[slot];
	}
	/* Not hist->count, which an interrupt between two updates makes differ */
	bucket(om, labels, "+Inf", count);
	begin(om, "_count", labels, NULL);
	buffer_printf(&om->text, "%" PRIu64 "\n", count);
	begin(om, "_sum", labels, NULL);
	add_seconds(&om->text, hist->total_ns);
}

void openmetrics_end(struct openmetrics *om)
{
	if (!om->plain)
		buffer_printf(&om->text, "# EOF\n");
}

bool openmetrics_wants_plain(const char *accept)
{
	/* Prometheus names what it takes, the best first; other clients read any text */
	return !accept || !strstr(accept, "application/openmetrics-text");
}
