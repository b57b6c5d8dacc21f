/* SPDX-License-Identifier: BSD-3-Clause */
/* A client of the server's: reads what comes, in any pieces, and checks it against the protocol page. */
#ifndef FUZZ_JOINER_H
#define FUZZ_JOINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOINER_IDS 256

struct joiner {
    int sock;
    uint8_t bytes[8];
    uint32_t have; /* bytes of the message in hand */
    bool with_fd;  /* one came with it */
    uint32_t messages;
    uint32_t id;   /* when messages > 1 */
    bool ended;    /* the server closed */
    bool shut;     /* we shut a direction, or sent more than anybody takes */
    uint32_t said; /* bytes to the server */
    uint32_t vectors[JOINER_IDS];
    bool left[JOINER_IDS];
};

/* @sock is given. */
struct joiner *joiner_new(int sock);
void joiner_free(struct joiner *joiner);

/* Reads at most @count bytes that are there. */
void joiner_read(struct joiner *joiner, uint32_t count);

void joiner_shout(struct joiner *joiner, const uint8_t *bytes, size_t count, int fd);
void joiner_shut(struct joiner *joiner, uint8_t how);

/* It has its id, and the server has not closed it. */
bool joiner_is_there(const struct joiner *joiner);

/* It was told of all @vectors of @id, and not that it left. */
bool joiner_knows(const struct joiner *joiner, uint32_t id, uint32_t vectors);

#endif
