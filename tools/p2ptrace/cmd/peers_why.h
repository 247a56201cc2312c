/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How p2ptrace peers prints one pair, as text and as JSON.
 */
#ifndef PEERS_WHY_H
#define PEERS_WHY_H

#include "machine/findings.h"

/* Both return 0, or an exit status after an error message. */
int why_text(const struct pair *pair);
int why_json(const struct pair *pair);

/* The members of an object that say what was decided; the same in the matrix and for one pair. */
void pair_json(struct buffer *out, const struct pair *pair);

/* The member "rules": the release whose rules the predictions follow, or null. */
void rules_json(struct buffer *out, const struct release *release);

/* Whose rules the predictions follow: "Linux 6.12" */
void release_words(char *text, size_t size, const struct release *release);

#endif /* PEERS_WHY_H */
