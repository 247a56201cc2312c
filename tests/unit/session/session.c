// SPDX-License-Identifier: GPL-2.0
/* wrap: bpf_object__load bpf_program__attach bpf_link__destroy bpf_map__fd bpf_program__fd */
/* wrap: bpf_map_lookup_elem bpf_map_update_elem bpf_obj_get_info_by_fd bpf_link__fd */
/* wrap: bpf_iter_create bars_walk map_walk nvmet_loaded nvmet_in_use nvmet_places */
/* A session without a kernel: which programs are attached, in which order, and what was lost. */
#include <errno.h>
#include <fcntl.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "unit.h"
#include "lib/log.h"
#include "session/hooks.h"
#include "session/map_walk.h"
#include "session/session.h"

#include "stat.skel.h"

/* A log: "+NAME" for a program that was attached, "-NAME" for one that was detached. */
static char did[8192];
static const char *refused_name;
static int refused_with, load_fails;
/* The kernel refuses to load these, and libbpf says which one it was. */
static const char *unloadable[4];
static unsigned int nr_opened, nr_loads;
static unsigned int nr_attached;
static struct stat_bpf *skel;
static struct session session;

/* The kernel's counts */
static uint64_t skipped_each, lost[1024], caught[1024];
static int lookup_fails, info_fails;

static void __attribute__((format(printf, 2, 3)))
libbpf_say(libbpf_print_fn_t print, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print(LIBBPF_WARN, fmt, ap);
	va_end(ap);
}

int __wrap_bpf_object__load(struct bpf_object *object);
int __wrap_bpf_object__load(struct bpf_object *object)
{
	static const char *const messages[] = {
		"BPF program load failed: Invalid argument",
		"failed to find kernel BTF type ID of 'pci_free_p2pmem': -3",
		"failed to prepare load attributes: -3",
	};
	libbpf_print_fn_t print = libbpf_set_print(NULL);

	libbpf_set_print(print);
	nr_loads++;
	for (size_t i = 0; i < ARRAY_LEN(unloadable) && unloadable[i]; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(object, unloadable[i]);

		if (!bpf_program__autoload(program))
			continue;
		libbpf_say(print, "libbpf: prog '%s': %s\n", unloadable[i],
			   messages[i % ARRAY_LEN(messages)]);
		libbpf_say(print, "libbpf: prog '%s': %s\n", "p2pmem_mmap", "relo #0");
		return -refused_with;
	}
	return load_fails;
}

struct bpf_link *__wrap_bpf_program__attach(const struct bpf_program *program);
struct bpf_link *__wrap_bpf_program__attach(const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);

	assert_true(bpf_program__autoload(program));
	if (refused_name && !strcmp(refused_name, name)) {
		errno = refused_with;
		return NULL;
	}
	sprintf(did + strlen(did), "+%s ", name);
	nr_attached++;
	/* The program serves as its link */
	return (struct bpf_link *)program;
}

int __wrap_bpf_link__destroy(struct bpf_link *link);
int __wrap_bpf_link__destroy(struct bpf_link *link)
{
	if (link) {
		sprintf(did + strlen(did), "-%s ",
			bpf_program__name((const struct bpf_program *)link));
		nr_attached--;
	}
	return 0;
}

enum { FD_OTHER = 100, FD_LOST, FD_CAUGHT };

int __wrap_bpf_map__fd(const struct bpf_map *map);
int __wrap_bpf_map__fd(const struct bpf_map *map)
{
	return !strcmp(bpf_map__name(map), "lost_per_cpu") ? FD_LOST :
	       !strcmp(bpf_map__name(map), "caught_per_cpu") ? FD_CAUGHT : FD_OTHER;
}

int __wrap_bpf_program__fd(const struct bpf_program *program);
int __wrap_bpf_program__fd(const struct bpf_program *program)
{
	/* The session asks only about the programs NAME, not about NAME_nested */
	return strstr(bpf_program__name(program), "_nested") ? 1 : 2;
}

int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len);
int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len)
{
	(void)len;
	assert_int_equal(fd, 2);
	errno = info_fails;
	((struct bpf_prog_info *)info)->recursion_misses = skipped_each;
	return info_fails ? -1 : 0;
}

int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value);
int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	uint64_t *to = value;

	assert_int_equal(*(const uint32_t *)key, 0);
	for (size_t i = 0; i < session.lost.nr_cpus; i++)
		to[i] = fd == FD_LOST ? lost[i] : fd == FD_CAUGHT ? caught[i] : 12345;
	errno = lookup_fails;
	return lookup_fails ? -1 : 0;
}

static unsigned int nr_updates;

int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	(void)key;
	(void)value;
	(void)flags;
	assert_int_equal(fd, FD_OTHER);
	nr_updates++;
	return 0;
}

static int bars_fail;

int __wrap_bars_walk(const char *sysfs, void *visit, void *ctx);
int __wrap_bars_walk(const char *sysfs, void *visit, void *ctx)
{
	(void)sysfs;
	(void)visit;
	(void)ctx;
	return bars_fail;
}

/* nvmet as a module, and the calls whose return was missed */
static uint64_t module;
static bool module_in_use;
static int places_fail;
static unsigned int nr_missed;

uint64_t __wrap_nvmet_loaded(const char *sysfs);
uint64_t __wrap_nvmet_loaded(const char *sysfs)
{
	(void)sysfs;
	return module;
}

bool __wrap_nvmet_in_use(const char *configfs);
bool __wrap_nvmet_in_use(const char *configfs)
{
	(void)configfs;
	return module_in_use;
}

int __wrap_nvmet_places(struct p2ptrace_nvmet *places, const char *vmlinux, const char *nvmet);
int __wrap_nvmet_places(struct p2ptrace_nvmet *places, const char *vmlinux, const char *nvmet)
{
	(void)vmlinux;
	(void)nvmet;
	memset(places, 0, sizeof(*places));
	return places_fail;
}

int __wrap_map_walk(int fd, size_t key_size, size_t value_size, uint32_t max, map_visit visit,
		    void *ctx);
int __wrap_map_walk(int fd, size_t key_size, size_t value_size, uint32_t max, map_visit visit,
		    void *ctx)
{
	(void)fd;
	(void)key_size;
	(void)value_size;
	(void)max;
	for (unsigned int i = 0; i < nr_missed; i++)
		visit(ctx, NULL, NULL);
	return 0;
}

int __wrap_bpf_link__fd(const struct bpf_link *link);
int __wrap_bpf_link__fd(const struct bpf_link *link)
{
	assert_string_equal(bpf_program__name((const struct bpf_program *)link),
			    "stock_dmabuf_iter");
	return 77;
}

/* What to read from the iterator; negative: an error */
static int iterator_fd;

int __wrap_bpf_iter_create(int link_fd);
int __wrap_bpf_iter_create(int link_fd)
{
	assert_int_equal(link_fd, 77);
	errno = iterator_fd < 0 ? -iterator_fd : 0;
	return iterator_fd < 0 ? -1 : iterator_fd;
}

static const struct hook *real_hooks;

static int setup(void **state)
{
	(void)state;
	*did = '\0';
	refused_name = NULL;
	memset(unloadable, 0, sizeof(unloadable));
	nr_opened = nr_loads = 0;
	load_fails = lookup_fails = info_fails = 0;
	skipped_each = 0;
	module = bars_fail = places_fail = nr_missed = nr_updates = 0;
	module_in_use = false;
	memset(lost, 0, sizeof(lost));
	memset(caught, 0, sizeof(caught));
	session_set_verbose(false);
	real_hooks = stock_hooks;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	session_close(&session);
	assert_int_equal(nr_attached, 0);
	stat_bpf__destroy(skel);
	skel = NULL;
	stock_hooks = real_hooks;
	return 0;
}

static struct capture c;

static int open_skel(void *opener, struct bpf_object **object)
{
	assert_ptr_equal(opener, &skel);
	/* Nothing is attached to the object that is replaced */
	assert_int_equal(nr_attached, 0);
	nr_opened++;
	stat_bpf__destroy(skel);
	skel = stat_bpf__open();
	assert_non_null(skel);
	*object = skel->obj;
	return 0;
}

static int start(struct session_config *config)
{
	int rc;

	config->open = open_skel;
	config->opener = &skel;
	capture_begin(&c);
	rc = session_start(&session, config);
	capture_end(&c);
	return rc;
}

static struct session_config config_of(const char *list)
{
	struct session_config config = { .needed = P2PTRACE_NR_EVENTS };

	assert_int_equal(events_select(&config.events, list, ""), 0);
	return config;
}

static void a_program_is_attached_before_its_nested_one(void **state)
{
	struct session_config config = config_of("p2pmem_free,p2pmem_alloc");

	(void)state;
	assert_int_equal(start(&config), 0);
	assert_string_equal(c.text, "");
	assert_string_equal(did, "+p2pmem_alloc +p2pmem_alloc_nested +p2pmem_free "
			    "+p2pmem_free_nested ");
	*did = '\0';
	session_close(&session);
	assert_string_equal(did, "-p2pmem_alloc_nested -p2pmem_alloc -p2pmem_free_nested "
			    "-p2pmem_free ");
}

static void only_programs_of_selected_events_are_loaded(void **state)
{
	struct session_config config = config_of("p2pmem_find");
	struct bpf_program *program;

	(void)state;
	assert_int_equal(start(&config), 0);
	bpf_object__for_each_program(program, skel->obj)
		assert_int_equal(bpf_program__autoload(program),
				 !strncmp(bpf_program__name(program), "p2pmem_find", 11));
}

#define BLOCK_PROGRAMS									\
	"+stock_block_complete +stock_block_complete_nested "				\
	"+stock_block_requeue +stock_block_requeue_nested +stock_block_map "		\
	"+stock_block_metadata "

#define HMM_PROGRAMS "+stock_hmm_unmap +stock_hmm_map "
#define DMABUF_PROGRAMS "+stock_dmabuf_free +stock_dmabuf_map "
#define PAGE_PROGRAMS "+stock_page_free_folio +stock_page_insert "
#define RESOURCE_PROGRAMS								\
	"+stock_resource_unmap +stock_dmabuf_leave +stock_dmabuf_enter +stock_resource_map "

static void on_a_stock_kernel_an_event_gets_what_it_needs_as_well(void **state)
{
	struct session_config config = config_of("p2pmem_alloc,p2pmem_free");

	(void)state;
	config.events.stock = true;
	config.events.hooks = config.events.ways = UINT64_MAX;
	assert_int_equal(start(&config), 0);
	assert_string_equal(did, PAGE_PROGRAMS "+stock_p2pmem_alloc +stock_p2pmem_free "
			    "+stock_free_sgl_end +stock_free_sgl ");
	session_close(&session);
	*did = '\0';
	config = config_of("p2pmem_alloc,p2pdma_unmap");
	config.events.stock = true;
	config.events.hooks = config.events.ways = UINT64_MAX;
	assert_int_equal(start(&config), 0);
	assert_string_equal(did, "+stock_pages_update " BLOCK_PROGRAMS HMM_PROGRAMS DMABUF_PROGRAMS
			    PAGE_PROGRAMS RESOURCE_PROGRAMS "+stock_p2pmem_alloc "
			    "+stock_p2pdma_unmap +stock_p2pdma_unmap_nested ");
}

static struct session_config config_of_iterator(void)
{
	struct session_config config = config_of("dma_buf_export");

	config.events.stock = true;
	config.events.hooks = config.events.ways = UINT64_MAX;
	config.duration_ns = 1;
	return config;
}

static void an_iterator_is_visited_also_after_the_end(void **state)
{
	struct session_config config = config_of_iterator();

	(void)state;
	assert_int_equal(start(&config), 0);
	assert_string_equal(did, "+stock_dmabuf_iter +stock_dma_buf_export ");
	*did = '\0';
	assert_int_equal(session_run(&session), 0);
	assert_string_equal(did, "-stock_dma_buf_export ");
	iterator_fd = temporary_file();
	assert_int_equal(ftruncate(iterator_fd, 1000), 0);
	assert_int_equal(session_visit(&session, HOOK_DMABUF_ITER), 0);
	/* A directory cannot be read */
	iterator_fd = open("/", O_RDONLY);
	assert_int_equal(session_visit(&session, HOOK_DMABUF_ITER), -EISDIR);
	iterator_fd = -EPERM;
	assert_int_equal(session_visit(&session, HOOK_DMABUF_ITER), -EPERM);
}

static void a_command_may_do_without_the_iterator(void **state)
{
	static struct hook hooks[HOOKS_MAX];
	struct session_config config = config_of_iterator();

	(void)state;
	for (int i = 0; stock_hooks[i].program; i++) {
		hooks[i] = stock_hooks[i];
		if (hooks[i].role == HOOK_DMABUF_ITER)
			hooks[i].program = "stock_no_iter";
	}
	stock_hooks = hooks;
	assert_int_equal(start(&config), 0);
	assert_string_equal(did, "+stock_dma_buf_export ");
	assert_int_equal(session_visit(&session, HOOK_DMABUF_ITER), -ENOENT);
	assert_int_equal(session_count_lost(&session), 0);
}

static void a_series_with_structures_has_programs_of_its_own(void **state)
{
	struct session_config config = config_of("p2pmem_free,p2pdma_map,p2pdma_unmap");

	(void)state;
	config.events.mappings = true;
	assert_int_equal(start(&config), 0);
	assert_string_equal(did, "+p2pmem_free +p2pmem_free_nested "
			    "+mapping_p2pdma_map +mapping_p2pdma_map_nested "
			    "+mapping_p2pdma_unmap +mapping_p2pdma_unmap_nested ");
}

static void an_event_that_cannot_be_attached_is_left_out_by_name(void **state)
{
	static const int reasons[] = { ENOENT, EBUSY, EINVAL, ENODEV, EOPNOTSUPP };
	struct session_config config = config_of("p2pmem_alloc,p2pmem_free,p2pmem_find");

	(void)state;
	refused_name = "p2pmem_free";
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		refused_with = reasons[i];
		assert_int_equal(start(&config), 0);
		assert_one_line(c.text, "leaving out p2pmem_free: cannot attach to "
				"tp_btf/p2pmem_free: ");
		assert_one_line(c.text, strerror(reasons[i]));
		assert_int_equal(nr_attached, 4);
		assert_false(session.config.events.has[P2PTRACE_p2pmem_free]);
		assert_int_equal(event_set_count(&session.config.events), 2);
		assert_true(session.config.events.blind[P2PTRACE_p2pmem_free]);
		assert_non_null(strstr(session.config.events.why[P2PTRACE_p2pmem_free],
				       strerror(reasons[i])));
		session_close(&session);
	}
	/* An event needs both of its programs */
	refused_name = "p2pmem_free_nested";
	assert_int_equal(start(&config), 0);
	assert_one_line(c.text, "leaving out p2pmem_free: ");
	assert_int_equal(nr_attached, 4);
}

static void an_error_common_to_all_programs_is_not_skipped(void **state)
{
	static const int reasons[] = { EPERM, EACCES, ENOMEM, EMFILE, ENFILE };
	struct session_config config = config_of("p2pmem_alloc,p2pmem_free");

	(void)state;
	refused_name = "p2pmem_free";
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		refused_with = reasons[i];
		assert_true(start(&config) >= EXIT_KERNEL);
		assert_one_line(c.text, "attach p2pmem_free");
		session_close(&session);
	}
}

static void nothing_to_attach_is_an_error(void **state)
{
	struct session_config config = config_of("p2pmem_free");

	(void)state;
	refused_name = "p2pmem_free";
	refused_with = ENOENT;
	assert_int_equal(start(&config), EXIT_KERNEL);
	assert_non_null(strstr(c.text, "none of the events can be traced on this kernel; the "
				       "notes before"));
}

static void events_that_need_each_other_are_left_out_together(void **state)
{
	struct session_config config =
		config_of("p2pmem_alloc,p2pmem_free,p2pdma_map,p2pdma_unmap");

	(void)state;
	config.groups = true;
	config.needed = P2PTRACE_p2pmem_alloc;
	refused_name = "p2pdma_unmap";
	refused_with = ENOENT;
	assert_int_equal(start(&config), 0);
	assert_non_null(strstr(c.text, "all events of a mapping"));
	assert_int_equal(nr_attached, 4);
	assert_non_null(strstr(did, "-p2pdma_map_nested -p2pdma_map "));
	assert_true(session.config.events.blind[P2PTRACE_p2pdma_unmap]);
	assert_true(session.config.events.blind[P2PTRACE_p2pdma_map]);
	assert_string_equal(session.config.events.why[P2PTRACE_p2pdma_map],
			    "this command needs p2pdma_unmap for it");
	assert_false(session.config.events.blind[P2PTRACE_p2pmem_free]);
	session_close(&session);

	refused_name = "p2pmem_free";
	assert_int_equal(start(&config), EXIT_KERNEL);
	assert_non_null(strstr(c.text, "p2pmem_alloc cannot be traced"));
	session_close(&session);

	config.needed = P2PTRACE_NR_EVENTS;
	assert_int_equal(start(&config), 0);
	assert_int_equal(nr_attached, 4);
	assert_true(session.config.events.has[P2PTRACE_p2pdma_map]);
}

static void a_refused_program_costs_its_way_of_mapping(void **state)
{
	struct session_config config = config_of("p2pmem_alloc,p2pdma_map,p2pdma_unmap");
	const struct event_set *left = &session.config.events;
	uint64_t ways;

	(void)state;
	config.events.stock = true;
	config.events.hooks = config.events.ways = UINT64_MAX;
	refused_name = "stock_block_requeue";
	refused_with = ENOENT;
	assert_int_equal(start(&config), 0);
	assert_non_null(strstr(c.text, "p2pdma_unmap is seen only in part, without block "
			       "requests: cannot attach "));
	assert_int_equal(event_set_count(left), 3);
	assert_true(left->blind[P2PTRACE_p2pdma_unmap] && !left->blind[P2PTRACE_p2pdma_map]);
	assert_string_equal(left->why[P2PTRACE_p2pdma_unmap], "block requests: cannot attach to "
			    "tp_btf/block_rq_requeue: No such file or directory; "
			    "metadata of block requests: cannot attach to "
			    "tp_btf/block_rq_requeue: No such file or directory");
	assert_null(strstr(did, "+stock_p2pdma_map_nested -"));
	session_close(&session);

	/* A command that follows mappings leaves out their beginning as well */
	config.groups = true;
	config.needed = P2PTRACE_p2pmem_alloc;
	*did = '\0';
	assert_int_equal(start(&config), 0);
	assert_int_equal(event_set_count(left), 3);
	assert_true(left->blind[P2PTRACE_p2pdma_unmap] && left->blind[P2PTRACE_p2pdma_map]);
	assert_null(strstr(did, "+stock_block_map"));
	ways = left->ways;
	session_close(&session);

	/* Without another way, the event is left out */
	config.events.ways &= ~ways;
	config.events.ways |= 1;	/* p2pmem_alloc */
	assert_int_equal(start(&config), 0);
	assert_int_equal(event_set_count(left), 1);
}

static void a_load_that_fails_for_no_program_is_an_error(void **state)
{
	struct session_config config = config_of("p2pmem_free");

	(void)state;
	load_fails = -EINVAL;
	assert_true(start(&config) >= EXIT_KERNEL);
	assert_one_line(c.text, "load the BPF programs");
	assert_string_equal(did, "");
	assert_int_equal(nr_loads, 1);
}

static void an_event_that_cannot_be_loaded_is_left_out_by_name(void **state)
{
	static const int reasons[] = { EINVAL, EACCES, ENOENT, EOPNOTSUPP, ESRCH, E2BIG };
	struct session_config config = config_of("p2pmem_alloc,p2pmem_free,p2pmem_find");

	(void)state;
	unloadable[0] = "p2pmem_free";
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		*did = '\0';
		nr_opened = nr_loads = 0;
		refused_with = reasons[i];
		assert_int_equal(start(&config), 0);
		assert_one_line(c.text, "leaving out p2pmem_free: cannot load the program for "
				"tp_btf/p2pmem_free: ");
		assert_one_line(c.text, strerror(reasons[i]));
		assert_string_equal(did, "+p2pmem_alloc +p2pmem_alloc_nested +p2pmem_find "
				    "+p2pmem_find_nested ");
		assert_int_equal(event_set_count(&session.config.events), 2);
		/* libbpf cannot load an object twice */
		assert_int_equal(nr_opened, 2);
		assert_int_equal(nr_loads, 2);
		session_close(&session);
	}
	/* One after the other, whatever libbpf's words are */
	unloadable[0] = "p2pmem_alloc";
	unloadable[1] = "p2pmem_free_nested";
	unloadable[2] = "p2pmem_find";
	*did = '\0';
	nr_loads = 0;
	assert_int_equal(start(&config), EXIT_KERNEL);
	assert_int_equal(nr_loads, 3);
	assert_non_null(strstr(c.text, "leaving out p2pmem_alloc: "));
	assert_non_null(strstr(c.text, "leaving out p2pmem_free: "));
	assert_non_null(strstr(c.text, "leaving out p2pmem_find: "));
	assert_non_null(strstr(c.text, "none of the events can be traced on this kernel; the "
				       "notes before"));
	assert_string_equal(did, "");
}

static void an_error_common_to_all_programs_is_not_tried_again(void **state)
{
	static const int reasons[] = { EPERM, ENOMEM, EMFILE, ENFILE, ENOSYS, 524 };
	struct session_config config = config_of("p2pmem_alloc,p2pmem_free");

	(void)state;
	unloadable[0] = "p2pmem_free";
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		nr_loads = 0;
		refused_with = reasons[i];
		assert_true(start(&config) >= EXIT_KERNEL);
		assert_one_line(c.text, "load the BPF program p2pmem_free");
		assert_int_equal(nr_loads, 1);
		session_close(&session);
	}
}

static void a_refused_program_removes_the_group_of_its_event(void **state)
{
	struct session_config config =
		config_of("p2pmem_alloc,p2pmem_free,p2pdma_map,p2pdma_unmap");

	(void)state;
	config.groups = true;
	config.needed = P2PTRACE_p2pmem_alloc;
	refused_with = EINVAL;
	unloadable[0] = "p2pdma_unmap";
	assert_int_equal(start(&config), 0);
	assert_non_null(strstr(c.text, "all events of a mapping"));
	assert_string_equal(did, "+p2pmem_alloc +p2pmem_alloc_nested +p2pmem_free "
			    "+p2pmem_free_nested ");
	session_close(&session);
	unloadable[0] = "p2pmem_free";
	nr_loads = 0;
	assert_int_equal(start(&config), EXIT_KERNEL);
	assert_non_null(strstr(c.text, "p2pmem_alloc cannot be traced"));
	assert_int_equal(nr_loads, 1);
	session_close(&session);
}

/* Two hooks for an event, and two for the pages. Any programs will do. */
static const struct hook two_hooks[] = {
	{ P2PTRACE_p2pmem_alloc, "stock_p2pmem_free", "fentry/pci_free_p2pmem" },
	{ P2PTRACE_p2pdma_map, "stock_p2pdma_map", "tp_btf/dma_map_sg" },
	{ P2PTRACE_p2pmem_alloc, "stock_p2pmem_mmap", "fexit/p2pmem_alloc_mmap" },
	{ HOOK_PAGES, "stock_pages", "fentry/pci_p2pdma_map_segment" },
	{ HOOK_PAGES, "stock_p2pmem_find", "fexit/pci_p2pmem_find_many" },
	{}
};

static void a_refused_hook_is_replaced_by_the_next_one(void **state)
{
	struct session_config config = config_of("p2pmem_alloc,p2pdma_map");

	(void)state;
	stock_hooks = two_hooks;
	config.events.stock = true;
	config.events.hooks = (1 << (ARRAY_LEN(two_hooks) - 1)) - 1;
	/* Not block requests */
	for (unsigned int i = 0; i < hook_nr_ways; i++)
		config.events.ways |= (uint64_t)!hook_ways[i].optional << i;
	assert_int_equal(start(&config), 0);
	assert_string_equal(c.text, "");
	assert_string_equal(did, "+stock_pages +stock_p2pmem_free +stock_p2pdma_map "
			    "+stock_p2pdma_map_nested ");
	session_close(&session);

	/* It is not attached... */
	refused_name = "stock_p2pmem_free";
	refused_with = ENOENT;
	*did = '\0';
	assert_int_equal(start(&config), 0);
	assert_one_line(c.text, "using fexit/p2pmem_alloc_mmap instead of "
			"fentry/pci_free_p2pmem, which this kernel refused");
	assert_string_equal(did, "+stock_pages -stock_pages +stock_pages +stock_p2pmem_mmap "
			    "+stock_p2pdma_map +stock_p2pdma_map_nested ");
	assert_int_equal(event_set_count(&session.config.events), 2);
	session_close(&session);

	/* ...or not loaded, */
	refused_name = NULL;
	unloadable[0] = "stock_p2pmem_free";
	unloadable[1] = "stock_pages";
	*did = '\0';
	assert_int_equal(start(&config), 0);
	assert_string_equal(did, "+stock_p2pmem_find +stock_p2pmem_mmap +stock_p2pdma_map "
			    "+stock_p2pdma_map_nested ");
	session_close(&session);

	/* or neither can be used */
	refused_name = "stock_p2pmem_mmap";
	assert_int_equal(start(&config), 0);
	assert_non_null(strstr(c.text, "leaving out p2pmem_alloc: cannot attach to "
			       "fexit/p2pmem_alloc_mmap: "));
	assert_int_equal(event_set_count(&session.config.events), 1);
	session_close(&session);

	/* It is not one of those that this kernel has */
	refused_name = NULL;
	config.events.hooks &= ~(1ull << 2);
	assert_int_equal(start(&config), 0);
	assert_non_null(strstr(c.text, "leaving out p2pmem_alloc: cannot load "));
}

static void lost_events_had_no_room_or_were_not_caught(void **state)
{
	struct session_config config = config_of("p2pmem_alloc,p2pmem_free,p2pmem_find");

	(void)state;
	assert_int_equal(start(&config), 0);
	assert_int_equal(session_count_lost(&session), 0);
	assert_int_equal(session.lost.total, 0);
	/* The kernel skipped 3 programs 5 times each */
	skipped_each = 5;
	caught[0] = 13;
	lost[0] = 7;
	assert_int_equal(session_count_lost(&session), 0);
	assert_int_equal(session.lost.per_cpu[0], 7);
	assert_int_equal(session.lost.nested, 2);
	assert_int_equal(session.lost.total, 9);
	/* Each skipped event was caught */
	caught[session.lost.nr_cpus - 1] += 2;
	lost[session.lost.nr_cpus - 1] += 1;
	assert_int_equal(session_count_lost(&session), 0);
	assert_int_equal(session.lost.nested, 0);
	assert_int_equal(session.lost.total, 8);
	/* One more was caught after the skipped ones were counted */
	caught[0]++;
	assert_int_equal(session_count_lost(&session), 0);
	assert_int_equal(session.lost.nested, 0);

	lookup_fails = EPERM;
	capture_begin(&c);
	assert_int_equal(session_count_lost(&session), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, "cannot read the number of lost events");
	lookup_fails = 0;
	info_fails = EBADF;
	capture_begin(&c);
	assert_int_equal(session_count_lost(&session), EXIT_OTHER);
	capture_end(&c);
	assert_one_line(c.text, strerror(EBADF));
}

static void each_program_that_is_attached_may_be_skipped(void **state)
{
	struct session_config config = config_of("p2pmem_alloc,p2pmem_free,p2pmem_find");

	(void)state;
	/* Not those that were left out */
	refused_name = "p2pmem_free";
	refused_with = ENOENT;
	skipped_each = 5;
	assert_int_equal(start(&config), 0);
	assert_int_equal(session_count_lost(&session), 0);
	assert_int_equal(session.lost.nested, 10);
	session_close(&session);

	/* The ones of pages, of block requests, of HMM, of dma-bufs and of BARs as well */
	config = config_of("p2pdma_unmap");
	config.events.stock = true;
	config.events.hooks = config.events.ways = UINT64_MAX;
	assert_int_equal(start(&config), 0);
	assert_int_equal(session_count_lost(&session), 0);
	assert_int_equal(session.lost.nested, 70);
}

static unsigned int pauses, pauses_until_stop;

static enum session_verdict pause_once(void *ctx)
{
	assert_ptr_equal(ctx, &session);
	assert_true(nr_attached);
	return ++pauses == pauses_until_stop ? SESSION_STOP : SESSION_GO_ON;
}

static int ended;

static int ending(void *ctx)
{
	assert_ptr_equal(ctx, &session);
	/* Still attached */
	assert_int_equal(nr_attached, 2);
	return ended++ ? 4 : 0;
}

static void a_session_runs_until_its_callback_or_its_time_ends_it(void **state)
{
	struct session_config config = config_of("p2pmem_free");

	(void)state;
	config.interval_ns = 1000000;
	config.pause = pause_once;
	config.ending = ending;
	config.ctx = &session;
	pauses = ended = 0;
	pauses_until_stop = 5;
	lost[0] = 3;
	assert_int_equal(start(&config), 0);
	assert_int_equal(session_run(&session), 0);
	assert_int_equal(pauses, 5);
	assert_int_equal(ended, 1);
	/* The lost events are counted after the programs are detached */
	assert_int_equal(nr_attached, 0);
	assert_int_equal(session.lost.total, 3);
	session_close(&session);

	/* The duration ends the session */
	pauses = 0;
	pauses_until_stop = 1000000;
	config.duration_ns = 30000000;
	config.ending = NULL;
	assert_int_equal(start(&config), 0);
	assert_int_equal(session_run(&session), 0);
	assert_true(pauses >= 1 && pauses <= 30);
	session_close(&session);

	/* session_run() returns the status of ending() */
	config.ending = ending;
	assert_int_equal(start(&config), 0);
	assert_int_equal(session_run(&session), 4);
}

static void bars_that_cannot_be_read_cost_their_way(void **state)
{
	struct session_config config = config_of("p2pdma_map");

	(void)state;
	config.events.stock = true;
	config.events.hooks = config.events.ways = UINT64_MAX;
	bars_fail = -EACCES;
	assert_int_equal(start(&config), 0);
	assert_one_line(c.text, "p2pdma_map is seen only in part, without BARs that drivers map "
			"themselves: cannot "
			"read the BARs: Permission denied\n");
	assert_true(session.config.events.blind[P2PTRACE_p2pdma_map]);
	assert_null(strstr(did, "resource"));
}

/* What happens to nvmet before each interval, and what the session did meanwhile. */
static const uint64_t *module_script;
static char module_did[8][128];
static unsigned int nr_pauses;

static enum session_verdict next_module(void *ctx)
{
	(void)ctx;
	memcpy(module_did[nr_pauses++], did, sizeof(module_did[0]) - 1);
	*did = '\0';
	module = *module_script++;
	return *module_script ? SESSION_GO_ON : SESSION_STOP;
}

static struct session_config config_of_module(void)
{
	struct session_config config = config_of("nvmet_p2pmem_use,nvmet_p2pmem_fallback");

	config.events.stock = true;
	config.events.hooks = UINT64_MAX;
	for (unsigned int i = 0; i < hook_nr_ways; i++)
		if (way_has_role(&hook_ways[i], HOOK_NVMET_CALL))
			config.events.ways |= 1ull << i;
	config.interval_ns = 1000000;
	config.pause = next_module;
	return config;
}

#define MODULE_ATTACHED "+stock_nvmet_return +stock_nvmet_call "
#define MODULE_DETACHED "-stock_nvmet_call -stock_nvmet_return "

static void a_module_is_followed(void **state)
{
	/* Loaded after p2ptrace, and again and again; the end */
	static const uint64_t script[] = { 5, 7, 9, 9, 9, 0 };
	struct session_config config = config_of_module();

	(void)state;
	module_script = script;
	nr_pauses = 0;
	assert_int_equal(start(&config), 0);
	assert_one_line(c.text, "nvmet is not loaded; its requests are seen once it is loaded\n");
	assert_string_equal(did, "");
	capture_begin(&c);
	assert_int_equal(session_run(&session), 0);
	capture_end(&c);
	assert_string_equal(module_did[0], "");
	assert_string_equal(module_did[1], MODULE_ATTACHED);
	assert_string_equal(module_did[2], MODULE_DETACHED MODULE_ATTACHED);
	assert_string_equal(module_did[3], MODULE_DETACHED MODULE_ATTACHED);
	assert_string_equal(module_did[4], "");
	assert_int_equal(nr_updates, 3);
	assert_non_null(strstr(c.text, "nvmet was loaded, and its requests are seen from now on"));
	assert_false(session.config.events.blind[P2PTRACE_nvmet_p2pmem_use]);
	assert_int_equal(session.lost.total, 0);
}

static void a_module_that_was_in_use_already_was_not_seen(void **state)
{
	static const uint64_t script[] = { 5, 5, 0 };
	struct session_config config = config_of_module();

	(void)state;
	module_script = script;
	module_in_use = true;
	nr_pauses = 0;
	nr_missed = 3;
	assert_int_equal(start(&config), 0);
	capture_begin(&c);
	assert_int_equal(session_run(&session), 0);
	capture_end(&c);
	assert_true(session.config.events.blind[P2PTRACE_nvmet_p2pmem_use]);
	assert_string_equal(session.config.events.why[P2PTRACE_nvmet_p2pmem_fallback],
			    "requests before p2ptrace noticed that nvmet was loaded");
	/* Returns that the kernel missed are lost events */
	assert_int_equal(session.lost.total, 3);
	session_close(&session);

	/* If it is there at the start, nothing was missed */
	module = 5;
	*did = '\0';
	assert_int_equal(start(&config), 0);
	assert_string_equal(c.text, "");
	assert_string_equal(did, MODULE_ATTACHED);
	assert_false(session.config.events.blind[P2PTRACE_nvmet_p2pmem_use]);
}

static void a_module_that_refuses_is_tried_again_for_a_while(void **state)
{
	static const uint64_t script[] = { [0 ... 30] = 5, [31] = 0 };
	struct session_config config = config_of_module();

	(void)state;
	module_script = script + 24;
	nr_pauses = 0;
	places_fail = -ENOENT;
	assert_int_equal(start(&config), 0);
	capture_begin(&c);
	assert_int_equal(session_run(&session), 0);
	capture_end(&c);
	/* It may be in the middle of being loaded */
	assert_false(session.config.events.blind[P2PTRACE_nvmet_p2pmem_use]);
	session_close(&session);

	module_script = script + 4;
	nr_pauses = 0;
	config.pause = NULL;
	config.interval_ns = 0;
	config.duration_ns = 2000000000;
	module = 5;
	assert_int_equal(start(&config), 0);
	capture_begin(&c);
	assert_int_equal(session_run(&session), 0);
	capture_end(&c);
	assert_true(session.config.events.blind[P2PTRACE_nvmet_p2pmem_use]);
	assert_non_null(strstr(c.text, "requests to nvmet: cannot attach to it: No such file"));
}

#define SESSION_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	SESSION_TEST(a_program_is_attached_before_its_nested_one),
	SESSION_TEST(only_programs_of_selected_events_are_loaded),
	SESSION_TEST(on_a_stock_kernel_an_event_gets_what_it_needs_as_well),
	SESSION_TEST(an_iterator_is_visited_also_after_the_end),
	SESSION_TEST(a_command_may_do_without_the_iterator),
	SESSION_TEST(a_series_with_structures_has_programs_of_its_own),
	SESSION_TEST(an_event_that_cannot_be_attached_is_left_out_by_name),
	SESSION_TEST(an_error_common_to_all_programs_is_not_skipped),
	SESSION_TEST(nothing_to_attach_is_an_error),
	SESSION_TEST(events_that_need_each_other_are_left_out_together),
	SESSION_TEST(a_refused_program_costs_its_way_of_mapping),
	SESSION_TEST(a_load_that_fails_for_no_program_is_an_error),
	SESSION_TEST(an_event_that_cannot_be_loaded_is_left_out_by_name),
	SESSION_TEST(an_error_common_to_all_programs_is_not_tried_again),
	SESSION_TEST(a_refused_program_removes_the_group_of_its_event),
	SESSION_TEST(a_refused_hook_is_replaced_by_the_next_one),
	SESSION_TEST(lost_events_had_no_room_or_were_not_caught),
	SESSION_TEST(a_session_runs_until_its_callback_or_its_time_ends_it),
	SESSION_TEST(each_program_that_is_attached_may_be_skipped),
	SESSION_TEST(bars_that_cannot_be_read_cost_their_way),
	SESSION_TEST(a_module_is_followed),
	SESSION_TEST(a_module_that_was_in_use_already_was_not_seen),
	SESSION_TEST(a_module_that_refuses_is_tried_again_for_a_while),
};

UNIT_MAIN(tests)
