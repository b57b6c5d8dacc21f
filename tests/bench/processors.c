/* SPDX-License-Identifier: BSD-3-Clause */
#include "processors.h"

#include "figure.h"

#include <sched.h>

int processors[2] = {ANY, ANY};

void find_processors(void)
{
    cpu_set_t set;
    int count = 0;

    if (sched_getaffinity(0, sizeof(set), &set) < 0) {
        figure_fail("sched_getaffinity");
    }
    for (int i = 0; i < CPU_SETSIZE && count < 2; i++) {
        if (CPU_ISSET(i, &set)) {
            processors[count++] = i;
        }
    }
}

void stay_on(int processor)
{
    cpu_set_t set;

    if (processor != ANY) {
        CPU_ZERO(&set);
        CPU_SET(processor, &set);
        if (sched_setaffinity(0, sizeof(set), &set) < 0) {
            figure_fail("sched_setaffinity");
        }
    }
}
