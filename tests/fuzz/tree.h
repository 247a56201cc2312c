/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A directory tree written from the input of a fuzzer, so that readers of sysfs and debugfs read
 * what the fuzzer invents. The input is text:
 *
 *   @file PATH             the lines up to the next '@' are the contents
 *   @link PATH TARGET      a symbolic link
 *   @dir PATH              an empty directory
 *   @config PATH SIZE      SIZE bytes of PCI config space, zero except for lines "OFFSET BYTE..."
 *                          in hexadecimal
 *
 * Lines before the first '@' are arguments. An item that is malformed is ignored.
 */
#ifndef TREE_H
#define TREE_H

#include <stddef.h>
#include <stdint.h>

#define TREE_MAX_ITEMS	128
#define TREE_MAX_ARGS	8

struct tree {
	char *text;			/* the input, cut into strings */
	const char *args[TREE_MAX_ARGS];
	size_t nr_args;
};

/* Where the tree is: the same directory for all inputs, on tmpfs if there is one. */
const char *tree_dir(void);

/* A path in it, valid until the next call but three. */
const char *tree_path(const char *name);

void tree_make(struct tree *tree, const uint8_t *data, size_t size);
void tree_remove(struct tree *tree);

/* A path of a file that has this content, valid until the next call. */
const char *file_of(const uint8_t *data, size_t size);

/* The same as a string, to be freed; it ends at the first NUL. */
char *string_of(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Prints the expression and crashes, so that the fuzzer keeps the input. */
#define REQUIRE(condition)							\
do {										\
	if (!(condition))							\
		require_failed(#condition, __FILE__, __LINE__);			\
} while (0)

void require_failed(const char *condition, const char *file, int line) __attribute__((noreturn));

#endif /* TREE_H */
