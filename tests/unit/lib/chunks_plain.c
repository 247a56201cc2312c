// SPDX-License-Identifier: GPL-2.0
/* Chunks in a p2ptrace that was built without libzstd: they are written and read uncompressed. */

#include "unit.h"

/* The other tests may be built with it */
#undef HAVE_ZSTD
#define chunk_sum plain_chunk_sum
#define chunks_can_pack plain_chunks_can_pack
#define chunks_begin plain_chunks_begin
#define chunks_write plain_chunks_write
#define chunks_free plain_chunks_free
#define chunks_open plain_chunks_open
#define chunks_read plain_chunks_read
#define chunks_close plain_chunks_close
#include "lib/chunks.c"

#define MAGIC "A MAGIC\n"

/* Whatever the caller asks for: "record --compress" is refused before. */
static void chunks_are_written_uncompressed(void **state)
{
	struct chunk_writer writer = { .out.fd = temporary_file(), .pack = true };
	struct chunk_reader reader = {};
	static char zeros[5000];

	(void)state;
	assert_false(chunks_can_pack());
	assert_int_equal(chunks_begin(&writer, MAGIC, 1), 0);
	assert_int_equal(chunks_write(&writer, "data", zeros, sizeof(zeros)), 0);
	assert_true(writer.bytes > sizeof(zeros));
	reader.file = fdopen(writer.out.fd, "r+");
	assert_non_null(reader.file);
	rewind(reader.file);
	assert_null(chunks_open(&reader, MAGIC, 1));
	assert_int_equal(chunks_read(&reader), CHUNK_READ);
	assert_int_equal(reader.len, sizeof(zeros));
	assert_memory_equal(reader.data, zeros, sizeof(zeros));
	chunks_close(&reader);
	chunks_free(&writer);
	fclose(reader.file);
}

/* The file is good: this program cannot read it. */
static void a_compressed_chunk_is_no_damage(void **state)
{
	struct chunk_writer writer = { .out.fd = temporary_file() };
	struct chunk_head head = { .size = 4, .raw_size = 9, .packed = 1 };
	struct chunk_reader reader = {};

	(void)state;
	memcpy(head.magic, chunk_magic, sizeof(head.magic));
	memcpy(head.type, "data", sizeof(head.type));
	assert_int_equal(chunks_begin(&writer, MAGIC, 1), 0);
	head.sum = sum_of(&head, "zstd");
	assert_int_equal(write(writer.out.fd, &head, sizeof(head)), sizeof(head));
	assert_int_equal(write(writer.out.fd, "zstd", 4), 4);
	reader.file = fdopen(writer.out.fd, "r+");
	assert_non_null(reader.file);
	rewind(reader.file);
	assert_null(chunks_open(&reader, MAGIC, 1));
	assert_int_equal(chunks_read(&reader), CHUNK_FAILED);
	assert_string_equal(reader.why, "it is compressed, and this p2ptrace was built without "
			    "zstd; build it with libzstd");
	chunks_close(&reader);
	fclose(reader.file);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(chunks_are_written_uncompressed),
	cmocka_unit_test(a_compressed_chunk_is_no_damage),
};

UNIT_MAIN(tests)
