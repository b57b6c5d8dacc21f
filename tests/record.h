/* SPDX-License-Identifier: BSD-3-Clause */
/* A recorder of all of a device's hooks.  What they said is one line of text, in their order, that a test compares:
 *
 *   greeting; memory 4096; ready; peer 3 1; interrupt 0 2; line 1; down closed; peer 3 0
 *
 * and, where @bindings is set:  vector 0 added; doorbell 3:1 added; doorbell 3:1 removed; vector 0 removed */
#ifndef RECORD_H
#define RECORD_H

#include <glib.h>
#include <libivflat/ivflat.h>
#include <stdbool.h>

struct record {
    GString *said;    /* since the last record_expect() */
    GString *logged;  /* "warning: text\n" for each line */
    GString *guest;   /* "text\n" for each guest_error */
    GString *traced;  /* "ring 3 1 0\n" for each event but read, write and message */
    char reason[512]; /* the sentence at the last DOWN */

    bool bindings;        /* write vector_... and doorbell_... down too */
    int32_t take_vectors; /* what vector_added() answers */
    int32_t bind_doorbells;
    int32_t refuse_memory; /* what memory_attached() answers */
    GArray *held;          /* of struct held: what was taken and not yet removed */

    /* Called in each hook of this name ("memory_attached", NULL: in each), when it has been written down. */
    const char *inside_hook;
    void (*inside)(struct record *record, const char *hook);
    void *data;
};

struct held {
    bool doorbell;
    uint32_t number; /* the vector, or the doorbell's value */
    int32_t fd;
};

void record_init(struct record *record);
void record_free(struct record *record); /* asserts that what was taken was removed */

/* All hooks, with @record as user. */
ivflat_hooks record_hooks(struct record *record);

/* What was said since the last one is @expected, exactly. */
#define record_expect(record, expected) record_expect_at(record, expected, __FILE__, __LINE__)
void record_expect_at(struct record *record, const char *expected, const char *file, int line);

/* The next thing said is @expected; takes it away. */
bool record_take(struct record *record, const char *expected);

#define record_expect_text(where, expected) record_expect_text_at(where, expected, __FILE__, __LINE__)
void record_expect_text_at(GString *where, const char *expected, const char *file, int line); /* has it in it */

#endif
