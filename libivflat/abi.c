/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi.h"

#include "error.h"

#include <string.h>

#define LONGEST 4096u /* no struct of ours will be: the field was never set */

int32_t ivf_abi_take(void *ours, uint32_t size, const void *theirs, uint32_t first, const char *name)
{
    const uint8_t *bytes = theirs;
    uint32_t their_size = 0;

    memset(ours, 0, size);
    if (!theirs) {
        return 0;
    }
    memcpy(&their_size, theirs, sizeof(their_size));
    if (their_size < first || their_size > LONGEST) {
        return ivf_fail(IVFLAT_ERR_INVALID, "%s.struct_size is %u, at least %u is right: set it to sizeof(%s)", name,
                        their_size, first, name);
    }
    for (uint32_t i = size; i < their_size; i++) {
        if (bytes[i]) {
            return ivf_fail(IVFLAT_ERR_INVALID,
                            "%s has a field at byte %u that this version of the library (%u.%u.%u) "
                            "does not know: leave it 0, or use a newer library",
                            name, i, IVFLAT_VERSION_MAJOR, IVFLAT_VERSION_MINOR, IVFLAT_VERSION_MICRO);
        }
    }
    memcpy(ours, theirs, their_size < size ? their_size : size);
    return 0;
}

int32_t ivf_abi_at_most(uint32_t value, uint32_t most, const char *name)
{
    if (value <= most) {
        return 0;
    }
    return ivf_fail(IVFLAT_ERR_INVALID, "%s is %u, %s is right", name, value, most ? "0 or 1" : "0");
}
