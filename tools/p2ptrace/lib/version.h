/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VERSION_H
#define VERSION_H

#define TOOL_VERSION "0.1"

#endif /* VERSION_H */
