/* SPDX-License-Identifier: BSD-3-Clause */
/* GLib's main loop runs a server and two devices, and nothing but what it dispatches happens. */
#include "support.h"

#include <libivflat/ivflat-glib.h>

struct peer {
    ivflat_device *dev;
    GSource *source;
    uint64_t rung;
};

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    struct peer *peer = user;

    ck_assert_uint_eq(vector, 1);
    peer->rung += count;
}

static ivflat_server *make_server(GMainContext *context, GSource **source)
{
    ivflat_server_config config = {.struct_size = sizeof(config), .socket_path = test_path("server"), .vectors = 2};
    ivflat_server *server;

    ck_assert_int_eq(ivflat_server_new(&server, &config, NULL), 0);
    *source = ivflat_server_source_new(server);
    g_source_attach(*source, context);
    return server;
}

static void make_peer(struct peer *peer, GMainContext *context)
{
    ivflat_hooks hooks = {.struct_size = sizeof(hooks), .user = peer, .interrupt = on_interrupt};

    ck_assert_int_eq(ivflat_device_new(&peer->dev, NULL, &hooks), 0);
    peer->source = ivflat_device_source_new(peer->dev);
    g_source_attach(peer->source, context);
    ck_assert_int_eq(ivflat_device_connect(peer->dev, test_path("server")), 0);
}

static void free_source(GSource *source)
{
    g_source_destroy(source);
    g_source_unref(source);
}

static void free_peer(struct peer *peer)
{
    free_source(peer->source);
    ivflat_device_free(peer->dev);
}

/* Runs the loop until the number is there. */
#define RUN_UNTIL(context, condition)                                                                                  \
    for (gint64 end = g_get_monotonic_time() + PATIENCE_MS * 1000; !(condition);) {                                    \
        ck_assert_msg(g_get_monotonic_time() < end, "%s did not come", #condition);                                    \
        g_main_context_iteration(context, TRUE);                                                                       \
    }

START_TEST(one_loop_runs_a_server_and_its_devices)
{
    GMainContext *context = g_main_context_new();
    struct peer peers[2] = {{0}};
    GSource *source;
    ivflat_server *server = make_server(context, &source);

    make_peer(&peers[0], context);
    RUN_UNTIL(context, ivflat_device_peer_vectors(peers[0].dev, 0) == 2);
    make_peer(&peers[1], context);
    RUN_UNTIL(context, ivflat_device_peer_vectors(peers[0].dev, 1) == 2);
    RUN_UNTIL(context, ivflat_device_peer_vectors(peers[1].dev, 1) == 2);

    ivflat_device_write(peers[0].dev, IVFLAT_REG_DOORBELL, 4, 1 << 16 | 1);
    ck_assert_uint_eq(peers[1].rung, 0);
    RUN_UNTIL(context, peers[1].rung == 1);
    ck_assert(!g_main_context_pending(context)); /* nothing is left to do: no source is ready for ever */

    free_peer(&peers[1]);
    RUN_UNTIL(context, ivflat_device_peer_vectors(peers[0].dev, 1) == 0);
    free_source(source);
    ivflat_server_free(server);
    RUN_UNTIL(context, ivflat_device_link(peers[0].dev) == IVFLAT_LINK_DOWN);

    server = make_server(context, &source); /* the same source serves the next link */
    ck_assert_int_eq(ivflat_device_connect(peers[0].dev, test_path("server")), 0);
    RUN_UNTIL(context, ivflat_device_link(peers[0].dev) == IVFLAT_LINK_READY);
    free_peer(&peers[0]);
    free_source(source);
    ivflat_server_free(server);
    g_main_context_unref(context);
}
END_TEST

START_TEST(nothing_gives_no_source)
{
    ck_assert_ptr_null(ivflat_device_source_new(NULL));
    ck_assert_ptr_null(ivflat_server_source_new(NULL));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("glib");
    TCase *tcase = suite_case(suite, "loop");

    tcase_add_test(tcase, one_loop_runs_a_server_and_its_devices);
    tcase_add_test(tcase, nothing_gives_no_source);
    return suite_run(suite);
}
