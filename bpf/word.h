/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Strings, eight bytes at a time, on little-endian machines.
 */
#ifndef WORD_H
#define WORD_H

#include <linux/types.h>

/* Returns @word with the bytes from its first NUL on set to 0. Sets *end if it has a NUL. */
static inline __attribute__((always_inline)) __u64 word_before_nul(__u64 word, _Bool *end)
{
	const __u64 ones = 0x0101010101010101;
	/* The lowest bit set marks the first NUL: the subtraction borrows only from later bytes */
	__u64 nuls = (word - ones) & ~word & ones << 7;

	*end = nuls;
	return nuls ? word & ((nuls & -nuls) - 1) >> 7 : word;
}

#endif /* WORD_H */
