/* SPDX-License-Identifier: BSD-3-Clause */
#include "members.h"

#include "support.h"

#include <glib.h>
#include <poll.h>
#include <string.h>

static struct members *of_all; /* there is one crowd in a test */

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    struct member *member = user;

    if (vector < MEMBER_MOST) {
        member->rung[vector] += count;
    } else {
        of_all->wrong++;
    }
}

static void on_peer(void *user, uint32_t id, uint32_t vectors)
{
    struct member *member = user;

    if (id >= MEMBER_IDS || member->left[id] || vectors > MEMBER_MOST ||
        (vectors > 0 ? vectors != member->known[id] + 1u : member->known[id] != MEMBER_MOST)) {
        of_all->wrong++;
        return;
    }
    member->left[id] = vectors == 0;
    member->known[id] = (uint8_t)vectors;
}

static void on_link(void *user, uint32_t link, int32_t error)
{
    struct member *member = user;

    member->down |= link == IVFLAT_LINK_DOWN;
    of_all->wrong += error == IVFLAT_ERR_PROTOCOL || error == IVFLAT_ERR_MEMORY;
}

void member_join(struct members *members, uint32_t seat)
{
    struct member *member = &members->all[seat];
    ivflat_config config = {.struct_size = sizeof(config), .greeting_timeout_ms = PATIENCE_MS};
    ivflat_hooks hooks = {.struct_size = sizeof(hooks),
                          .user = member,
                          .interrupt = on_interrupt,
                          .peer_changed = on_peer,
                          .link_changed = on_link};

    of_all = members;
    memset(member, 0, sizeof(*member));
    ck_assert_int_eq(ivflat_device_new(&member->dev, &config, &hooks), 0);
    ck_assert_msg(ivflat_device_connect(member->dev, members->path) == 0, "%s", ivflat_last_error());
}

void member_leave(struct members *members, uint32_t seat)
{
    struct member *member = &members->all[seat];
    ivflat_device *dev = g_steal_pointer(&member->dev);
    uint32_t wrong = members->wrong;

    ivflat_device_free(dev);
    members->wrong = wrong; /* whoever disconnects hears that all leave */
}

static bool is_there(const struct member *member)
{
    return member->dev && !member->down;
}

void members_dispatch(struct members *members)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        struct member *member = &members->all[i];

        while (is_there(member) && !member->silent && ivflat_device_wait(member->dev, 0) == 1) {
            ivflat_device_dispatch(member->dev);
        }
    }
}

void members_wait(struct members *members, int also, int ms)
{
    struct pollfd polls[MEMBERS + 1];
    nfds_t count = 0;

    for (uint32_t i = 0; i < MEMBERS; i++) {
        if (is_there(&members->all[i]) && !members->all[i].silent) {
            polls[count++] = (struct pollfd){.fd = ivflat_device_get_fd(members->all[i].dev), .events = POLLIN};
        }
    }
    if (also >= 0) {
        polls[count++] = (struct pollfd){.fd = also, .events = POLLIN};
    }
    poll(polls, count, ms);
    members_dispatch(members);
}

/* It knows exactly who is there. */
static bool is_settled(const struct members *members, const struct member *member)
{
    uint8_t there[MEMBER_IDS] = {0};
    int32_t own = ivflat_device_id(member->dev);

    if (own < 0 || ivflat_device_peer_vectors(member->dev, (uint32_t)own) != MEMBER_MOST) {
        return false;
    }
    for (uint32_t i = 0; i < MEMBERS; i++) {
        int32_t id = is_there(&members->all[i]) ? ivflat_device_id(members->all[i].dev) : -1;

        if (id >= 0 && id != own) {
            there[id] = MEMBER_MOST;
        }
    }
    return memcmp(there, member->known, sizeof(there)) == 0;
}

static bool all_settled(const struct members *members)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        if (is_there(&members->all[i]) && !is_settled(members, &members->all[i])) {
            return false;
        }
    }
    return true;
}

void members_settle(struct members *members, int also, void (*pump)(void *user), void *user)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_MS * 1000;

    for (;;) {
        members_dispatch(members);
        if (all_settled(members)) {
            break;
        }
        ck_assert_msg(g_get_monotonic_time() < end, "somebody has not heard of all that came and went");
        members_wait(members, also, 100);
        if (pump) {
            pump(user);
        }
    }
    ck_assert_uint_eq(members->wrong, 0);
}

/* From @from to @to, each vector another number of times. */
static void ring(struct members *members, const struct member *from, struct member *to)
{
    uint32_t id = (uint32_t)ivflat_device_id(to->dev);

    memset(to->rung, 0, sizeof(to->rung));
    for (uint32_t vector = 0; vector < MEMBER_MOST; vector++) {
        for (uint32_t i = 0; i <= vector; i++) {
            ivflat_device_write(from->dev, IVFLAT_REG_DOORBELL, 4, id << 16 | vector);
        }
    }
    members_dispatch(members);
    for (uint32_t vector = 0; vector < MEMBER_MOST; vector++) {
        ck_assert_uint_eq(to->rung[vector], vector + 1);
    }
}

void members_ring(struct members *members)
{
    members_dispatch(members);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        for (uint32_t j = 0; j < MEMBERS; j++) {
            if (is_there(&members->all[i]) && is_there(&members->all[j])) {
                ring(members, &members->all[i], &members->all[j]);
            }
        }
    }
    ck_assert_uint_eq(members->wrong, 0);
}
