/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A strict parser of OpenMetrics 1.0 and of the Prometheus text format 0.0.4, as far as p2ptrace
 * writes them: what it accepts, every parser must accept.
 */
#ifndef OPENMETRICS_STRICT_H
#define OPENMETRICS_STRICT_H

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

#define STRICT_MAX 4096

struct strict {
	bool plain;
	int line;
	char error[256];
	/* The current family */
	char family[128], type[16];
	bool typed, helped, united, sampled;
	/* Of all families */
	char *families[STRICT_MAX], *samples[STRICT_MAX];
	size_t nr_families, nr_samples;
	/* The current histogram: its labels without le */
	char labels[1024];
	double le, count;
	bool infinite, counted, summed;
};

static bool strict_fail(struct strict *s, const char *why, const char *what)
{
	if (!*s->error)
		snprintf(s->error, sizeof(s->error), "line %d: %s: %.120s", s->line, why, what);
	return false;
}

static size_t strict_name(const char *text)
{
	size_t n = 0;

	while (isalpha((unsigned char)text[n]) || text[n] == '_' || text[n] == ':' ||
	       (n && isdigit((unsigned char)text[n])))
		n++;
	return n;
}

/* Whether all of it is well-formed. @quotes: quotation marks must be escaped, or must not be. */
static bool strict_text(const char *text, size_t len, bool quotes)
{
	for (size_t i = 0, taken; i < len; i += taken) {
		if (!text_utf8_next(text + i, len - i, &taken))
			return false;
		if (text[i] == '"' && quotes)
			return false;
		if (text[i] != '\\')
			continue;
		if (i + 1 == len || !strchr(quotes ? "\\\"n" : "\\n", text[i + 1]))
			return false;
		taken = 2;
	}
	return true;
}

static bool strict_histogram_ends(struct strict *s)
{
	bool whole = !*s->labels || (s->infinite && s->counted && s->summed);

	*s->labels = '\0';
	s->infinite = s->counted = s->summed = false;
	s->le = -1;
	s->count = 0;
	return whole || strict_fail(s, "a histogram is incomplete", s->family);
}

static bool strict_metadata(struct strict *s, const char *line)
{
	char word[8], name[128], rest[1024] = "";
	int n = 0;

	if (sscanf(line, "# %7[A-Z] %127[^ ] %n", word, name, &n) != 2 || !n)
		return strict_fail(s, "no metadata", line);
	snprintf(rest, sizeof(rest), "%s", line + n);
	if (strict_name(name) != strlen(name) || strncmp(line + 2 + strlen(word) + 1, name, 1))
		return strict_fail(s, "no name", name);
	if (strcmp(s->family, name)) {
		if (strcmp(word, "TYPE"))
			return strict_fail(s, "a family does not begin with its type", name);
		for (size_t i = 0; i < s->nr_families; i++)
			if (!strcmp(s->families[i], name))
				return strict_fail(s, "a family comes twice", name);
		if (!strict_histogram_ends(s) || s->nr_families == STRICT_MAX)
			return strict_fail(s, "too many families", name);
		s->families[s->nr_families++] = strdup(name);
		snprintf(s->family, sizeof(s->family), "%s", name);
		s->typed = s->helped = s->united = s->sampled = false;
	}
	if (s->sampled)
		return strict_fail(s, "metadata after a sample", line);
	if (!strcmp(word, "TYPE")) {
		if (s->typed || strlen(rest) >= sizeof(s->type) ||
		    (strcmp(rest, "gauge") && strcmp(rest, "counter") &&
		     strcmp(rest, "histogram") && (s->plain || strcmp(rest, "info"))))
			return strict_fail(s, "a bad type", line);
		strcpy(s->type, rest);
		s->typed = true;
		return true;
	}
	if (!strcmp(word, "HELP")) {
		if (s->helped || !*rest || !strict_text(rest, strlen(rest), !s->plain))
			return strict_fail(s, "a bad help", line);
		s->helped = true;
		return true;
	}
	if (strcmp(word, "UNIT") || s->plain || s->united || strlen(rest) + 1 > strlen(name) ||
	    strcmp(name + strlen(name) - strlen(rest), rest) ||
	    name[strlen(name) - strlen(rest) - 1] != '_')
		return strict_fail(s, "a bad unit", line);
	s->united = true;
	return true;
}

/* Copies the labels without le to @labels, and le to @le. Returns what follows "}". */
static const char *strict_labels(struct strict *s, const char *text, char *labels, char *le)
{
	char names[16][64];
	size_t nr = 0, used = 0;

	labels[0] = le[0] = '\0';
	if (*text != '{')
		return text;
	do {
		size_t n = strict_name(++text), len;
		const char *end;

		if (!n || n >= sizeof(names[0]) || nr == 16 || memchr(text, ':', n) ||
		    text[n] != '=' || text[n + 1] != '"')
			return strict_fail(s, "a bad label", text), NULL;
		snprintf(names[nr], sizeof(names[nr]), "%.*s", (int)n, text);
		for (size_t i = 0; i < nr; i++)
			if (!strcmp(names[i], names[nr]))
				return strict_fail(s, "a label comes twice", text), NULL;
		text += n + 2;
		for (end = text; *end && *end != '"'; end++)
			if (*end == '\\' && end[1])
				end++;
		len = end - text;
		if (!*end || !strict_text(text, len, true))
			return strict_fail(s, "a bad value of a label", text), NULL;
		if (!strcmp(names[nr], "le"))
			snprintf(le, 64, "%.*s", (int)len, text);
		else
			used += snprintf(labels + used, 1024 - used, "%s=%.*s,", names[nr],
					 (int)len, text);
		if (used >= 1000)
			return strict_fail(s, "too many labels", text), NULL;
		nr++;
		text = end + 1;
	} while (*text == ',');
	return *text == '}' ? text + 1 : (strict_fail(s, "labels do not end", text), NULL);
}

static bool strict_bucket(struct strict *s, const char *suffix, const char *labels, const char *le,
			  double value)
{
	double bound = strtod(le, NULL);

	if (!*labels)
		labels = "-";
	if (strcmp(s->labels, labels)) {
		if (!strict_histogram_ends(s))
			return false;
		snprintf(s->labels, sizeof(s->labels), "%s", labels);
	}
	if (!strcmp(suffix, "_bucket")) {
		if (!*le || s->infinite || bound <= s->le || value < s->count)
			return strict_fail(s, "buckets do not grow", le);
		s->infinite = isinf(bound);
		s->le = bound;
		s->count = value;
		return true;
	}
	if (!strcmp(suffix, "_count")) {
		if (!s->infinite || value != s->count)
			return strict_fail(s, "the count is not the last bucket", labels);
		s->counted = true;
		return true;
	}
	if (strcmp(suffix, "_sum") || *le)
		return strict_fail(s, "no sample of a histogram", suffix);
	s->summed = true;
	return true;
}

static bool strict_sample(struct strict *s, const char *line)
{
	const char *suffix = line + strlen(s->family), *rest;
	char labels[1024], le[64], name[128], key[1300], *end;
	size_t n = strict_name(line);
	double value;

	if (!n || n >= sizeof(name) || !*s->family || strncmp(line, s->family, strlen(s->family)))
		return strict_fail(s, "a sample of another family", line);
	snprintf(name, sizeof(name), "%.*s", (int)n, line);
	suffix = name + strlen(s->family);
	if (!s->typed || !s->helped)
		return strict_fail(s, "no type or help", line);
	s->sampled = true;
	rest = strict_labels(s, line + n, labels, le);
	if (!rest)
		return false;
	if (*rest != ' ' || !isdigit((unsigned char)rest[1]) || strchr(rest, 'x'))
		return strict_fail(s, "no number", line);
	value = strtod(rest + 1, &end);
	if (*end)
		return strict_fail(s, "no number", line);
	snprintf(key, sizeof(key), "%s{%s%s", name, labels, le);
	for (size_t i = 0; i < s->nr_samples; i++)
		if (!strcmp(s->samples[i], key))
			return strict_fail(s, "a sample comes twice", line);
	if (s->nr_samples == STRICT_MAX)
		return strict_fail(s, "too many samples", line);
	s->samples[s->nr_samples++] = strdup(key);
	if (!strcmp(s->type, "histogram"))
		return strict_bucket(s, suffix, labels, le, value);
	if (*le)
		return strict_fail(s, "le is for histograms", line);
	if (!strcmp(s->type, "info"))
		return (!strcmp(suffix, "_info") && value == 1) ||
		       strict_fail(s, "a bad info", line);
	/* In format 0.0.4, the family is called as its samples, which end in _total */
	if (!strcmp(s->type, "counter") && s->plain)
		return (!*suffix && n > 6 && !strcmp(name + n - 6, "_total")) ||
		       strict_fail(s, "a bad counter", line);
	if (!strcmp(s->type, "counter"))
		return !strcmp(suffix, "_total") || strict_fail(s, "a bad counter", line);
	return !*suffix || strict_fail(s, "a bad gauge", line);
}

/* No family may have a name that another one's samples could have. */
static bool strict_clashes(struct strict *s)
{
	static const char *const suffixes[] = {
		"_total", "_created", "_info", "_bucket", "_count", "_sum",
	};
	char name[160];

	for (size_t i = 0; i < s->nr_families; i++)
		for (size_t j = 0; j < s->nr_families; j++)
			for (size_t k = 0; k < 6; k++) {
				snprintf(name, sizeof(name), "%s%s", s->families[i], suffixes[k]);
				if (!strcmp(name, s->families[j]))
					return strict_fail(s, "names clash", name);
			}
	return true;
}

/* NULL if the text is well-formed; else what is wrong, valid until the next call. */
static inline const char *openmetrics_error(const char *text, bool plain)
{
	static char error[256];
	struct strict *s = calloc(1, sizeof(*s));
	bool good = true, ended = false;

	s->plain = plain;
	s->le = -1;
	while (good && *text) {
		const char *end = strchr(text, '\n');
		char *line;

		s->line++;
		if (!end || ended) {
			good = strict_fail(s, ended ? "more after the end" : "no newline", text);
			break;
		}
		line = strndup(text, end - text);
		if (!strcmp(line, "# EOF") && !plain)
			ended = true;
		else if (*line == '#')
			good = strict_metadata(s, line);
		else
			good = strict_sample(s, line);
		free(line);
		text = end + 1;
	}
	good = good && strict_histogram_ends(s) && (plain || strict_clashes(s));
	if (good && ended == plain)
		good = strict_fail(s, "the end is missing", "");
	snprintf(error, sizeof(error), "%s", s->error);
	for (size_t i = 0; i < s->nr_families; i++)
		free(s->families[i]);
	for (size_t i = 0; i < s->nr_samples; i++)
		free(s->samples[i]);
	free(s);
	return good ? NULL : error;
}

#endif /* OPENMETRICS_STRICT_H */
