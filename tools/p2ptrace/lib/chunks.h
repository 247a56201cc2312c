/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file of chunks. Each chunk has a checksum, so a file that was cut can be read up to there.
 *
 *	file	struct chunk_file_head, then chunks until the end
 *	chunk	struct chunk_head, then @size bytes
 *
 * Numbers have the byte order of the machine that wrote the file. The checksum is that of
 * chunk_sum(), over the head with a sum of 0 and over the bytes that follow it.
 */
#ifndef CHUNKS_H
#define CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/stream.h"

#define CHUNK_MAX	(16u << 20)	/* bytes of a chunk, before and after decompression */
#define CHUNK_ORDER	0x01020304u
#define CHUNK_TYPE_LEN	4

struct chunk_file_head {
	char magic[8];
	uint32_t order;		/* CHUNK_ORDER */
	uint32_t version;
};

struct chunk_head {
	char magic[4];		/* "CHNK" */
	char type[CHUNK_TYPE_LEN];
	uint32_t number;	/* 0 for the first chunk of the file */
	uint32_t size;		/* of the bytes that follow */
	uint32_t raw_size;	/* of these bytes once they are decompressed */
	uint32_t packed;	/* 1: by zstd */
	uint64_t sum;
};
_Static_assert(sizeof(struct chunk_head) == 32, "head has a hole");

/* Continues a checksum: @sum is the result for what comes before. */
uint64_t chunk_sum(uint64_t sum, const void *data, size_t len);

/* Whether this program can compress. */
bool chunks_can_pack(void);

struct chunk_writer {
	struct stream out;	/* fd: set by the caller */
	bool pack;		/* compress; set by the caller */
	uint32_t number;
	uint64_t bytes;		/* written so far */
	void *packed;		/* memory for the compressed bytes */
};

/* Both return 0 or an errno. After an error, all further writes return the same errno. */
int chunks_begin(struct chunk_writer *writer, const char magic[8], uint32_t version);
int chunks_write(struct chunk_writer *writer, const char type[CHUNK_TYPE_LEN], const void *data,
		 size_t len);
void chunks_free(struct chunk_writer *writer);

enum chunk_result {
	CHUNK_END,		/* of the file, after a whole chunk */
	CHUNK_READ,
	CHUNK_CUT,		/* the file ends within a chunk */
	CHUNK_DAMAGED,		/* a checksum, or a head, is wrong */
	CHUNK_FAILED,		/* an error of read(), of memory, or of this program's features */
};

struct chunk_reader {
	FILE *file;		/* set by the caller */
	uint32_t number;
	uint64_t offset;	/* of the chunk that was read last, or that is damaged */
	uint64_t next;
	char type[CHUNK_TYPE_LEN];
	char *data;		/* valid until the next call; followed by a NUL */
	size_t len;
	const char *why;	/* for CHUNK_DAMAGED and CHUNK_FAILED, in a few words */
	char *spare;
};

/* NULL, or why the file is none of these: a clause. */
const char *chunks_open(struct chunk_reader *reader, const char magic[8], uint32_t version);
enum chunk_result chunks_read(struct chunk_reader *reader);
/* Does not close the file. */
void chunks_close(struct chunk_reader *reader);

#endif /* CHUNKS_H */
