// SPDX-License-Identifier: GPL-2.0
/*
 * map-peer-memory FILE SIZE [DRIVE] - map SIZE bytes of peer memory through the "allocate" file of
 * a provider, write and read every word, read the first page of DRIVE into the memory, unmap the
 * second half, print "mapped", and keep the first half until standard input ends.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_SIZE 4096

int main(int argc, char **argv)
{
	volatile uint64_t *words;
	size_t size, half, i;
	char c;
	int fd;

	if (argc < 3 || argc > 4)
		errx(2, "usage: map-peer-memory FILE SIZE [DRIVE]");
	size = strtoull(argv[2], NULL, 0);
	fd = open(argv[1], O_RDWR);
	if (fd < 0)
		err(1, "%s", argv[1]);
	words = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (words == MAP_FAILED)
		err(1, "mmap");
	for (i = 0; i < size / sizeof(*words); i++)
		words[i] = i * 0x9e3779b97f4a7c15;
	for (i = 0; i < size / sizeof(*words); i++)
		if (words[i] != i * 0x9e3779b97f4a7c15)
			errx(1, "word %zu has changed", i);
	if (argc == 4) {
		fd = open(argv[3], O_RDONLY | O_DIRECT);
		if (fd < 0)
			err(1, "%s", argv[3]);
		if (pread(fd, (char *)words, PAGE_SIZE, 0) != PAGE_SIZE)
			err(1, "read %s", argv[3]);
	}
	/* The second half begins at a page boundary */
	half = size / 2 / PAGE_SIZE * PAGE_SIZE;
	if (munmap((char *)words + half, size - half))
		err(1, "munmap");
	puts("mapped");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
