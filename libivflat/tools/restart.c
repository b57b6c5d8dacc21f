/* SPDX-License-Identifier: BSD-3-Clause */
#include "restart.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "IVFLAT_SERVER_HANDED"

static char *path; /* absolute: of the name that it was started by, and not of the file that this then was */
static char **words;

static char *find_program(const char *name)
{
    return strchr(name, '/') ? g_canonicalize_filename(name, NULL) : g_find_program_in_path(name);
}

void restart_remember(char **argv, struct handed *handed)
{
    const char *text = getenv(VARIABLE);

    words = argv;
    path = find_program(argv[0]);
    *handed = (struct handed){.pid_file = -1};
    if (text && sscanf(text, "%d %d %d", &handed->list, &handed->pid_file, &handed->background) != 3) {
        *handed = (struct handed){.pid_file = -1};
    }
    unsetenv(VARIABLE);
    if (handed->pid_file >= 0) {
        fcntl(handed->pid_file, F_SETFD, FD_CLOEXEC);
    }
}

int restart_now(const struct handed *handed)
{
    char *text = g_strdup_printf("%d %d %d", handed->list, handed->pid_file, handed->background);
    int error;

    setenv(VARIABLE, text, TRUE);
    g_free(text);
    if (handed->pid_file >= 0) {
        fcntl(handed->pid_file, F_SETFD, 0);
    }
    fflush(stdout);
    if (path) {
        execv(path, words);
    } else {
        errno = ENOENT;
    }
    error = errno;
    unsetenv(VARIABLE);
    if (handed->pid_file >= 0) {
        fcntl(handed->pid_file, F_SETFD, FD_CLOEXEC);
    }
    errno = error;
    return -1;
}
