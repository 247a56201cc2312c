// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"
#include "machine/decide.h"

/* The rules of older releases are not known here. */
static const struct release oldest = { 5, 4 };
static const struct release cpu_rule = { 5, 9 };
/* 1af7c26c59eb ("PCI/P2PDMA: Whitelist Intel Skylake-E Root Ports at any devfn") */
static const struct release any_slot_rule = { 5, 19 };

static bool is_since(const struct release *release, const struct release *since)
{
	if (release->major != since->major)
		return release->major > since->major;
	return release->minor >= since->minor;
}

static bool is_known(const struct release *release)
{
	return is_since(release, &oldest);
}

/* Returns what follows the digits; NULL if there are none, or too many. */
static const char *parse_digits(const char *text, int *number)
{
	size_t len = strspn(text, "0123456789");

	if (!len || len > 4)
		return NULL;
	*number = atoi(text);
	return text + len;
}

int release_parse(const char *text, struct release *release)
{
	struct release parsed;

	text = parse_digits(text, &parsed.major);
	if (!text || *text != '.')
		return -EINVAL;
	text = parse_digits(text + 1, &parsed.minor);
	if (!text || !parsed.major || isalpha((unsigned char)*text))
		return -EINVAL;
	*release = parsed;
	return 0;
}

bool release_next(const struct release *after, struct release *next)
{
	const struct release *releases[] = { &cpu_rule, &any_slot_rule };
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(releases) + 2 * nr_known_bridges; i++) {
		size_t bridge = (i - ARRAY_SIZE(releases)) / 2;
		const struct release *release = i < ARRAY_SIZE(releases) ? releases[i] :
			i & 1 ? &known_bridges[bridge].since : &known_bridges[bridge].until;

		if (!release->major || is_since(after, release) ||
		    (found && is_since(release, next)))
			continue;
		*next = *release;
		found = true;
	}
	return found;
}

enum presence known_bridge_in(const struct known_bridge *known, const struct release *release)
{
	if (!is_known(release))
		return PRESENCE_UNKNOWN;
	if (!is_since(release, &known->since))
		return ABSENT;
	return known->until.major && is_since(release, &known->until) ? ABSENT : PRESENT;
}

/* The kernel's pci_upstream_bridge(): the bridge above a virtual function is the physical one's. */
static int upstream(const struct machine *machine, int index)
{
	const struct function *function = &machine->functions[index];

	if (function->parent == UNKNOWN && is_given(function->physfn)) {
		function = machine_find(machine, function->physfn);
		return function ? function->parent : UNKNOWN;
	}
	return function->parent;
}

/* Fills in the functions from @index up. Returns whether the last one is on a root bus. */
static bool climb(const struct machine *machine, int index, int *up, size_t *nr)
{
	for (*nr = 0; index >= 0 && *nr < MAX_DEPTH; index = upstream(machine, index))
		up[(*nr)++] = index;
	return index == NONE;
}

/*
 * The test of the kernel's __host_bridge_whitelist(). Before 3ec0c3ec2d92 ("PCI/P2PDMA: Avoid
 * pci_get_slot(), which may sleep", 5.14), which the stable series have, it looked for function
 * 00.0 at any place of the list. That makes a difference only if the function was removed and found
 * again.
 */
enum presence host_bridge_forwards(const struct host_bridge *bridge, const struct release *release,
				   bool same)
{
	enum presence in;

	if (bridge->first == NONE || bridge->function == NONE || bridge->listed == ABSENT)
		return ABSENT;
	if (bridge->listed == PRESENCE_UNKNOWN)
		return PRESENCE_UNKNOWN;
	if (bridge->known->same_only && !same)
		return ABSENT;
	in = known_bridge_in(bridge->known, release);
	if (in != PRESENT)
		return in;
	if (bridge->any_slot && !is_since(release, &any_slot_rule))
		return ABSENT;
	return bridge->function == UNKNOWN ? PRESENCE_UNKNOWN : PRESENT;
}

static bool is_x86(const char *arch)
{
	return !strcmp(arch, "x86_64") || (arch[0] == 'i' && arch[1] && !strcmp(arch + 2, "86"));
}

enum presence cpu_allows(const struct machine *machine, const struct release *release)
{
	if (is_known(release) && !is_since(release, &cpu_rule))
		return ABSENT;
	if (*machine->arch && !is_x86(machine->arch))
		return ABSENT;
	if (!*machine->cpu_vendor)
		return PRESENCE_UNKNOWN;
	if (strcmp(machine->cpu_vendor, "AuthenticAMD"))
		return ABSENT;
	if (machine->cpu_family == UNKNOWN)
		return PRESENCE_UNKNOWN;
	if (machine->cpu_family < 0x17)
		return ABSENT;
	return is_known(release) ? PRESENT : PRESENCE_UNKNOWN;
}

/*
 * Whether peer requests are redirected by a function: the test of the kernel's
 * pci_bridge_has_acs_redir(), which is made of endpoints as well. A conventional function has no
 * extended capabilities.
 */
static enum presence redirects(const struct function *function)
{
	if (function->config == CONFIG_ALL_ONES)
		return PRESENCE_UNKNOWN;
	if (function->acs.presence == PRESENCE_UNKNOWN)
		return function->type == TYPE_PCI ? ABSENT : PRESENCE_UNKNOWN;
	if (function->acs.presence == ABSENT)
		return ABSENT;
	return function->acs.ctrl & ACS_REDIRECTS ? PRESENT : ABSENT;
}

/* Why redirects() is unknown. */
static enum reason_id why_unreadable(const struct function *function)
{
	switch (function->config) {
	case CONFIG_ALL_ONES:
		return REASON_PORT_ALL_ONES;
	case CONFIG_CONVENTIONAL:
		return REASON_PORT_TRUNCATED;
	default:
		return REASON_PORT_UNREADABLE;
	}
}

/* Adds @nr functions of a way up. */
static void gather(struct route *route, const struct machine *machine, const int *up, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		switch (redirects(&machine->functions[up[i]])) {
		case PRESENT:
			route->redirects[route->nr_redirects++] = up[i];
			break;
		case PRESENCE_UNKNOWN:
			route->unreadable[route->nr_unreadable++] = up[i];
			break;
		default:
			break;
		}
	}
}

/* How many functions, from the root bus down, are on both ways up. The two reach the root bus. */
static size_t count_common(const int *a, size_t nr_a, const int *b, size_t nr_b)
{
	size_t nr = 0;

	while (nr < nr_a && nr < nr_b && a[nr_a - 1 - nr] == b[nr_b - 1 - nr])
		nr++;
	return nr;
}

/*
 * The index, in both ways up, of the lowest function that is on both, or the lengths of both if
 * there is none. A way up that ends early ends at the same function as the other, if they meet.
 */
static bool find_shared(const int *a, size_t nr_a, const int *b, size_t nr_b, size_t *in_a,
			size_t *in_b)
{
	size_t nr = count_common(a, nr_a, b, nr_b);

	*in_a = nr_a - nr;
	*in_b = nr_b - nr;
	return nr;
}

bool route_find(struct route *route, const struct machine *machine, int provider, int client)
{
	bool complete, shared;
	size_t a, b;

	route->nr_redirects = route->nr_unreadable = 0;
	complete = climb(machine, provider, route->provider, &route->nr_provider);
	complete &= climb(machine, client, route->client, &route->nr_client);
	shared = find_shared(route->provider, route->nr_provider, route->client, route->nr_client,
			     &a, &b);
	route->shared = shared ? route->provider[a] : NONE;
	/* Without a shared bridge, no port decides */
	if (shared) {
		gather(route, machine, route->provider, a + 1);
		gather(route, machine, route->client, b);
	}
	route->nr_ruled = route->nr_redirects;
	route->nr_unreadable_ruled = route->nr_unreadable;
	if (shared) {
		gather(route, machine, &route->provider[a + 1], route->nr_provider - a - 1);
	} else {
		gather(route, machine, route->provider, route->nr_provider);
		gather(route, machine, route->client, route->nr_client);
	}
	return shared || complete;
}

void end_facts_find(struct end_facts *end, const struct machine *machine, int function)
{
	end->function = function;
	end->complete = climb(machine, function, end->up, &end->nr);
	host_bridge_find(&end->bridge, machine, machine->functions[function].root);
}

struct end_facts *end_facts_find_all(const struct machine *machine, const int *functions, size_t nr)
{
	struct end_facts *ends = calloc(nr + 1, sizeof(*ends));
	/* By root, the first end that is below it */
	const struct end_facts **first = calloc(machine->nr_roots + 1, sizeof(*first));

	for (size_t i = 0; ends && first && i < nr; i++) {
		int root = machine->functions[functions[i]].root;

		if (root < 0 || !first[root]) {
			end_facts_find(&ends[i], machine, functions[i]);
			if (root >= 0)
				first[root] = &ends[i];
			continue;
		}
		/* Without the search for the host bridge, which looks at all functions */
		ends[i].function = functions[i];
		ends[i].complete = climb(machine, functions[i], ends[i].up, &ends[i].nr);
		ends[i].bridge = first[root]->bridge;
	}
	if (!first) {
		free(ends);
		ends = NULL;
	}
	free(first);
	return ends;
}

/* The port that redirects, or cannot be read, as seen from the provider. */
struct obstacle {
	int redirect, unreadable;	/* the first one; NONE */
};

static void look(struct obstacle *obstacle, const struct machine *machine, int index)
{
	switch (redirects(&machine->functions[index])) {
	case PRESENT:
		if (obstacle->redirect == NONE)
			obstacle->redirect = index;
		break;
	case PRESENCE_UNKNOWN:
		if (obstacle->unreadable == NONE)
			obstacle->unreadable = index;
		break;
	default:
		break;
	}
}

static void set(struct decision *decision, const char *map, enum reason_id reason, int blocker)
{
	decision->map = map;
	decision->reason = reason;
	decision->blocker = blocker;
}

/* What a pair depends on whose requests have to pass a host bridge. */
struct passage {
	const struct machine *machine;
	const struct host_bridge *provider, *client;
	bool same;		/* they have one host bridge, or may have */
	int redirect;		/* the port because of which they have to; NONE */
};

static void set_unreadable(struct decision *decision, const struct host_bridge *bridge)
{
	set(decision, MAP_UNKNOWN, REASON_HOST_BRIDGE_UNREADABLE,
	    bridge->first >= 0 ? bridge->first : NONE);
}

/* By the rules of one known release. */
static void decide_passage(struct decision *decision, const struct passage *passage,
			   const struct release *release)
{
	enum presence cpu = cpu_allows(passage->machine, release);
	enum presence a = host_bridge_forwards(passage->provider, release, passage->same);
	enum presence b = host_bridge_forwards(passage->client, release, passage->same);
	bool redirected = passage->redirect != NONE;

	if (cpu == PRESENT || (a == PRESENT && b == PRESENT))
		set(decision, MAP_THRU_HOST_BRIDGE,
		    redirected ? REASON_ACS_REDIRECT_ALLOWED :
		    cpu == PRESENT ? REASON_CPU_ALLOWED : REASON_HOST_BRIDGE_ALLOWED,
		    passage->redirect);
	else if (cpu == PRESENCE_UNKNOWN)
		set(decision, MAP_UNKNOWN, REASON_CPU_UNKNOWN, NONE);
	else if (a == ABSENT || b == ABSENT)
		set(decision, MAP_NOT_SUPPORTED, redirected ? REASON_ACS_REDIRECT_BLOCKED :
		    REASON_HOST_BRIDGE_UNKNOWN, passage->redirect);
	else
		set_unreadable(decision, a == PRESENCE_UNKNOWN ? passage->provider :
			       passage->client);
}

/* @decision: by the rules of other releases; NULL map if there are none yet. */
static void decide_also(struct decision *decision, const struct passage *passage,
			const struct release *release)
{
	struct decision other;

	if (!is_known(release))
		return;
	decide_passage(&other, passage, release);
	if (!decision->map || !strcmp(decision->map, other.map))
		set(decision, other.map, other.reason, other.blocker);
	else if (strcmp(decision->map, MAP_UNKNOWN) && strcmp(other.map, MAP_UNKNOWN))
		set(decision, MAP_UNKNOWN, REASON_KERNEL_UNKNOWN, NONE);
	else if (!strcmp(other.map, MAP_UNKNOWN))
		set(decision, other.map, other.reason, other.blocker);
}

/* The rules differ between releases for these two host bridges: unknown unless all agree. */
static void decide_any_release(struct decision *decision, const struct passage *passage)
{
	const struct known_bridge *known[] = { passage->provider->known, passage->client->known };

	decision->map = NULL;
	decide_also(decision, passage, &oldest);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i]) {
			decide_also(decision, passage, &known[i]->since);
			decide_also(decision, passage, &known[i]->until);
		}
	}
	decide_also(decision, passage, &cpu_rule);
	decide_also(decision, passage, &any_slot_rule);
}

/* @redirect: the port because of which the requests go up; NONE if they share no PCI bridge. */
static void decide_through_root(struct decision *decision, const struct machine *machine,
				const struct release *release, const struct end_facts *provider,
				const struct end_facts *client, int redirect)
{
	int root_a = machine->functions[provider->function].root;
	int root_b = machine->functions[client->function].root;
	struct passage passage = {
		.machine = machine,
		.provider = &provider->bridge,
		.client = &client->bridge,
		/* Where a root is unknown, they may have one */
		.same = root_a == root_b || root_a == UNKNOWN || root_b == UNKNOWN,
		.redirect = redirect,
	};

	if (is_known(release))
		decide_passage(decision, &passage, release);
	else
		decide_any_release(decision, &passage);
}

void decide_ends(struct decision *decision, const struct machine *machine,
		 const struct release *release, const struct end_facts *provider,
		 const struct end_facts *client)
{
	struct obstacle obstacle = { NONE, NONE };
	bool shared;
	size_t a, b;

	shared = find_shared(provider->up, provider->nr, client->up, client->nr, &a, &b);
	if (!shared && !(provider->complete && client->complete)) {
		const struct end_facts *end = provider->complete ? client : provider;

		decision->distance = UNKNOWN;
		set(decision, MAP_UNKNOWN, REASON_ROUTE_UNKNOWN, end->up[end->nr - 1]);
		return;
	}
	decision->distance = a + b;
	/* From the provider up to the shared bridge, then down to the client */
	for (size_t i = 0; shared && i <= a; i++)
		look(&obstacle, machine, provider->up[i]);
	for (size_t i = b; shared && i > 0; i--)
		look(&obstacle, machine, client->up[i - 1]);

	if (shared && obstacle.redirect == NONE && obstacle.unreadable == NONE) {
		set(decision, MAP_BUS_ADDR,
		    decision->distance ? REASON_SAME_BRIDGE : REASON_SAME_FUNCTION, NONE);
		return;
	}
	if (shared && obstacle.redirect == NONE) {
		set(decision, MAP_UNKNOWN,
		    why_unreadable(&machine->functions[obstacle.unreadable]), obstacle.unreadable);
		return;
	}
	decide_through_root(decision, machine, release, provider, client, obstacle.redirect);
}

void decide(struct decision *decision, const struct machine *machine,
	    const struct release *release, int provider, int client)
{
	struct end_facts from, to;

	end_facts_find(&from, machine, provider);
	end_facts_find(&to, machine, client);
	decide_ends(decision, machine, release, &from, &to);
}

void decide_redirected(struct decision *decision, const struct machine *machine,
		       const struct release *release, int provider, int client, int port)
{
	struct end_facts from, to;

	end_facts_find(&from, machine, provider);
	end_facts_find(&to, machine, client);
	decide_through_root(decision, machine, release, &from, &to, port);
}

/*
 * The root of the machine itself that a root bus belongs to: VMD has root buses of its own, below a
 * function on another one.
 */
static int physical_root(const struct machine *machine, int root)
{
	for (int depth = 0; root >= 0 && depth < MAX_DEPTH; depth++) {
		const char *under = machine->roots[root].under;
		const struct function *function;

		if (!is_given(under))
			return root;
		function = machine_find(machine, under);
		root = function ? function->root : UNKNOWN;
	}
	return UNKNOWN;
}

const char *proximity(const struct machine *machine, int a, int b)
{
	/* The functions on the way through one switch: a port down, the port up, a port down */
	const size_t through_one_switch = 3;
	int node_a = machine->functions[a].numa_node, node_b = machine->functions[b].numa_node;
	int root_a, root_b;
	struct route route;

	if (a == b)
		return "X";
	if (!route_find(&route, machine, a, b))
		return "?";
	if (route.shared != NONE) {
		size_t in_a, in_b;

		find_shared(route.provider, route.nr_provider, route.client, route.nr_client,
			    &in_a, &in_b);
		return in_a + in_b - 1 <= through_one_switch ? "PIX" : "PXB";
	}
	root_a = physical_root(machine, machine->functions[a].root);
	root_b = physical_root(machine, machine->functions[b].root);
	if (root_a == UNKNOWN || root_b == UNKNOWN)
		return "?";
	if (root_a == root_b)
		return "PHB";
	/* Without NUMA, no function has a node */
	if (node_a == UNKNOWN || node_b == UNKNOWN || (node_a == NONE) != (node_b == NONE))
		return "?";
	return node_a == node_b ? "NODE" : "SYS";
}
