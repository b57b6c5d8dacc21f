/* SPDX-License-Identifier: BSD-3-Clause */
/* One script of this folder (README.md says how they are written), played to a device. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "story.h"

struct script {
    char *name;       /* the file's, without .txt */
    GPtrArray *lines; /* of char **: the words; NULL for a line with none */
};

/* How it is played. */
struct replay {
    enum story_way way;
    uint32_t chunk;    /* bytes a piece, 1..8 */
    uint32_t fd_piece; /* with which piece of its message a descriptor comes */
    bool fd_spread;    /* a second one with the next */
    bool untrusting;   /* the configuration's default way of ringing; else trusted_peers, which is quicker to set up */
    int32_t cut;       /* the server is gone after so many bytes; -1: never */
};

struct script *script_load(const char *path);
void script_free(struct script *script);

/* Asserts all that it expects, and that no descriptor is left.  Answers the bytes that the server sent. */
int32_t script_play(const struct script *script, const struct replay *replay);

#endif
