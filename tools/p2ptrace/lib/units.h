/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UNITS_H
#define UNITS_H

#define NSEC_PER_SEC	1000000000ull
#define NSEC_PER_MSEC	1000000ull
#define NSEC_PER_USEC	1000ull
#define USEC_PER_SEC	1000000ull

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif /* UNITS_H */
