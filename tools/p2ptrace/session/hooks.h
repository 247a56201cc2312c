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

/*
 * Further hooks that events need on a stock kernel. Numbered after the events.
 * Programs are attached in this order, and those of events before HOOK_FREE_SGL_END: a beginning is
 * seen only when its end is seen as well.
 */
enum hook_role {
	HOOK_PAGES = P2PTRACE_NR_EVENTS,	/* shows which pages are peer memory */
	HOOK_BLOCK_COMPLETE,
	HOOK_BLOCK_REQUEUE,
	HOOK_BLOCK_MAP,
	HOOK_BLOCK_METADATA,
	HOOK_HMM_UNMAP,
	HOOK_HMM_MAP,
	HOOK_DMABUF_FREE,
	HOOK_DMABUF_MAP,		/* for p2pdma_map */
	HOOK_DMABUF_RANGES,		/* for dma_buf_map: provider and map type */
	HOOK_PAGE_FREE,
	HOOK_PAGE_INSERT,
	HOOK_RESOURCE_UNMAP,
	HOOK_DMABUF_LEAVE,
	HOOK_DMABUF_ENTER,
	HOOK_RESOURCE_MAP,
	HOOK_MAP_TYPE,			/* for p2pdma_decide: refused again */
	HOOK_MAP_TYPE_BEGIN,
	HOOK_DMABUF_ITER,		/* visits those that exist; only for leaks and stat */
	HOOK_FREE_SGL_END,
	HOOK_FREE_SGL,
	/* Attached while the module is loaded */
	HOOK_NVMET_RETURN,
	HOOK_NVMET_CALL,
	HOOK_NR_ROLES
};

struct hook {
	unsigned int role;	/* enum p2ptrace_event, or enum hook_role */
	const char *program;
	const char *section;	/* as libbpf names it: "fexit/pci_alloc_p2pmem" */
};

/*
 * The hooks of stock kernels. Of several hooks for a role, the best one comes first. Ends with a
 * hook without program. Bit N of event_set.hooks stands for hook N. Only tests change the pointer.
 */
extern const struct hook *stock_hooks;

/* The function or tracepoint of a section. */
const char *hook_target(const char *section);
bool hook_is_tracepoint(const char *section);
bool hook_is_iterator(const char *section);
/* A kprobe, which is for a function that is not built in. */
bool hook_is_of_module(const char *section);

/* Whether the running kernel may have it. @btf: that of the kernel without modules. */
bool hook_exists(const struct btf *btf, const char *section);

/* The best hook for the role that can be used, or -1. */
int hooks_best(const struct event_set *set, unsigned int role);

/*
 * Whether the event, or what a role is for, is taken from hooks on this kernel: on a stock kernel
 * everything is, and dma-bufs are everywhere.
 */
bool hooks_serve(const struct event_set *set, unsigned int role);

/* Whether stock kernels can show the event at all. */
bool hooks_exist(unsigned int event);

/*
 * A way in which a stock kernel shows an event. An event may have several at the same time, and
 * each takes all its roles. Bit N of event_set.ways stands for way N.
 */
struct hook_way {
	unsigned int event;
	const char *what;	/* what it shows of the event; NULL: all */
	unsigned int roles[6];	/* ends with HOOK_NR_ROLES */
	bool optional;		/* a kernel without the first hook has nothing to show */
};

extern const struct hook_way hook_ways[];
extern const unsigned int hook_nr_ways;

bool way_has_role(const struct hook_way *way, unsigned int role);

/* Whether a program is wanted for the role. */
bool hooks_want(const struct event_set *set, unsigned int role);
/* Whether any way of the event is left. */
bool hooks_left(const struct event_set *set, unsigned int event);
/* Notes why the event is not shown in this way. */
void way_blind(struct event_set *set, const struct hook_way *way, const char *why);
/* Removes a way, and the same of the other events of a mapping if @groups. */
void hooks_drop_way(struct event_set *set, unsigned int way, bool groups, const char *why);
/* Leaves only ways that show both ends of a mapping. */
void hooks_pair_ways(struct event_set *set);

/* Where to look. Files that cannot be read are skipped: then the check is left out. */
struct hook_files {
	const char *kallsyms;
	const char *filter_functions[2];
	const char *refused;	/* names, separated by commas, that count as not attachable */
};

/* Those of the running kernel. */
extern const struct hook_files hook_files;

#define HOOKS_MAX 64
#define HOOKS_MAX_WAYS 64

struct hooks {
	const struct btf *btf;
	const char *refused;
	bool have_symbols, have_filter;		/* whether the files could be read */
	unsigned char symbols[HOOKS_MAX];	/* functions with the name of each hook's */
	bool filter[HOOKS_MAX];			/* available_filter_functions has it */
	bool no_symbols;			/* the first one could not */
	bool have_vmemmap;			/* one of the following is there */
	uint64_t vmemmap_base, mem_section;	/* addresses of the variables, 0 if hidden */
};

/* Reads the files only for a @stock kernel. */
void hooks_open(struct hooks *hooks, const struct btf *btf, const struct hook_files *files,
		bool stock);

/* The reason if the kernel's BTF lacks the hook. */
extern const char hook_missing[];

/* NULL if a program can be attached to the section, or the reason why it cannot. */
const char *hooks_refuse(const struct hooks *hooks, const char *section);

#endif /* HOOKS_H */
