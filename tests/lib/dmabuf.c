// SPDX-License-Identifier: GPL-2.0
/*
 * dmabuf - export dma-bufs, and attach devices to them.
 *
 * Reads commands from standard input, a line each, and answers each with a line: "ok", or the name
 * of the error.  dmabuf_importer (tests/module) must be loaded for "attach".
 *
 *	vfio BUF PCI REGION SIZE	export the start of a BAR by vfio-pci
 *	ram BUF SIZE			export system memory, from the system heap
 *	attach NAME PCI MODE BUF	see tests/module/dmabuf_importer.c
 *	close BUF
 *	reset				begin to reset the device of "vfio"
 *	wait				wait for the end of the reset
 *	quit
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dma-heap.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define IMPORTER	"/sys/kernel/debug/dmabuf_importer"
#define MAX_BUFS	16

/* Since 6.19; the headers of the distribution may be older */
#define FEATURE_DMA_BUF	11

struct range {
	uint64_t offset, length;
};

struct feature_dma_buf {
	uint32_t region_index, open_flags, flags, nr_ranges;
	struct range range;
};

static struct buf {
	char name[16];
	int fd;
} bufs[MAX_BUFS];

static int device = -1;
static pthread_t resetting;

static struct buf *find(const char *name)
{
	for (int i = 0; i < MAX_BUFS; i++)
		if (!strcmp(bufs[i].name, name))
			return &bufs[i];
	return NULL;
}

static int keep(const char *name, int fd)
{
	struct buf *buf = find("");

	if (fd < 0)
		return errno;
	if (!buf) {
		close(fd);
		return ENOSPC;
	}
	snprintf(buf->name, sizeof(buf->name), "%s", name);
	buf->fd = fd;
	return 0;
}

/* The file descriptors of the group and the container stay open until the end. */
static int open_device(const char *pci)
{
	char path[PATH_MAX], link[PATH_MAX], *number;
	int container, group;
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", pci);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return errno;
	link[len] = '\0';
	number = strrchr(link, '/');
	snprintf(path, sizeof(path), "/dev/vfio%s", number);
	container = open("/dev/vfio/vfio", O_RDWR);
	group = open(path, O_RDWR);
	if (container < 0 || group < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return errno;
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, pci);
	return device < 0 ? errno : 0;
}

static int export_bar(const char *name, const char *pci, unsigned int region, uint64_t size)
{
	struct {
		struct vfio_device_feature head;
		struct feature_dma_buf buf;
	} get = {
		.head = {
			.argsz = sizeof(get),
			.flags = VFIO_DEVICE_FEATURE_GET | FEATURE_DMA_BUF,
		},
		.buf = {
			.region_index = region, .open_flags = O_RDWR | O_CLOEXEC, .nr_ranges = 1,
			.range = { .length = size },
		},
	};
	int error = device < 0 ? open_device(pci) : 0;

	return error ? error : keep(name, ioctl(device, VFIO_DEVICE_FEATURE, &get));
}

static int export_ram(const char *name, uint64_t size)
{
	struct dma_heap_allocation_data data = {
		.len = size, .fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap = open("/dev/dma_heap/system", O_RDWR), error = 0;

	if (heap < 0 || ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data))
		error = errno;
	if (heap >= 0)
		close(heap);
	return error ? error : keep(name, data.fd);
}

static int attach(const char *name, const char *pci, const char *mode, const char *buf)
{
	const struct buf *found = find(buf);
	int fd = open(IMPORTER, O_WRONLY), error = 0;

	if (fd < 0)
		return errno;
	if (!found)
		error = ENOENT;
	else if (dprintf(fd, "attach %s %s %s %d", name, pci, mode, found->fd) < 0)
		error = errno;
	close(fd);
	return error;
}

static void *reset(void *unused)
{
	(void)unused;
	return (void *)(intptr_t)(ioctl(device, VFIO_DEVICE_RESET) ? errno : 0);
}

static int run(char *line)
{
	char word[5][32] = {};
	struct buf *buf;
	void *error;

	sscanf(line, "%31s %31s %31s %31s %31s", word[0], word[1], word[2], word[3], word[4]);
	if (!strcmp(word[0], "vfio"))
		return export_bar(word[1], word[2], atoi(word[3]), strtoull(word[4], NULL, 0));
	if (!strcmp(word[0], "ram"))
		return export_ram(word[1], strtoull(word[2], NULL, 0));
	if (!strcmp(word[0], "attach"))
		return attach(word[1], word[2], word[3], word[4]);
	if (!strcmp(word[0], "reset"))
		return pthread_create(&resetting, NULL, reset, NULL);
	if (!strcmp(word[0], "wait")) {
		pthread_join(resetting, &error);
		return (intptr_t)error;
	}
	buf = find(word[1]);
	if (strcmp(word[0], "close") || !*word[1] || !buf)
		return EINVAL;
	close(buf->fd);
	*buf->name = '\0';
	return 0;
}

int main(void)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin)) {
		int error;

		if (!strcmp(line, "quit\n"))
			break;
		error = run(line);
		puts(error ? strerrorname_np(error) : "ok");
		fflush(stdout);
	}
	return 0;
}
