/* SPDX-License-Identifier: BSD-3-Clause */
#include "background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* A byte: it is ready.  The end: it is not, and its exit status says why. */
static void wait_for(pid_t child, int telling)
{
    int status = 0;
    ssize_t count;
    char byte;

    do {
        count = read(telling, &byte, 1);
    } while (count < 0 && errno == EINTR);
    if (count == 1) {
        exit(EXIT_SUCCESS);
    }
    waitpid(child, &status, 0);
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

int background_begin(void)
{
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0) {
        return -1;
    }
    child = fork();
    if (child > 0) {
        close(ends[1]);
        wait_for(child, ends[0]);
    }
    close(ends[0]);
    if (child < 0 || setsid() < 0) {
        close(ends[1]);
        return -1;
    }
    return ends[1];
}

void background_ready(int told)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; nowhere >= 0 && fd <= 2; fd++) {
        dup2(nowhere, fd);
    }
    if (nowhere > 2) {
        close(nowhere);
    }
    if (write(told, "", 1) < 0) {
        /* who started us is gone already: nobody to tell */
    }
    close(told);
}
