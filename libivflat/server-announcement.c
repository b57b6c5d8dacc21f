/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-announcement.h"

#include "fdio.h"

#include <errno.h>

struct ivf_announcement *ivf_announcement_empty(uint32_t id, uint32_t count)
{
    struct ivf_announcement *announcement = g_rc_box_alloc0(sizeof(*announcement) + count * sizeof(int));

    announcement->id = id;
    announcement->count = count;
    for (uint32_t i = 0; i < count; i++) {
        announcement->fds[i] = -1;
    }
    return announcement;
}

struct ivf_announcement *ivf_announcement_new(uint32_t id, uint32_t count)
{
    struct ivf_announcement *announcement = ivf_announcement_empty(id, count);

    for (announcement->count = 0; announcement->count < count; announcement->count++) {
        int fd = ivf_fd_event();

        if (fd < 0) {
            ivf_announcement_unref(announcement);
            errno = -fd;
            return NULL;
        }
        announcement->fds[announcement->count] = fd;
    }
    return announcement;
}

struct ivf_announcement *ivf_announcement_ref(struct ivf_announcement *announcement)
{
    return g_rc_box_acquire(announcement);
}

static void close_all(void *data)
{
    struct ivf_announcement *announcement = data;

    for (uint32_t i = 0; i < announcement->count; i++) {
        uint64_t key = announcement->key + i;

        ivf_fd_close(announcement->fds[i]);
        if (announcement->gone) {
            g_array_append_val(announcement->gone, key);
        }
    }
}

void ivf_announcement_unref(struct ivf_announcement *announcement)
{
    g_rc_box_release_full(announcement, close_all);
}
