/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hooks where programs attach to stock kernels, and whether the running kernel allows them.
 *
 * A function in BTF is not proof: the compiler may have inlined it everywhere, or renamed it to
 * FUNCTION.constprop.0, or the kernel may forbid tracing it.
 */
#ifndef HOOKS_H
#define HOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "event/events.h"

struct btf;

/* The hook that shows which pages are peer memory. It is no event, but takes the place of one. */
#define HOOK_PAGES P2PTRACE_NR_EVENTS

struct hook {
	unsigned int event;	/* enum p2ptrace_event, or HOOK_PAGES */
	const char *program;
	const char *section;	/* as libbpf names it: "fexit/pci_alloc_p2pmem" */
};

/*
 * The hooks of stock kernels. Of several hooks for an event, the best one comes first. Ends with a
 * hook without program. Bit N of event_set.hooks stands for hook N. Only tests change the pointer.
 */
extern const struct hook *stock_hooks;

/* The best hook for the event (or HOOK_PAGES) that can be used, or -1. */
int hooks_best(const struct event_set *set, unsigned int event);

/* Whether stock kernels can show the event at all. */
bool hooks_exist(unsigned int event);

/* Where to look. Files that cannot be read are skipped: then the check is left out. */
struct hook_files {
	const char *kallsyms;
	const char *filter_functions[2];
	const char *refused;	/* names, separated by commas, that count as not attachable */
};

/* Those of the running kernel. */
extern const struct hook_files hook_files;

#define HOOKS_MAX 32

struct hooks {
	const struct btf *btf;
	const char *refused;
	bool have_symbols, have_filter;		/* whether the files could be read */
	unsigned char symbols[HOOKS_MAX];	/* functions with the name of each hook's */
	bool filter[HOOKS_MAX];			/* available_filter_functions has it */
};

/* Reads the files only for a @stock kernel. */
void hooks_open(struct hooks *hooks, const struct btf *btf, const struct hook_files *files,
		bool stock);

/* The reason if the kernel's BTF lacks the hook. */
extern const char hook_missing[];

/* NULL if a program can be attached to the section, or the reason why it cannot. */
const char *hooks_refuse(const struct hooks *hooks, const char *section);

#endif /* HOOKS_H */
