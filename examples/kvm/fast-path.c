/* SPDX-License-Identifier: BSD-3-Clause */
#include "fast-path.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "board.h"

/* KVM has room for some 1,000 doorbells a machine.  Nothing is lost beyond: the guest's store comes to us, and we ring.
 * EINVAL is a pipe, which KVM does not take, and which a server may well give. */
static void tell_refusal(struct fast_path *path, const char *what, int error)
{
    if (error == EINVAL || path->refusal_told)
        return;
    path->refusal_told = true;
    say(FAILED, "warning: KVM takes no more than %u doorbells and %u interrupts (%s: %s): the others pass through here",
        path->doorbells, path->vectors, what, strerror(error));
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

    if (set_doorbell(path, value, fd, 0) < 0) {
        tell_refusal(path, "KVM_IOEVENTFD", errno);
        return 0;
    }
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

    if (set_vector(path, vector, fd, 0) < 0) {
        tell_refusal(path, "KVM_IRQFD", errno);
        return 0;
    }
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
