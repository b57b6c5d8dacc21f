/* SPDX-License-Identifier: BSD-3-Clause */
#include "ringers.h"

#include "fdio.h"

/* So often we look again at once; then others get the processor, for whom we wait may want it. */
#define LOOKS 100

static struct ivf_ringer_place *place_of_this_thread(struct ivf_ringers *ringers)
{
    uint32_t stack = (uint32_t)((uintptr_t)__builtin_frame_address(0) >> 16);

    return &ringers->places[stack * 0x9e3779b1u >> 29];
}

struct ivf_ringer ivf_ringers_enter(struct ivf_ringers *ringers)
{
    struct ivf_ringer ringer = {
        .place = place_of_this_thread(ringers),
        .turn = __atomic_load_n(&ringers->turn, __ATOMIC_RELAXED) & 1,
    };

    /* In one order with what is found later, and with what is taken away: either whoever takes it away sees that we are here,
     * or we do not find it. */
    __atomic_fetch_add(&ringer.place->inside[ringer.turn], 1, __ATOMIC_SEQ_CST);
    return ringer;
}

void ivf_ringers_leave(struct ivf_ringer ringer, uint32_t rings)
{
    __atomic_fetch_add(&ringer.place->rings, rings, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&ringer.place->inside[ringer.turn], 1, __ATOMIC_RELEASE);
}

static void wait_for(const uint32_t *inside)
{
    for (uint32_t looks = 0; __atomic_load_n(inside, __ATOMIC_SEQ_CST); looks++) {
        if (looks >= LOOKS) {
            ivf_fd_nap();
        }
    }
}

/* Those who enter meanwhile count for the other turn, so that this has an end however many come.  Two turns, because one may
 * have asked for the turn, and be so late to enter that it counts for one that is over. */
void ivf_ringers_wait(struct ivf_ringers *ringers)
{
    for (int i = 0; i < 2; i++) {
        uint32_t over = __atomic_fetch_add(&ringers->turn, 1, __ATOMIC_SEQ_CST) & 1;

        for (uint32_t place = 0; place < IVF_RINGER_PLACES; place++) {
            wait_for(&ringers->places[place].inside[over]);
        }
    }
}

uint64_t ivf_ringers_sent(const struct ivf_ringers *ringers)
{
    uint64_t sum = 0;

    for (uint32_t place = 0; place < IVF_RINGER_PLACES; place++) {
        sum += __atomic_load_n(&ringers->places[place].rings, __ATOMIC_RELAXED);
    }
    return sum;
}
