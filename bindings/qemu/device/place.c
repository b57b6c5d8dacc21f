/*
 * Room for a region in the guest's address space
 *
 * QEMU maps one region over another without a word; we say what is there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "front.h"
#include "hw/core/cpu.h"
#include "qapi/error.h"

/* What boards put where QEMU lacks the hardware: it is in nobody's way. */
static bool ivflat_is_stand_in(MemoryRegion *mr)
{
    Object *owner = memory_region_owner(mr);

    return owner && object_dynamic_cast(owner, "unimplemented-device");
}

static void ivflat_refuse_overlap(const char *property, uint64_t addr,
                                  uint64_t size, MemoryRegionSection *found,
                                  Error **errp)
{
    uint64_t first = found->offset_within_address_space;

    error_setg(errp, "%s=0x%" PRIx64 ": 0x%" PRIx64 " bytes from there overlap "
               "'%s' at 0x%" PRIx64 "; 'info mtree' shows what is free",
               property, addr, size, memory_region_name(found->mr), first);
}

/* Section by section, for the first one found need not be the last. */
static bool ivflat_is_free_in(MemoryRegion *root, const char *property,
                              uint64_t addr, uint64_t size, Error **errp)
{
    uint64_t at = addr;

    while (at - addr < size) {
        MemoryRegionSection found = memory_region_find(root, at,
                                                       size - (at - addr));
        bool stand_in;

        if (!found.mr) {
            break;
        }
        stand_in = ivflat_is_stand_in(found.mr);
        if (!stand_in) {
            ivflat_refuse_overlap(property, addr, size, &found, errp);
        }
        memory_region_unref(found.mr);
        if (!stand_in) {
            return false;
        }
        at = found.offset_within_address_space + int128_get64(found.size);
    }
    return true;
}

/* A 32-bit Arm has at most 40 address lines; how many, it does not tell. */
static bool ivflat_is_arm32(CPUState *cpu)
{
    return cpu && object_dynamic_cast(OBJECT(cpu), "arm-cpu") &&
           !object_property_find(OBJECT(cpu), "aarch64");
}

/* The top of what the CPU can address, where that is known. */
static uint64_t ivflat_last_address(void)
{
    bool ambiguous;

    if (object_resolve_path_type("", "armv7m", &ambiguous) || ambiguous) {
        return UINT32_MAX;
    }
    return ivflat_is_arm32(first_cpu) ? (1ULL << 40) - 1 : UINT64_MAX;
}

static bool ivflat_is_place(const char *property, uint64_t addr, uint64_t size,
                            uint64_t alignment, Error **errp)
{
    uint64_t last = ivflat_last_address();

    if (addr % alignment) {
        error_setg(errp, "%s=0x%" PRIx64 ": is no multiple of 0x%" PRIx64,
                   property, addr, alignment);
    } else if (addr > last || size - 1 > last - addr) {
        error_setg(errp, "%s=0x%" PRIx64 ": 0x%" PRIx64 " bytes from there go "
                   "beyond 0x%" PRIx64 ", the last address of the CPU",
                   property, addr, size, last);
    } else {
        return true;
    }
    return false;
}

/* A CPU can have a view of its own: private peripherals, bit-band aliases. */
bool ivflat_place_check(const char *property, uint64_t addr, uint64_t size,
                        uint64_t alignment, Error **errp)
{
    CPUState *cpu;

    if (!ivflat_is_place(property, addr, size, alignment, errp) ||
        !ivflat_is_free_in(get_system_memory(), property, addr, size, errp)) {
        return false;
    }
    CPU_FOREACH(cpu) {
        if (!ivflat_is_free_in(cpu_get_address_space(cpu, 0)->root, property,
                               addr, size, errp)) {
            return false;
        }
    }
    return true;
}

bool ivflat_place_seen(const char *property, uint64_t addr, MemoryRegion *mr,
                       Error **errp)
{
    uint64_t size = memory_region_size(mr);
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        MemoryRegionSection found =
            memory_region_find(cpu_get_address_space(cpu, 0)->root, addr, size);
        bool ours = found.mr == mr && int128_get64(found.size) == size;

        if (found.mr) {
            memory_region_unref(found.mr);
        }
        if (!ours) {
            error_setg(errp, "%s=0x%" PRIx64 ": CPU %d does not see the device "
                       "there; 'info mtree' shows what it sees", property,
                       addr, cpu->cpu_index);
            return false;
        }
    }
    return true;
}
