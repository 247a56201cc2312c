// SPDX-License-Identifier: GPL-2.0
/*
 * requests DEVICE read|write SIZE [COUNT] - the cost of a request in instructions
 *
 * For a guest with QEMU's -icount shift=0 and one CPU, where the time stamp counter
 * counts instructions.  Uses direct I/O, one request at a time.  Takes the median
 * of COUNT requests several times, and prints the median, the minimum and the
 * maximum of these in hundredths.  COUNT is large enough that a timer tick in some
 * requests does not matter.  The figures include the instructions of this program.
 *
 * Also prints the mean cost of one more request: the difference between 2 * COUNT
 * consecutive requests and COUNT of them, divided by COUNT.  It includes timer
 * ticks and work that is done only once for several requests.
 *
 * A page fault or another number of segments would change the figures.  So all
 * pages are locked, and the buffer is the same page many times, where each is a
 * segment of its own.  Run this program with a real-time priority, so that it
 * always runs in the same order as the threads of the kernel.
 */

#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#define PAGE	4096
#define SECTOR	512
#define RUNS	5
#define REQUESTS 1001	/* the default of COUNT */
#define WARM_UP	64

typedef unsigned long long u64;

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static char *make_buffer(size_t size)
{
	int fd = memfd_create("buffer", 0);
	char *buffer = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fd < 0 || ftruncate(fd, PAGE) || buffer == MAP_FAILED)
		err(1, "buffer");
	for (size_t i = 0; i < size; i += PAGE)
		if (mmap(buffer + i, PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) == MAP_FAILED)
			err(1, "buffer");
	memset(buffer, 0x5a, size);
	return buffer;
}

static void request(int fd, int write, char *buffer, size_t size, unsigned int i)
{
	off_t offset = (off_t)(i % 256) * size;
	ssize_t done = write ? pwrite(fd, buffer, size, offset) : pread(fd, buffer, size, offset);

	if (done != (ssize_t)size)
		err(1, "request %u", i);
}

static u64 row(int fd, int write, char *buffer, size_t size, unsigned int count)
{
	u64 start = __rdtsc();

	for (unsigned int i = 0; i < count; i++)
		request(fd, write, buffer, size, i);
	return __rdtsc() - start;
}

int main(int argc, char *argv[])
{
	static u64 cost[REQUESTS], median[RUNS], mean[RUNS];
	unsigned int i, j, count = REQUESTS;
	char *buffer;
	size_t size;
	int fd, write;

	if (argc < 4 || argc > 5 || (strcmp(argv[2], "read") && strcmp(argv[2], "write")))
		errx(2, "usage: requests DEVICE read|write SIZE [COUNT]");
	write = !strcmp(argv[2], "write");
	size = strtoul(argv[3], NULL, 10);
	if (!size || size % SECTOR)
		errx(2, "'%s' is not a number of whole sectors", argv[3]);
	if (argc == 5)
		count = strtoul(argv[4], NULL, 10);
	if (!count || count > REQUESTS)
		errx(2, "'%s' is not a number of requests up to %d", argv[4], REQUESTS);

	fd = open(argv[1], O_RDWR | O_DIRECT);
	if (fd < 0)
		err(1, "%s", argv[1]);
	buffer = make_buffer(size);
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		err(1, "mlockall");

	for (i = 0; i < (count < WARM_UP ? count : WARM_UP); i++)
		request(fd, write, buffer, size, i);
	for (i = 0; i < RUNS; i++) {
		for (j = 0; j < count; j++) {
			u64 start = __rdtsc();

			request(fd, write, buffer, size, j);
			cost[j] = __rdtsc() - start;
		}
		qsort(cost, count, sizeof(u64), compare);
		median[i] = cost[count / 2];

		/* The shorter run is the first, so that the difference is not negative */
		mean[i] = row(fd, write, buffer, size, count);
		mean[i] = (row(fd, write, buffer, size, 2 * count) - mean[i]) * 100 / count;
	}

	qsort(median, RUNS, sizeof(u64), compare);
	qsort(mean, RUNS, sizeof(u64), compare);
	printf("cost=%llu min=%llu max=%llu mean=%llu mean_min=%llu mean_max=%llu "
	       "batches=%d ops=%u\n",
	       median[RUNS / 2] * 100, median[0] * 100, median[RUNS - 1] * 100,
	       mean[RUNS / 2], mean[0], mean[RUNS - 1], RUNS, count);
	return 0;
}
