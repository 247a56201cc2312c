/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Strings, eight bytes at a time, on little-endian machines.
 */
#ifndef WORD_H
#define WORD_H

#include <linux/types.h>

/* What @word has before its first NUL, the rest 0; *end if it has one. */
static inline __attribute__((always_inline)) __u64 word_before_nul(__u64 word, _Bool *end)
{
	const __u64 ones = 0x0101010101010101;
	/* The lowest bit set is that of the first NUL: the subtraction borrows from the bytes after it only */
	__u64 nuls = (word - ones) & ~word & ones << 7;

	*end = nuls;
	return nuls ? word & ((nuls & -nuls) - 1) >> 7 : word;
}

#endif /* WORD_H */
