/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file of "p2ptrace record": see FILE FORMAT in p2ptrace-record(8). Its chunks are
 *
 *	meta	a JSON document: what recorded this, and the layout of the records
 *	mach	the machine, as p2ptrace snapshot writes it
 *	evts	records as they came from the kernel
 *	lost	a JSON document: the events that were lost so far
 *	endr	a JSON document: how the recording ended
 */
#ifndef RECORDING_H
#define RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "event/enums.h"
#include "event/events.h"
#include "event/output.h"
#include "lib/buffer.h"
#include "lib/chunks.h"
#include "machine/machine.h"

#define RECORDING_MAGIC		"P2PTREC\n"
#define RECORDING_VERSION	1
#define RECORDING_META		"meta"
#define RECORDING_MACHINE	"mach"
#define RECORDING_EVENTS	"evts"
#define RECORDING_LOST		"lost"
#define RECORDING_END		"endr"

/* The description at the beginning of a recording. Unknown texts are "". */
struct recording_about {
	char tool[32], release[64], build[128], arch[16];
	uint64_t start_ns;		/* CLOCK_MONOTONIC, which is the clock of the events */
	uint64_t start_real_ns;		/* the same time, as CLOCK_REALTIME */
	uint64_t ring_bytes;		/* 0: not a flight recorder */
	/* The filters; 0: none */
	char dev[64], client[64], comm[P2PTRACE_COMM_LEN];
	uint64_t pid, min_size;
	/* The buffers that were allocated before start_ns, if the kernel lists them */
	uint64_t *held;
	size_t nr_held;
	bool held_known;
};

/* How it ended. */
struct recording_end {
	uint64_t end_ns;		/* CLOCK_MONOTONIC */
	uint64_t events;		/* in the file */
	char why[160];
	/* The command that was run meanwhile; argv is NULL if there was none */
	char **argv;			/* ends with NULL */
	int wait_status;		/* as of waitpid() */
	uint64_t command_end_ns;
};

/* @hooks: the sections of the programs, as libbpf names them. */
void recording_meta(struct buffer *out, const struct recording_about *about,
		    const struct event_set *set, const struct enums *enums,
		    const char *const *hooks, size_t nr_hooks);
void recording_lost(struct buffer *out, const struct lost *lost);
void recording_end(struct buffer *out, const struct recording_end *end);

struct recording_copy {
	uint16_t from, to, size;
};

/* An event of the file: where its fields go in our record. */
struct recording_layout {
	uint32_t size;
	int event;		/* enum p2ptrace_event; -1: this version does not know it */
	bool same;		/* the record is ours: nothing has to be copied */
	struct recording_copy *copies;
	size_t nr;
};

struct recording {
	const char *name;		/* of the file, for messages */
	struct chunk_reader chunks;
	struct recording_about about;
	struct event_set set;		/* the events that were recorded, and what was not seen */
	struct enums enums;
	struct buffer hooks;		/* separated by ", " */
	struct machine machine;
	bool has_machine;
	/* The events with those of their fields that the file has. Index: enum p2ptrace_event */
	struct event shown[P2PTRACE_NR_EVENTS];
	struct recording_layout *layouts;
	size_t nr_layouts;
	struct lost lost;
	struct recording_end end;	/* valid if ended */
	bool ended;			/* the recorder said that the recording ended */
	/* "" or why not all of it was read: a sentence without the name of the file */
	char trouble[192];
	uint64_t events;		/* read so far, without unknown ones */
	uint64_t unknown;		/* records of events that this version does not know */
	size_t at;			/* in the chunk */
	bool in_events;			/* the chunk has records */
	uint64_t record[512];		/* the copy of a record */
};

/*
 * Reads what comes before the records. The file is not trusted. Returns 0, or an exit status after
 * an error message. Call recording_close() in any case; it does not close @file.
 */
int recording_open(struct recording *recording, const char *name, FILE *file)
	__attribute__((warn_unused_result));

/*
 * The next record, which event_of_record() accepts, or NULL at the end. Then recording->ended,
 * ->trouble and ->lost are final.
 */
const void *recording_next(struct recording *recording);
void recording_close(struct recording *recording);

#endif /* RECORDING_H */
