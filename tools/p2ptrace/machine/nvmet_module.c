// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <glob.h>
#include <string.h>

#include <bpf/btf.h>

#include "lib/units.h"
#include "machine/nvmet_module.h"
#include "machine/sysfs.h"

uint64_t nvmet_loaded(const char *sysfs)
{
	uint64_t inode;

	return sysfs_inode(&inode, "%s/" NVMET_MODULE, sysfs) ? 0 : inode;
}

bool nvmet_in_use(const char *configfs)
{
	char pattern[256];
	glob_t found;
	int rc;

	if (sysfs_path(pattern, sizeof(pattern), "%s/" NVMET_PORTS "/*/subsystems/*", configfs))
		return false;
	rc = glob(pattern, GLOB_NOSORT, NULL, &found);
	globfree(&found);
	return !rc;
}

struct place {
	const char *type, *member;
	size_t at;	/* in struct p2ptrace_nvmet */
};

#define PLACE(type, member) { #type, #member, offsetof(struct p2ptrace_nvmet, type##_##member) },
static const struct place all[] = { P2PTRACE_NVMET_MEMBERS(PLACE) };

static int find_member(const struct btf *btf, const struct place *place, uint32_t *offset)
{
	int id = btf__find_by_name_kind(btf, place->type, BTF_KIND_STRUCT);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : NULL;

	for (uint32_t i = 0; type && i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(btf, btf_members(type)[i].name_off);

		if (!name || strcmp(name, place->member))
			continue;
		*offset = btf_member_bit_offset(type, i) / 8;
		return 0;
	}
	return -ENOENT;
}

int nvmet_places(struct p2ptrace_nvmet *places, const char *vmlinux_btf, const char *nvmet_btf)
{
	struct btf *vmlinux = btf__parse(vmlinux_btf, NULL), *nvmet = NULL;
	int err = vmlinux ? 0 : -errno;
	uint32_t offset;

	memset(places, 0, sizeof(*places));
	if (!err) {
		nvmet = btf__parse_split(nvmet_btf, vmlinux);
		err = nvmet ? 0 : -errno;
	}
	for (size_t i = 0; i < ARRAY_SIZE(all) && !err; i++) {
		err = find_member(nvmet, &all[i], &offset);
		if (!err)
			memcpy((char *)places + all[i].at, &offset, sizeof(offset));
	}
	btf__free(nvmet);
	btf__free(vmlinux);
	return err;
}
