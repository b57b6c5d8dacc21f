/* SPDX-License-Identifier: BSD-3-Clause */
/* The only file that calls a hook.  Whoever comes here has the device in order: the hook may access the registers. */
#include "hooks.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_SIZE 640

/* Calls a hook that is there, and knows meanwhile that one runs. */
#define TELL(dev, hook, ...)                                                                                           \
    do {                                                                                                               \
        if ((dev)->hooks.hook) {                                                                                       \
            (dev)->in_hook++;                                                                                          \
            (dev)->hooks.hook((dev)->hooks.user, __VA_ARGS__);                                                         \
            (dev)->in_hook--;                                                                                          \
        }                                                                                                              \
    } while (0)

#define ASK(answer, dev, hook, ...)                                                                                    \
    do {                                                                                                               \
        (answer) = 0;                                                                                                  \
        if ((dev)->hooks.hook) {                                                                                       \
            (dev)->in_hook++;                                                                                          \
            (answer) = (dev)->hooks.hook((dev)->hooks.user, __VA_ARGS__);                                              \
            (dev)->in_hook--;                                                                                          \
        }                                                                                                              \
    } while (0)

/* Those that only watch are not called from inside of one of them: a log line about a log line would have no end. */
#define OBSERVE(dev, hook, ...)                                                                                        \
    do {                                                                                                               \
        if (!(dev)->observed) {                                                                                        \
            (dev)->observed = true;                                                                                    \
            TELL(dev, hook, __VA_ARGS__);                                                                              \
            (dev)->observed = false;                                                                                   \
        }                                                                                                              \
    } while (0)

void ivf_tell_interrupt(ivflat_device *dev, uint32_t vector, uint64_t count)
{
    TELL(dev, interrupt, vector, count);
}

void ivf_tell_line(ivflat_device *dev, uint32_t level)
{
    TELL(dev, line, level);
}

int32_t ivf_ask_memory(ivflat_device *dev, int fd, uint64_t size)
{
    int32_t answer;

    ASK(answer, dev, memory_attached, fd, size);
    return answer;
}

void ivf_tell_link(ivflat_device *dev, int32_t error)
{
    ivf_trace(dev, IVFLAT_TRACE_LINK, dev->link.state, (uint64_t)(int64_t)error, 0);
    TELL(dev, link_changed, dev->link.state, error);
}

void ivf_tell_peer(ivflat_device *dev, uint32_t id, uint32_t vectors)
{
    TELL(dev, peer_changed, id, vectors);
}

int32_t ivf_ask_vector(ivflat_device *dev, uint32_t vector, int fd)
{
    int32_t answer;

    ASK(answer, dev, vector_added, vector, fd);
    return answer;
}

void ivf_tell_vector_removed(ivflat_device *dev, uint32_t vector, int fd)
{
    TELL(dev, vector_removed, vector, fd);
}

int32_t ivf_ask_doorbell(ivflat_device *dev, uint32_t value, int fd)
{
    int32_t answer;

    ASK(answer, dev, doorbell_added, value, fd);
    return answer;
}

void ivf_tell_doorbell_removed(ivflat_device *dev, uint32_t value, int fd)
{
    TELL(dev, doorbell_removed, value, fd);
}

void ivf_tell_guest_error(ivflat_device *dev, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;

    if (dev->hooks.guest_error) { /* no formatting for nobody: a guest can come here as often as it likes */
        va_start(args, format);
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        OBSERVE(dev, guest_error, text);
    }
}

void ivf_log(ivflat_device *dev, uint32_t level, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    OBSERVE(dev, log, level, text);
}

void ivf_tell_trace(ivflat_device *dev, uint32_t event, uint64_t a, uint64_t b, uint64_t c)
{
    OBSERVE(dev, trace, event, a, b, c);
}
