/*
 * What one can ask a device: how its link is, who is there, what it counted
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <libivflat/ivflat-trace.h>
#include "qapi/visitor.h"
#include "state.h"

static const struct {
    const char *name;
    uint32_t which;
    const char *description;
} ivflat_counters[] = {
    { "rings-sent", IVFLAT_COUNT_RINGS_SENT,
      "Read only: doorbells that the guest rang through us" },
    { "rings-ignored", IVFLAT_COUNT_RINGS_IGNORED,
      "Read only: doorbells at nobody, or at a vector that is not there" },
    { "rings-received", IVFLAT_COUNT_RINGS_RECEIVED,
      "Read only: times that peers rang us" },
    { "messages", IVFLAT_COUNT_MESSAGES,
      "Read only: messages that came from the server" },
    { "link-losses", IVFLAT_COUNT_LINK_LOSSES,
      "Read only: times that the link went down by itself" },
    { "bad-accesses", IVFLAT_COUNT_BAD_ACCESSES,
      "Read only: guest accesses that were no aligned words" },
    { "vectors-refused", IVFLAT_COUNT_VECTORS_REFUSED,
      "Read only: surplus or unusable vectors" },
};

static void ivflat_get_counter(Object *obj, Visitor *v, const char *name,
                               void *which, Error **errp)
{
    uint64_t value = ivflat_device_counter(IVFLAT_SYSBUS(obj)->dev,
                                           GPOINTER_TO_UINT(which));

    visit_type_uint64(v, name, &value, errp);
}

static void ivflat_get_own_id(Object *obj, Visitor *v, const char *name,
                              void *opaque, Error **errp)
{
    int32_t id = ivflat_device_id(IVFLAT_SYSBUS(obj)->dev);

    visit_type_int32(v, name, &id, errp);
}

static void ivflat_get_peers(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    ivflat_device *dev = IVFLAT_SYSBUS(obj)->dev;
    int32_t own = ivflat_device_id(dev);
    uint32_t peers = 0;

    for (int32_t id = ivflat_device_next_peer(dev, -1); id >= 0;
         id = ivflat_device_next_peer(dev, id)) {
        peers += id != own;
    }
    visit_type_uint32(v, name, &peers, errp);
}

static void ivflat_get_memory_size(Object *obj, Visitor *v, const char *name,
                                   void *opaque, Error **errp)
{
    uint64_t size = ivflat_device_memory_size(IVFLAT_SYSBUS(obj)->dev);

    visit_type_size(v, name, &size, errp);
}

static char *ivflat_get_link(Object *obj, Error **errp)
{
    switch (ivflat_device_link(IVFLAT_SYSBUS(obj)->dev)) {
    case IVFLAT_LINK_READY:
        return g_strdup("ready");
    case IVFLAT_LINK_GREETING:
        return g_strdup("greeting");
    default:
        return g_strdup("down");
    }
}

void ivflat_status_add(ObjectClass *oc)
{
    object_class_property_add_str(oc, "link", ivflat_get_link, NULL);
    object_class_property_set_description(oc, "link",
        "Read only: down, greeting or ready");
    object_class_property_add(oc, "own-id", "int32", ivflat_get_own_id, NULL,
                              NULL, NULL);
    object_class_property_set_description(oc, "own-id",
        "Read only: our id (IVPOSITION); -1 before the first greeting");
    object_class_property_add(oc, "peers", "uint32", ivflat_get_peers, NULL,
                              NULL, NULL);
    object_class_property_set_description(oc, "peers",
        "Read only: how many others have vectors");
    object_class_property_add(oc, "memory-size", "size",
                              ivflat_get_memory_size, NULL, NULL, NULL);
    object_class_property_set_description(oc, "memory-size",
        "Read only: bytes of shared memory; 0 while not known");
    for (unsigned i = 0; i < ARRAY_SIZE(ivflat_counters); i++) {
        object_class_property_add(oc, ivflat_counters[i].name, "uint64",
                                  ivflat_get_counter, NULL, NULL,
                                  GUINT_TO_POINTER(ivflat_counters[i].which));
        object_class_property_set_description(oc, ivflat_counters[i].name,
            ivflat_counters[i].description);
    }
}

void ivflat_status_alias(Object *obj, Object *device)
{
    static const char *const names[] = {
        "link", "own-id", "peers", "memory-size"
    };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        object_property_add_alias(obj, names[i], device, names[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(ivflat_counters); i++) {
        object_property_add_alias(obj, ivflat_counters[i].name, device,
                                  ivflat_counters[i].name);
    }
}
