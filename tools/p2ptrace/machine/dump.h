/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads a machine from what people paste into reports: lspci's text and hexadecimal dumps, and the
 * dump of rdma_topo (rdma-core). Snapshots of p2ptrace are recognised as well.
 */
#ifndef DUMP_H
#define DUMP_H

#include <stddef.h>

struct machine;

#define DUMP_MAX_SIZE		(64u << 20)

/* What error messages call the formats that can be read. */
#define DUMP_FORMATS "a snapshot of p2ptrace, the output of 'lspci -D -vvv' or 'lspci -D -xxxx', " \
		     "or of 'rdma_topo dump'"

/*
 * Fills in @machine, which the caller frees in any case. "-" is standard input. Returns 0, or an
 * exit status after an error message: EXIT_USAGE if there is no such file, EXIT_OTHER if it cannot
 * be read or understood. What a dump does not show stays unknown.
 */
int machine_read_file(struct machine *machine, const char *path)
	__attribute__((warn_unused_result));

/* The same for a text of @len bytes. Messages call its source @path. */
int machine_read_text(struct machine *machine, const char *text, size_t len, const char *path)
	__attribute__((warn_unused_result));

/* The formats, likewise. */
int lspci_read(struct machine *machine, const char *text, size_t len, const char *path)
	__attribute__((warn_unused_result));
int rdma_topo_read(struct machine *machine, const char *text, size_t len, const char *path)
	__attribute__((warn_unused_result));

/* The class and subclass that lspci prints as @text; UNKNOWN if there is no such text. */
int class_of_text(const char *text, size_t len);

#endif /* DUMP_H */
