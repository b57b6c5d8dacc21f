/* SPDX-License-Identifier: BSD-3-Clause */
#include "failing.h"

#include <errno.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool armed;
static bool failed;
static uint32_t left;

void fail_allocation(uint32_t after)
{
    armed = true;
    failed = false;
    left = after;
}

bool fail_allocation_stop(void)
{
    armed = false;
    return failed;
}

static bool fails(void)
{
    if (!armed || left-- > 0) {
        return false;
    }
    armed = false;
    failed = true;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}
