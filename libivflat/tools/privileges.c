/* SPDX-License-Identifier: BSD-3-Clause */
#include "privileges.h"

#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(capability) ((uint32_t)1 << (capability))

/* To give the sockets a group, to put them into other users' folders, and to have more descriptors under way. */
#define NEEDED (BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_SYS_RESOURCE))

void privileges_drop(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* nothing that we start may have more than we have */
    if (syscall(SYS_capget, &header, sets) < 0) {
        return; /* under the filter of the program before us: it has let go already */
    }
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        uint32_t kept = i == 0 ? sets[i].permitted & NEEDED : 0;

        sets[i] = (struct __user_cap_data_struct){.effective = kept & sets[i].effective, .permitted = kept};
    }
    syscall(SYS_capset, &header, sets);
}
