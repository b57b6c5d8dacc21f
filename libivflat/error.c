/* SPDX-License-Identifier: BSD-3-Clause */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE_SIZE 512

static _Thread_local char sentence[SENTENCE_SIZE];

/* A sentence may quote the last one: it is written beside it first. */
static void say(const char *format, va_list args, const char *tail)
{
    char text[SENTENCE_SIZE] = "";
    int length = vsnprintf(text, sizeof(text), format, args);

    if (tail && length >= 0 && (size_t)length < sizeof(text)) {
        snprintf(text + length, sizeof(text) - (size_t)length, ": %s", tail);
    }
    memcpy(sentence, text, sizeof(sentence));
}

int32_t ivf_fail(int32_t code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args, NULL);
    va_end(args);
    return code;
}

int32_t ivf_fail_errno(int err, const char *format, ...)
{
    char words[128];
    va_list args;

    errno = err;
    snprintf(words, sizeof(words), "%m"); /* strerror_r() is another function in each libc */
    va_start(args, format);
    say(format, args, words);
    va_end(args);
    return err == ENOMEM ? IVFLAT_ERR_NOMEM : IVFLAT_ERR_SYSTEM;
}

const char *ivflat_last_error(void)
{
    return sentence;
}

const char *ivflat_strerror(int32_t error)
{
    switch (error) {
    case IVFLAT_OK:
        return "no error";
    case IVFLAT_ERR_INVALID:
        return "invalid argument or call out of order";
    case IVFLAT_ERR_BUSY:
        return "called from inside a hook";
    case IVFLAT_ERR_SYSTEM:
        return "a system call failed";
    case IVFLAT_ERR_PROTOCOL:
        return "the server broke the protocol";
    case IVFLAT_ERR_CLOSED:
        return "the server closed the link";
    case IVFLAT_ERR_MEMORY:
        return "the shared memory is not what was asked for";
    case IVFLAT_ERR_REFUSED:
        return "a hook refused";
    case IVFLAT_ERR_TIMEOUT:
        return "the time was up";
    case IVFLAT_ERR_NOMEM:
        return "out of memory";
    default:
        return "unknown error";
    }
}

uint32_t ivflat_version(void)
{
    return IVFLAT_VERSION;
}
