/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a person should know about a pair of functions besides its decision: what the decision
 * rests on, what it does not say, and what can be done. Text and JSON print the same list.
 */
#ifndef FINDINGS_H
#define FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buffer.h"
#include "machine/decide.h"
#include "machine/machine.h"

#define FINDING_TOPICS(X)	\
	X(decision)		\
	X(host_bridge)		\
	X(acs)			\
	X(options)		\
	X(iommu)		\
	X(bar)			\
	X(cmb)			\
	X(link)			\
	X(guest)

enum finding_topic {
#define FINDING_TOPIC(name) TOPIC_##name,
	FINDING_TOPICS(FINDING_TOPIC)
#undef FINDING_TOPIC
	NR_TOPICS
};

/* A fact; a fact because of which the decision alone would mislead; something to do. */
#define FINDING_LEVELS(X)	\
	X(note)			\
	X(caution)		\
	X(remedy)

enum finding_level {
#define FINDING_LEVEL(name) LEVEL_##name,
	FINDING_LEVELS(FINDING_LEVEL)
#undef FINDING_LEVEL
	NR_LEVELS
};

struct finding {
	enum finding_topic topic;
	enum finding_level level;
	struct buffer text;		/* sentences */
	struct buffer commands;		/* lines to paste, each ending in a newline; may be empty */
};

struct findings {
	struct finding *list;
	size_t nr;
	struct buffer missing;		/* what is unknown, and no part of the decision */
	bool failed;			/* out of memory */
};

const char *topic_name(enum finding_topic topic);
const char *level_name(enum finding_level level);

/* The question and its answer. */
struct pair {
	const struct machine *machine;
	struct release release;		/* whose rules the prediction follows */
	int provider, client;		/* indices */
	struct route route;
	bool routed;			/* @route is known */
	struct decision predicted;
	const struct reported *reported;	/* by the kernel itself; may be NULL */
};

static inline const struct function *function_of(const struct pair *pair, int index)
{
	return &pair->machine->functions[index];
}

void pair_set(struct pair *pair, const struct machine *machine, const struct release *release,
	      int provider, int client);

/* The same for one of many pairs, but the route remains unset. */
void pair_set_ends(struct pair *pair, const struct machine *machine, const struct release *release,
		   const struct end_facts *provider, const struct end_facts *client);

/* The map type that counts: the kernel's, if it reports one. */
const char *pair_map(const struct pair *pair);

/* Likewise. A newer kernel may report a reason that reason_find() does not know. */
int pair_distance(const struct pair *pair);
const char *pair_reason(const struct pair *pair);

/* Whether the IOMMU translates what the function sends. */
bool function_translates(const struct function *function);

/* Whether the requests go up to the root complex. */
bool pair_through_root(const struct pair *pair);

/*
 * The hypervisor whose guest this machine is; "" if it has no name here; NULL if this is no guest,
 * or it is unknown. A dump does not say it, but its bridges may.
 */
const char *guest_of(const struct machine *machine);

/* What such a machine does: it "is" a virtual machine, or only "looks like" one. */
const char *guest_verb(const struct machine *machine);

void findings_gather(struct findings *findings, const struct pair *pair);
void findings_free(struct findings *findings);

/* "0000:03:00.0 (card1)" */
#define LABEL_LEN (2 * PCI_NAME_LEN + 4)
void function_label(char *label, size_t size, const struct function *function);

/* "ReqRedir+ CmpltRedir+": those bits of an ACS control register that redirect. */
const char *acs_bits(uint16_t ctrl);

/* "switch downstream port"; "device" if it is unknown. */
const char *function_kind(const struct function *function);

#endif /* FINDINGS_H */
