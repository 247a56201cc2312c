// SPDX-License-Identifier: GPL-2.0
/* Chunks: what is written is read, compressed or not; what does not fit is refused. */
#include <errno.h>
#include <fcntl.h>

#include "unit.h"
#include "lib/chunks.h"

#define MAGIC "A MAGIC\n"

static struct chunk_writer writer;
static struct chunk_reader reader;

static int setup(void **state)
{
	(void)state;
	memset(&writer, 0, sizeof(writer));
	memset(&reader, 0, sizeof(reader));
	writer.out.fd = temporary_file();
	assert_int_equal(chunks_begin(&writer, MAGIC, 1), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	chunks_free(&writer);
	chunks_close(&reader);
	if (reader.file)
		fclose(reader.file);
	else
		close(writer.out.fd);
	return 0;
}

static void start_to_read(void)
{
	reader.file = fdopen(writer.out.fd, "r+");
	assert_non_null(reader.file);
	rewind(reader.file);
	assert_null(chunks_open(&reader, MAGIC, 1));
}

static void chunks_are_read_as_they_were_written(void **state)
{
	char data[100000];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i / 100;
	assert_int_equal(chunks_write(&writer, "good", "0123456789", 10), 0);
	assert_int_equal(chunks_write(&writer, "none", "", 0), 0);
	writer.pack = true;
	assert_int_equal(chunks_write(&writer, "data", data, sizeof(data)), 0);
	assert_int_equal(lseek(writer.out.fd, 0, SEEK_END), writer.bytes);
	if (chunks_can_pack())
		assert_true(writer.bytes < sizeof(data) / 2);
	start_to_read();
	assert_int_equal(chunks_read(&reader), CHUNK_READ);
	assert_memory_equal(reader.type, "good", 4);
	assert_string_equal(reader.data, "0123456789");
	assert_int_equal(reader.len, 10);
	assert_int_equal(chunks_read(&reader), CHUNK_READ);
	assert_int_equal(reader.len, 0);
	assert_int_equal(chunks_read(&reader), CHUNK_READ);
	assert_int_equal(reader.len, sizeof(data));
	assert_memory_equal(reader.data, data, sizeof(data));
	assert_int_equal(chunks_read(&reader), CHUNK_END);
}

static void a_missing_chunk_is_noticed(void **state)
{
	(void)state;
	assert_int_equal(chunks_write(&writer, "one ", "1", 1), 0);
	writer.number++;
	assert_int_equal(chunks_write(&writer, "thre", "3", 1), 0);
	start_to_read();
	assert_int_equal(chunks_read(&reader), CHUNK_READ);
	assert_int_equal(chunks_read(&reader), CHUNK_DAMAGED);
	assert_string_equal(reader.why, "a chunk before it is missing");
}

/* No memory is taken for what a head only says. */
static void a_size_that_is_not_there_takes_no_memory(void **state)
{
	struct chunk_head head = { .size = CHUNK_MAX, .raw_size = CHUNK_MAX };

	(void)state;
	memcpy(head.magic, "CHNK", sizeof(head.magic));
	memcpy(head.type, "data", sizeof(head.type));
	assert_int_equal(write(writer.out.fd, &head, sizeof(head)), sizeof(head));
	start_to_read();
	assert_int_equal(chunks_read(&reader), CHUNK_CUT);
	chunks_close(&reader);
	fclose(reader.file);
	reader.file = NULL;
	writer.out.fd = temporary_file();
	memset(&reader, 0, sizeof(reader));
	assert_int_equal(chunks_begin(&writer, MAGIC, 1), 0);
	head.size = head.raw_size = CHUNK_MAX + 1;
	assert_int_equal(write(writer.out.fd, &head, sizeof(head)), sizeof(head));
	start_to_read();
	assert_int_equal(chunks_read(&reader), CHUNK_DAMAGED);
}

static void a_full_disk_is_an_error_from_then_on(void **state)
{
	int fd = writer.out.fd;

	(void)state;
	writer.out.fd = open("/dev/full", O_WRONLY);
	assert_true(writer.out.fd >= 0);
	assert_int_equal(chunks_write(&writer, "data", "x", 1), ENOSPC);
	close(writer.out.fd);
	writer.out.fd = fd;
	assert_int_equal(chunks_write(&writer, "data", "x", 1), ENOSPC);
}

static void a_chunk_that_the_reader_would_refuse_is_not_written(void **state)
{
	(void)state;
	assert_int_equal(chunks_write(&writer, "data", MAGIC, (size_t)CHUNK_MAX + 1), EFBIG);
}

static void each_bit_counts_in_a_checksum(void **state)
{
	unsigned char data[45] = {};
	uint64_t plain = chunk_sum(0, data, sizeof(data));

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
		data[bit / 8] ^= 1 << bit % 8;
		assert_int_not_equal(chunk_sum(0, data, sizeof(data)), plain);
		data[bit / 8] ^= 1 << bit % 8;
	}
	/* Two highest bits, and the order of words */
	data[7] = data[15] = 0x80;
	assert_int_not_equal(chunk_sum(0, data, sizeof(data)), plain);
	assert_int_equal(chunk_sum(chunk_sum(0, data, 16), data + 16, 29),
			 chunk_sum(0, data, sizeof(data)));
}

#define CHUNK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	CHUNK_TEST(chunks_are_read_as_they_were_written),
	CHUNK_TEST(a_missing_chunk_is_noticed),
	CHUNK_TEST(a_size_that_is_not_there_takes_no_memory),
	CHUNK_TEST(a_full_disk_is_an_error_from_then_on),
	CHUNK_TEST(a_chunk_that_the_reader_would_refuse_is_not_written),
	CHUNK_TEST(each_bit_counts_in_a_checksum),
};

UNIT_MAIN(tests)
