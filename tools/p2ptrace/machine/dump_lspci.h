/* SPDX-License-Identifier: GPL-2.0 */
/* The lines that lspci prints for one function. */
#ifndef DUMP_LSPCI_H
#define DUMP_LSPCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/machine.h"

/* Which capability a line belongs to. */
enum capability { CAP_NONE, CAP_OTHER, CAP_EXPRESS, CAP_ACS, CAP_RESIZABLE, CAP_SRIOV };

/* UNKNOWN unless shown */
struct sriov {
	bool enabled;
	int nr, offset, stride, device;
};

/* What was shown of a function, and what is needed to tell absent from not shown. */
struct shown {
	bool detailed;		/* -vv or more: "Control:" */
	bool brief;		/* -v: "Flags:" */
	bool whole;		/* no line is missing */
	bool denied;		/* "Capabilities: <access denied>" */
	bool all_ones;
	bool capabilities;	/* a line "Capabilities:" */
	bool express, acs, resizable;	/* that capability */
	bool extended;		/* a capability beyond the conventional part */
	bool driver;		/* a line "Kernel driver in use:" */
	bool hex;
	struct sriov sriov;
};

struct block {
	struct function function;
	struct shown shown;
	enum capability capability;
	bool ids, class;	/* by number, from the first line */
	bool revision_ff;
	bool has_list;		/* "Status: Cap+": there are capabilities */
	bool buses;		/* "Bus:", which bridges alone have */
	bool no_size;		/* a BAR whose size is not shown */
	bool end;		/* "Kernel driver in use:" or "Kernel modules:", which come last */
	bool missing;		/* lines are, or do not come from lspci */
	bool acs_cap, acs_ctrl;
	uint8_t bytes[4096];
	size_t len;
	bool gap;		/* in the hexadecimal dump */
};

void block_init(struct block *block, const char *name);

/* The text behind the address. @cut: the end of the line may be missing. */
void block_parse_title(struct block *block, const char *text);
void block_parse_detail(struct block *block, const char *line, bool cut);

/* Whether lspci begins a line of details like this. */
bool is_detail(const char *line);

#endif /* DUMP_LSPCI_H */
