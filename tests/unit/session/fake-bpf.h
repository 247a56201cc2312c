/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libbpf without a kernel: every object loads, every program attaches, and the number of a map is
 * its place in maps[]. A test that includes this says what the maps contain, and wraps:
 *
 * bpf_object__load bpf_program__attach bpf_link__destroy bpf_map__fd bpf_program__fd
 * bpf_obj_get_info_by_fd
 */
#ifndef FAKE_BPF_H
#define FAKE_BPF_H

#include "unit.h"

#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static const struct bpf_map *maps[64];
static size_t nr_maps;
static const char *refused_name;	/* a program that cannot be attached */
static unsigned int nr_links;

int __wrap_bpf_object__load(struct bpf_object *object);
int __wrap_bpf_object__load(struct bpf_object *object)
{
	(void)object;
	return 0;
}

struct bpf_link *__wrap_bpf_program__attach(const struct bpf_program *program);
struct bpf_link *__wrap_bpf_program__attach(const struct bpf_program *program)
{
	if (refused_name && !strcmp(refused_name, bpf_program__name(program))) {
		errno = ENOENT;
		return NULL;
	}
	nr_links++;
	return (struct bpf_link *)program;
}

int __wrap_bpf_link__destroy(struct bpf_link *link);
int __wrap_bpf_link__destroy(struct bpf_link *link)
{
	nr_links -= !!link;
	return 0;
}

int __wrap_bpf_program__fd(const struct bpf_program *program);
int __wrap_bpf_program__fd(const struct bpf_program *program)
{
	(void)program;
	return 1;
}

int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len);
int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len)
{
	(void)fd;
	(void)info;
	(void)len;
	return 0;
}

int __wrap_bpf_map__fd(const struct bpf_map *map);
int __wrap_bpf_map__fd(const struct bpf_map *map)
{
	for (size_t i = 0; i < nr_maps; i++)
		if (maps[i] == map)
			return i;
	assert_true(nr_maps < sizeof(maps) / sizeof(maps[0]));
	maps[nr_maps] = map;
	return nr_maps++;
}

static bool is(int fd, const char *name)
{
	return !strcmp(bpf_map__name(maps[fd]), name);
}

#endif /* FAKE_BPF_H */
