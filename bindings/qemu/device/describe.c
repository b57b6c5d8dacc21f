/*
 * What -device ivflat,help says of each property
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "state.h"

static const struct {
    const char *name;
    const char *description;
} ivflat_descriptions[] = {
    { "chardev", "ID of a socket chardev that is connected to the server" },
    { "path", "The server's UNIX socket; the device connects by itself" },
    { "shmem-size", "Bytes of shared memory; 0: what the server has" },
    { "vectors", "Most vectors taken of any peer, 1 to 65536" },
    { "lines", "Interrupt lines; vectors beyond them share the last" },
    { "interrupts", "off: shared memory only, no doorbells" },
    { "revision", "1: a pulse for each interrupt; 0: one level, which "
                  "INTRMASK lets through and reading INTRSTATUS clears" },
    { "reconnect-ms", "With path=: connect again so many ms after a loss, "
                      "and start without a server; 0: never" },
    { "connect-timeout-ms", "Longest time from connect to the end of the "
                            "greeting" },
    { "require-sealed", "on: refuse memory that a peer could shrink" },
    { "trusted-peers", "on: ring with a plain write(): faster, but a hostile "
                       "peer could block it" },
    { "registers", "Guest address of the 16 bytes of registers" },
    { "memory", "Guest address of the shared memory" },
    { "irq", "Line of the machine's NVIC or GIC (there: SPI), or QOM path of "
             "an interrupt input; absent: no interrupts" },
    { "irqs", "A line for each vector, separated by ':', such as 40-43 or "
              "20:22:/machine/..." },
};

/* Each class has some of them. */
void ivflat_describe(ObjectClass *oc)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ivflat_descriptions); i++) {
        const char *name = ivflat_descriptions[i].name;

        if (object_class_property_find(oc, name)) {
            object_class_property_set_description(
                oc, name, ivflat_descriptions[i].description);
        }
    }
}
