// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/text.h"
#include "lib/units.h"
#include "machine/config.h"
#include "machine/devices.h"
#include "machine/host.h"
#include "machine/live.h"
#include "machine/order.h"
#include "machine/resources.h"
#include "machine/table.h"
#include "machine/titles.h"

#define CLASS_NVME		0x010802
#define CLASS_BRIDGE_PCI	0x0604
#define CLASS_BRIDGE_CARDBUS	0x0607

/* A word that fits, or nothing: half a name would be the name of something else. */
static void copy_word(char *to, size_t size, const char *from)
{
	text_whole_word(to, size, from, strlen(from));
}

static void read_int(int *to, int min, int max, const char *sysfs, const char *pci,
		     const char *attribute)
{
	char text[32];
	int value;

	if (sysfs_read_text(text, sizeof(text), "%s/" PCI_DEVICES "/%s/%s", sysfs, pci, attribute))
		return;
	if (!word_int(text, &value) && value >= min && value <= max)
		*to = value;
}

static void read_id(int *to, unsigned int max, const char *sysfs, const char *pci,
		    const char *attribute)
{
	unsigned int value;

	if (!sysfs_read_id(&value, "%s/" PCI_DEVICES "/%s/%s", sysfs, pci, attribute) &&
	    value <= max)
		*to = value;
}

/* A link that is not there names nothing: "-". */
static void read_link(char *to, size_t size, const char *sysfs, const char *pci, const char *link)
{
	char name[NAME_MAX + 1];
	int err = sysfs_link_name(name, sizeof(name), "%s/" PCI_DEVICES "/%s/%s", sysfs, pci, link);

	if (!err)
		copy_word(to, size, name);
	else if (err == -ENOENT)
		strcpy(to, "-");
}

/* Sets @registers to what config space alone shows of the BARs. */
static void read_config(struct function *function, struct bar *registers, const char *sysfs)
{
	uint8_t bytes[4096];
	char path[PATH_MAX];
	size_t len = 0;
	FILE *file = NULL;

	if (!sysfs_path(path, sizeof(path), "%s/" PCI_DEVICES "/%s/config", sysfs, function->name))
		file = fopen(path, "re");
	if (file) {
		len = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
	}
	config_parse(function, bytes, len);
	config_bars(registers, bytes, len);
}

static void read_ids(struct function *function, const char *sysfs)
{
	const char *pci = function->name;
	int class;

	/* Config space differs for virtual functions, and where the kernel corrects it */
	read_id(&function->vendor, 0xffff, sysfs, pci, "vendor");
	read_id(&function->device, 0xffff, sysfs, pci, "device");
	read_id(&function->class, 0xffffff, sysfs, pci, "class");
	class = function->class >> 8;
	if (!function->bridge && function->class != UNKNOWN)
		function->bridge = class == CLASS_BRIDGE_PCI || class == CLASS_BRIDGE_CARDBUS ?
				   PRESENT : ABSENT;
}

/* "8.0 GT/s PCIe" or, before 5.8, "8 GT/s"; other text is "Unknown". */
static unsigned int speed_of(const char *text)
{
	unsigned int whole, tenth = 0;

	return sscanf(text, "%3u.%1u", &whole, &tenth) >= 1 ? 1000 * whole + 100 * tenth : 0;
}

static void read_speed(unsigned int *speed, const char *sysfs, const char *pci, const char *name)
{
	char text[32];

	if (!*speed && !sysfs_read_text(text, sizeof(text), "%s/" PCI_DEVICES "/%s/%s", sysfs, pci,
					name))
		*speed = speed_of(text);
}

static void read_width(unsigned int *width, const char *sysfs, const char *pci, const char *name)
{
	uint64_t value;

	/* 255 is the kernel's PCIE_LNK_WIDTH_UNKNOWN */
	if (!*width && !sysfs_read_number(&value, "%s/" PCI_DEVICES "/%s/%s", sysfs, pci, name) &&
	    value < 64)
		*width = value;
}

/* Everybody may read these; config space shows them to root only. */
static void read_link_status(struct function *function, const char *sysfs)
{
	struct link *link = &function->link;
	const char *pci = function->name;

	read_speed(&link->speed, sysfs, pci, "current_link_speed");
	read_speed(&link->max_speed, sysfs, pci, "max_link_speed");
	read_width(&link->width, sysfs, pci, "current_link_width");
	read_width(&link->max_width, sysfs, pci, "max_link_width");
}

/*
 * The kernel clears the resource of a BAR for which it found no space (reset_resource()), as if
 * there were none. Then only the register shows that there is a BAR.
 */
static void set_bar(struct bar *bar, const struct resource *resource, const struct bar *registers)
{
	if (!resource->first && !resource->last && !resource->flags && registers->unsized) {
		/* The size of a resizable one is in config space */
		bar->unsized = !bar->size;
		bar->start = 0;
		bar->memory = registers->memory;
		bar->prefetchable = registers->prefetchable;
		bar->wide = registers->wide;
		bar->assigned = false;
		return;
	}
	bar->size = 0;
	if (!(resource->flags & (RESOURCE_IO | RESOURCE_MEM)) || resource->last <= resource->first)
		return;
	bar->size = resource->last - resource->first + 1;
	bar->start = resource->first;
	bar->memory = resource->flags & RESOURCE_MEM;
	bar->prefetchable = resource->flags & RESOURCE_PREFETCH;
	bar->wide = resource->flags & RESOURCE_MEM_64;
	bar->assigned = resource->first && !(resource->flags & RESOURCE_UNSET);
}

/* The registers of a bridge have addresses of the bus; these are the CPU's. */
static void set_window(struct window *window, const struct resource *resource)
{
	if (!(resource->flags & RESOURCE_MEM) ||
	    resource->flags & (RESOURCE_UNSET | RESOURCE_DISABLED) ||
	    resource->last <= resource->first)
		return;
	window->presence = PRESENT;
	window->first = resource->first;
	window->last = resource->last;
}

#define NR_WINDOWS	4

static void read_resources(struct function *function, const struct bar *registers,
			   const char *sysfs)
{
	struct resource resources[MAX_RESOURCES];
	size_t nr = resources_read(resources, sysfs, function->name);

	if (nr <= NR_BARS)
		return;
	function->bars_known = PRESENT;
	for (size_t i = 0; i < NR_BARS; i++)
		set_bar(&function->bars[i], &resources[i], &registers[i]);
	if (function->bridge == PRESENT &&
	    (nr == NR_BARS + 1 + NR_WINDOWS || nr == MAX_RESOURCES)) {
		set_window(&function->window, &resources[nr - NR_WINDOWS + 1]);
		set_window(&function->prefetchable_window, &resources[nr - NR_WINDOWS + 2]);
	}
}

/* Also for those who may not read config space. The kernel has the files since 5.19. */
static void read_resizable(struct function *function, const char *sysfs)
{
	for (size_t i = 0; i < NR_BARS; i++) {
		unsigned long long sizes;
		char text[32], *end;

		if (sysfs_read_text(text, sizeof(text), "%s/" PCI_DEVICES "/%s/resource%zu_resize",
				    sysfs, function->name, i))
			continue;
		errno = 0;
		sizes = strtoull(text, &end, 16);
		if (errno || end == text || *end)
			continue;
		function->bars[i].resizable = PRESENT;
		function->bars[i].sizes = sizes;
	}
}

static void read_iommu(struct function *function, const char *sysfs)
{
	char text[PCI_NAME_LEN] = "";

	read_link(text, sizeof(text), sysfs, function->name, "iommu_group");
	if (!strcmp(text, "-")) {
		function->iommu_group = NONE;
		strcpy(function->iommu_domain, "-");
		return;
	}
	if (word_int(text, &function->iommu_group) || function->iommu_group < 0)
		function->iommu_group = UNKNOWN;
	if (!sysfs_read_text(text, sizeof(text), "%s/" PCI_DEVICES "/%s/iommu_group/type", sysfs,
			     function->name))
		copy_word(function->iommu_domain, sizeof(function->iommu_domain), text);
}

static void read_pool(struct function *function, const char *sysfs)
{
	struct pool *pool = &function->pool;
	const char *pci = function->name;
	uint64_t value;

	strcpy(pool->dev, "-");
	pool->presence = pci_provides(sysfs, pci) ? PRESENT : ABSENT;
	if (pool->presence == ABSENT)
		return;
	if (!sysfs_read_number(&value, "%s/" PCI_DEVICES "/%s/" P2PMEM_GROUP "/size", sysfs, pci))
		pool->size = value;
	if (!sysfs_read_number(&value, "%s/" PCI_DEVICES "/%s/" P2PMEM_GROUP "/available", sysfs,
			       pci))
		pool->available = value;
	if (!sysfs_read_number(&value, "%s/" PCI_DEVICES "/%s/" P2PMEM_GROUP "/published", sysfs,
			       pci) && value <= 1)
		pool->published = value;
}

/*
 * Fills a function except for its place and the names of its devices. Returns whether it is still
 * there at the end.
 */
static bool read_function(struct function *function, const char *sysfs)
{
	const char *pci = function->name;
	struct bar registers[NR_BARS];

	read_config(function, registers, sysfs);
	read_ids(function, sysfs);
	read_link_status(function, sysfs);
	read_resources(function, registers, sysfs);
	read_resizable(function, sysfs);
	for (size_t i = 0; i < NR_BARS; i++)
		if (!function->bars[i].size && !function->bars[i].unsized)
			function->bars[i] = (struct bar){};
	read_link(function->driver, sizeof(function->driver), sysfs, pci, "driver");
	read_link(function->physfn, sizeof(function->physfn), sysfs, pci, "physfn");
	read_int(&function->numa_node, NONE, INT_MAX, sysfs, pci, "numa_node");
	read_int(&function->dma_mask_bits, 0, 64, sysfs, pci, "dma_mask_bits");
	if (function->bridge == PRESENT && function->secondary == UNKNOWN) {
		read_int(&function->secondary, 0, 255, sysfs, pci, "secondary_bus_number");
		read_int(&function->subordinate, 0, 255, sysfs, pci, "subordinate_bus_number");
	}
	/* No bus is below a bridge with such numbers, and a snapshot may not contain them */
	if (function->subordinate >= 0 && function->subordinate < function->secondary)
		function->secondary = function->subordinate = UNKNOWN;
	read_iommu(function, sysfs);
	read_pool(function, sysfs);
	return pci_exists(sysfs, pci);
}

/* Finds parent and root in the path of its directory: .../pci0000:00/0000:00:01.0/0000:01:00.0 */
static int place(struct machine *machine, size_t index, const char *sysfs)
{
	char *real = sysfs_real_path("%s/" PCI_DEVICES "/%s", sysfs,
				     machine->functions[index].name);
	char above[PCI_NAME_LEN] = "", last[PCI_NAME_LEN] = "", root[PCI_NAME_LEN] = "";
	char under[PCI_NAME_LEN] = "-", name[PCI_NAME_LEN], *rest = real, *word;
	struct function *function = &machine->functions[index];
	struct root *found;

	while ((word = strsep(&rest, "/"))) {
		if (!strncmp(word, "pci", 3) && strchr(word, ':')) {
			/* A host bridge that belongs to a function (VMD) */
			strcpy(under, *last ? last : "-");
			*root = *last = *above = '\0';
			copy_word(root, sizeof(root), word);
		} else if (!pci_name_parse(word, name, sizeof(name)) && !strcmp(name, word)) {
			strcpy(above, last);
			strcpy(last, name);
		}
	}
	free(real);
	if (!*root || strcmp(last, function->name))
		return 0;
	found = machine_add_root(machine, root);
	if (!found)
		return -ENOMEM;
	strcpy(found->under, under);
	function->root = found - machine->roots;
	function->parent = NONE;
	if (*above) {
		struct function *parent = machine_find(machine, above);

		function->parent = parent ? machine_index(machine, parent) : UNKNOWN;
		/* If its header cannot be read, its class may be that of another kind of bridge */
		if (parent && parent->bridge == ABSENT)
			parent->bridge = PRESENT;
	}
	return 0;
}

/* Only if the kernel shows two paths that contradict each other, in the middle of a hot-plug. */
static void drop_bad_parents(struct machine *machine)
{
	const char *bad;

	while (machine_check(machine, &bad)) {
		struct function *function = machine_find(machine, bad);

		if (function->parent == UNKNOWN)
			function->root = UNKNOWN;
		function->parent = UNKNOWN;
	}
}

/*
 * The function that does the DMA of a device of this class. NULL if there is none, or if the device
 * is behind a USB controller.
 */
static struct function *function_of(const struct machine *machine, const char *sysfs,
				    const char *class, const char *device)
{
	char *path = sysfs_real_path("%s/class/%s/%s", sysfs, class, device), *rest = path, *word;
	char name[PCI_NAME_LEN], found[PCI_NAME_LEN] = "";

	while ((word = strsep(&rest, "/"))) {
		if (!strncmp(word, "usb", 3) && isdigit((unsigned char)word[3])) {
			*found = '\0';
			break;
		}
		if (!pci_name_parse(word, name, sizeof(name)) && !strcmp(name, word))
			strcpy(found, name);
	}
	free(path);
	return *found ? machine_find(machine, found) : NULL;
}

/* Shorter than this, hexadecimal digits are no address: a MAC has 12, a GUID has 16. */
#define ADDRESS_DIGITS 12

/* Where an address begins in a name: enx525400123456, rocex525400fffe123456; NULL: nowhere */
static const char *address_in(const char *name)
{
	for (size_t digits; *name; name += digits + !digits) {
		digits = strspn(name, "0123456789abcdefABCDEF");
		if (digits >= ADDRESS_DIGITS)
			return name;
	}
	return NULL;
}

static bool has_name(const struct function *function, const char *name)
{
	for (size_t i = 0; i < function->nr_names; i++)
		if (!strcmp(function->names[i], name))
			return true;
	return false;
}

static void add_name(struct function *function, const char *device)
{
	const char *address = address_in(device);
	char word[4 * NAME_MAX + 1], name[4 * NAME_MAX + PCI_NAME_LEN + 16];
	int n;

	text_word(word, sizeof(word), device, address ? (size_t)(address - device) :
		  strlen(device));
	strcpy(name, word);
	if (address)
		n = sprintf(name, "%s-%s", word, function->name);
	/* A second one of the function */
	for (int i = 2; address && has_name(function, name) && i <= MAX_NAMES; i++)
		sprintf(name + n, "-%d", i);
	if (strlen(name) < PCI_NAME_LEN && function->nr_names < MAX_NAMES)
		strcpy(function->names[function->nr_names++], name);
}

struct naming {
	struct machine *machine;
	const char *sysfs, *class;
};

static int add_device(void *ctx, const char *name)
{
	const struct naming *naming = ctx;
	struct function *function = NULL;

	if (is_class_device(naming->class, name))
		function = function_of(naming->machine, naming->sysfs, naming->class, name);
	if (function)
		add_name(function, name);
	return 0;
}

static void read_names(struct machine *machine, const char *sysfs)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < NR_DEVICE_CLASSES; i++) {
		struct naming naming = { machine, sysfs, device_classes[i] };

		if (!sysfs_path(path, sizeof(path), "%s/class/%s", sysfs, naming.class))
			sysfs_for_each(path, add_device, &naming);
	}
}

/* "cmbloc : x00000002\ncmbsz  : x0004001f\n"; from 5.15 on, each also has a file of its own. */
static int parse_cmb(struct cmb *cmb, const char *sysfs, const char *pci, const char *controller)
{
	char path[PATH_MAX];
	FILE *file;
	int err = sysfs_path(path, sizeof(path), "%s/" PCI_DEVICES "/%s/nvme/%s/cmb", sysfs, pci,
			     controller);

	if (err)
		return err;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	err = fscanf(file, "cmbloc : x%8x cmbsz : x%8x", &cmb->loc, &cmb->sz) == 2 ? 0 : -EINVAL;
	fclose(file);
	return err;
}

/* Before 5.15, a CMB that the driver could not map had no file either. */
static bool missing_cmb_is_absent(const struct machine *machine)
{
	int major = 0, minor = 0;

	sscanf(machine->kernel, "%3d.%3d", &major, &minor);
	return major > 5 || (major == 5 && minor >= 15);
}

static void read_cmb(const struct machine *machine, struct function *function, const char *sysfs)
{
	struct cmb cmb = {};
	int err = -EINVAL;

	if (function->class == UNKNOWN)
		return;
	if (function->class != CLASS_NVME) {
		function->cmb.presence = ABSENT;
		return;
	}
	if (!function->nr_names || strcmp(function->driver, "nvme"))
		return;
	err = parse_cmb(&cmb, sysfs, function->name, function->names[0]);
	if (!err) {
		cmb.presence = PRESENT;
		function->cmb = cmb;
	} else if (err == -ENOENT && missing_cmb_is_absent(machine) &&
		   sysfs_exists("%s/" PCI_DEVICES "/%s/nvme/%s", sysfs, function->name,
				function->names[0])) {
		function->cmb.presence = ABSENT;
	}
}

struct reading {
	struct machine *machine;
	int provider;
};

static int add_reported(void *ctx, char **words)
{
	const struct reading *reading = ctx;
	const struct function *client = machine_find(reading->machine, words[0]);
	struct reported *reported;
	int distance;

	if (word_int(words[2], &distance) || distance < NONE || strchr(words[4], ' '))
		return -EINVAL;
	/* It has come meanwhile */
	if (!client)
		return 0;
	reported = machine_add_reported(reading->machine);
	if (!reported)
		return -ENOMEM;
	reported->provider = reading->provider;
	reported->client = machine_index(reading->machine, client);
	reported->distance = distance;
	if (word_copy(reported->map, sizeof(reported->map), words[1]) ||
	    word_copy(reported->reason, sizeof(reported->reason), words[3]) ||
	    word_copy(reported->blocker, sizeof(reported->blocker), words[4]))
		return -EINVAL;
	return 0;
}

/*
 * The decisions for a provider, from a file of debugfs. What cannot be read, or not be parsed,
 * leaves none.
 */
static int read_reported(struct machine *machine, const struct function *provider,
			 const char *path)
{
	struct reading reading = { machine, machine_index(machine, provider) };
	size_t before = machine->nr_reported;
	int err = table_read(path, "client map distance reason blocker", add_reported, &reading);

	if (err)
		machine->nr_reported = before;
	return err == -ENOMEM ? err : 0;
}

/* With the series for 7.3: the decisions for all providers, also those without p2pmem device. */
static int read_p2pdma(struct machine *machine, const char *debugfs)
{
	char path[PATH_MAX];
	int err = 0;

	if (!sysfs_exists("%s/p2pdma", debugfs))
		return 0;
	machine->reports = PRESENT;
	for (size_t i = 0; i < machine->nr && !err; i++) {
		const struct function *provider = &machine->functions[i];

		if (!sysfs_path(path, sizeof(path), "%s/" P2PDMA_DEBUG "/%s", debugfs,
				provider->name))
			err = read_reported(machine, provider, path);
	}
	return err;
}

struct pools {
	struct machine *machine;
	const struct live_roots *roots;
};

static int read_device(void *ctx, const char *dev)
{
	const struct pools *pools = ctx;
	char path[PATH_MAX], name[PCI_NAME_LEN];
	struct function *function = NULL;

	if (is_p2pmem_name(dev) && strlen(dev) < PCI_NAME_LEN &&
	    !dev_provider(pools->roots->sysfs, dev, name, sizeof(name)))
		function = machine_find(pools->machine, name);
	if (!function)
		return 0;
	strcpy(function->pool.dev, dev);
	if (sysfs_path(path, sizeof(path), "%s/" P2PMEM_DEBUG "/%s/peers", pools->roots->debugfs,
		       dev))
		return 0;
	return read_reported(pools->machine, function, path);
}

/* The p2pmem devices, which only the series has. That for 6.12 has their decisions with them. */
static int read_p2pmem(struct machine *machine, const struct live_roots *roots)
{
	struct pools pools = { machine, roots };
	char path[PATH_MAX];
	int err;

	if (sysfs_path(path, sizeof(path), "%s/%s", roots->sysfs, p2pmem_class(roots->sysfs)))
		return 0;
	err = sysfs_for_each(path, read_device, &pools);
	if (!err)
		machine->reports = PRESENT;
	return err == -ENOMEM ? err : 0;
}

/* Adds the functions that there are, by number. Returns 0 or an exit status. */
static int list_functions(struct machine *machine, const char *sysfs)
{
	DIR *dir = sysfs_open_dir("%s/" PCI_DEVICES, sysfs);
	char name[PCI_NAME_LEN];
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return fail(EXIT_OTHER, "cannot list the PCI functions in %s/" PCI_DEVICES ": %s; "
			    "check that sysfs is mounted and that the machine has PCI", sysfs,
			    strerror(errno));
	while (!rc && (entry = readdir(dir))) {
		if (pci_name_parse(entry->d_name, name, sizeof(name)) ||
		    strcmp(name, entry->d_name))
			continue;
		if (machine->nr == MAX_FUNCTIONS)
			rc = fail(EXIT_OTHER, "%s/" PCI_DEVICES " has more than %d functions, the "
				  "most that p2ptrace can handle", sysfs, MAX_FUNCTIONS);
		else if (!machine_add_function(machine, name))
			rc = fail(EXIT_OTHER, "out of memory");
	}
	closedir(dir);
	order_by_number(machine);
	return rc;
}

/* Reads all functions, and removes those that have gone meanwhile. Returns 0 or -ENOMEM. */
static int read_functions(struct machine *machine, const char *sysfs)
{
	size_t *there = calloc(machine->nr + 1, sizeof(*there)), nr = 0;
	int err = there ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < machine->nr; i++) {
		if (!read_function(&machine->functions[i], sysfs))
			continue;
		there[nr++] = i;
		err = place(machine, i, sysfs);
	}
	if (!err && nr < machine->nr)
		err = order_apply(machine, there, nr);
	free(there);
	drop_bad_parents(machine);
	/* Removed in the middle of a hot-plug, before its virtual functions */
	for (size_t i = 0; i < machine->nr; i++) {
		char *physfn = machine->functions[i].physfn;

		if (is_given(physfn) && !machine_find(machine, physfn))
			*physfn = '\0';
	}
	return err;
}

int machine_read_live(struct machine *machine, const struct live_roots *roots)
{
	int rc = list_functions(machine, roots->sysfs), err;

	if (rc)
		return rc;
	strcpy(machine->source, "live");
	err = host_read(machine, roots);
	if (!err)
		err = read_functions(machine, roots->sysfs);
	if (!err)
		err = order_by_kernel(machine, roots->sysfs, roots->procfs);
	if (err)
		return fail(EXIT_OTHER, "out of memory");
	read_names(machine, roots->sysfs);
	for (size_t i = 0; i < machine->nr; i++)
		read_cmb(machine, &machine->functions[i], roots->sysfs);
	titles_read(machine, roots->sysfs, roots->pci_ids);
	machine->reports = ABSENT;
	err = read_p2pdma(machine, roots->debugfs);
	if (!err)
		err = read_p2pmem(machine, roots);
	return err ? fail(EXIT_OTHER, "out of memory") : 0;
}
