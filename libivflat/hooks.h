/* SPDX-License-Identifier: BSD-3-Clause */
/* Calling out: tell_ says what happened, ask_ answers 0 when nobody is there to ask. */
#ifndef IVF_HOOKS_H
#define IVF_HOOKS_H

#include "device.h"

void ivf_tell_interrupt(ivflat_device *dev, uint32_t vector, uint64_t count);
void ivf_tell_line(ivflat_device *dev, uint32_t level);
int32_t ivf_ask_memory(ivflat_device *dev, int fd, uint64_t size);
void ivf_tell_link(ivflat_device *dev, int32_t error);
void ivf_tell_peer(ivflat_device *dev, uint32_t id, uint32_t vectors);
int32_t ivf_ask_vector(ivflat_device *dev, uint32_t vector, int fd);
void ivf_tell_vector_removed(ivflat_device *dev, uint32_t vector, int fd);
int32_t ivf_ask_doorbell(ivflat_device *dev, uint32_t value, int fd);
void ivf_tell_doorbell_removed(ivflat_device *dev, uint32_t value, int fd);
void ivf_tell_guest_error(ivflat_device *dev, const char *format, ...) __attribute__((format(printf, 2, 3), cold));
void ivf_log(ivflat_device *dev, uint32_t level, const char *format, ...) __attribute__((format(printf, 3, 4), cold));
void ivf_tell_trace(ivflat_device *dev, uint32_t event, uint64_t a, uint64_t b, uint64_t c);

/* On the way of every doorbell: costs a look when nobody traces. */
static inline void ivf_trace(ivflat_device *dev, uint32_t event, uint64_t a, uint64_t b, uint64_t c)
{
    if (__builtin_expect(dev->hooks.trace != 0, 0)) {
        ivf_tell_trace(dev, event, a, b, c);
    }
}

#endif
