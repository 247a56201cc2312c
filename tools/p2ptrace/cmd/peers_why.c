// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace peers --why: the decision for one pair, the path drawn, and what there is to know and to
 * do about it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/peers_why.h"
#include "lib/args.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/class.h"
#include "machine/decision.h"
#include "machine/snapshot.h"

/* Than those whose rules are known. */
static bool release_newer(const struct release *release)
{
	return release->major > 7 || (release->major == 7 && release->minor > 3);
}

void rules_json(struct buffer *out, const struct release *release)
{
	char text[32];

	if (!release->major) {
		json_none(out, "rules");
		return;
	}
	snprintf(text, sizeof(text), "%d.%d", release_newer(release) ? 7 : release->major,
		 release_newer(release) ? 3 : release->minor);
	json_str(out, "rules", text);
}

void release_words(char *text, size_t size, const struct release *release)
{
	if (release_newer(release))
		snprintf(text, size, "Linux 7.3, the newest that p2ptrace knows");
	else if (release->major > 5 || (release->major == 5 && release->minor >= 4))
		snprintf(text, size, "Linux %d.%d", release->major, release->minor);
	else
		snprintf(text, size, "Linux 5.4 to 7.3, where they agree");
}

/* The position of a function among the ports that redirect, from 1; 0 if it does not. */
static size_t redirect_number(const struct pair *pair, int index)
{
	for (size_t i = 0; i < pair->route.nr_redirects; i++)
		if (pair->route.redirects[i] == index)
			return i + 1;
	return 0;
}

static bool is_unreadable(const struct pair *pair, int index)
{
	for (size_t i = 0; i < pair->route.nr_unreadable; i++)
		if (pair->route.unreadable[i] == index)
			return true;
	return false;
}

/* What the path meets at a function. */
static void print_mark(const struct pair *pair, int index)
{
	const struct function *function = function_of(pair, index);
	size_t number = redirect_number(pair, index);

	/* A direct path does not get there */
	if (number > pair->route.nr_ruled && !pair_through_root(pair))
		number = 0;
	if (number > pair->route.nr_ruled)
		print("  <- redirects, but the kernel does not look here (ACS 0x%02x: %s)",
		      function->acs.ctrl, acs_bits(function->acs.ctrl));
	else if (number)
		print("  <- %zu: redirects (ACS 0x%02x: %s)", number, function->acs.ctrl,
		      acs_bits(function->acs.ctrl));
	else if (is_unreadable(pair, index))
		print("  <- %sunknown whether it redirects",
		      function->config == CONFIG_ALL_ONES ? "reads all ones: " : "");
	else if (function->config == CONFIG_ALL_ONES)
		print("  <- reads all ones");
	print("\n");
}

/* "client, gpu, xe (card1,renderD128)"; nvme drives have the nvme driver. */
static void print_end_of_path(const struct pair *pair, int index)
{
	const struct function *function = function_of(pair, index);

	print("%s%s%s", index == pair->provider ? "provider" : "",
	      pair->provider == pair->client ? " and " : "",
	      index == pair->client ? "client" : "");
	print(", %s", class_name(function_class(function)));
	if (is_given(function->driver) &&
	    strcmp(function->driver, class_name(function_class(function))))
		print(", %s", function->driver);
	for (size_t i = 0; i < function->nr_names; i++)
		print("%s%s", i ? "," : " (", function->names[i]);
	if (function->nr_names)
		print(")");
	if (function->pool.presence == PRESENT && strcmp(function->pool.dev, "-"))
		print(", %s", function->pool.dev);
	print_mark(pair, index);
}

/*
 * Draws the last @nr functions of a path that is listed from the bottom up, as a branch of the tree
 * that is @depth levels deep. Another branch follows below it, unless it is the @last.
 */
static void print_branch(const struct pair *pair, const int *path, size_t nr, size_t depth,
			 bool last)
{
	for (size_t i = nr; i-- > 0;) {
		const struct function *function = function_of(pair, path[i]);
		size_t below = nr - 1 - i;

		print("  %*s", (int)(3 * depth), "");
		if (below)
			print("%s%*s", last ? "   " : "│  ", (int)(3 * (below - 1)), "");
		print("%s %s  ", below || last ? "└─" : "├─", function->name);
		if (path[i] == pair->provider || path[i] == pair->client) {
			print_end_of_path(pair, path[i]);
		} else {
			print("%s", function_kind(function));
			print_mark(pair, path[i]);
		}
	}
}

/* What the path meets at a host bridge. */
static void print_root_mark(const struct pair *pair, int root)
{
	bool same = function_of(pair, pair->provider)->root ==
		    function_of(pair, pair->client)->root;
	enum presence cpu = cpu_allows(pair->machine, &pair->release), forwards;
	struct host_bridge bridge;

	if (!pair_through_root(pair) || cpu == PRESENT)
		return;
	host_bridge_find(&bridge, pair->machine, root);
	forwards = host_bridge_forwards(&bridge, &pair->release, same);
	/* An unknown CPU may make up for it */
	if (forwards == ABSENT && cpu == PRESENCE_UNKNOWN)
		forwards = PRESENCE_UNKNOWN;
	switch (forwards) {
	case ABSENT:
		print("  <- not allowed by the kernel's list");
		break;
	case PRESENCE_UNKNOWN:
		print("  <- unknown whether the kernel allows it");
		break;
	case PRESENT:
		break;
	}
}

static void print_root(const struct pair *pair, int index)
{
	int root = function_of(pair, index)->root;
	const struct root *of = &pair->machine->roots[root];

	if (root < 0) {
		print("  host bridge, unknown\n");
		return;
	}
	print("  host bridge %s", of->name);
	if (is_given(of->under))
		print(", made by %s (VMD)", of->under);
	print_root_mark(pair, root);
	print("\n");
}

static size_t above(const int *path, size_t nr, int shared)
{
	size_t i = 0;

	while (i < nr && path[i] != shared)
		i++;
	return i;
}

static void print_paths(const struct pair *pair)
{
	const struct route *route = &pair->route;
	size_t provider = above(route->provider, route->nr_provider, route->shared);
	size_t client = above(route->client, route->nr_client, route->shared);
	size_t shared = route->nr_provider - provider;
	bool apart = function_of(pair, pair->provider)->root !=
		     function_of(pair, pair->client)->root;

	print_root(pair, pair->provider);
	/* The shared bridges form the trunk of the tree */
	print_branch(pair, route->provider + provider, shared, 0, true);
	if (provider)
		print_branch(pair, route->provider, provider, shared, apart || !client);
	if (apart)
		print_root(pair, pair->client);
	if (client)
		print_branch(pair, route->client, client, shared, true);
}

/* A paragraph of at most 80 columns, indented. */
static void print_paragraph(const char *head, const char *text)
{
	args_print_item(12, head, text);
}

static void print_findings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->nr; i++) {
		const struct finding *finding = &findings->list[i];
		const char *line = buffer_text(&finding->commands);
		char head[32];

		snprintf(head, sizeof(head), "%s:", level_name(finding->level));
		print_paragraph(head, buffer_text(&finding->text));
		while (*line) {
			size_t len = strcspn(line, "\n");

			print("              %.*s\n", (int)len, line);
			line += len + (line[len] == '\n');
		}
	}
}

struct words {
	const char *word, *meaning;
};

static const struct words map_words[] = {
	{ MAP_BUS_ADDR, "direct" },
	{ MAP_THRU_HOST_BRIDGE, "allowed, through the host bridge" },
	{ MAP_NOT_SUPPORTED, "refused" },
	{ MAP_UNKNOWN, "a fact is missing" },
	{}
};

static const struct words place_words[] = {
	{ "X", "one function" },
	{ "PIX", "at most one switch between them" },
	{ "PXB", "several switches between them" },
	{ "PHB", "a host bridge between them" },
	{ "NODE", "two host bridges of one NUMA node" },
	{ "SYS", "two NUMA nodes" },
	{ "?", "places unknown" },
	{}
};

static const char *word_for(const struct words *words, const char *word)
{
	for (; words->word; words++)
		if (!strcmp(words->word, word))
			return words->meaning;
	return "";
}

/* What a word means for this pair. */
static const char *place_meaning(const struct pair *pair, const char *place)
{
	int a = function_of(pair, pair->provider)->root, b = function_of(pair, pair->client)->root;
	const struct root *roots = pair->machine->roots;

	if (a >= 0 && b >= 0 && a != b && !strcmp(place, "PHB"))
		return is_given(roots[a].under) && is_given(roots[b].under) ?
		       "two host bridges made by VMD, below one of the CPU" :
		       "a host bridge of the CPU and one made by VMD between them";
	if (a >= 0 && b >= 0 && !strcmp(place, "?"))
		return "two host bridges, whose NUMA nodes are unknown";
	return word_for(place_words, place);
}

/* "NUMA nodes: client 0, provider 1"; nothing if the machine has none. */
static void print_numa_nodes(const struct pair *pair)
{
	int client = function_of(pair, pair->client)->numa_node;
	int provider = function_of(pair, pair->provider)->numa_node;

	if (client >= 0 && provider >= 0)
		print("NUMA nodes: client %d, provider %d\n", client, provider);
}

static void print_verdict(const struct pair *pair)
{
	const struct decision *predicted = &pair->predicted;
	const struct reported *reported = pair->reported;
	const struct reason *reason = reported ? reason_find(reported->reason) :
						 &reasons[predicted->reason];
	int distance = pair_distance(pair);
	char provider[LABEL_LEN], client[LABEL_LEN], release[64];
	const char *place = proximity(pair->machine, pair->provider, pair->client);

	release_words(release, sizeof(release), &pair->release);
	function_label(provider, sizeof(provider), function_of(pair, pair->provider));
	function_label(client, sizeof(client), function_of(pair, pair->client));
	print("client %s -> provider %s: %s", client, provider, pair_map(pair));
	if (*word_for(map_words, pair_map(pair)))
		print(" (%s)", word_for(map_words, pair_map(pair)));
	if (distance >= 0)
		print(", %d hop%s", distance, PLURAL(distance));
	print(", %s (%s)\n", place, place_meaning(pair, place));
	print_numa_nodes(pair);
	print("%s", pair_reason(pair));
	if (!reported && predicted->blocker >= 0)
		print(" at %s", function_of(pair, predicted->blocker)->name);
	print(": %s\n", reason ? reason->words :
	      "p2ptrace does not know this reason; see the kernel's documentation");
	if (reported)
		print("This is what the kernel decides.\n\n");
	else
		print("This is predicted by the rules of %s.\n\n", release);
}

int why_text(const struct pair *pair)
{
	struct findings findings;

	findings_gather(&findings, pair);
	if (findings.failed) {
		findings_free(&findings);
		return fail(EXIT_OTHER, "out of memory");
	}
	print_verdict(pair);
	if (pair->routed)
		print_paths(pair);
	print("\n");
	print_findings(&findings);
	findings_free(&findings);
	return 0;
}

static void json_name(struct buffer *out, const char *key, const struct machine *machine, int index)
{
	if (index >= 0)
		json_str(out, key, machine->functions[index].name);
	else
		json_none(out, key);
}

void pair_json(struct buffer *out, const struct pair *pair)
{
	const struct reported *reported = pair->reported;
	const struct decision *predicted = &pair->predicted;
	int distance = pair_distance(pair);

	json_name(out, "provider", pair->machine, pair->provider);
	json_name(out, "client", pair->machine, pair->client);
	json_str(out, "map", pair_map(pair));
	if (distance >= 0)
		json_int(out, "distance", distance);
	else
		json_none(out, "distance");
	json_str(out, "proximity", proximity(pair->machine, pair->provider, pair->client));
	json_str(out, "reason", pair_reason(pair));
	if (reported && strcmp(reported->blocker, "-"))
		json_str(out, "blocker", reported->blocker);
	else
		json_name(out, "blocker", pair->machine, reported ? NONE : predicted->blocker);
	json_str(out, "source", reported ? "kernel" : "predicted");
}

static void json_names(struct buffer *out, const char *key, const struct pair *pair,
		       const int *list, size_t nr)
{
	json_open(out, key, '[');
	for (size_t i = 0; i < nr; i++)
		json_str(out, NULL, function_of(pair, list[i])->name);
	json_close(out, ']');
}

static void json_path(struct buffer *out, const char *key, const struct pair *pair, const int *list,
		      size_t nr)
{
	json_open(out, key, '[');
	while (nr-- > 0)
		json_str(out, NULL, function_of(pair, list[nr])->name);
	json_close(out, ']');
}

static void json_findings(struct buffer *out, const struct findings *findings)
{
	json_open(out, "findings", '[');
	for (size_t i = 0; i < findings->nr; i++) {
		const struct finding *finding = &findings->list[i];
		const char *line = buffer_text(&finding->commands);

		json_open(out, NULL, '{');
		json_str(out, "topic", topic_name(finding->topic));
		json_str(out, "level", level_name(finding->level));
		json_str(out, "text", buffer_text(&finding->text));
		json_open(out, "commands", '[');
		while (*line) {
			size_t len = strcspn(line, "\n");

			json_str_of(out, NULL, line, len);
			line += len + (line[len] == '\n');
		}
		json_close(out, ']');
		json_close(out, '}');
	}
	json_close(out, ']');
}

int why_json(const struct pair *pair)
{
	struct buffer *out = print_buffer();
	const struct route *route = &pair->route;
	struct findings findings;

	findings_gather(&findings, pair);
	if (findings.failed) {
		findings_free(&findings);
		return fail(EXIT_OTHER, "out of memory");
	}
	json_open(out, NULL, '{');
	pair_json(out, pair);
	rules_json(out, &pair->release);
	if (pair->reported) {
		json_open(out, "predicted", '{');
		json_str(out, "map", pair->predicted.map);
		json_str(out, "reason", reasons[pair->predicted.reason].name);
		json_close(out, '}');
	}
	json_path(out, "provider_path", pair, route->provider,
		  pair->routed ? route->nr_provider : 0);
	json_path(out, "client_path", pair, route->client, pair->routed ? route->nr_client : 0);
	json_names(out, "redirects", pair, route->redirects, pair->routed ? route->nr_ruled : 0);
	json_names(out, "redirects_ignored", pair, route->redirects + route->nr_ruled,
		   pair->routed ? route->nr_redirects - route->nr_ruled : 0);
	json_names(out, "unreadable", pair, route->unreadable,
		   pair->routed ? route->nr_unreadable : 0);
	json_findings(out, &findings);
	json_open(out, "functions", '[');
	function_json(out, pair->machine, function_of(pair, pair->provider));
	if (pair->client != pair->provider)
		function_json(out, pair->machine, function_of(pair, pair->client));
	json_close(out, ']');
	json_close(out, '}');
	print("\n");
	findings_free(&findings);
	return 0;
}
