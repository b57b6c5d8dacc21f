/* SPDX-License-Identifier: BSD-3-Clause */
/* What ivflat-client can be asked to do, by a command or by an option. */
#ifndef TOOLS_CLIENT_ACTION_H
#define TOOLS_CLIENT_ACTION_H

#include <glib.h>
#include <libivflat/ivflat.h>
#include <stdint.h>

#define ALL_VECTORS UINT32_MAX

struct action {
    enum { ACTION_RING, ACTION_WAIT, ACTION_READ, ACTION_WRITE } kind;
    uint32_t peer;
    uint32_t vector; /* or ALL_VECTORS */
    uint64_t offset;
    uint64_t length;
    char *text; /* ACTION_WRITE */
};

/* From words.  NULL: @problem is a sentence, to be freed. */
struct action *action_ring(const char *peer, const char *vector, char **problem);
struct action *action_wait(const char *vector, char **problem);
struct action *action_read(const char *offset, const char *length, char **problem);
struct action *action_write(const char *offset, const char *text, char **problem);
void action_free(struct action *action);

enum outcome {
    OUTCOME_DONE,
    OUTCOME_NOT_YET, /* nobody there to be rung, no interrupt to be taken: *problem says so */
    OUTCOME_WRONG    /* it never will: *problem says why */
};

/* Does it and says so.  @pending: interrupts that came, by vector. */
enum outcome action_do(const struct action *action, ivflat_device *device, uint64_t *pending, char **problem);

#endif
