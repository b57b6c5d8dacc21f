/* SPDX-License-Identifier: BSD-3-Clause */
#include "service.h"

#ifdef HAVE_LIBSYSTEMD

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

/* A file in memory with @text; 0: it cannot be had. */
static int file_of(const GString *text)
{
    int fd = memfd_create("ivflat descriptors", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, text->str, text->len) == (ssize_t)text->len) {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    return 0;
}

/* What we had it keep has names that begin so; the first of the others is the socket that it listens on for us. */
void service_take(struct service_fds *fds)
{
    GString *text = g_string_new(NULL);
    char **names = NULL;
    int count = sd_listen_fds_with_names(TRUE, &names);

    *fds = (struct service_fds){0};
    for (int i = 0; i < count; i++) {
        if (names[i][0] == '+') {
            g_string_append_printf(text, "%d %s\n", SD_LISTEN_FDS_START + i, names[i]);
        } else if (!fds->listener) {
            fds->listener = SD_LISTEN_FDS_START + i;
        } else {
            close(SD_LISTEN_FDS_START + i);
        }
        free(names[i]);
    }
    free(names);
    fds->list = text->len > 0 ? file_of(text) : 0;
    g_string_free(text, TRUE);
}

gboolean service_is_there(void)
{
    return g_getenv("NOTIFY_SOCKET") != NULL;
}

void service_ready(const char *status)
{
    sd_notifyf(FALSE, "READY=1\nSTATUS=%s", status);
}

void service_reloading(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(FALSE, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
               (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void service_stopping(void)
{
    sd_notify(FALSE, "STOPPING=1");
}

void service_keep(const char *name, int32_t fd)
{
    char *text = g_strconcat("FDSTORE=1\nFDPOLL=0\nFDNAME=", name, NULL);

    sd_pid_notify_with_fds(0, FALSE, text, &fd, 1);
    g_free(text);
}

void service_forget(const char *name)
{
    sd_notifyf(FALSE, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

#else

void service_take(struct service_fds *fds)
{
    *fds = (struct service_fds){0};
}

gboolean service_is_there(void)
{
    return FALSE;
}

void service_ready(const char *status)
{
    (void)status;
}

void service_reloading(void)
{
}

void service_stopping(void)
{
}

void service_keep(const char *name, int32_t fd)
{
    (void)name;
    (void)fd;
}

void service_forget(const char *name)
{
    (void)name;
}

#endif
