/* SPDX-License-Identifier: BSD-3-Clause */
#include "restarted.h"

#include "server-map.h"

#include <string.h>

struct restarted restarted;

static void let_go(gpointer fd)
{
    close_fd(GPOINTER_TO_INT(fd));
}

static void on_added(void *user, const char *name, int32_t fd)
{
    (void)user;
    ck_assert_msg(!strchr(name, ':') && strlen(name) < 20, "%s", name);
    ck_assert(!g_hash_table_contains(restarted.store, name));
    g_hash_table_insert(restarted.store, g_strdup(name), GINT_TO_POINTER(dup_fd(fd)));
}

static void on_removed(void *user, const char *name)
{
    (void)user;
    g_hash_table_remove(restarted.store, name);
}

static void forget_store(void *argument)
{
    (void)argument;
    g_clear_pointer(&restarted.store, g_hash_table_unref);
}

void restarted_begin(uint32_t vectors)
{
    restarted.store = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, let_go);
    at_test_end(forget_store, NULL);
    restarted.config = (ivflat_server_config){.vectors = vectors, .keep_state = 1};
    restarted.served.keep = on_added;
    restarted.served.forget = on_removed;
    served_begin(&restarted.served, &restarted.config);
}

/* A list of what is in the restarted.store, its descriptors dup'ed once more. */
static int make_list(void)
{
    GString *text = g_string_new(NULL);
    GHashTableIter iter;
    gpointer name;
    gpointer fd;
    int list;

    g_hash_table_iter_init(&iter, restarted.store);
    while (g_hash_table_iter_next(&iter, &name, &fd)) {
        int copy = dup_fd(GPOINTER_TO_INT(fd));

        ivf_map_inherit(copy, true); /* as an execve() needs it */
        g_string_append_printf(text, "%d %s\n", copy, (const char *)name);
    }
    list = ivf_map_write_list(text->str);
    g_string_free(text, TRUE);
    return list;
}

void restarted_kill(void)
{
    restarted.served.server->process = 0; /* somebody else's */
    ivflat_server_free(restarted.served.server);
    restarted.served.server = NULL;
}

void restarted_restart(void)
{
    restarted.config.handed_fd = make_list();
    served_restart(&restarted.served, &restarted.config);
}

void restarted_again(void)
{
    restarted_kill();
    restarted_restart();
}
