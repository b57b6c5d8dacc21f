/* SPDX-License-Identifier: BSD-3-Clause */
#include "fast-path.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "board.h"

/* KVM looks through the doorbells one by one at each store, some 25 ns each where that was measured: with a few hundred
 * more than these the way through this program is shorter. */
enum { DOORBELLS_MAX = 256 };

/* Once.  Nothing is lost beyond: the guest's store comes to us, and the library rings. */
static void tell_full(struct fast_path *path, const char *why)
{
    if (!path->full_told)
        say(FAILED, "warning: %u doorbells and %u interrupts are bound in KVM, the others pass through here: %s",
            path->doorbells, path->vectors, why);
    path->full_told = true;
}

/* EINVAL is a pipe, which KVM does not take, and which a server may well give. */
static int32_t refused(struct fast_path *path)
{
    if (errno != EINVAL)
        tell_full(path, strerror(errno));
    return 0;
}

static int set_doorbell(struct fast_path *path, uint32_t value, int32_t fd, uint32_t flags)
{
    struct kvm_ioeventfd binding = {.datamatch = value,
                                    .addr = KVM_BOARD_REGISTERS + IVFLAT_REG_DOORBELL,
                                    .len = 4,
                                    .fd = fd,
                                    .flags = KVM_IOEVENTFD_FLAG_DATAMATCH | flags};

    return ioctl(path->machine->vm, KVM_IOEVENTFD, &binding);
}

static int32_t on_doorbell_added(void *user, uint32_t value, int32_t fd)
{
    struct fast_path *path = user;

    if (path->doorbells == DOORBELLS_MAX) {
        tell_full(path, "it would search longer than that takes");
        return 0;
    }
    if (set_doorbell(path, value, fd, 0) < 0)
        return refused(path);
    path->doorbells++;
    return 1;
}

static void on_doorbell_removed(void *user, uint32_t value, int32_t fd)
{
    struct fast_path *path = user;

    set_doorbell(path, value, fd, KVM_IOEVENTFD_FLAG_DEASSIGN);
    path->doorbells--;
}

static int set_vector(struct fast_path *path, uint32_t vector, int32_t fd, uint32_t flags)
{
    struct kvm_irqfd binding = {.fd = (uint32_t)fd, .gsi = machine_gsi(vector), .flags = flags};

    return ioctl(path->machine->vm, KVM_IRQFD, &binding);
}

static int32_t on_vector_added(void *user, uint32_t vector, int32_t fd)
{
    struct fast_path *path = user;

    if (set_vector(path, vector, fd, 0) < 0)
        return refused(path);
    path->vectors++;
    return 1;
}

static void on_vector_removed(void *user, uint32_t vector, int32_t fd)
{
    struct fast_path *path = user;

    set_vector(path, vector, fd, KVM_IRQFD_FLAG_DEASSIGN);
    path->vectors--;
}

void fast_path_take(struct fast_path *path, struct machine *machine, ivflat_hooks *hooks)
{
    path->machine = machine;
    if (machine->has_ioeventfd) {
        hooks->doorbell_added = on_doorbell_added;
        hooks->doorbell_removed = on_doorbell_removed;
    } else {
        say(FAILED,
            "warning: this kernel's KVM has no ioeventfd: each doorbell comes out of the guest to this program");
    }
    if (machine->has_irqfd) {
        hooks->vector_added = on_vector_added;
        hooks->vector_removed = on_vector_removed;
    } else {
        say(FAILED, "warning: this kernel's KVM has no irqfd: each interrupt goes through this program");
    }
}
