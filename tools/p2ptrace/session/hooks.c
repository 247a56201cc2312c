// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "event/blind.h"
#include "lib/units.h"
#include "machine/functions.h"
#include "machine/kernel.h"
#include "machine/sysfs.h"
#include "session/hooks.h"

#define HOOK(name) { P2PTRACE_##name, "stock_" #name, P2PTRACE_STOCK_##name }

static const struct hook stock_table[] = {
	HOOK(p2pmem_alloc),
	HOOK(p2pmem_alloc_fail),
	HOOK(p2pmem_free),
	HOOK(p2pdma_decide),
	HOOK(p2pmem_find),
	HOOK(p2pdma_map),
	HOOK(p2pdma_unmap),
	HOOK(p2pmem_mmap),
	HOOK(nvmet_p2pmem_use),
	HOOK(nvmet_p2pmem_fallback),
	HOOK(dma_buf_export),
	HOOK(dma_buf_release),
	HOOK(dma_buf_attach),
	HOOK(dma_buf_detach),
	HOOK(dma_buf_unmap),
	HOOK(dma_buf_map),
	HOOK(dma_buf_pin),
	HOOK(dma_buf_unpin),
	HOOK(dma_buf_revoke),
	{ P2PTRACE_dma_buf_revoke, "stock_dmabuf_move", P2PTRACE_STOCK_DMABUF_MOVE },
	{ HOOK_PAGES, "stock_pages_update", P2PTRACE_STOCK_PAGES_UPDATE },
	{ HOOK_PAGES, "stock_pages", P2PTRACE_STOCK_PAGES },
	{ HOOK_BLOCK_MAP, "stock_block_map", P2PTRACE_STOCK_BLOCK_MAP },
	{ HOOK_BLOCK_METADATA, "stock_block_metadata", P2PTRACE_STOCK_BLOCK_METADATA },
	{ HOOK_BLOCK_COMPLETE, "stock_block_complete", P2PTRACE_STOCK_BLOCK_COMPLETE },
	{ HOOK_BLOCK_REQUEUE, "stock_block_requeue", P2PTRACE_STOCK_BLOCK_REQUEUE },
	{ HOOK_DMABUF_FREE, "stock_dmabuf_free", P2PTRACE_STOCK_DMABUF_FREE },
	{ HOOK_DMABUF_MAP, "stock_dmabuf_map", P2PTRACE_STOCK_DMABUF_RANGES },
	{ HOOK_DMABUF_RANGES, "stock_dmabuf_ranges", P2PTRACE_STOCK_DMABUF_RANGES },
	{ HOOK_DMABUF_ITER, "stock_dmabuf_iter", P2PTRACE_STOCK_DMABUF_ITER },
	{ HOOK_HMM_MAP, "stock_hmm_map", P2PTRACE_STOCK_HMM_MAP },
	{ HOOK_HMM_UNMAP, "stock_hmm_unmap", P2PTRACE_STOCK_HMM_UNMAP },
	{ HOOK_PAGE_FREE, "stock_page_free_folio", P2PTRACE_STOCK_PAGE_FREE_FOLIO },
	{ HOOK_PAGE_FREE, "stock_page_free", P2PTRACE_STOCK_PAGE_FREE },
	{ HOOK_PAGE_INSERT, "stock_page_insert", P2PTRACE_STOCK_PAGE_INSERT },
	{ HOOK_RESOURCE_MAP, "stock_resource_map", P2PTRACE_STOCK_RESOURCE_MAP },
	{ HOOK_RESOURCE_UNMAP, "stock_resource_unmap", P2PTRACE_STOCK_RESOURCE_UNMAP },
	{ HOOK_DMABUF_ENTER, "stock_dmabuf_enter", P2PTRACE_STOCK_DMABUF_ENTER },
	{ HOOK_DMABUF_LEAVE, "stock_dmabuf_leave", P2PTRACE_STOCK_DMABUF_LEAVE },
	{ HOOK_MAP_TYPE, "stock_map_type", P2PTRACE_STOCK_MAP_TYPE },
	{ HOOK_MAP_TYPE_BEGIN, "stock_map_type_begin", P2PTRACE_STOCK_MAP_TYPE_BEGIN },
	{ HOOK_FREE_SGL, "stock_free_sgl", P2PTRACE_STOCK_FREE_SGL },
	{ HOOK_FREE_SGL_END, "stock_free_sgl_end", P2PTRACE_STOCK_FREE_SGL_END },
	{ HOOK_NVMET_RETURN, "stock_nvmet_return", P2PTRACE_STOCK_NVMET_RETURN },
	{ HOOK_NVMET_CALL, "stock_nvmet_call", P2PTRACE_STOCK_NVMET_CALL },
	{}
};

_Static_assert(ARRAY_SIZE(stock_table) <= HOOKS_MAX, "HOOKS_MAX is too small");

#define SCATTERLISTS	"scatterlists"
#define BLOCK_REQUESTS	"block requests"
#define BLOCK_METADATA	"metadata of block requests"
#define HMM		"HMM"
#define DMABUFS		"dma-bufs"
#define WAY(name) { P2PTRACE_##name, NULL, { P2PTRACE_##name, HOOK_NR_ROLES }, false }

/* A kernel may have no dma-bufs */
#define DMABUF_WAY(name) { P2PTRACE_##name, NULL, { P2PTRACE_##name, HOOK_NR_ROLES }, true }

#define RESOURCE_WAY(name)								\
	{ P2PTRACE_##name, "BARs that drivers map themselves",				\
	  { HOOK_RESOURCE_MAP, HOOK_RESOURCE_UNMAP, HOOK_DMABUF_LEAVE, HOOK_DMABUF_ENTER,	\
	    HOOK_NR_ROLES }, true }

/* nvmet is built in, or a module */
#define NVMET_WAYS(name)								\
	{ P2PTRACE_##name, NULL, { P2PTRACE_##name, HOOK_NR_ROLES }, true },		\
	{ P2PTRACE_##name, "nvmet as a module",						\
	  { HOOK_NVMET_RETURN, HOOK_NVMET_CALL, HOOK_NR_ROLES }, true }

/* A mapping is forgotten when it ends, or its attachment, or its dma-buf. */
#define DMABUF_ENDS P2PTRACE_dma_buf_detach, P2PTRACE_dma_buf_release

const struct hook_way hook_ways[] = {
	WAY(p2pmem_alloc),
	/* Before 6.2, processes cannot map peer memory */
	{ P2PTRACE_p2pmem_alloc, "pages of processes",
	  { HOOK_PAGE_FREE, HOOK_PAGE_INSERT, P2PTRACE_p2pmem_alloc, HOOK_NR_ROLES }, true },
	WAY(p2pmem_alloc_fail),
	{ P2PTRACE_p2pmem_free, "single buffers", { P2PTRACE_p2pmem_free, HOOK_NR_ROLES }, false },
	{ P2PTRACE_p2pmem_free, "lists",
	  { HOOK_FREE_SGL, HOOK_FREE_SGL_END, HOOK_NR_ROLES }, true },
	{ P2PTRACE_p2pmem_free, "pages of processes",
	  { HOOK_PAGE_FREE, HOOK_PAGE_INSERT, HOOK_NR_ROLES }, true },
	WAY(p2pdma_decide),
	/* Before 6.19, the compiler inlines the function */
	{ P2PTRACE_p2pdma_decide, "repeated refusals",
	  { HOOK_MAP_TYPE, HOOK_MAP_TYPE_BEGIN, P2PTRACE_p2pdma_decide, HOOK_NR_ROLES }, true },
	WAY(p2pmem_find),
	{ P2PTRACE_p2pdma_map, SCATTERLISTS,
	  { P2PTRACE_p2pdma_map, HOOK_PAGES, HOOK_NR_ROLES }, false },
	{ P2PTRACE_p2pdma_unmap, SCATTERLISTS,
	  { P2PTRACE_p2pdma_unmap, HOOK_PAGES, HOOK_NR_ROLES }, false },
	/* Before 6.17, block drivers map scatterlists */
	{ P2PTRACE_p2pdma_map, BLOCK_REQUESTS, { HOOK_BLOCK_MAP, HOOK_NR_ROLES }, true },
	{ P2PTRACE_p2pdma_unmap, BLOCK_REQUESTS,
	  { HOOK_BLOCK_MAP, HOOK_BLOCK_COMPLETE, HOOK_BLOCK_REQUEUE, HOOK_NR_ROLES }, true },
	{ P2PTRACE_p2pdma_map, BLOCK_METADATA, { HOOK_BLOCK_METADATA, HOOK_NR_ROLES }, true },
	{ P2PTRACE_p2pdma_unmap, BLOCK_METADATA,
	  { HOOK_BLOCK_METADATA, HOOK_BLOCK_COMPLETE, HOOK_BLOCK_REQUEUE, HOOK_NR_ROLES }, true },
	/* Before 6.19, exporters of BARs map them in ways of their own */
	{ P2PTRACE_p2pdma_map, DMABUFS,
	  { HOOK_DMABUF_MAP, HOOK_DMABUF_FREE, HOOK_NR_ROLES }, true },
	{ P2PTRACE_p2pdma_unmap, DMABUFS,
	  { HOOK_DMABUF_MAP, HOOK_DMABUF_FREE, HOOK_NR_ROLES }, true },
	{ P2PTRACE_p2pdma_map, HMM, { HOOK_HMM_MAP, HOOK_HMM_UNMAP, HOOK_NR_ROLES }, true },
	{ P2PTRACE_p2pdma_unmap, HMM, { HOOK_HMM_MAP, HOOK_HMM_UNMAP, HOOK_NR_ROLES }, true },
	RESOURCE_WAY(p2pdma_map),
	RESOURCE_WAY(p2pdma_unmap),
	{ P2PTRACE_p2pmem_mmap, NULL, { P2PTRACE_p2pmem_mmap, HOOK_NR_ROLES }, true },
	{ P2PTRACE_dma_buf_export, "those from before",
	  { HOOK_DMABUF_ITER, P2PTRACE_dma_buf_export, HOOK_NR_ROLES }, true },
	DMABUF_WAY(dma_buf_export),
	DMABUF_WAY(dma_buf_release),
	DMABUF_WAY(dma_buf_attach),
	DMABUF_WAY(dma_buf_detach),
	DMABUF_WAY(dma_buf_pin),
	DMABUF_WAY(dma_buf_unpin),
	{ P2PTRACE_dma_buf_map, "provider and map type",
	  { HOOK_DMABUF_RANGES, P2PTRACE_dma_buf_map, P2PTRACE_dma_buf_unmap, DMABUF_ENDS,
	    HOOK_NR_ROLES },
	  true },
	/* After the way that takes the same roles for a part of it */
	{ P2PTRACE_dma_buf_map, NULL,
	  { P2PTRACE_dma_buf_map, P2PTRACE_dma_buf_unmap, DMABUF_ENDS, HOOK_NR_ROLES }, true },
	{ P2PTRACE_dma_buf_unmap, NULL,
	  { P2PTRACE_dma_buf_unmap, P2PTRACE_dma_buf_map, DMABUF_ENDS, HOOK_NR_ROLES }, true },
	{ P2PTRACE_dma_buf_revoke, NULL,
	  { P2PTRACE_dma_buf_revoke, P2PTRACE_dma_buf_unmap, P2PTRACE_dma_buf_map, DMABUF_ENDS,
	    HOOK_NR_ROLES },
	  true },
	NVMET_WAYS(nvmet_p2pmem_use),
	NVMET_WAYS(nvmet_p2pmem_fallback),
};

const unsigned int hook_nr_ways = ARRAY_SIZE(hook_ways);

_Static_assert(ARRAY_SIZE(hook_ways) <= HOOKS_MAX_WAYS, "HOOKS_MAX_WAYS is too small");

const struct hook *stock_hooks = stock_table;

const struct hook_files hook_files = {
	.kallsyms = KALLSYMS,
	.filter_functions = {
		TRACEFS "/" FILTER_FUNCTIONS, DEBUGFS "/tracing/" FILTER_FUNCTIONS,
	},
};

bool hooks_serve(const struct event_set *set, unsigned int role)
{
	return set->stock || role == HOOK_DMABUF_RANGES || role == HOOK_DMABUF_ITER ||
	       event_is_of_dmabuf(role);
}

bool hooks_exist(unsigned int event)
{
	for (unsigned int i = 0; i < hook_nr_ways; i++)
		if (hook_ways[i].event == event)
			return true;
	return false;
}

int hooks_best(const struct event_set *set, unsigned int role)
{
	for (int i = 0; stock_hooks[i].program; i++)
		if (stock_hooks[i].role == role && set->hooks & 1ull << i)
			return i;
	return -1;
}

bool way_has_role(const struct hook_way *way, unsigned int role)
{
	for (const unsigned int *r = way->roles; *r != HOOK_NR_ROLES; r++)
		if (*r == role)
			return true;
	return false;
}

bool hooks_want(const struct event_set *set, unsigned int role)
{
	if (!hooks_serve(set, role))
		return role < P2PTRACE_NR_EVENTS && set->has[role];
	for (unsigned int i = 0; i < hook_nr_ways; i++)
		if (set->ways & 1ull << i && set->has[hook_ways[i].event] &&
		    way_has_role(&hook_ways[i], role))
			return true;
	return false;
}

bool hooks_left(const struct event_set *set, unsigned int event)
{
	for (unsigned int i = 0; i < hook_nr_ways; i++)
		if (set->ways & 1ull << i && hook_ways[i].event == event)
			return true;
	return false;
}

void way_blind(struct event_set *set, const struct hook_way *way, const char *why)
{
	blind_add(set, way->event, "%s%s%s", way->what ?: "", way->what ? ": " : "", why);
}

void hooks_drop_way(struct event_set *set, unsigned int way, bool groups, const char *why)
{
	const struct hook_way *dropped = &hook_ways[way];

	for (unsigned int i = 0; i < hook_nr_ways; i++) {
		if (i != way && !(groups && dropped->what && hook_ways[i].what &&
				  !strcmp(dropped->what, hook_ways[i].what)))
			continue;
		set->ways &= ~(1ull << i);
		way_blind(set, &hook_ways[i], why);
	}
}

void hooks_pair_ways(struct event_set *set)
{
	for (unsigned int i = 0; i < hook_nr_ways; i++)
		for (unsigned int j = 0; hook_ways[i].what && j < hook_nr_ways; j++)
			if (hook_ways[j].what && !strcmp(hook_ways[i].what, hook_ways[j].what) &&
			    !(set->ways & 1ull << i) && set->ways & 1ull << j)
				hooks_drop_way(set, j, true, "the other end is not seen");
}

const char *hook_target(const char *section)
{
	return strchr(section, '/') + 1;
}

bool hook_is_tracepoint(const char *section)
{
	return !strncmp(section, "tp_btf/", strlen("tp_btf/"));
}

bool hook_is_of_module(const char *section)
{
	return !strncmp(section, "kprobe/", strlen("kprobe/")) ||
	       !strncmp(section, "kretprobe/", strlen("kretprobe/"));
}

bool hook_exists(const struct btf *btf, const char *section)
{
	return btf_has_hook(btf, section) != hook_is_of_module(section);
}

bool hook_is_iterator(const char *section)
{
	return !strncmp(section, "iter/", strlen("iter/"));
}

/* Whether the name, without its module, is that of hook @i. "name.constprop.0" is another name. */
static bool is_target(const char *name, size_t i)
{
	const char *wanted = hook_target(stock_hooks[i].section);
	size_t len = strcspn(name, " ");

	return strlen(wanted) == len && !strncmp(name, wanted, len);
}

/* The address may be hidden. */
static int note_symbol(void *ctx, uint64_t addr, char *name)
{
	struct hooks *hooks = ctx;

	if (!strcmp(name, VMEMMAP_BASE)) {
		hooks->have_vmemmap = true;
		hooks->vmemmap_base = addr;
	} else if (!strcmp(name, MEM_SECTION)) {
		hooks->have_vmemmap = true;
		hooks->mem_section = addr;
	}
	for (size_t i = 0; stock_hooks[i].program; i++)
		if (is_target(name, i) && hooks->symbols[i] < 2)
			hooks->symbols[i]++;
	return 0;
}

static int note_filter(void *ctx, uint64_t addr, char *name)
{
	struct hooks *hooks = ctx;

	(void)addr;
	for (size_t i = 0; stock_hooks[i].program; i++)
		if (is_target(name, i))
			hooks->filter[i] = true;
	return 0;
}

void hooks_open(struct hooks *hooks, const struct btf *btf, const struct hook_files *files,
		bool stock)
{
	memset(hooks, 0, sizeof(*hooks));
	hooks->btf = btf;
	hooks->refused = files->refused ?: getenv("P2PTRACE_NO_HOOKS");
	/* The series has tracepoints, and BTF says everything about them */
	if (!stock)
		return;
	hooks->have_symbols = files->kallsyms &&
			      kallsyms_walk(files->kallsyms, note_symbol, hooks) > 0;
	hooks->no_symbols = files->kallsyms && !hooks->have_symbols;
	for (size_t i = 0; i < ARRAY_SIZE(files->filter_functions) && !hooks->have_filter; i++)
		hooks->have_filter = files->filter_functions[i] &&
				     filter_functions_walk(files->filter_functions[i], note_filter,
							   hooks) > 0;
}

static bool in_list(const char *list, const char *name)
{
	size_t len;

	for (; list; list = list[len] ? list + len + 1 : NULL) {
		len = strcspn(list, ",");
		if (strlen(name) == len && !strncmp(list, name, len))
			return true;
	}
	return false;
}

const char hook_missing[] = "the kernel does not have it";

#ifdef __x86_64__
static const bool vmemmap_may_be_fixed = true;
#else
static const bool vmemmap_may_be_fixed;
#endif

/* Whether its program computes the address of a page. */
static bool needs_vmemmap(unsigned int role)
{
	return role == HOOK_FREE_SGL || role == HOOK_PAGE_INSERT || role == HOOK_PAGE_FREE;
}

const char *hooks_refuse(const struct hooks *hooks, const char *section)
{
	const char *name = hook_target(section);
	size_t i = 0;

	if (in_list(hooks->refused, name))
		return "P2PTRACE_NO_HOOKS names it";
	if (!hook_exists(hooks->btf, section))
		return hook_missing;
	/* That of a module may come later */
	if (hook_is_tracepoint(section) || hook_is_iterator(section) || hook_is_of_module(section))
		return NULL;
	while (stock_hooks[i].program && strcmp(stock_hooks[i].section, section))
		i++;
	if (!stock_hooks[i].program)
		return NULL;
	if (hooks->have_symbols && !hooks->symbols[i])
		return "the compiler inlined or renamed it";
	if (hooks->have_symbols && hooks->symbols[i] > 1)
		return "the kernel has several functions of this name";
	if (hooks->have_filter && !hooks->filter[i])
		return "the kernel does not allow tracing it";
	if (needs_vmemmap(stock_hooks[i].role) && hooks->no_symbols)
		return "/proc/kallsyms, which has the address of struct page, cannot be read";
	if (needs_vmemmap(stock_hooks[i].role) && hooks->have_symbols && !hooks->have_vmemmap &&
	    !vmemmap_may_be_fixed)
		return "the kernel does not show the address of struct page (CONFIG_KALLSYMS_ALL)";
	if (needs_vmemmap(stock_hooks[i].role) && hooks->have_vmemmap && !hooks->vmemmap_base &&
	    !hooks->mem_section)
		return "the kernel hides the address of struct page (sysctl kernel.kptr_restrict)";
	return NULL;
}
