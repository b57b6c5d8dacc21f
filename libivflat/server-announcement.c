/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-announcement.h"

#include "fdio.h"

#include <errno.h>
#include <glib.h>

struct ivf_announcement *ivf_announcement_new(uint32_t id, uint32_t count)
{
    struct ivf_announcement *announcement = g_rc_box_alloc(sizeof(*announcement) + count * sizeof(int));

    announcement->id = id;
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
        ivf_fd_close(announcement->fds[i]);
    }
}

void ivf_announcement_unref(struct ivf_announcement *announcement)
{
    g_rc_box_release_full(announcement, close_all);
}
