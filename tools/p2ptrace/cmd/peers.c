// SPDX-License-Identifier: GPL-2.0
/*
 * p2ptrace peers: which devices can reach which peer memory; if not, why, and the remedy.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/print.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/acs.h"
#include "machine/decision.h"
#include "machine/devices.h"
#include "machine/peers.h"
#include "machine/predict.h"
#include "machine/sysfs.h"

struct options {
	struct common_options common;
	bool predict;
	const char *why[2];	/* provider and client; NULL without --why */
};

static int set_why(void *to, const char *value)
{
	struct options *o = to;

	if (o->why[0])
		return fail(EXIT_USAGE, "--why is given twice; give it once");
	o->why[0] = value;
	return 0;
}

static int set_predict(void *to, const char *value)
{
	struct options *o = to;

	(void)value;
	o->predict = true;
	return 0;
}

static int set_argument(void *to, const char *value)
{
	struct options *o = to;

	if (!o->why[0] || o->why[1])
		return fail(EXIT_USAGE, "unexpected argument '%s'; see 'p2ptrace peers --help'",
			    value);
	o->why[1] = value;
	return 0;
}

static const struct arg_option question_options[] = {
	{ "why", 0, "PROVIDER CLIENT",
	  "Explain one pair: the path, what is in the way, and the remedy", set_why },
	{ "predict", 0, NULL,
	  "Predict the decisions from sysfs and PCI config space, even if this kernel shows them",
	  set_predict },
	{}
};

static const struct arg_group groups[] = {
	{ "Question", question_options },
	{ "Output", options_json },
	{ "General", options_help },
	{}
};

static const struct args args = {
	.usage = "",
	.summary = "Show which clients (rows) can reach which providers of peer memory (columns), "
		   "by which path, and over how many hops.",
	.groups = groups,
	.argument = set_argument,
	.notes = "Paths: bus_addr is a direct path through a switch. thru_host_bridge leads up to "
		 "the host bridge and down again. not_supported means that there is no path.\n\n"
		 "A device has its PCI name (0000:01:00.0) and the names of its drivers (nvme0, "
		 "eth0, mlx5_0); a provider with a pool is also p2pmem0. The answer is what the "
		 "kernel decides now; querying has no side effects. A stock kernel does not show "
		 "its decisions, so p2ptrace predicts them.\n",
	.exit_status = OPTIONS_EXIT_STATUS,
	.examples = "  p2ptrace peers\n"
		    "  p2ptrace peers --json\n"
		    "  p2ptrace peers --why 0000:01:00.0 0000:02:00.0\n"
		    "  p2ptrace peers --predict --why nvme0 eth0\n",
};

/* "thru_host_bridge 12" */
#define CELL_WIDTH 21

/* All names with each byte as \xNN; the room for their NULs is enough for the commas */
#define KNOWN_AS_LEN (4 * sizeof(((struct known_as *)0)->names))

/* "mlx5_0,eth0"; "-" for a function without names. */
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

static void known_as_json(struct buffer *out, const char *pci)
{
	struct known_as known;

	device_known_as(SYSFS, pci, &known);
	json_open(out, "known_as", '[');
	for (size_t i = 0; i < known.nr; i++)
		json_str(out, NULL, known.names[i]);
	json_close(out, ']');
}

/* "0000:02:00.0;0000:02:01.0": the ports that pci=disable_acs_redir= has to name. */
static void redirecting_ports(char *list, size_t size, const struct end *provider,
			      const struct end *client)
{
	struct redirects redirects;
	size_t used = 0;

	*list = '\0';
	redirects_gather(&redirects, provider, client);
	for (size_t i = 0; i < redirects.nr; i++) {
		int n = snprintf(list + used, size - used, "%s%s", used ? ";" : "",
				 redirects.names[i]);

		if (n < 0 || (size_t)n >= size - used) {
			/* A name that is cut can be the name of another device */
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
	const struct reason *reason;	/* NULL if p2ptrace does not know it */
};

static const char *mode(const struct peers *peers)
{
	return peers->predicted ? "predicted" : "tracepoint";
}

static void print_mode(const struct peers *peers)
{
	if (peers->predicted)
		print("predicted from sysfs and PCI config space%s\n\n", peers_shown(SYSFS) ?
		       "; the kernel's own decisions were not read" :
		       ", because this kernel does not show its decisions");
}

/* Whether the provider has a name besides its PCI name. */
static bool has_dev_name(const struct provider *provider)
{
	return strcmp(provider->dev, provider->pci);
}

static const char *blocker_mark(const struct why *why, const char *pci)
{
	return !strcmp(pci, why->peer->blocker) ? "  <- redirects peer requests (ACS)" : "";
}

/* The device at the end of a path: @role, its driver, and its names in parentheses. */
static void print_device(const struct why *why, const char *pci, const char *role)
{
	char driver[64], names[KNOWN_AS_LEN];

	pci_driver(SYSFS, pci, driver, sizeof(driver));
	known_as_text(pci, names, sizeof(names));
	print("%s, %s", role, driver);
	if (strcmp(names, "-"))
		print(" (%s)", names);
	print("%s\n", blocker_mark(why, pci));
}

/*
 * Draws the functions of a path from index @from on as a branch of the tree. Another branch follows
 * below it, unless it is the @last. @role describes the device at the end of the path.
 */
static void print_branch(const struct why *why, const struct pci_path *path, size_t from, bool last,
			 const char *role)
{
	for (size_t i = from; i < path->depth; i++) {
		const char *name = path->names[i];

		print("  %*s", (int)(3 * from), "");
		if (i > from)
			print("%s%*s", last ? "   " : "│  ", (int)(3 * (i - from - 1)), "");
		print("%s %s  ", i > from || last ? "└─" : "├─", name);
		if (i + 1 < path->depth)
			print("%s%s\n", pci_kind(SYSFS, name), blocker_mark(why, name));
		else
			print_device(why, name, role);
	}
}

static void print_root(const struct pci_path *path)
{
	print("  host bridge%s%s\n", *path->root ? " " : "", path->root);
}

/*
 * Draws the shared bridges, then the two branches below the last of them. Devices below different
 * host bridges have a tree each.
 */
static void print_paths(const struct why *why)
{
	const struct pci_path *from = &why->from.path, *to = &why->to.path;
	bool same = !strcmp(why->peer->client, why->provider->pci);
	bool apart = strcmp(from->root, to->root);
	size_t shared = pci_path_shared(from, to);
	char provider[PCI_NAME_LEN + 32];

	snprintf(provider, sizeof(provider), "provider%s%s",
		 has_dev_name(why->provider) ? ", " : "",
		 has_dev_name(why->provider) ? why->provider->dev : "");
	print_root(to);
	for (size_t i = 0; i < shared; i++)
		print("  %*s└─ %s  %s%s\n", (int)(3 * i), "", to->names[i],
		       pci_kind(SYSFS, to->names[i]), blocker_mark(why, to->names[i]));
	print_branch(why, to, shared, same || apart, provider);
	if (apart)
		print_root(from);
	if (!same)
		print_branch(why, from, shared, true, "client");
}

static const char *help_of(const struct why *why, char *help, size_t size)
{
	*help = '\0';
	if (why->reason && why->reason->by_acs)
		snprintf(help, size, "boot with pci=disable_acs_redir=%s on the kernel command "
			 "line; the path is then direct, but the devices lose the isolation of ACS",
			 *why->ports ? why->ports : why->peer->blocker);
	else if (why->reason && why->reason->by_place)
		snprintf(help, size, "put both devices into slots below one switch%s",
			 map_supported(why->peer->map) ? " for a shorter path" :
			 "; or, if the vendor confirms that the host bridge forwards peer "
			 "requests, ask linux-pci@vger.kernel.org to add it to the kernel's list");
	return help;
}

static void why_text(const struct peers *peers, const struct why *why)
{
	const struct peer *peer = why->peer;
	char help[1024];

	print_mode(peers);
	print("%s -> %s", peer->client, why->provider->pci);
	if (has_dev_name(why->provider))
		print(" (%s)", why->provider->dev);
	print(": %s", peer->map);
	if (map_supported(peer->map))
		print(", %d hop%s", peer->distance, PLURAL(peer->distance));
	print("\n\n");
	print_paths(why);
	print("\n%s: %s\n", peer->reason, why->reason ? why->reason->words :
	       "p2ptrace does not know this reason; see the kernel's documentation");
	if (*help_of(why, help, sizeof(help)))
		print("Remedy: %s.\n", help);
}

static void json_path(struct buffer *out, const char *key, const struct pci_path *path)
{
	json_open(out, key, '[');
	for (size_t i = 0; i < path->depth; i++)
		json_str(out, NULL, path->names[i]);
	json_close(out, ']');
}

/* The members of an object that describe a client. */
static void json_peer(struct buffer *out, const struct peer *peer)
{
	char driver[64];

	pci_driver(SYSFS, peer->client, driver, sizeof(driver));
	json_str(out, "client", peer->client);
	if (strcmp(driver, "-"))
		json_str(out, "driver", driver);
	else
		json_none(out, "driver");
	known_as_json(out, peer->client);
	json_str(out, "map", peer->map);
	json_int(out, "distance", peer->distance);
	json_str(out, "reason", peer->reason);
	if (*peer->blocker)
		json_str(out, "blocker", peer->blocker);
	else
		json_none(out, "blocker");
}

static void why_json(const struct peers *peers, const struct why *why)
{
	struct buffer *out = print_buffer();
	char help[1024];

	json_open(out, NULL, '{');
	json_peer(out, why->peer);
	json_str(out, "mode", mode(peers));
	json_str(out, "dev", why->provider->dev);
	json_str(out, "provider", why->provider->pci);
	json_path(out, "client_path", &why->from.path);
	json_path(out, "provider_path", &why->to.path);
	json_str(out, "redirects", why->ports);
	json_str(out, "help", help_of(why, help, sizeof(help)));
	json_close(out, '}');
	print("\n");
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
		return fail(EXIT_USAGE, "'%.64s' does not provide peer memory; see 'p2ptrace "
			    "peers' for devices that do", o->why[0]);
	rc = device_pci(SYSFS, o->why[1], client, sizeof(client));
	if (rc)
		return device_refused("CLIENT", o->why[1], rc);
	why.peer = provider_peer(why.provider, client);
	if (!why.peer)
		return fail(EXIT_USAGE, "'%s' is not a PCI function that can be a client; "
			    "see 'p2ptrace peers'", o->why[1]);
	rc = read_ends(&why);
	if (rc)
		return rc;
	why.reason = reason_find(why.peer->reason);
	redirecting_ports(why.ports, sizeof(why.ports), &why.to, &why.from);
	if (o->common.json)
		why_json(peers, &why);
	else
		why_text(peers, &why);
	return 0;
}

static void matrix_json(const struct peers *peers)
{
	struct buffer *out = print_buffer();

	json_open(out, NULL, '{');
	json_str(out, "mode", mode(peers));
	json_open(out, "providers", '[');
	for (size_t i = 0; i < peers->nr; i++) {
		const struct provider *provider = &peers->providers[i];

		json_open(out, NULL, '{');
		json_str(out, "dev", provider->dev);
		json_str(out, "provider", provider->pci);
		json_uint(out, "size", provider->size);
		json_open(out, "clients", '[');
		for (size_t c = 0; c < provider->nr; c++) {
			json_open(out, NULL, '{');
			json_peer(out, &provider->peers[c]);
			json_close(out, '}');
		}
		json_close(out, ']');
		json_close(out, '}');
	}
	json_close(out, ']');
	json_close(out, '}');
	print("\n");
}

/* Whether one of the first @nr providers has this client. */
static bool has_row(const struct peers *peers, size_t nr, const char *client)
{
	for (size_t i = 0; i < nr; i++)
		if (provider_peer(&peers->providers[i], client))
			return true;
	return false;
}

/* The width of the third column. */
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

/* Prints the row of a client. Returns how many providers it cannot reach. */
static size_t print_row(const struct peers *peers, const char *client, int width)
{
	char driver[64], names[KNOWN_AS_LEN];
	size_t refused = 0;

	pci_driver(SYSFS, client, driver, sizeof(driver));
	known_as_text(client, names, sizeof(names));
	print("%-13s %-12s %-*s", client, driver, width, names);
	for (size_t i = 0; i < peers->nr; i++) {
		const struct peer *peer = provider_peer(&peers->providers[i], client);
		char cell[WORD_LEN + 16] = "-";

		if (peer && !map_supported(peer->map)) {
			snprintf(cell, sizeof(cell), "no");
			refused++;
		} else if (peer) {
			snprintf(cell, sizeof(cell), "%s %d", peer->map, peer->distance);
		}
		print(" %-*s", i + 1 < peers->nr ? CELL_WIDTH : 0, cell);
	}
	print("\n");
	return refused;
}

/* The heads of the columns: p2pmem devices in a line of their own, if there are any; PCI names. */
static void print_head(const struct peers *peers, int width)
{
	bool named = false;

	for (size_t i = 0; i < peers->nr; i++)
		named |= has_dev_name(&peers->providers[i]);
	print("%-13s %-12s %-*s", "client", "driver", width, "known as");
	for (size_t i = 0; named && i < peers->nr; i++)
		print(" %-*s", i + 1 < peers->nr ? CELL_WIDTH : 0, peers->providers[i].dev);
	if (named)
		print("\n%-26s %-*s", "", width, "");
	for (size_t i = 0; i < peers->nr; i++)
		print(" %-*s", i + 1 < peers->nr ? CELL_WIDTH : 0, peers->providers[i].pci);
	print("\n");
}

/*
 * Prints the clients of all providers, each client once, in the kernel's order. A function that was
 * added while the providers were read is a client of only some of them.
 */
static void matrix_text(const struct peers *peers, const struct options *o)
{
	int width = names_width(peers);
	size_t refused = 0;

	if (!peers->nr) {
		print("no device provides peer memory\n");
		return;
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
		print("\nno: for the reason and the remedy, run "
		       "p2ptrace peers%s --why %s CLIENT\n", o->predict ? " --predict" : "",
		       peers->providers[0].dev);
}

static int load(struct peers *peers, const struct options *o)
{
	if (!o->predict && peers_shown(SYSFS))
		return peers_load(peers, SYSFS, DEBUGFS);
	return predict_load(peers, SYSFS, CPUINFO, VMLINUX_BTF);
}

int cmd_peers(int argc, char **argv)
{
	struct options o = {};
	struct peers peers;
	int rc;

	if (!options_parse(&args, argc, argv, &o.common, &rc))
		return rc;
	if (o.why[0] && !o.why[1])
		return fail(EXIT_USAGE, "--why takes a provider and a client, such as "
			    "--why p2pmem0 0000:02:00.0");
	rc = load(&peers, &o);
	if (rc)
		return rc;
	if (o.why[0])
		rc = explain(&peers, &o);
	else if (o.common.json)
		matrix_json(&peers);
	else
		matrix_text(&peers, &o);
	peers_free(&peers);
	return rc;
}
