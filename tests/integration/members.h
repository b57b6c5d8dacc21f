/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices of the library that join a server in another process, and hold it to what it tells them: each peer's vectors
 * one by one, all of its coming before its going, nothing twice. */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <libivflat/ivflat.h>
#include <stdbool.h>
#include <stdint.h>

#define MEMBERS     12u
#define MEMBER_IDS  4096u /* of those that ever were */
#define MEMBER_MOST 2u    /* vectors of each */

struct member {
    ivflat_device *dev; /* NULL: nobody sits here */
    uint8_t known[MEMBER_IDS];
    bool left[MEMBER_IDS];
    uint64_t rung[MEMBER_MOST];
    bool down;   /* the server closed its link */
    bool silent; /* it reads nothing */
};

struct members {
    const char *path;
    struct member all[MEMBERS];
    uint32_t wrong; /* what must not come */
};

/* One joins at the server that listens at @members->path; one leaves. */
void member_join(struct members *members, uint32_t seat);
void member_leave(struct members *members, uint32_t seat);

/* All that is there for those that read. */
void members_dispatch(struct members *members);

/* Waits at most @ms for something to be there, @also included, and dispatches. */
void members_wait(struct members *members, int also, int ms);

/* Until each knows all others that are there, and that nobody else is: asserts that it comes to that, and that nothing
 * was wrong on the way.  @pump is called meanwhile, if it is not NULL. */
void members_settle(struct members *members, int also, void (*pump)(void *user), void *user);

/* Each rings each vector of each: asserts that exactly these are rung. */
void members_ring(struct members *members);

#endif
