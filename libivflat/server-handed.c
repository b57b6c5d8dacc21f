/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-handed.h"

#include "fdio.h"
#include "server-hooks.h"
#include "server-map.h"
#include "server-save.h"

#include <stdlib.h>
#include <string.h>

/* Of two with one name the later one counts. */
static void add(struct ivf_handed *handed, const char *name, int fd)
{
    int before = ivf_handed_take(handed, name);

    ivf_fd_close_foreign(before);
    ivf_map_inherit(fd, false);
    g_hash_table_insert(handed->fds, g_strdup(name), GINT_TO_POINTER(fd));
    g_ptr_array_add(handed->names, g_strdup(name));
}

void ivf_handed_read(struct ivf_handed *handed, int list)
{
    char *text = ivf_map_read_list(list);
    char **lines = g_strsplit(text ? text : "", "\n", -1);

    handed->fds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    handed->names = g_ptr_array_new_with_free_func(g_free);
    for (uint32_t i = 0; lines[i]; i++) {
        const char *blank = strchr(lines[i], ' ');

        if (blank && atoi(lines[i]) > 2) {
            add(handed, blank + 1, atoi(lines[i]));
        }
    }
    g_strfreev(lines);
    g_free(text);
}

int ivf_handed_take(struct ivf_handed *handed, const char *name)
{
    gpointer fd = g_hash_table_lookup(handed->fds, name);

    if (!fd) {
        return -1;
    }
    g_hash_table_remove(handed->fds, name);
    return GPOINTER_TO_INT(fd);
}

int ivf_handed_take_key(struct ivf_handed *handed, uint64_t key)
{
    char *name = ivf_save_name(key);
    int fd = ivf_handed_take(handed, name);

    g_free(name);
    return fd;
}

void ivf_handed_disown(const struct ivf_handed *handed, ivflat_server *server)
{
    for (uint32_t i = 0; i < handed->names->len; i++) {
        ivf_server_tell_stored(server, g_ptr_array_index(handed->names, i), -1);
    }
}

void ivf_handed_end(struct ivf_handed *handed, ivflat_server *server)
{
    GHashTableIter iter;
    gpointer name;
    gpointer fd;

    g_hash_table_iter_init(&iter, handed->fds);
    while (g_hash_table_iter_next(&iter, &name, &fd)) {
        ivf_fd_close_foreign(GPOINTER_TO_INT(fd));
        ivf_server_tell_stored(server, name, -1);
    }
    g_hash_table_unref(handed->fds);
    g_ptr_array_unref(handed->names);
}
