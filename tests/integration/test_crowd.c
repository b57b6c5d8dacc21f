/* SPDX-License-Identifier: BSD-3-Clause */
/* 300 peers with 4 vectors, spread over some processes, join one server, and none misses a message: each knows all
 * vectors of all, each rings each vector of each, ourselves included, and every vector is rung exactly 300 times. */
#include "program.h"

#include <glib.h>
#include <libivflat/ivflat.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define PEERS     300u
#define VECTORS   4u
#define MOST_EACH 15u                    /* peers in a process */
#define FDS_EACH  (PEERS * VECTORS + 10) /* descriptors of a peer */
#define FDS_SPARE 200u

struct member {
    ivflat_device *dev;
    uint32_t complete; /* others of which all vectors are there */
    uint32_t last[PEERS];
    uint64_t rung[VECTORS];
    uint32_t wrong; /* what must not come */
};

struct group { /* in one process */
    struct member members[MOST_EACH];
    struct pollfd polls[MOST_EACH + 1]; /* the last: orders */
    uint32_t count;
    uint32_t first; /* the group's first member of all; a group below the half stays to the end */
    int pid;
    int orders[2]; /* to the process, and from it */
    int reports[2];
};

static struct group groups[PEERS];
static uint32_t group_count;

/* In a process of the group --------------------------------------------------------------------------------------- */

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    struct member *member = user;

    if (vector < VECTORS) {
        member->rung[vector] += count;
    } else {
        member->wrong++;
    }
}

/* One by one: a lost message would be seen as a jump, or as one too few. */
static void on_peer(void *user, uint32_t id, uint32_t vectors)
{
    struct member *member = user;

    if (id >= PEERS || vectors > VECTORS || (vectors > 0 && vectors != member->last[id] + 1) ||
        (vectors == 0 && member->last[id] != VECTORS)) {
        member->wrong++;
        return;
    }
    member->last[id] = vectors;
    member->complete += vectors == VECTORS;
    member->complete -= vectors == 0;
}

static bool knows_all(const struct member *member)
{
    int32_t id = ivflat_device_id(member->dev);

    return id >= 0 && member->complete == PEERS - 1 && ivflat_device_peer_vectors(member->dev, (uint32_t)id) == VECTORS;
}

static bool was_rung_by_all(const struct member *member)
{
    for (uint32_t vector = 0; vector < VECTORS; vector++) {
        if (member->rung[vector] < PEERS) {
            return false;
        }
    }
    return true;
}

static bool knows_half(const struct member *member)
{
    uint32_t stay = 0;

    for (uint32_t i = 0; i < group_count; i++) {
        stay += groups[i].first < PEERS / 2 ? groups[i].count : 0;
    }
    return member->complete == stay - 1;
}

static bool all(const struct group *group, bool (*is_so)(const struct member *member))
{
    for (uint32_t i = 0; i < group->count; i++) {
        if (!is_so(&group->members[i])) {
            return false;
        }
    }
    return true;
}

/* Dispatches until it is so, for all; and reports it.  False: it never was, or something came that must not. */
static bool until(struct group *group, bool (*is_so)(const struct member *member))
{
    while (!all(group, is_so)) {
        if (poll(group->polls, group->count, PATIENCE_MS) < 1) {
            return false;
        }
        for (uint32_t i = 0; i < group->count; i++) {
            if (group->polls[i].revents && ivflat_device_dispatch(group->members[i].dev) < 0) {
                return false;
            }
        }
    }
    return write(group->reports[1], "", 1) == 1;
}

/* The next order; meanwhile rings of the others are served. */
static bool order_comes(struct group *group)
{
    struct pollfd *order = &group->polls[group->count];
    char byte;

    do {
        if (poll(group->polls, group->count + 1, PATIENCE_MS) < 1) {
            return false;
        }
        for (uint32_t i = 0; i < group->count; i++) {
            if (group->polls[i].revents && ivflat_device_dispatch(group->members[i].dev) < 0) {
                return false;
            }
        }
    } while (!order->revents);
    return read(order->fd, &byte, 1) == 1;
}

static void ring_all(const struct member *member)
{
    for (uint32_t id = 0; id < PEERS; id++) {
        for (uint32_t vector = 0; vector < VECTORS; vector++) {
            ivflat_device_write(member->dev, IVFLAT_REG_DOORBELL, 4, id << 16 | vector);
        }
    }
}

static bool join(struct member *member)
{
    ivflat_config config = {.struct_size = sizeof(config), .greeting_timeout_ms = PATIENCE_MS};
    ivflat_hooks hooks = {
        .struct_size = sizeof(hooks), .user = member, .interrupt = on_interrupt, .peer_changed = on_peer};

    return ivflat_device_new(&member->dev, &config, &hooks) == 0 &&
           ivflat_device_connect(member->dev, test_path("s")) == 0;
}

static bool join_all(struct group *group)
{
    for (uint32_t i = 0; i < group->count; i++) {
        if (!join(&group->members[i])) {
            fprintf(stderr, "cannot join: %s\n", ivflat_last_error());
            return false;
        }
        group->polls[i] = (struct pollfd){.fd = ivflat_device_get_fd(group->members[i].dev), .events = POLLIN};
    }
    group->polls[group->count] = (struct pollfd){.fd = group->orders[0], .events = POLLIN};
    return true;
}

/* Each vector exactly as often as there are peers, and nothing wrong. */
static bool is_exact(const struct member *member)
{
    for (uint32_t vector = 0; vector < VECTORS; vector++) {
        if (member->rung[vector] != PEERS) {
            return false;
        }
    }
    return member->wrong == 0;
}

#define WANT(condition)                                                                                                \
    if (!(condition)) {                                                                                                \
        fprintf(stderr, "peers from the %uth: not so: %s\n", group->first, #condition);                                \
        return EXIT_FAILURE;                                                                                           \
    }

static int live(void *argument)
{
    struct group *group = argument;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    WANT(join_all(group));
    WANT(until(group, knows_all));
    WANT(order_comes(group));
    for (uint32_t i = 0; i < group->count; i++) {
        ring_all(&group->members[i]);
    }
    WANT(until(group, was_rung_by_all));
    WANT(order_comes(group));
    WANT(all(group, is_exact));
    if (group->first < PEERS / 2) {
        WANT(until(group, knows_half));
        WANT(order_comes(group));
        WANT(all(group, is_exact));
    }
    for (uint32_t i = 0; i < group->count; i++) {
        ivflat_device_free(group->members[i].dev);
    }
    return EXIT_SUCCESS;
}

/* In the test ----------------------------------------------------------------------------------------------------- */

/* How many peers a process can be; 0: not one. */
static uint32_t most_each(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < FDS_SPARE + FDS_EACH) {
        return 0;
    }
    return (uint32_t)MIN((limit.rlim_cur - FDS_SPARE) / FDS_EACH, MOST_EACH);
}

static void make_groups(uint32_t each)
{
    for (uint32_t first = 0; first < PEERS; first += each) {
        struct group *group = &groups[group_count++];

        group->first = first;
        group->count = MIN(each, PEERS - first);
        make_pipe(group->orders);
        make_pipe(group->reports);
    }
    for (uint32_t i = 0; i < group_count; i++) {
        groups[i].pid = run_child(live, &groups[i]);
    }
}

static bool stays(const struct group *group)
{
    return group->first < PEERS / 2;
}

static void wait_for_reports(bool of_all)
{
    for (uint32_t i = 0; i < group_count; i++) {
        char byte;

        if (of_all || stays(&groups[i])) {
            wait_readable(groups[i].reports[0]);
            ck_assert_int_eq(read(groups[i].reports[0], &byte, 1), 1);
        }
    }
}

static void give_order(bool to_all)
{
    for (uint32_t i = 0; i < group_count; i++) {
        if (to_all || stays(&groups[i])) {
            ck_assert_int_eq(write(groups[i].orders[1], "", 1), 1);
        }
    }
}

static void end_groups(bool that_stay)
{
    for (uint32_t i = 0; i < group_count; i++) {
        if (stays(&groups[i]) == that_stay) {
            ck_assert_int_eq(join_child(groups[i].pid), 0);
            for (int end = 0; end < 2; end++) {
                close_fd(groups[i].orders[end]);
                close_fd(groups[i].reports[end]);
            }
        }
    }
}

START_TEST(three_hundred_peers_and_none_misses_a_message)
{
    uint32_t each = most_each();
    struct process *server;

    if (each == 0) {
        printf("three_hundred_peers: skipped, a process may have less than %u descriptors\n", FDS_SPARE + FDS_EACH);
        return;
    }
    /* As many descriptors as many a machine gives: fewer messages may wait for a client than there will be. */
    server = program_start("prlimit", "--nofile=4096", SERVER, "-F", "-S", test_path("s"), "-l", "64K", "-n4");
    process_expect(server, "ready");
    make_groups(each);
    wait_for_reports(true); /* all know all */
    give_order(true);
    wait_for_reports(true); /* all were rung by all */
    give_order(true);
    end_groups(false);       /* half of them leaves */
    wait_for_reports(false); /* and the others heard so */
    give_order(false);
    end_groups(true);
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crowd");
    TCase *tcase = suite_case(suite, "300 peers");

    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, three_hundred_peers_and_none_misses_a_message);
    return suite_run(suite);
}
