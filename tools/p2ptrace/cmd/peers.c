// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace peers: who can reach whose memory, and if not why, and what to do about it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "cmd/cmd.h"
#include "event/output.h"
#include "lib/args.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/acs.h"
#include "machine/devices.h"
#include "machine/kernel.h"
#include "machine/peers.h"
#include "machine/predict.h"

struct options {
	bool json, help, predict;
	const char *why[2];	/* provider and client; NULL without --why */
	int status;
};

enum {
	OPT_JSON = 256, OPT_WHY, OPT_PREDICT,
};

static const struct argp_option option_table[] = {
	{ "json", OPT_JSON, NULL, 0, "Print one JSON document", 1 },
	{ "why", OPT_WHY, "PROVIDER", 0,
	  "Explain one pair: the way from CLIENT to PROVIDER (p2pmem0, 0000:01:00.0, or what it is known by: nvme0, eth0), "
	  "what is in the way, and what would help", 2 },
	{ "predict", OPT_PREDICT, NULL, 0,
	  "Derive it from sysfs and PCI config space, as for a stock kernel, also if this one tells what it decides", 3 },
	{ "help", 'h', NULL, 0, "Print this help", 5 },
	{}
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		args_init(state);
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_PREDICT:
		o->predict = true;
		return 0;
	case OPT_WHY:
		if (o->why[0])
			o->status = fail(EXIT_USAGE, "--why is given twice; give it once");
		o->why[0] = arg;
		break;
	case 'h':
		o->help = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!o->why[0] || o->why[1])
			o->status = fail(EXIT_USAGE, "unexpected argument '%s'; see 'p2ptrace peers --help'", arg);
		o->why[1] = arg;
		break;
	case ARGP_KEY_END:
		if (o->why[0] && !o->why[1] && !o->help)
			o->status = fail(EXIT_USAGE, "--why wants a provider and a client, such as --why p2pmem0 0000:02:00.0");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return o->status ? EINVAL : 0;
}

static const struct argp argp = {
	.options = option_table,
	.parser = parse,
	.args_doc = "\n--why PROVIDER CLIENT",
	.doc = "Show which PCI functions (rows) can reach which peer memory (columns): by which way, and over how many "
	       "hops.\v"
	       "bus_addr: straight through a switch. thru_host_bridge: up to the host bridge and down again. "
	       "not_supported: not at all. This is what the kernel decides now; nobody is disturbed by asking. A stock kernel "
	       "does not tell, so there it is predicted.\n\n"
	       "Exit status: 0 fine, 2 bad usage, 3 this kernel or these privileges cannot do it, 4 anything else.",
};

/* Why a map type is what it is, and what would make it better; by the kernel's name for the reason. */
static const struct {
	const char *reason;
	const char *words;
	bool by_acs, by_place;
} reasons[] = {
	{ "same_function", "both are one PCI function", false, false },
	{ "same_bridge", "both are below one bridge, and no port on the way redirects requests of peers", false, false },
	{ "acs_redirect_allowed", "a port redirects requests of peers to the root (ACS), and the host bridge is known to "
	  "send them on", true, false },
	{ "acs_redirect_blocked", "a port redirects requests of peers to the root (ACS), and nothing says that the host "
	  "bridge sends them on", true, false },
	{ "host_bridge_allowed", "they share no bridge, and the host bridge is known to forward", false, true },
	{ "cpu_allowed", "they share no bridge, and the CPU is known to forward", false, true },
	{ "host_bridge_unknown", "they share no bridge, and nothing says that the host bridge forwards", false, true },
	{ "not_pci", "the client is no PCI device, nor below one", false, false },
};

/* "thru_host_bridge 12" */
#define CELL_WIDTH 21

/* All names, each byte as \xNN, which takes the room of their ends for the commas */
#define KNOWN_AS_LEN (4 * sizeof(((struct known_as *)0)->names))

/* "mlx5_0,eth0", "-" for nothing. */
static void known_as_text(const char *pci, char *text, size_t size)
{
	struct known_as known;
	size_t used = 0;

	device_known_as(SYSFS, pci, &known);
	if (!known.nr)
		snprintf(text, size, "-");
	for (size_t i = 0; i < known.nr; i++) {
		if (i)
			text[used++] = ',';
		used += text_word(text + used, size - used, known.names[i], strlen(known.names[i]));
	}
}

static struct json_object *known_as_json(const char *pci)
{
	struct json_object *array = json_object_new_array();
	struct known_as known;

	device_known_as(SYSFS, pci, &known);
	for (size_t i = 0; i < known.nr; i++)
		json_object_array_add(array, output_json_string(known.names[i]));
	return array;
}

#define NR_REASONS ARRAY_SIZE(reasons)

static size_t reason_index(const char *reason)
{
	size_t i = 0;

	while (i < NR_REASONS && strcmp(reasons[i].reason, reason))
		i++;
	return i;
}

/* "0000:02:00.0;0000:02:01.0": the ports that pci=disable_acs_redir= would have to name. */
static void redirecting_ports(char *list, size_t size, const struct end *provider, const struct end *client)
{
	struct redirects redirects;
	size_t used = 0;

	*list = '\0';
	redirects_gather(&redirects, provider, client);
	for (size_t i = 0; i < redirects.nr; i++) {
		int n = snprintf(list + used, size - used, "%s%s", used ? ";" : "", redirects.names[i]);

		if (n < 0 || (size_t)n >= size - used) {
			/* Half a name would name another device */
			list[used] = '\0';
			return;
		}
		used += n;
	}
}

struct why {
	const struct provider *provider;
	const struct peer *peer;
	struct end from, to;		/* client, provider */
	char ports[512];
	size_t reason;
};

static const char *mode(const struct peers *peers)
{
	return peers->predicted ? "predicted" : "tracepoint";
}

static void print_mode(const struct peers *peers)
{
	if (peers->predicted)
		printf("predicted from sysfs and PCI config space%s\n\n",
		       peers_told(SYSFS) ? "; the kernel was not asked" : ", for this kernel does not tell what it decides");
}

/* Only where there are such names, and not what is known already. */
static bool has_dev_name(const struct provider *provider)
{
	return strcmp(provider->dev, provider->pci);
}

static const char *blocker_mark(const struct why *why, const char *pci)
{
	return !strcmp(pci, why->peer->blocker) ? "  <- redirects requests of peers (ACS)" : "";
}

/*
 * The part of a path below bridge number @from, drawn as a branch of the tree; there is another one below it if it is
 * not the @last. @end says what the device at its end is.
 */
static void print_branch(const struct why *why, const struct pci_path *path, size_t from, bool last, const char *end)
{
	for (size_t i = from; i < path->depth; i++) {
		const char *name = path->names[i];
		char driver[64], names[KNOWN_AS_LEN];

		printf("  %*s", (int)(3 * from), "");
		if (i > from)
			printf("%s%*s", last ? "   " : "│  ", (int)(3 * (i - from - 1)), "");
		printf("%s %s  ", i > from || last ? "└─" : "├─", name);
		if (i + 1 < path->depth) {
			printf("%s%s\n", pci_kind(SYSFS, name), blocker_mark(why, name));
		} else {
			pci_driver(SYSFS, name, driver, sizeof(driver));
			known_as_text(name, names, sizeof(names));
			printf("%s, %s", end, driver);
			if (strcmp(names, "-"))
				printf(" (%s)", names);
			printf("%s\n", blocker_mark(why, name));
		}
	}
}

static void print_root(const struct pci_path *path)
{
	printf("  host bridge%s%s\n", *path->root ? " " : "", path->root);
}

/* Shared bridges once, and then the two ways below the last of them; two trees if there are two host bridges. */
static void print_paths(const struct why *why)
{
	const struct pci_path *from = &why->from.path, *to = &why->to.path;
	bool same = !strcmp(why->peer->client, why->provider->pci);
	bool apart = strcmp(from->root, to->root);
	size_t shared = pci_path_shared(from, to);
	char provider[PCI_NAME_LEN + 32];

	snprintf(provider, sizeof(provider), "provider%s%s", has_dev_name(why->provider) ? ", " : "",
		 has_dev_name(why->provider) ? why->provider->dev : "");
	print_root(to);
	for (size_t i = 0; i < shared; i++)
		printf("  %*s└─ %s  %s%s\n", (int)(3 * i), "", to->names[i], pci_kind(SYSFS, to->names[i]),
		       blocker_mark(why, to->names[i]));
	print_branch(why, to, shared, same || apart, provider);
	if (apart)
		print_root(from);
	if (!same)
		print_branch(why, from, shared, true, "client");
}

static const char *help_of(const struct why *why, char *help, size_t size)
{
	*help = '\0';
	if (why->reason < NR_REASONS && reasons[why->reason].by_acs)
		snprintf(help, size, "pci=disable_acs_redir=%s on the kernel command line makes the way direct, if you can do "
			 "without the isolation that ACS gives", *why->ports ? why->ports : why->peer->blocker);
	else if (why->reason < NR_REASONS && reasons[why->reason].by_place)
		snprintf(help, size, "put both into slots below one switch%s",
			 strcmp(why->peer->map, "not_supported") ? ", which is shorter" :
			 "; or, if the vendor says that the host bridge forwards, have it added to the kernel's list of those");
	return help;
}

static int why_text(const struct peers *peers, const struct why *why)
{
	const struct peer *peer = why->peer;
	char help[1024];

	print_mode(peers);
	printf("%s -> %s", peer->client, why->provider->pci);
	if (has_dev_name(why->provider))
		printf(" (%s)", why->provider->dev);
	printf(": %s", peer->map);
	if (strcmp(peer->map, "not_supported"))
		printf(", %d hop%s", peer->distance, peer->distance == 1 ? "" : "s");
	printf("\n\n");
	print_paths(why);
	printf("\n%s: %s\n", peer->reason, why->reason < NR_REASONS ? reasons[why->reason].words :
	       "p2ptrace does not know this reason");
	if (*help_of(why, help, sizeof(help)))
		printf("What would help: %s.\n", help);
	return 0;
}

static struct json_object *json_path(const struct pci_path *path)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < path->depth; i++)
		json_object_array_add(array, json_object_new_string(path->names[i]));
	return array;
}

static struct json_object *json_peer(const struct peer *peer)
{
	struct json_object *object = json_object_new_object();
	char driver[64];

	pci_driver(SYSFS, peer->client, driver, sizeof(driver));
	json_object_object_add(object, "client", json_object_new_string(peer->client));
	json_object_object_add(object, "driver", strcmp(driver, "-") ? json_object_new_string(driver) : NULL);
	json_object_object_add(object, "known_as", known_as_json(peer->client));
	json_object_object_add(object, "map", json_object_new_string(peer->map));
	json_object_object_add(object, "distance", json_object_new_int(peer->distance));
	json_object_object_add(object, "reason", json_object_new_string(peer->reason));
	json_object_object_add(object, "blocker", *peer->blocker ? json_object_new_string(peer->blocker) : NULL);
	return object;
}

static int why_json(const struct peers *peers, const struct why *why)
{
	struct json_object *object = json_peer(why->peer);
	char help[1024];

	json_object_object_add(object, "mode", json_object_new_string(mode(peers)));
	json_object_object_add(object, "dev", json_object_new_string(why->provider->dev));
	json_object_object_add(object, "provider", json_object_new_string(why->provider->pci));
	json_object_object_add(object, "client_path", json_path(&why->from.path));
	json_object_object_add(object, "provider_path", json_path(&why->to.path));
	json_object_object_add(object, "redirects", json_object_new_string(why->ports));
	json_object_object_add(object, "help", json_object_new_string(help_of(why, help, sizeof(help))));
	return output_json_document(object, stdout);
}

static int read_ends(struct why *why)
{
	struct pci_access *config = config_open(SYSFS);
	const char *pci = why->peer->client;
	int err = end_read(&why->from, config, SYSFS, pci);

	if (!err) {
		pci = why->provider->pci;
		err = end_read(&why->to, config, SYSFS, pci);
	}
	config_close(config);
	return err ? end_refused(pci, err) : 0;
}

static int explain(const struct peers *peers, const struct options *o)
{
	char provider[PCI_NAME_LEN], client[PCI_NAME_LEN];
	struct why why = {};
	int rc;

	why.provider = peers_provider(peers, o->why[0]);
	if (!why.provider && !is_p2pmem_name(o->why[0])) {
		rc = device_pci(SYSFS, o->why[0], provider, sizeof(provider));
		if (rc)
			return device_refused("PROVIDER", o->why[0], rc);
		why.provider = peers_provider(peers, provider);
	}
	if (!why.provider)
		return fail(EXIT_USAGE, "'%.64s' lends no peer memory; see 'p2ptrace peers' for who does", o->why[0]);
	rc = device_pci(SYSFS, o->why[1], client, sizeof(client));
	if (rc)
		return device_refused("CLIENT", o->why[1], rc);
	why.peer = provider_peer(why.provider, client);
	if (!why.peer)
		return fail(EXIT_USAGE, "'%s' is no PCI function that could be a client; see 'p2ptrace peers'", o->why[1]);
	rc = read_ends(&why);
	if (rc)
		return rc;
	why.reason = reason_index(why.peer->reason);
	redirecting_ports(why.ports, sizeof(why.ports), &why.to, &why.from);
	return o->json ? why_json(peers, &why) : why_text(peers, &why);
}

static int matrix_json(const struct peers *peers)
{
	struct json_object *document = json_object_new_object(), *providers = json_object_new_array();

	json_object_object_add(document, "mode", json_object_new_string(mode(peers)));
	json_object_object_add(document, "providers", providers);
	for (size_t i = 0; i < peers->nr; i++) {
		const struct provider *provider = &peers->providers[i];
		struct json_object *object = json_object_new_object(), *clients = json_object_new_array();

		json_object_object_add(object, "dev", json_object_new_string(provider->dev));
		json_object_object_add(object, "provider", json_object_new_string(provider->pci));
		json_object_object_add(object, "size", json_object_new_uint64(provider->size));
		json_object_object_add(object, "clients", clients);
		for (size_t c = 0; c < provider->nr; c++)
			json_object_array_add(clients, json_peer(&provider->peers[c]));
		json_object_array_add(providers, object);
	}
	return output_json_document(document, stdout);
}

/* Whether a provider before this one has it as well. */
static bool has_row(const struct peers *peers, size_t nr, const char *client)
{
	for (size_t i = 0; i < nr; i++)
		if (provider_peer(&peers->providers[i], client))
			return true;
	return false;
}

/* How wide the names in the third column are, for all that is in the matrix. */
static int names_width(const struct peers *peers)
{
	int width = strlen("known as");
	char names[KNOWN_AS_LEN];

	for (size_t i = 0; i < peers->nr; i++) {
		for (size_t c = 0; c < peers->providers[i].nr; c++) {
			known_as_text(peers->providers[i].peers[c].client, names, sizeof(names));
			if ((int)strlen(names) > width)
				width = strlen(names);
		}
	}
	return width;
}

/* What one client can do with all of them; how many refuse it. */
static size_t print_row(const struct peers *peers, const char *client, int width)
{
	char driver[64], names[KNOWN_AS_LEN];
	size_t refused = 0;

	pci_driver(SYSFS, client, driver, sizeof(driver));
	known_as_text(client, names, sizeof(names));
	printf("%-13s %-12s %-*s", client, driver, width, names);
	for (size_t i = 0; i < peers->nr; i++) {
		const struct peer *peer = provider_peer(&peers->providers[i], client);
		char cell[WORD_LEN + 16] = "-";

		if (peer && !strcmp(peer->map, "not_supported")) {
			snprintf(cell, sizeof(cell), "no");
			refused++;
		} else if (peer) {
			snprintf(cell, sizeof(cell), "%s %d", peer->map, peer->distance);
		}
		printf(" %-*s", i + 1 < peers->nr ? CELL_WIDTH : 0, cell);
	}
	printf("\n");
	return refused;
}

/* What the columns are called: by their p2pmem device, if there are such, and by their PCI name. */
static void print_head(const struct peers *peers, int width)
{
	bool named = false;

	for (size_t i = 0; i < peers->nr; i++)
		named |= has_dev_name(&peers->providers[i]);
	printf("%-13s %-12s %-*s", "client", "driver", width, "known as");
	for (size_t i = 0; named && i < peers->nr; i++)
		printf(" %-*s", i + 1 < peers->nr ? CELL_WIDTH : 0, peers->providers[i].dev);
	if (named)
		printf("\n%-26s %-*s", "", width, "");
	for (size_t i = 0; i < peers->nr; i++)
		printf(" %-*s", i + 1 < peers->nr ? CELL_WIDTH : 0, peers->providers[i].pci);
	printf("\n");
}

/* All that any provider has decided about, in the kernel's order: a function may have come while they were read. */
static int matrix_text(const struct peers *peers, const struct options *o)
{
	int width = names_width(peers);
	size_t refused = 0;

	if (!peers->nr) {
		printf("nobody lends peer memory\n");
		return 0;
	}
	print_mode(peers);
	print_head(peers, width);
	for (size_t i = 0; i < peers->nr; i++) {
		const struct provider *provider = &peers->providers[i];

		for (size_t c = 0; c < provider->nr; c++)
			if (!has_row(peers, i, provider->peers[c].client))
				refused += print_row(peers, provider->peers[c].client, width);
	}
	if (refused)
		printf("\nno: see why, and what would help, by p2ptrace peers%s --why %s CLIENT\n",
		       o->predict ? " --predict" : "", peers->providers[0].dev);
	return 0;
}

static int load(struct peers *peers, const struct options *o)
{
	if (!o->predict && peers_told(SYSFS))
		return peers_load(peers, SYSFS, DEBUGFS);
	return predict_load(peers, SYSFS, CPUINFO, VMLINUX_BTF);
}

int cmd_peers(int argc, char **argv)
{
	struct options o = {};
	struct peers peers;
	int rc;

	if (args_parse(&argp, argc, argv, &o))
		return o.status ? o.status : EXIT_USAGE;
	if (o.help) {
		args_help(&argp, argv[0]);
		return 0;
	}
	rc = load(&peers, &o);
	if (rc)
		return rc;
	if (o.why[0])
		rc = explain(&peers, &o);
	else
		rc = o.json ? matrix_json(&peers) : matrix_text(&peers, &o);
	peers_free(&peers);
	return rc;
}
