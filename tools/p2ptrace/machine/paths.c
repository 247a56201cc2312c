// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/class.h"
#include "machine/decide.h"
#include "machine/decision.h"
#include "machine/findings.h"
#include "machine/paths.h"

static enum path_rank rank_of(const char *map)
{
	if (!strcmp(map, MAP_BUS_ADDR))
		return PATH_DIRECT;
	if (!strcmp(map, MAP_THRU_HOST_BRIDGE))
		return PATH_THROUGH_HOST;
	return strcmp(map, MAP_NOT_SUPPORTED) ? PATH_UNKNOWN : PATH_REFUSED;
}

static void path_set(struct path *path, const struct pair *pair)
{
	const struct machine *machine = pair->machine;
	const struct reported *reported = pair->reported;
	int blocker = pair->predicted.blocker;

	memset(path, 0, sizeof(*path));
	strcpy(path->provider, machine->functions[pair->provider].name);
	strcpy(path->client, machine->functions[pair->client].name);
	snprintf(path->map, sizeof(path->map), "%s", pair_map(pair));
	snprintf(path->reason, sizeof(path->reason), "%s", pair_reason(pair));
	if (reported && is_given(reported->blocker))
		strcpy(path->blocker, reported->blocker);
	else if (!reported && blocker >= 0)
		strcpy(path->blocker, machine->functions[blocker].name);
	path->reported = reported;
	path->rank = rank_of(path->map);
}

static bool is_wanted(const char *name, const char *wanted)
{
	return !wanted || !*wanted || !strcmp(name, wanted);
}

/* Of the providers that have peer memory now, or of the others. */
static void add_all(struct paths *paths, const struct machine *machine,
		    const struct release *release, const struct end_facts *ends, size_t nr,
		    const char *provider, const char *client, bool with_pool)
{
	struct pair pair;

	for (size_t p = 0; p < nr; p++) {
		const struct function *function = &machine->functions[ends[p].function];

		if ((function->pool.presence == PRESENT) != with_pool ||
		    !is_wanted(function->name, provider))
			continue;
		for (size_t c = 0; c < nr; c++) {
			if (c == p || !is_wanted(machine->functions[ends[c].function].name, client))
				continue;
			if (paths->nr == PATHS_MAX) {
				paths->left_out++;
				continue;
			}
			pair_set_ends(&pair, machine, release, &ends[p], &ends[c]);
			path_set(&paths->list[paths->nr++], &pair);
		}
	}
}

int paths_find(struct paths *paths, const struct machine *machine, const char *provider,
	       const char *client)
{
	int *functions = calloc(machine->nr + 1, sizeof(*functions));
	struct end_facts *ends = NULL;
	struct release release;
	size_t nr = 0;

	memset(paths, 0, sizeof(*paths));
	if (release_parse(machine->kernel, &release))
		release = (struct release){};
	for (size_t i = 0; i < machine->nr && functions; i++)
		if (function_matters(&machine->functions[i]))
			functions[nr++] = i;
	if (functions)
		ends = end_facts_find_all(machine, functions, nr);
	paths->list = calloc(PATHS_MAX, sizeof(*paths->list));
	if (ends && paths->list) {
		add_all(paths, machine, &release, ends, nr, provider, client, true);
		add_all(paths, machine, &release, ends, nr, provider, client, false);
	}
	free(functions);
	free(ends);
	return ends && paths->list ? 0 : -ENOMEM;
}

void paths_free(struct paths *paths)
{
	free(paths->list);
	memset(paths, 0, sizeof(*paths));
}
