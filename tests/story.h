/* SPDX-License-Identifier: BSD-3-Clause */
/* A device, a server's end of its link, and what the hooks said, so that a test reads as a story:
 *
 *   static struct story story;
 *   story_begin(&story, NULL);
 *   story_sends(&story, "0", "3", "-1 memory 4096", "7 eventfd");
 *   story_expect(&story, "memory 4096; ready; peer 7 1");
 *
 * It ends by itself with the test, when the test's own variables are gone: so it is static. */
#ifndef STORY_H
#define STORY_H

#include "raw.h"
#include "record.h"
#include "support.h"

#include <libivflat/ivflat-trace.h>
#include <libivflat/ivflat.h>

enum story_way {
    STORY_ADOPT,   /* way 1, over a socketpair */
    STORY_CONNECT, /* way 1, over a listening socket in the test's folder */
    STORY_FEED     /* way 2 */
};

struct story {
    ivflat_device *dev;
    struct record record;
    enum story_way way;
    uint32_t chunk;    /* bytes a piece, 1..8 */
    uint32_t fd_piece; /* with which piece of its message a descriptor comes, 0..; the last, if there are fewer */
    bool fd_spread;    /* a second descriptor comes with the piece after that */
    int32_t error;     /* what the last feed or dispatch answered that was not 0, or 0 */

    int server;   /* the server's end; -1: none, or way 2 */
    int listener; /* STORY_CONNECT; -1: none */
    bool up;      /* the server has not closed */
    int64_t id;   /* as the server said; -1: not yet */
    uint32_t messages;
    int memory;   /* the last one sent; -1: none */
    GArray *ends; /* of struct story_end */
};

/* The test's end of a vector that was sent. */
struct story_end {
    int64_t id;
    uint32_t vector;
    uint32_t link; /* of the how manieth link */
    int fd;
};

/* Makes the device (@config NULL: defaults) and begins a greeting with way STORY_ADOPT, whole messages. */
void story_begin(struct story *story, const ivflat_config *config);
/* The device alone, for more to be set; then story_connect(). */
void story_init(struct story *story, const ivflat_config *config);
/* A new link, of @story->way.  Its "greeting" is expected and taken away. */
void story_connect(struct story *story);
/* The device is freed now, and what the story holds is closed. */
void story_end(struct story *story);

/* Sends messages as raw.h writes them.  Way 1: the device sees them at story_settle(), way 2: at once. */
#define story_sends(story, ...) story_send_all(story, (const char *const[]){__VA_ARGS__, NULL})
void story_send_all(struct story *story, const char *const *messages);
/* The first @count bytes of a message, of as many pieces as that takes. */
void story_send_part(struct story *story, const char *message, uint32_t count);
/* The server closes its end. */
void story_close(struct story *story);
/* Dispatches until nothing is due. */
void story_settle(struct story *story);

/* Settles, and compares what the hooks said. */
#define story_expect(story, expected)                                                                                  \
    do {                                                                                                               \
        story_settle(story);                                                                                           \
        record_expect(&(story)->record, expected);                                                                     \
    } while (0)

/* The guest rings. */
void story_ring(struct story *story, uint32_t id, uint32_t vector);
/* How often a vector of a peer was rung since last asked. */
uint64_t story_rung(struct story *story, uint32_t id, uint32_t vector);
/* A peer rings our own vector, @count times. */
void story_be_rung(struct story *story, uint32_t vector, uint32_t count);
/* The test's end; asserts that it is there.  story_find_fd(): or -1. */
int story_fd(struct story *story, uint32_t id, uint32_t vector);
int story_find_fd(struct story *story, uint32_t id, uint32_t vector);
/* The test lets go of its end. */
void story_drop_fd(struct story *story, uint32_t id, uint32_t vector);

uint32_t story_register(struct story *story, uint64_t offset);

#endif
