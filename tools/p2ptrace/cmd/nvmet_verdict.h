/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which memory a namespace of the NVMe target uses or would use, why, and the next step.
 */
#ifndef NVMET_VERDICT_H
#define NVMET_VERDICT_H

#include <stdbool.h>

#include "machine/decide.h"
#include "machine/machine.h"
#include "machine/target.h"

/* What all verdicts depend on. */
struct context {
	const struct machine *machine;
	struct release release;
	const struct target *target;
	const char *configfs;
};

/* A namespace that is exported by a port, for one of the cards that hosts may come through. */
struct row {
	const struct target_subsystem *subsystem;
	const struct target_namespace *ns;
	const struct target_port *port;		/* NULL: no port exports it */
	const struct target_nic *nic;		/* NULL: none is known */
	bool only;			/* no other row of the namespace has a PCI function */
};

enum memory { MEMORY_UNKNOWN, MEMORY_SYSTEM, MEMORY_PEER, MEMORY_NONE };

struct nvmet_verdict {
	enum memory memory;
	const char *cause;	/* a word for programs */
	bool by_drive;		/* at every port: the kernel refuses to enable the namespace */
	const struct function *provider;	/* NULL if there is none, or none is known */
	char words[1024];	/* sentences, without the last period and the first capital */
	char next[768];		/* commands; "" if there is nothing to do */
};

void nvmet_judge(struct nvmet_verdict *verdict, const struct context *context,
		 const struct row *row);

/* Calls @show for each row of a namespace. */
void for_each_row(const struct context *context, const struct target_subsystem *subsystem,
		  const struct target_namespace *ns,
		  void (*show)(const struct context *context, const struct row *row));

#endif /* NVMET_VERDICT_H */
