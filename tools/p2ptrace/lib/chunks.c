// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "lib/chunks.h"

static const char chunk_magic[4] = { 'C', 'H', 'N', 'K' };

/* Odd, so that multiplying by it loses nothing; 2^64 divided by the golden ratio */
#define FACTOR 0x9e3779b97f4a7c15ull

static inline uint64_t add_word(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * FACTOR;
	return sum << 29 | sum >> 35;
}

/* Each step can be undone, so a change within one word always changes the sum. */
uint64_t chunk_sum(uint64_t sum, const void *data, size_t len)
{
	const char *at = data;
	uint64_t word;

	for (; len >= 4 * sizeof(word); len -= 4 * sizeof(word), at += 4 * sizeof(word)) {
		uint64_t words[4];

		memcpy(words, at, sizeof(words));
		sum = add_word(sum, words[0]);
		sum = add_word(sum, words[1]);
		sum = add_word(sum, words[2]);
		sum = add_word(sum, words[3]);
	}
	for (; len >= sizeof(word); len -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum = add_word(sum, word);
	}
	if (len) {
		word = 0;
		memcpy(&word, at, len);
		sum = add_word(sum, word);
	}
	return sum;
}

static uint64_t sum_of(const struct chunk_head *head, const void *data)
{
	struct chunk_head plain = *head;

	plain.sum = 0;
	return chunk_sum(chunk_sum(0, &plain, sizeof(plain)), data, head->size);
}

#ifdef HAVE_ZSTD
bool chunks_can_pack(void)
{
	return true;
}

/* Returns the size, or 0 if the bytes stay as they are. */
static size_t pack(struct chunk_writer *writer, const void *data, size_t len)
{
	size_t room = ZSTD_compressBound(len), size;
	void *packed = realloc(writer->packed, room);

	if (!packed)
		return 0;
	writer->packed = packed;
	size = ZSTD_compress(packed, room, data, len, 1);
	return ZSTD_isError(size) || size >= len ? 0 : size;
}

/* @to has room for @raw_size bytes. */
static const char *unpack(char *to, size_t raw_size, const char *from, size_t size)
{
	size_t got = ZSTD_decompress(to, raw_size, from, size);

	return ZSTD_isError(got) || got != raw_size ? "it cannot be decompressed" : NULL;
}
#else
bool chunks_can_pack(void)
{
	return false;
}

static size_t pack(struct chunk_writer *writer, const void *data, size_t len)
{
	(void)writer;
	(void)data;
	(void)len;
	return 0;
}

static const char *unpack(char *to, size_t raw_size, const char *from, size_t size)
{
	(void)to;
	(void)raw_size;
	(void)from;
	(void)size;
	return "it is compressed, and this p2ptrace was built without zstd; build it with libzstd";
}
#endif

static int put(struct chunk_writer *writer, const void *data, size_t len)
{
	int err = stream_write(&writer->out, data, len);

	if (!err)
		writer->bytes += len;
	return err;
}

int chunks_begin(struct chunk_writer *writer, const char magic[8], uint32_t version)
{
	struct chunk_file_head head = { .order = CHUNK_ORDER, .version = version };

	memcpy(head.magic, magic, sizeof(head.magic));
	writer->number = 0;
	return put(writer, &head, sizeof(head));
}

int chunks_write(struct chunk_writer *writer, const char type[CHUNK_TYPE_LEN], const void *data,
		 size_t len)
{
	struct chunk_head head = { .number = writer->number, .size = len, .raw_size = len };
	size_t packed;
	int err;

	/* The reader would refuse it */
	if (len > CHUNK_MAX)
		return EFBIG;
	packed = writer->pack ? pack(writer, data, len) : 0;
	if (packed) {
		head.size = packed;
		head.packed = 1;
		data = writer->packed;
	}
	memcpy(head.magic, chunk_magic, sizeof(head.magic));
	memcpy(head.type, type, sizeof(head.type));
	head.sum = sum_of(&head, data);
	err = put(writer, &head, sizeof(head));
	if (!err)
		err = put(writer, data, head.size);
	if (!err)
		writer->number++;
	return err;
}

void chunks_free(struct chunk_writer *writer)
{
	free(writer->packed);
	writer->packed = NULL;
}

const char *chunks_open(struct chunk_reader *reader, const char magic[8], uint32_t version)
{
	struct chunk_file_head head;
	size_t n = fread(&head, 1, sizeof(head), reader->file);

	if (ferror(reader->file))
		return strerror(errno);
	if (memcmp(head.magic, magic, n < sizeof(head.magic) ? n : sizeof(head.magic)) || !n)
		return "it is not a recording of p2ptrace";
	if (n < sizeof(head))
		return "it was cut before its first chunk";
	if (head.order == __builtin_bswap32(CHUNK_ORDER))
		return "it was written on a machine with another byte order; read it there";
	if (head.order != CHUNK_ORDER)
		return "its head is damaged";
	if (head.version != version)
		return "another version of p2ptrace wrote it, or its head is damaged";
	reader->next = sizeof(head);
	return NULL;
}

/* Why fread() got less: an error, or else @result. */
static enum chunk_result short_read(struct chunk_reader *reader, enum chunk_result result)
{
	if (!ferror(reader->file))
		return result;
	reader->why = strerror(errno);
	return CHUNK_FAILED;
}

/* Memory grows with what the file really has: the size in a head may be wrong. */
static enum chunk_result read_bytes(struct chunk_reader *reader, char **data, size_t size)
{
	const size_t step = 1 << 20;
	size_t have = 0;

	do {
		size_t more = size - have < step ? size - have : step;
		char *grown = realloc(*data, have + more + 1);

		if (!grown) {
			reader->why = "out of memory";
			return CHUNK_FAILED;
		}
		*data = grown;
		if (fread(grown + have, 1, more, reader->file) < more)
			return short_read(reader, CHUNK_CUT);
		have += more;
	} while (have < size);
	(*data)[size] = '\0';
	return CHUNK_READ;
}

static const char *check_head(const struct chunk_reader *reader, const struct chunk_head *head)
{
	if (memcmp(head->magic, chunk_magic, sizeof(chunk_magic)))
		return "there is no chunk";
	if (head->size > CHUNK_MAX || head->raw_size > CHUNK_MAX || head->packed > 1 ||
	    (!head->packed && head->size != head->raw_size))
		return "the head of the chunk is wrong";
	if (head->number != reader->number)
		return "a chunk before it is missing";
	return NULL;
}

static enum chunk_result damaged(struct chunk_reader *reader, const char *why)
{
	reader->why = why;
	return CHUNK_DAMAGED;
}

static enum chunk_result unpack_bytes(struct chunk_reader *reader, const struct chunk_head *head)
{
	char *data = realloc(reader->spare, head->raw_size + 1);
	const char *why;

	if (!data) {
		reader->why = "out of memory";
		return CHUNK_FAILED;
	}
	reader->spare = data;
	why = unpack(data, head->raw_size, reader->data, head->size);
	if (why) {
		reader->why = why;
		return chunks_can_pack() ? CHUNK_DAMAGED : CHUNK_FAILED;
	}
	data[head->raw_size] = '\0';
	reader->spare = reader->data;
	reader->data = data;
	return CHUNK_READ;
}

enum chunk_result chunks_read(struct chunk_reader *reader)
{
	enum chunk_result result;
	struct chunk_head head;
	const char *why;
	size_t n;

	reader->offset = reader->next;
	n = fread(&head, 1, sizeof(head), reader->file);
	if (n < sizeof(head))
		return short_read(reader, n ? CHUNK_CUT : CHUNK_END);
	why = check_head(reader, &head);
	if (why)
		return damaged(reader, why);
	result = read_bytes(reader, &reader->data, head.size);
	if (result != CHUNK_READ)
		return result;
	if (sum_of(&head, reader->data) != head.sum)
		return damaged(reader, "the checksum of the chunk is wrong");
	if (head.packed)
		result = unpack_bytes(reader, &head);
	if (result != CHUNK_READ)
		return result;
	memcpy(reader->type, head.type, sizeof(reader->type));
	reader->len = head.raw_size;
	reader->next += sizeof(head) + head.size;
	reader->number++;
	return CHUNK_READ;
}

void chunks_close(struct chunk_reader *reader)
{
	free(reader->data);
	free(reader->spare);
	reader->data = reader->spare = NULL;
}
