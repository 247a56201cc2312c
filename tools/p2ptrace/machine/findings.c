// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "lib/units.h"
#include "machine/boot_options.h"
#include "machine/class.h"
#include "machine/findings.h"

static const char *const topic_names[NR_TOPICS] = {
#define TOPIC_NAME(name) [TOPIC_##name] = #name,
	FINDING_TOPICS(TOPIC_NAME)
#undef TOPIC_NAME
};

static const char *const level_names[NR_LEVELS] = {
#define LEVEL_NAME(name) [LEVEL_##name] = #name,
	FINDING_LEVELS(LEVEL_NAME)
#undef LEVEL_NAME
};

const char *topic_name(enum finding_topic topic)
{
	return topic_names[topic];
}

const char *level_name(enum finding_level level)
{
	return level_names[level];
}

/* The text is added to; findings_gather() tests whether memory ran out. */
static void add(struct findings *findings, enum finding_topic topic, enum finding_level level,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void add(struct findings *findings, enum finding_topic topic, enum finding_level level,
		const char *fmt, ...)
{
	struct finding *list = reallocarray(findings->list, findings->nr + 1, sizeof(*list));
	va_list ap;

	if (!list) {
		findings->failed = true;
		return;
	}
	findings->list = list;
	list += findings->nr++;
	*list = (struct finding){ .topic = topic, .level = level };
	va_start(ap, fmt);
	buffer_vprintf(&list->text, fmt, ap);
	va_end(ap);
}

/* More text, or a command, for the finding that was added last. */
static void more(struct findings *findings, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void command(struct findings *findings, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void more(struct findings *findings, const char *fmt, ...)
{
	va_list ap;

	if (findings->failed)
		return;
	va_start(ap, fmt);
	buffer_vprintf(&findings->list[findings->nr - 1].text, fmt, ap);
	va_end(ap);
}

static void command(struct findings *findings, const char *fmt, ...)
{
	va_list ap;

	if (findings->failed)
		return;
	va_start(ap, fmt);
	buffer_vprintf(&findings->list[findings->nr - 1].commands, fmt, ap);
	va_end(ap);
}

/* A fact that is unknown, and that the decision does not depend on. */
static void missing(struct findings *findings, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void missing(struct findings *findings, const char *fmt, ...)
{
	va_list ap;

	buffer_printf(&findings->missing, "%s", findings->missing.len ? ", " : "");
	va_start(ap, fmt);
	buffer_vprintf(&findings->missing, fmt, ap);
	va_end(ap);
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->nr; i++) {
		buffer_free(&findings->list[i].text);
		buffer_free(&findings->list[i].commands);
	}
	buffer_free(&findings->missing);
	free(findings->list);
	memset(findings, 0, sizeof(*findings));
}

void pair_set(struct pair *pair, const struct machine *machine, const struct release *release,
	      int provider, int client)
{
	*pair = (struct pair){
		.machine = machine,
		.release = *release,
		.provider = provider,
		.client = client,
	};
	pair->routed = route_find(&pair->route, machine, provider, client);
	decide(&pair->predicted, machine, release, provider, client);
	pair->reported = machine_find_reported(machine, provider, client);
}

void pair_set_ends(struct pair *pair, const struct machine *machine, const struct release *release,
		   const struct end_facts *provider, const struct end_facts *client)
{
	pair->machine = machine;
	pair->release = *release;
	pair->provider = provider->function;
	pair->client = client->function;
	pair->routed = false;
	decide_ends(&pair->predicted, machine, release, provider, client);
	pair->reported = machine_find_reported(machine, pair->provider, pair->client);
}

const char *pair_map(const struct pair *pair)
{
	return pair->reported ? pair->reported->map : pair->predicted.map;
}

int pair_distance(const struct pair *pair)
{
	return pair->reported ? pair->reported->distance : pair->predicted.distance;
}

const char *pair_reason(const struct pair *pair)
{
	return pair->reported ? pair->reported->reason : reasons[pair->predicted.reason].name;
}

void function_label(char *label, size_t size, const struct function *function)
{
	if (function->nr_names)
		snprintf(label, size, "%s (%s)", function->name, function->names[0]);
	else
		snprintf(label, size, "%s", function->name);
}

bool pair_through_root(const struct pair *pair)
{
	return pair->routed && (pair->route.shared == NONE || pair->route.nr_ruled);
}

const char *guest_of(const struct machine *machine)
{
	/* Bridges that only hypervisors have */
	static const struct {
		int vendor, device;
		const char *hypervisor;
	} bridges[] = {
		{ 0x1b36, NONE, "QEMU" },
		{ 0x15ad, NONE, "VMware" },
		{ 0x8086, 0x1237, "QEMU" },
		{ 0x8086, 0x29c0, "QEMU" },
		{ 0x8086, 0x7190, "VMware" },
	};

	if (*machine->hypervisor)
		return !strcmp(machine->hypervisor, "-") ? NULL :
		       !strcmp(machine->hypervisor, "other") ? "" : machine->hypervisor;
	for (size_t i = 0; i < machine->nr; i++) {
		const struct function *function = &machine->functions[i];

		/* A drawing or a cut dump may not have the class of a host bridge */
		if (function->bridge != PRESENT && function->parent != NONE)
			continue;
		for (size_t b = 0; b < ARRAY_SIZE(bridges); b++)
			if (function->vendor == bridges[b].vendor &&
			    (function->device == bridges[b].device ||
			     (bridges[b].device == NONE && function->bridge == PRESENT)))
				return bridges[b].hypervisor;
	}
	return NULL;
}

struct label {
	char text[LABEL_LEN];
};

static struct label label_of(const struct pair *pair, int function)
{
	struct label label;

	function_label(label.text, sizeof(label.text), function_of(pair, function));
	return label;
}

const char *acs_bits(uint16_t ctrl)
{
	static const char *const bits[] = {
		"", "ReqRedir+", "CmpltRedir+", "ReqRedir+ CmpltRedir+",
		"EgressCtrl+", "ReqRedir+ EgressCtrl+", "CmpltRedir+ EgressCtrl+",
		"ReqRedir+ CmpltRedir+ EgressCtrl+",
	};

	return bits[(ctrl >> 2 & 1) | (ctrl >> 2 & 2) | (ctrl >> 3 & 4)];
}

const char *function_kind(const struct function *function)
{
	static const char *const kinds[] = {
		[TYPE_ENDPOINT] = "endpoint",
		[TYPE_LEGACY_ENDPOINT] = "legacy endpoint",
		[TYPE_ROOT_PORT] = "root port",
		[TYPE_UPSTREAM] = "switch upstream port",
		[TYPE_DOWNSTREAM] = "switch downstream port",
		[TYPE_TO_PCI] = "bridge to PCI",
		[TYPE_FROM_PCI] = "bridge to PCI",
		[TYPE_RC_ENDPOINT] = "integrated endpoint",
		[TYPE_RC_EVENT_COLLECTOR] = "event collector",
	};
	const char *kind = NULL;

	if (function->type < ARRAY_SIZE(kinds))
		kind = kinds[function->type];
	if (kind)
		return kind;
	return function->bridge == PRESENT ? "bridge" : "device";
}

/* ---- the decision ---------------------------------------------------------------------------- */

/* Whether both are functions of one device, or belong to such functions as virtual ones. */
static bool same_device(const struct pair *pair)
{
	const struct function *a = function_of(pair, pair->provider);
	const struct function *b = function_of(pair, pair->client);
	const char *x = is_given(a->physfn) ? a->physfn : a->name;
	const char *y = is_given(b->physfn) ? b->physfn : b->name;

	/* They differ in the last character at most: 0000:01:00.0, 0000:01:00.1 */
	return strlen(x) == strlen(y) && *x && !strncmp(x, y, strlen(x) - 1) &&
	       function_class(a) != CLASS_bridge && function_class(b) != CLASS_bridge;
}

/*
 * The kernel caches the map type of a client by its number, of which it only keeps 16 bits of the
 * domain: map_types_idx() in drivers/pci/p2pdma.c, 6.12 to 7.3.
 */
static int twin_of(const struct pair *pair)
{
	const struct function *client = function_of(pair, pair->client);
	unsigned int domain, bdf[3], other_domain, other[3];

	if (sscanf(client->name, "%x:%x:%x.%x", &domain, &bdf[0], &bdf[1], &bdf[2]) != 4)
		return NONE;
	for (size_t i = 0; i < pair->machine->nr; i++) {
		const struct function *function = &pair->machine->functions[i];

		if (function == client ||
		    sscanf(function->name, "%x:%x:%x.%x", &other_domain, &other[0], &other[1],
			   &other[2]) != 4)
			continue;
		if (!memcmp(bdf, other, sizeof(bdf)) && !((domain ^ other_domain) & 0xffff))
			return i;
	}
	return NONE;
}

/* The firmware's VMD that a function is behind; "" if it is behind none. */
static const char *vmd_above(const struct pair *pair, int function)
{
	int root = function_of(pair, function)->root;

	return root >= 0 && is_given(pair->machine->roots[root].under) ?
	       pair->machine->roots[root].under : "";
}

static void find_twin(struct findings *findings, const struct pair *pair)
{
	int twin = twin_of(pair);
	struct decision other;

	if (twin < 0)
		return;
	decide(&other, pair->machine, &pair->release, pair->provider, twin);
	if (!strcmp(other.map, pair_map(pair)) && strcmp(other.map, MAP_UNKNOWN))
		return;
	add(findings, TOPIC_decision, LEVEL_caution,
	    "Do not use both %s (%s) and %s (%s) as clients of %s. Their names differ only in the "
	    "domain, of which the kernel keeps 16 bits when it stores a decision, so it uses the "
	    "decision that it made last for both.", function_of(pair, pair->client)->name,
	    pair_map(pair), function_of(pair, twin)->name, other.map,
	    function_of(pair, pair->provider)->name);
	if (*vmd_above(pair, pair->client) || *vmd_above(pair, twin))
		more(findings, " VMD (Intel Volume Management Device) makes the second domain, so "
		     "switching it off in the firmware setup solves this. RAID volumes of VMD are "
		     "not found then, and a system on one does not boot.");
}

/* What the kernel decides while it reads all ones from the ACS control register, too. */
static void find_meanwhile(struct findings *findings, const struct pair *pair)
{
	const char *name = function_of(pair, pair->predicted.blocker)->name;
	struct decision meanwhile;

	command(findings, "echo on > /sys/bus/pci/devices/%s/power/control\n", name);
	decide_redirected(&meanwhile, pair->machine, &pair->release, pair->provider, pair->client,
			  pair->predicted.blocker);
	add(findings, TOPIC_decision, LEVEL_caution,
	    "If %s has ACS, the kernel reads all ones there as well, and takes it for a function "
	    "that redirects peer requests.", name);
	if (strcmp(meanwhile.map, MAP_UNKNOWN))
		more(findings, " Until it can be read again, the decision is then %s (%s).",
		     meanwhile.map, reasons[meanwhile.reason].name);
}

static void find_decision(struct findings *findings, const struct pair *pair)
{
	const struct decision *predicted = &pair->predicted;
	const struct reason *reason = &reasons[predicted->reason];

	if (pair->reported && strcmp(pair->reported->map, predicted->map) &&
	    strcmp(predicted->map, MAP_UNKNOWN))
		add(findings, TOPIC_decision, LEVEL_caution,
		    "The kernel reports %s (%s), but its rules predict %s (%s). The hardware may "
		    "have changed since the kernel decided, or the list of host bridges differs.",
		    pair->reported->map, pair->reported->reason, predicted->map, reason->name);
	if (!strcmp(pair_map(pair), MAP_UNKNOWN) && reason->find_out)
		add(findings, TOPIC_decision, LEVEL_remedy, "To find out: %s.", reason->find_out);
	if (!strcmp(pair_map(pair), MAP_UNKNOWN) && predicted->reason == REASON_PORT_ALL_ONES &&
	    predicted->blocker >= 0)
		find_meanwhile(findings, pair);
	if (!strcmp(pair_map(pair), MAP_NOT_SUPPORTED) && pair->routed && pair->route.nr_ruled)
		add(findings, TOPIC_decision, LEVEL_caution,
		    "The redirected path leads through the host bridge, which is not known to "
		    "forward peer requests, so the kernel refuses it. Make the path direct, as "
		    "below; do not override the kernel: hardware that does not forward peer "
		    "requests may corrupt data without an error.");
	else if (!strcmp(pair_map(pair), MAP_NOT_SUPPORTED))
		add(findings, TOPIC_decision, LEVEL_caution,
		    "This kernel refuses the pair because it does not know whether the hardware "
		    "forwards peer requests. Do not override it by a driver option or a patched "
		    "list: hardware that does not forward them may corrupt data without an error.");
	if (pair->machine->p2pdma == ABSENT)
		add(findings, TOPIC_decision, LEVEL_caution,
		    "This kernel was built without CONFIG_PCI_P2PDMA: no driver can use the path, "
		    "whatever the decision would be. Boot a kernel with CONFIG_PCI_P2PDMA=y.");
	if (pair->provider != pair->client && same_device(pair))
		add(findings, TOPIC_decision, LEVEL_note,
		    "Both are functions of one device%s. If it keeps requests between them inside, "
		    "no port sees them, and neither ACS nor the host bridge matters; but the "
		    "kernel does not know that, and decides as for any other pair.",
		    is_given(function_of(pair, pair->provider)->physfn) ||
		    is_given(function_of(pair, pair->client)->physfn) ?
		    " (virtual functions belong to the device of their physical function)" : "");
}

/* ---- host bridges ---------------------------------------------------------------------------- */

static void release_text(char *text, size_t size, const struct release *release)
{
	snprintf(text, size, "%d.%d", release->major, release->minor);
}

/* What the kernel's list has about a host bridge. */
static void host_bridge_status(struct findings *findings, const struct pair *pair,
			       const struct known_bridge *known)
{
	static const char list[] = " The kernel's list of host bridges that forward peer requests";
	char since[32], until[32], release[32];

	release_text(release, sizeof(release), &pair->release);
	if (!known) {
		more(findings, " It is not on the kernel's list of host bridges that forward peer "
		     "requests, in any release from 5.4 to 7.3.");
		return;
	}
	more(findings, " It is: %s.", known->name);
	release_text(since, sizeof(since), &known->since);
	release_text(until, sizeof(until), &known->until);
	switch (known_bridge_in(known, &pair->release)) {
	case PRESENT:
	case PRESENCE_UNKNOWN:
		more(findings, "%s has it since Linux %s.", list, since);
		break;
	case ABSENT:
		if (known->until.major)
			more(findings, "%s had it from Linux %s on and lost it in %s, so the list "
			     "of Linux %s does not have it.", list, since, until, release);
		else
			more(findings, "%s has it since Linux %s, so the list of Linux %s does not "
			     "have it.", list, since, release);
	}
	more(findings, " The entry allows %s.", known->same_only ?
	     "only pairs below this one host bridge" :
	     "pairs below this host bridge, and pairs between it and another one on the list");
}

static void find_host_bridge(struct findings *findings, const struct pair *pair, int root)
{
	const struct root *of = &pair->machine->roots[root];
	const struct function *function;
	struct host_bridge bridge;

	host_bridge_find(&bridge, pair->machine, root);
	if (bridge.function == UNKNOWN) {
		add(findings, TOPIC_host_bridge, LEVEL_note,
		    "The kernel identifies a host bridge by the first function on its root bus. "
		    "For %s, it is unknown which one that is.", of->name);
		return;
	}
	if (bridge.function == NONE) {
		add(findings, TOPIC_host_bridge, LEVEL_note,
		    "The kernel cannot identify the host bridge of %s, so it is not on any list: "
		    "the first function on the root bus is neither device 00.0 nor a root port.",
		    of->name);
		return;
	}
	function = function_of(pair, bridge.function);
	add(findings, TOPIC_host_bridge, LEVEL_note, "The kernel identifies the host bridge of %s "
	    "by the first function on its root bus: %s", of->name, function->name);
	if (function->vendor >= 0 && function->device >= 0)
		more(findings, ", %04x:%04x", function->vendor, function->device);
	if (*function->title)
		more(findings, " (%s)", function->title);
	if (bridge.function == pair->provider || bridge.function == pair->client)
		more(findings, ", which is the %s itself", bridge.function == pair->client ?
		     "client" : "provider");
	more(findings, ".");
	if (function->vendor < 0 || function->device < 0)
		more(findings, " Its ids are unknown.");
	/* The CPU makes up for any list */
	else if (cpu_allows(pair->machine, &pair->release) != PRESENT)
		host_bridge_status(findings, pair, bridge.known);
	if (bridge.any_slot && pair->release.major && (pair->release.major < 5 ||
	    (pair->release.major == 5 && pair->release.minor < 19)))
		more(findings, " Before Linux 5.19, the kernel only looks up function 00.0, so it "
		     "does not find this one.");
	if (bridge.assumed)
		more(findings, " The kernel takes the function that it found first; here the one "
		     "with the lowest number is assumed.");
}

static void find_cpu(struct findings *findings, const struct pair *pair)
{
	const struct machine *machine = pair->machine;
	enum presence allows = cpu_allows(machine, &pair->release);

	if (strcmp(machine->cpu_vendor, "AuthenticAMD"))
		return;
	if (allows == PRESENT)
		add(findings, TOPIC_host_bridge, LEVEL_note,
		    "The kernel allows every host bridge of AMD CPUs from family 0x17 (Zen) on, "
		    "whether or not it is on the kernel's list. This CPU is of family 0x%x.",
		    machine->cpu_family);
	else if (allows == ABSENT)
		add(findings, TOPIC_host_bridge, LEVEL_note,
		    "The CPU is an AMD CPU of family 0x%x. The kernel allows all host bridges on "
		    "AMD CPUs only since family 0x17 (Zen) and Linux 5.9.", machine->cpu_family);
}

/* The first release, newer than the pair's, that allows it. */
static bool first_to_allow(const struct pair *pair, struct release *first)
{
	struct decision decision;

	*first = pair->release;
	while (release_next(first, first)) {
		decide(&decision, pair->machine, first, pair->provider, pair->client);
		if (!strcmp(decision.map, MAP_BUS_ADDR) ||
		    !strcmp(decision.map, MAP_THRU_HOST_BRIDGE))
			return true;
	}
	return false;
}

static bool has_switch(const struct pair *pair, const int *up, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (function_of(pair, up[i])->type == TYPE_UPSTREAM)
			return true;
	return false;
}

/*
 * Both can be put below one switch, unless one is on a root bus: that one is in no slot. @other:
 * there is a remedy before this one.
 */
static void find_switch_remedy(struct findings *findings, const struct pair *pair, bool other)
{
	const int ends[] = { pair->provider, pair->client };
	const bool fixed[] = { pair->route.nr_provider == 1, pair->route.nr_client == 1 };

	if (!fixed[0] && !fixed[1]) {
		add(findings, TOPIC_host_bridge, LEVEL_remedy,
		    "%s both devices below one %s. If its ports redirect peer requests (ACS), the "
		    "kernel still refuses the pair: run p2ptrace peers again.",
		    other ? "Or put" : "Put",
		    has_switch(pair, pair->route.provider, pair->route.nr_provider) &&
		    has_switch(pair, pair->route.client, pair->route.nr_client) ?
		    "more switch: they share none of those that they have now" : "switch");
		return;
	}
	add(findings, TOPIC_host_bridge, LEVEL_remedy, "%s the data through system memory",
	    other ? "Or transfer" : "Transfer");
	if (!fixed[0] || !fixed[1])
		more(findings, ", or use another device in place of %s, below one switch with %s",
		     function_of(pair, ends[fixed[1]])->name,
		     function_of(pair, ends[fixed[0]])->name);
	more(findings, ".");
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (fixed[i] && function_of(pair, ends[i])->type == TYPE_RC_ENDPOINT)
			more(findings, " %s is integrated into the root complex (the CPU or its "
			     "chipset), so it cannot be put below a switch.",
			     function_of(pair, ends[i])->name);
		else if (fixed[i])
			more(findings, " Linux sees %s directly on a root bus, with no port above "
			     "it, so it is probably in no slot, and cannot be put below a switch.",
			     function_of(pair, ends[i])->name);
}

/* What the kernel's list says of an end's host bridge, or of the one that it has without VMD. */
static enum presence forwards_without_vmd(const struct pair *pair, const int *roots, size_t end)
{
	struct host_bridge bridge;

	host_bridge_find(&bridge, pair->machine, roots[end]);
	return host_bridge_forwards(&bridge, &pair->release, roots[0] == roots[1]);
}

/*
 * VMD puts root ports into a domain of their own, until the firmware switches it off. Returns
 * whether that may be enough.
 */
static bool find_vmd_remedy(struct findings *findings, const struct pair *pair)
{
	const int ends[] = { pair->provider, pair->client };
	int roots[ARRAY_SIZE(ends)], end = NONE;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const char *vmd = vmd_above(pair, ends[i]);
		const struct function *function = *vmd ? machine_find(pair->machine, vmd) :
						  function_of(pair, ends[i]);

		roots[i] = function ? function->root : UNKNOWN;
		if (*vmd && end == NONE)
			end = i;
	}
	if (end == NONE)
		return false;
	add(findings, TOPIC_host_bridge, LEVEL_note,
	    "VMD (Intel Volume Management Device) %s puts %s into a PCI domain of its own, below a "
	    "host bridge of its own. Without VMD, it is below the host bridge of %s.",
	    vmd_above(pair, ends[end]), function_of(pair, ends[end])->name,
	    vmd_above(pair, ends[end]));
	if (forwards_without_vmd(pair, roots, 0) == ABSENT ||
	    forwards_without_vmd(pair, roots, 1) == ABSENT) {
		more(findings, " But switching VMD off does not make the kernel allow the pair.");
		return false;
	}
	add(findings, TOPIC_host_bridge, LEVEL_remedy,
	    "Switch VMD off in the firmware setup, unless a RAID volume needs it, and run p2ptrace "
	    "peers again.");
	return true;
}

/* The kernel may take one of the two for its host bridge: then the CPU's vendor cannot help. */
static void find_vendor_remedy(struct findings *findings, const struct pair *pair)
{
	const int ends[] = { pair->provider, pair->client };
	bool same = function_of(pair, ends[0])->root == function_of(pair, ends[1])->root;
	const char *and = "";
	bool of_cpu = false;

	add(findings, TOPIC_host_bridge, LEVEL_remedy, "Or ask");
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		int root = function_of(pair, ends[i])->root;
		struct host_bridge bridge;

		host_bridge_find(&bridge, pair->machine, root);
		if (host_bridge_forwards(&bridge, &pair->release, same) == PRESENT)
			continue;
		if (bridge.function == ends[i])
			more(findings, "%s the vendor of %s (%04x), which the kernel takes for the "
			     "host bridge of %s, whether peer requests pass between it and "
			     "other root buses", and, function_of(pair, ends[i])->name,
			     function_of(pair, ends[i])->vendor, pair->machine->roots[root].name);
		else if (!of_cpu)
			more(findings, "%s the vendor of the CPU whether its host bridge forwards "
			     "peer requests", and);
		of_cpu |= bridge.function != ends[i];
		and = ", and";
	}
	more(findings, ". If so, linux-pci@vger.kernel.org can add it to the kernel's list.");
}

static void find_host_bridges(struct findings *findings, const struct pair *pair)
{
	struct release newer;
	char text[32];
	int a = function_of(pair, pair->provider)->root, b = function_of(pair, pair->client)->root;
	bool allowed_later, other;

	if (!pair_through_root(pair))
		return;
	find_cpu(findings, pair);
	if (a >= 0)
		find_host_bridge(findings, pair, a);
	if (b >= 0 && b != a)
		find_host_bridge(findings, pair, b);
	if (strcmp(pair_map(pair), MAP_NOT_SUPPORTED) || guest_of(pair->machine))
		return;
	other = pair->route.shared == NONE && find_vmd_remedy(findings, pair);
	allowed_later = first_to_allow(pair, &newer);
	if (allowed_later) {
		release_text(text, sizeof(text), &newer);
		add(findings, TOPIC_host_bridge, LEVEL_remedy,
		    "%s Linux %s or newer. It counts this hardware as able to forward peer "
		    "requests, so it allows the pair without an override. Compare the data of a "
		    "test transfer first.", other ? "Or boot" : "Boot", text);
	}
	if (pair->route.shared == NONE)
		find_switch_remedy(findings, pair, other || allowed_later);
	if (!allowed_later)
		find_vendor_remedy(findings, pair);
}

/* ---- ACS ------------------------------------------------------------------------------------- */

static void grub_line(struct findings *findings, const char *option)
{
	command(findings, "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX \\\"%s\\\"\"\n", option);
}

static void find_acs_remedy(struct findings *findings, const struct pair *pair)
{
	const struct route *route = &pair->route;
	struct buffer option = {};

	add(findings, TOPIC_acs, LEVEL_remedy,
	    "%sTo make the path direct, boot with the option below.",
	    !strcmp(pair_map(pair), MAP_THRU_HOST_BRIDGE) ?
	    "The transfer is allowed already, by a longer path. " : "");
	boot_options_acs(&option, pair->machine, NULL, 0);
	if (!pair->machine->options_known)
		more(findings, " If /proc/cmdline has pci=disable_acs_redir already, add its ports "
		     "to the list below: only the last such option counts.");
	else if (option.len)
		more(findings, " It replaces the pci=disable_acs_redir= in use, and includes its "
		     "ports.");
	more(findings, " The devices below %s then lose the isolation that ACS gives them, and "
	     "share an IOMMU group.", route->nr_ruled == 1 ? "this port" : "these ports");
	findings->failed |= option.failed;
	buffer_reset(&option);
	buffer_printf(&option, "pci=disable_acs_redir=");
	boot_options_acs(&option, pair->machine, route->redirects, route->nr_ruled);
	command(findings, "# the option itself, for any boot loader:\n\"%s\"\n",
		buffer_text(&option));
	command(findings, "# GRUB: this line in /etc/default/grub, with these quotes; then "
		"update-grub\n");
	grub_line(findings, buffer_text(&option));
	command(findings, "# Fedora and Red Hat:\ngrubby --update-kernel=ALL --args='\"%s\"'\n",
		buffer_text(&option));
	findings->failed |= option.failed;
	buffer_reset(&option);
	if (pair->release.major > 6 || (pair->release.major == 6 && pair->release.minor >= 11)) {
		buffer_printf(&option, "pci=config_acs=");
		boot_options_config_acs(&option, pair->machine, route->redirects, route->nr_ruled);
		command(findings, "# instead, if you use pci=config_acs (since Linux 6.11; early "
			"6.11 kernels accept only one port)%s; x leaves a bit as the firmware set "
			"it:\n", pair->machine->options_known ?
			"" : ", with the ports that it has already");
		grub_line(findings, buffer_text(&option));
	}
	findings->failed |= option.failed;
	buffer_free(&option);
	add(findings, TOPIC_acs, LEVEL_remedy,
	    "To try it until the next boot, as root: unload the drivers of both devices, clear "
	    "the bits (request redirect, completion redirect, egress control) with setpci as "
	    "below, and load the drivers again. Do not do this while any device below the same "
	    "switch belongs to a guest or to user space: the kernel would still take it for "
	    "isolated.");
	for (size_t i = 0; i < route->nr_ruled; i++)
		command(findings, "setpci -s %s ECAP_ACS+6.w=0:%x\n",
			function_of(pair, route->redirects[i])->name, ACS_REDIRECTS);
}

static void list_ports(struct findings *findings, const struct pair *pair, const int *ports,
		       size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		more(findings, "%s%s", i ? ", " : " ", function_of(pair, ports[i])->name);
}

static void find_acs(struct findings *findings, const struct pair *pair)
{
	const struct route *route = &pair->route;
	size_t beyond = route->nr_redirects - route->nr_ruled;

	if (!pair->routed)
		return;
	if (route->nr_ruled == 1 && route->redirects[0] == route->shared) {
		add(findings, TOPIC_acs, LEVEL_note,
		    "The shared bridge %s redirects peer requests.",
		    function_of(pair, route->shared)->name);
	} else if (route->nr_ruled) {
		add(findings, TOPIC_acs, LEVEL_note, "On the way to the shared bridge %s, %s:",
		    function_of(pair, route->shared)->name, route->nr_ruled == 1 ?
		    "one port redirects peer requests" :
		    "these ports redirect peer requests, in the kernel's order");
		list_ports(findings, pair, route->redirects, route->nr_ruled);
		more(findings, ".");
	}
	if (route->nr_ruled) {
		/* One device may need no path, but it does need the kernel's permission */
		if (!same_device(pair) || strcmp(pair_map(pair), MAP_THRU_HOST_BRIDGE))
			find_acs_remedy(findings, pair);
	}
	if (beyond && route->nr_ruled) {
		add(findings, TOPIC_acs, LEVEL_note, "Above the shared bridge, where the kernel "
		    "does not look, %s:", beyond == 1 ? "one port redirects as well" :
		    "more ports redirect as well");
		list_ports(findings, pair, route->redirects + route->nr_ruled, beyond);
		more(findings, ". A direct path does not get there.");
	}
	/* A guest has been told more about this */
	if (!strcmp(pair_map(pair), MAP_THRU_HOST_BRIDGE) && !same_device(pair) &&
	    !guest_of(pair->machine)) {
		add(findings, TOPIC_acs, LEVEL_caution, "All requests of this pair go through the "
		    "root complex, and through the IOMMU if that translates. The kernel counts the "
		    "root complex as able to forward them, but did not check this path: compare "
		    "the data of a test transfer first.");
		if (beyond && !route->nr_ruled) {
			more(findings, " On the way, %s requests or completions (ACS):",
			     beyond == 1 ? "one port redirects" : "these ports redirect");
			list_ports(findings, pair, route->redirects, beyond);
			more(findings, ".");
		}
	}
	if (route->nr_unreadable_ruled || (pair_through_root(pair) && route->nr_unreadable)) {
		size_t nr = pair_through_root(pair) ? route->nr_unreadable :
			    route->nr_unreadable_ruled;

		add(findings, TOPIC_acs, LEVEL_note, "It is unknown whether %s peer requests:",
		    nr == 1 ? "this function redirects" : "these functions redirect");
		list_ports(findings, pair, route->unreadable, nr);
		more(findings, ".");
	}
}

/* ---- IOMMU ----------------------------------------------------------------------------------- */

bool function_translates(const struct function *function)
{
	return !strncmp(function->iommu_domain, "DMA", 3);
}

static void find_domain(struct findings *findings, const struct pair *pair, int function,
			const char *role)
{
	const struct function *of = function_of(pair, function);
	bool fits;
	const char *option = boot_options_iommu(pair->machine, of->iommu_domain, &fits);
	struct label label = label_of(pair, function);

	if (of->iommu_group == UNKNOWN) {
		missing(findings, "the IOMMU group of %s", label.text);
		return;
	}
	if (of->iommu_group == NONE) {
		add(findings, TOPIC_iommu, LEVEL_note,
		    "The %s %s has no IOMMU group: its DMA is not translated.", role, label.text);
		option = boot_options_iommu_off(pair->machine);
		if (option)
			more(findings, " The boot option %s switches the IOMMU off.", option);
		else if (pair->machine->options_known)
			more(findings, " No boot option switches the IOMMU off: there is none, or "
			     "the firmware or the default of the kernel keeps it off.");
		return;
	}
	add(findings, TOPIC_iommu, LEVEL_note, "The %s %s is in IOMMU group %d, ", role, label.text,
	    of->iommu_group);
	if (!*of->iommu_domain)
		more(findings, "whose domain type is unknown.");
	else
		more(findings, "of domain type %s%s.", of->iommu_domain, function_translates(of) ?
		     ": its DMA is translated" : !strcmp(of->iommu_domain, "identity") ?
		     ": its DMA is not translated" : "");
	if (!*of->iommu_domain || !pair->machine->options_known)
		return;
	if (option)
		more(findings, " The boot option %s asks for %s.", option, fits ? "it" :
		     "another type, so this one was set for the device or changed since");
	else
		more(findings, " No boot option asks for it: it is the default of the kernel or "
		     "of the device, or was changed since.");
}

static void find_iommu(struct findings *findings, const struct pair *pair)
{
	const struct function *client = function_of(pair, pair->client);
	const char *map = pair_map(pair);

	if (pair->client == pair->provider)
		return;
	find_domain(findings, pair, pair->client, "client");
	find_domain(findings, pair, pair->provider, "provider");
	if (function_translates(client) && !strcmp(map, MAP_BUS_ADDR))
		add(findings, TOPIC_iommu, LEVEL_caution,
		    "bus_addr is direct only if the driver maps the memory as P2PDMA pages, or as "
		    "a dma-buf whose exporter asks the kernel for the map type. A driver that maps "
		    "the BAR by dma_map_resource(), as amdgpu, xe and habanalabs do, gets an "
		    "address of the IOMMU, and its requests go up to the root complex and back.");
	else if (function_translates(client) && !strcmp(map, MAP_THRU_HOST_BRIDGE))
		add(findings, TOPIC_iommu, LEVEL_caution,
		    "The client uses addresses of the IOMMU, so its requests go up to the root "
		    "complex. There the IOMMU translates each of them, which costs bandwidth.");
	else if (client->iommu_group >= 0 && !*client->iommu_domain)
		add(findings, TOPIC_iommu, LEVEL_note,
		    "To find out: cat /sys/kernel/iommu_groups/%d/type", client->iommu_group);
	if (!strcmp(client->iommu_domain, "identity") && pair->routed && pair->route.nr_ruled)
		add(findings, TOPIC_iommu, LEVEL_note,
		    "Without translation, ACS redirect adds no protection against the client's "
		    "DMA; it only makes the path longer.");
}

/* ---- BARs, windows, CMB ---------------------------------------------------------------------- */

static void size_text(char *text, size_t size, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	int unit = -1;

	while (bytes && !(bytes & 1023) && unit < 5) {
		bytes >>= 10;
		unit++;
	}
	if (unit < 0)
		snprintf(text, size, "%" PRIu64 " bytes", bytes);
	else
		snprintf(text, size, "%" PRIu64 " %ciB", bytes, units[unit]);
}

/* In bytes; 0 if it cannot be resized. */
static uint64_t largest_size(const struct bar *bar)
{
	if (bar->resizable != PRESENT || !bar->sizes)
		return 0;
	/* Bit n is 2^n MiB, and an offset has 64 bits */
	return 63 - __builtin_clzll(bar->sizes) > 43 ? UINT64_MAX :
	       1ULL << (63 - __builtin_clzll(bar->sizes) + 20);
}

/* Names the lowest bridge above the provider whose window is smaller than the BAR is to be. */
static void find_window(struct findings *findings, const struct pair *pair, const struct bar *bar,
			uint64_t wanted)
{
	const struct window *window;
	const struct function *bridge;
	char size[32];

	for (int i = function_of(pair, pair->provider)->parent; i >= 0; i = bridge->parent) {
		bridge = function_of(pair, i);
		window = bar->prefetchable ? &bridge->prefetchable_window : &bridge->window;
		if (window->presence != PRESENT || (window->last > window->first &&
						    window->last - window->first >= wanted - 1))
			continue;
		size_text(size, sizeof(size), window->last > window->first ?
			  window->last - window->first + 1 : 0);
		more(findings, " The window of the bridge %s is too small for that (%s); the boot "
		     "option pci=realloc may enlarge it.", bridge->name, size);
		return;
	}
}

static void find_resizable(struct findings *findings, const struct pair *pair, int index)
{
	const struct function *provider = function_of(pair, pair->provider);
	const struct bar *bar = &provider->bars[index];
	uint64_t largest = largest_size(bar);
	char now[32], most[32];

	if (largest <= bar->size)
		return;
	size_text(now, sizeof(now), bar->size);
	size_text(most, sizeof(most), largest);
	add(findings, TOPIC_bar, LEVEL_caution,
	    "BAR %d of %s is %s, and can be resized to %s. A peer only reaches memory that is in "
	    "the BAR. Enable \"Above 4G decoding\" and \"Resizable BAR\" in the firmware, or, with "
	    "the driver unbound, write the bit of the size (n for 2^n MiB) to the file:", index,
	    provider->name, now, most);
	command(findings, "echo %d > /sys/bus/pci/devices/%s/resource%d_resize\n",
		63 - __builtin_clzll(bar->sizes), provider->name, index);
	find_window(findings, pair, bar, largest);
}

/* Until a driver sets the mask, it is 32 bits. Drivers that pass a device on do not set it. */
static bool sets_mask(const struct function *function)
{
	static const char *const others[] = { "-", "vfio-pci", "pci-stub", "uio_pci_generic" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(function->driver, others[i]))
			return false;
	return true;
}

static void find_bar(struct findings *findings, const struct pair *pair, int index)
{
	const struct function *provider = function_of(pair, pair->provider);
	const struct function *client = function_of(pair, pair->client);
	const struct bar *bar = &provider->bars[index];
	char size[32];

	if (!bar->assigned) {
		size_text(size, sizeof(size), bar->size);
		add(findings, TOPIC_bar, LEVEL_caution,
		    "BAR %d of %s%s%s%s has no address, so no peer can reach it. Often the windows "
		    "of the bridges above are too small: enable \"Above 4G decoding\" in the "
		    "firmware, or boot with pci=realloc.", index, provider->name,
		    bar->size ? " (" : "", bar->size ? size : "", bar->size ? ")" : "");
		if (bar->size)
			find_window(findings, pair, bar, bar->size);
		return;
	}
	if (sets_mask(client) && client->dma_mask_bits > 0 && client->dma_mask_bits < 64 &&
	    (bar->start + bar->size - 1) >> client->dma_mask_bits)
		add(findings, TOPIC_bar, LEVEL_caution,
		    "BAR %d of %s ends at 0x%" PRIx64 ", but %s only has %d address bits "
		    "(dma_mask_bits): without an IOMMU that translates, it cannot reach all of it.",
		    index, provider->name, bar->start + bar->size - 1, client->name,
		    client->dma_mask_bits);
	find_resizable(findings, pair, index);
}

/* "BAR 0: 256 MiB at 0x4000000000, prefetchable" */
static void list_bar(struct findings *findings, const struct pair *pair, int index)
{
	const struct bar *bar = &function_of(pair, pair->provider)->bars[index];
	char size[32];

	size_text(size, sizeof(size), bar->size);
	more(findings, " BAR %d: %s", index, bar->unsized ? "unknown size" : size);
	if (bar->assigned)
		more(findings, " at 0x%" PRIx64, bar->start);
	more(findings, "%s%s", bar->assigned ? "" : ", without an address",
	     bar->prefetchable ? ", prefetchable" : "");
	if (bar->resizable == PRESENT) {
		size_text(size, sizeof(size), largest_size(bar));
		more(findings, ", resizable%s%s", bar->sizes ? " up to " : "",
		     bar->sizes ? size : "");
	}
	more(findings, ".");
}

static bool is_memory(const struct bar *bar)
{
	return (bar->size || bar->unsized) && bar->memory;
}

static void find_bars(struct findings *findings, const struct pair *pair)
{
	const struct function *provider = function_of(pair, pair->provider);

	if (provider->bars_known != PRESENT) {
		missing(findings, "the BARs of %s", provider->name);
		return;
	}
	add(findings, TOPIC_bar, LEVEL_note, "Memory of the provider %s:", provider->name);
	for (int i = 0; i < NR_BARS; i++)
		if (is_memory(&provider->bars[i]))
			list_bar(findings, pair, i);
	for (int i = 0; i < NR_BARS; i++)
		if (is_memory(&provider->bars[i]))
			find_bar(findings, pair, i);
}

/* Fields of the registers: NVM Express Base Specification, 3.1.4, CMBLOC and CMBSZ. */
#define CMB_UNIT_MAX 6		/* 64 GiB; larger values are reserved */

static void find_cmb_reason(struct findings *findings, const struct pair *pair, uint64_t offset,
			    uint64_t size)
{
	const struct function *provider = function_of(pair, pair->provider);
	const uint64_t alignment = 2 << 20;
	unsigned int index = provider->cmb.loc & 7;
	const struct bar *bar = index < NR_BARS ? &provider->bars[index] : NULL;

	if (pair->machine->p2pdma == ABSENT)
		more(findings, " The kernel has no CONFIG_PCI_P2PDMA.");
	else if (is_given(provider->driver) && strcmp(provider->driver, "nvme"))
		more(findings, " Only the nvme driver provides it, but the driver is %s.",
		     provider->driver);
	else if (!strcmp(provider->driver, "-"))
		more(findings, " Only the nvme driver provides it, but there is no driver.");
	else if (bar && bar->size && offset >= bar->size)
		more(findings, " It begins behind the end of BAR %u.", index);
	else if (bar && bar->assigned && ((bar->start + offset) % alignment || size % alignment))
		more(findings, " The kernel needs memory that begins and ends at a multiple of "
		     "2 MiB; this begins at 0x%" PRIx64 ".", bar->start + offset);
	else
		more(findings, " The nvme driver could not register it; see dmesg for \"failed to "
		     "register the CMB\". A kernel without CONFIG_SPARSEMEM_VMEMMAP needs memory "
		     "that begins and ends at a multiple of its section size, such as 128 MiB.");
}

/* The provider has no pool, or it is unknown. */
static void find_no_pool(struct findings *findings, const struct pair *pair)
{
	const struct function *provider = function_of(pair, pair->provider);
	const struct function *client = function_of(pair, pair->client);

	if (provider->pool.presence == PRESENCE_UNKNOWN)
		add(findings, TOPIC_cmb, LEVEL_note, "It is unknown whether %s provides a pool of "
		    "peer memory, as a drive with a CMB does. If so, there is a directory "
		    "/sys/bus/pci/devices/%s/p2pmem.", provider->name, provider->name);
	else if (client->pool.presence == ABSENT && client != provider)
		add(findings, TOPIC_cmb, LEVEL_note, "Neither %s nor %s provides a pool of peer "
		    "memory, unlike a drive with a CMB.", provider->name, client->name);
	else
		add(findings, TOPIC_cmb, LEVEL_note, "%s provides no pool of peer memory, unlike a "
		    "drive with a CMB.", provider->name);
	more(findings, " Without a pool, the verdict is about the BARs that its driver shares, as "
	     "drivers of GPUs do by dma-bufs, and vfio-pci and mlx5 in Linux 7.3 by P2PDMA. Sysfs "
	     "does not show these.");
}

static void find_cmb(struct findings *findings, const struct pair *pair)
{
	const struct function *provider = function_of(pair, pair->provider);
	const struct pool *pool = &provider->pool;
	const struct cmb *cmb = &provider->cmb;
	unsigned int scale = cmb->sz >> 8 & 0xf;
	uint64_t unit;
	char text[32];

	if (pool->presence == PRESENT && pool->published == 0)
		add(findings, TOPIC_cmb, LEVEL_caution,
		    "%s provides peer memory, but its driver did not publish it, so that other "
		    "drivers do not find it. The nvme driver only publishes a CMB that supports "
		    "reads and writes of data (RDS and WDS in CMBSZ).", provider->name);
	if (pool->presence == PRESENT)
		return;
	if (pool->presence == PRESENCE_UNKNOWN || cmb->presence != PRESENT) {
		if (pair->machine->p2pdma != ABSENT)
			find_no_pool(findings, pair);
		return;
	}
	if (scale > CMB_UNIT_MAX) {
		add(findings, TOPIC_cmb, LEVEL_caution, "%s has a controller memory buffer (CMB) "
		    "of an unknown size (CMBSZ 0x%08x).", provider->name, cmb->sz);
		return;
	}
	unit = 1ULL << (12 + 4 * scale);
	size_text(text, sizeof(text), unit * (cmb->sz >> 12));
	add(findings, TOPIC_cmb, LEVEL_caution, "%s has a controller memory buffer (CMB) of %s, "
	    "but provides no peer memory.", provider->name, text);
	find_cmb_reason(findings, pair, unit * (cmb->loc >> 12), unit * (cmb->sz >> 12));
}

/* ---- links ----------------------------------------------------------------------------------- */

/* In MB/s, after the encoding: 8b/10b up to 5 GT/s, 128b/130b up to 32 GT/s, flits then. */
static unsigned long bandwidth(unsigned int speed, unsigned int width)
{
	unsigned long bits = (unsigned long)speed * width;

	return speed <= 5000 ? bits / 10 : speed <= 32000 ? bits * 128 / 130 / 8 : bits / 8;
}

static void narrower(const struct pair *pair, int *narrowest, int function)
{
	const struct link *link = &function_of(pair, function)->link, *least;

	if (!link->speed || !link->width)
		return;
	if (*narrowest >= 0) {
		least = &function_of(pair, *narrowest)->link;
		if (bandwidth(link->speed, link->width) >= bandwidth(least->speed, least->width))
			return;
	}
	*narrowest = function;
}

/* What two functions have in common: the maxima; 0 if those of one are unknown. */
static struct link both_support(const struct pair *pair, int a, int b)
{
	const struct link *x = &function_of(pair, a)->link, *y;

	if (b < 0)
		return (struct link){};
	y = &function_of(pair, b)->link;
	if (!x->max_speed || !x->max_width || !y->max_speed || !y->max_width)
		return (struct link){};
	return (struct link){
		.max_speed = x->max_speed < y->max_speed ? x->max_speed : y->max_speed,
		.max_width = x->max_width < y->max_width ? x->max_width : y->max_width,
	};
}

/* Whether a link runs below what is supported. */
static bool is_below(const struct link *link, const struct link *supported)
{
	return bandwidth(link->speed, link->width) <
	       bandwidth(supported->max_speed, supported->max_width);
}

/*
 * Both ends of a link show the same. The lower end is an endpoint or the upstream port of a switch;
 * the function that the path turns at does not use its own link.
 */
static void find_link(struct findings *findings, const struct pair *pair)
{
	const struct route *route = &pair->route;
	struct link ends, devices;
	int narrowest = NONE;
	const struct link *link;
	bool below;

	if (!pair->routed || pair->provider == pair->client)
		return;
	for (size_t i = 0; i < route->nr_provider && route->provider[i] != route->shared; i++)
		narrower(pair, &narrowest, route->provider[i]);
	for (size_t i = 0; i < route->nr_client && route->client[i] != route->shared; i++)
		narrower(pair, &narrowest, route->client[i]);
	if (route->nr_ruled && route->shared >= 0)
		for (int i = route->shared; i >= 0; i = function_of(pair, i)->parent)
			narrower(pair, &narrowest, i);
	if (narrowest < 0) {
		missing(findings, "the speed of the links");
		return;
	}
	link = &function_of(pair, narrowest)->link;
	ends = both_support(pair, narrowest, function_of(pair, narrowest)->parent);
	devices = both_support(pair, pair->provider, pair->client);
	below = is_below(link, &ends) || is_below(link, &devices);
	add(findings, TOPIC_link, below ? LEVEL_caution : LEVEL_note,
	    "The narrowest link on the path is that of %s: %u.%u GT/s, x%u, at most %lu MB/s.",
	    label_of(pair, narrowest).text, link->speed / 1000, link->speed % 1000 / 100,
	    link->width, bandwidth(link->speed, link->width));
	if (is_below(link, &ends))
		more(findings, " Both ends of this link support %u.%u GT/s, x%u.",
		     ends.max_speed / 1000, ends.max_speed % 1000 / 100, ends.max_width);
	else if (ends.max_speed)
		more(findings, " One of its ends supports no more.");
	if (is_below(link, &devices))
		more(findings, " Both devices support %u.%u GT/s, x%u.", devices.max_speed / 1000,
		     devices.max_speed % 1000 / 100, devices.max_width);
	if (below && (!ends.max_speed || is_below(link, &ends)))
		more(findings, " An idle device may lower its speed: look again under load.");
}

/* ---- guests ---------------------------------------------------------------------------------- */

static bool is_nvidia_gpu(const struct pair *pair, int function)
{
	return function_of(pair, function)->vendor == 0x10de &&
	       function_class(function_of(pair, function)) == CLASS_gpu;
}

/* By the vendor ids of QEMU, VMware and virtio. */
static bool is_emulated(const struct pair *pair, int function)
{
	static const int vendors[] = { 0x1234, 0x15ad, 0x1af4, 0x1b36 };

	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		if (function_of(pair, function)->vendor == vendors[i])
			return true;
	return false;
}

/* What the host has to answer before the pair is used. */
static void find_host(struct findings *findings, const struct pair *pair, const char *guest)
{
	if (!strcmp(guest, "VMware"))
		add(findings, TOPIC_guest, LEVEL_remedy,
		    "p2ptrace does not run on ESXi. Ask the operator of the host whether both "
		    "devices are below one PCIe switch, whether the host and the devices support "
		    "the options pciPassthru.allowP2P and pciPassthru.RelaxACSforP2P of the "
		    "virtual machine, and whether the root complex forwards peer requests.");
	else
		add(findings, TOPIC_guest, LEVEL_remedy,
		    "On the host, or through its operator, run p2ptrace peers for the real "
		    "devices. Use the pair only if the answer is thru_host_bridge, or if it is "
		    "bus_addr and the client uses ATS.");
	more(findings, " A device that is passed through sends addresses of the guest. Unless it "
	     "uses ATS, its requests go up to the IOMMU and the root complex of the host, even if "
	     "both devices are below one switch. A root complex that does not forward them may "
	     "corrupt data without an error, so compare the data of a test transfer first.");
	if (!strcmp(pair_map(pair), MAP_THRU_HOST_BRIDGE))
		more(findings, " Until then, do not use the pair. In the guest, there is nothing "
		     "to change.");
}

/* What makes the kernel of the guest allow the pair. */
static void find_virtual_switch(struct findings *findings, const struct pair *pair,
				const char *guest, bool emulated)
{
	if (*guest && !strstr(guest, "QEMU") && !strstr(guest, "KVM")) {
		add(findings, TOPIC_guest, LEVEL_remedy,
		    "After a change on the host, run p2ptrace peers in the guest again: its kernel "
		    "only allows the pair if the guest then sees one bridge above both devices.%s",
		    strcmp(guest, "VMware") ? " Ask the vendor of the hypervisor how." : "");
		return;
	}
	add(findings, TOPIC_guest, LEVEL_remedy,
	    "%sut both devices below one virtual switch: the kernel of the guest then allows the "
	    "pair.", emulated ? "P" : "If the host allows it, p");
	for (size_t i = 0; i < pair->machine->nr; i++)
		if (pair->machine->functions[i].vendor == 0x8086 &&
		    pair->machine->functions[i].device == 0x1237)
			more(findings, " This machine has the type pc, without PCI Express: change "
			     "it to q35 first. The PCI names in the guest then change.");
	more(findings, " With libvirt, a virtual switch is made of PCI controllers: "
	     "pcie-root-port, below it pcie-switch-upstream-port, and below that a "
	     "pcie-switch-downstream-port for each device. With QEMU, add the options below.");
	command(findings, "# QEMU, machine type q35%s\n"
		"-device pcie-root-port,id=root,chassis=21 \\\n"
		"-device x3130-upstream,id=up,bus=root \\\n"
		"-device xio3130-downstream,id=down1,bus=up,chassis=22 \\\n"
		"-device xio3130-downstream,id=down2,bus=up,chassis=23%s\n", emulated ?
		"; give the two devices bus=down1 and bus=down2" :
		"; A and B are the PCI names on the host:", emulated ? "" :
		" \\\n-device vfio-pci,host=A,bus=down1 \\\n-device vfio-pci,host=B,bus=down2");
	if (is_nvidia_gpu(pair, pair->provider) && is_nvidia_gpu(pair, pair->client))
		more(findings, " NVIDIA's own driver is told by another option, "
		     "x-nv-gpudirect-clique=N of vfio-pci: give one N to GPUs that reach each "
		     "other on the host.");
}

const char *guest_verb(const struct machine *machine)
{
	return *machine->hypervisor ? "is" : "looks like";
}

static void find_guest(struct findings *findings, const struct pair *pair)
{
	const char *guest = guest_of(pair->machine);
	bool provider = is_emulated(pair, pair->provider);
	bool client = is_emulated(pair, pair->client);

	if (!guest)
		return;
	add(findings, TOPIC_guest, LEVEL_caution,
	    "This %s a virtual machine%s%s%s. Its PCI topology is made up by the hypervisor%s",
	    guest_verb(pair->machine), *guest ? " (" : "", guest, *guest ? ")" : "",
	    provider && client ? "." : ": the devices may be anywhere in the host, and the ports, "
	    "host bridges and links of the host decide where the requests go.");
	if (pair->predicted.reason == REASON_CPU_ALLOWED ||
	    (pair->predicted.reason == REASON_ACS_REDIRECT_ALLOWED &&
	     cpu_allows(pair->machine, &pair->release) == PRESENT))
		more(findings, " The kernel allows this pair because of the name of the CPU alone. "
		     "Whether the host forwards these requests is unknown here.");
	if (pair->provider == pair->client)
		return;
	if (provider && client)
		add(findings, TOPIC_guest, LEVEL_note,
		    "By their vendor ids, both devices are emulated by the hypervisor: there is no "
		    "real device behind them. How the hypervisor carries out their requests is "
		    "unknown here: compare the data of a test transfer before you use the pair.%s",
		    strcmp(pair_map(pair), MAP_THRU_HOST_BRIDGE) ? "" :
		    " In the guest, there is nothing to change.");
	else if (provider || client)
		add(findings, TOPIC_guest, LEVEL_note,
		    "By its vendor id, the hypervisor emulates %s, so no path in the host leads to "
		    "it. If %s is a real device, transfer the data through system memory.",
		    function_of(pair, provider ? pair->provider : pair->client)->name,
		    function_of(pair, provider ? pair->client : pair->provider)->name);
	else
		find_host(findings, pair, guest);
	if (!map_supported(pair_map(pair)) || !strcmp(pair_map(pair), MAP_UNKNOWN))
		find_virtual_switch(findings, pair, guest, provider || client);
}

static void add_problem(void *ctx, const char *sentence)
{
	add(ctx, TOPIC_options, LEVEL_caution, "%s", sentence);
}

void findings_gather(struct findings *findings, const struct pair *pair)
{
	memset(findings, 0, sizeof(*findings));
	find_guest(findings, pair);
	find_decision(findings, pair);
	find_twin(findings, pair);
	find_acs(findings, pair);
	find_host_bridges(findings, pair);
	boot_options_check(pair->machine, add_problem, findings);
	find_iommu(findings, pair);
	find_bars(findings, pair);
	find_cmb(findings, pair);
	find_link(findings, pair);
	if (findings->missing.len)
		add(findings, TOPIC_decision, LEVEL_note, "Not known here: %s. This does not "
		    "change the verdict.", findings->missing.data);
	findings->failed |= findings->missing.failed;
	for (size_t i = 0; i < findings->nr; i++)
		findings->failed |= findings->list[i].text.failed ||
				    findings->list[i].commands.failed;
}
