/*
 * From what the user says to interrupt lines
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "front.h"
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "trace/trace-hw_misc.h"

/* Beyond the lines that boards wire, a GIC has 32 inputs of each CPU's own. */
static const struct {
    const char *type;
    uint32_t own;
} ivflat_controllers[] = {
    { "armv7m", 0 },
    { "arm_gic_common", 32 },
    { "arm-gicv3-common", 32 },
};

typedef struct IvflatController {
    Object *object;    /* NULL: there is none */
    uint32_t lines;
} IvflatController;

/* The board's NVIC or GIC, when there is one and no more. */
static bool ivflat_find_controller(IvflatController *found, const char *value,
                                   Error **errp)
{
    for (int i = 0; i < ARRAY_SIZE(ivflat_controllers); i++) {
        bool ambiguous = false;
        Object *object = object_resolve_path_type(
            "", ivflat_controllers[i].type, &ambiguous);

        if (ambiguous) {
            error_setg(errp, "irq=%s: this machine has several interrupt "
                       "controllers (%s): say which by the QOM path of an "
                       "input, .../unnamed-gpio-in[%s]; 'info qom-tree' shows "
                       "them", value, ivflat_controllers[i].type, value);
            return false;
        }
        if (object) {
            found->object = object;
            found->lines = object_property_get_uint(object, "num-irq", NULL) -
                           ivflat_controllers[i].own;
            return true;
        }
    }
    error_setg(errp, "irq=%s: this machine has no NVIC and no GIC: give the "
               "QOM path of an interrupt input", value);
    return false;
}

static Object *ivflat_line_by_number(unsigned number, const char *value,
                                     Error **errp)
{
    g_autofree char *name = g_strdup_printf("unnamed-gpio-in[%u]", number);
    IvflatController controller = {};

    if (!ivflat_find_controller(&controller, value, errp)) {
        return NULL;
    }
    if (number >= controller.lines) {
        error_setg(errp, "irq=%s: line %u is out of range, the machine's %s "
                   "has lines 0 to %" PRIu32, value, number,
                   object_get_typename(controller.object),
                   controller.lines - 1);
        return NULL;
    }
    return object_resolve_path_component(controller.object, name);
}

static Object *ivflat_line_by_path(const char *path, Error **errp)
{
    bool ambiguous = false;
    Object *object = object_resolve_path(path, &ambiguous);

    if (ambiguous) {
        error_setg(errp, "irq=%s: several objects end so: begin the path with "
                   "/machine", path);
    } else if (!object) {
        error_setg(errp, "irq=%s: is neither a number nor a QOM path; 'info "
                   "qom-tree' shows the machine's", path);
    } else if (!object_dynamic_cast(object, TYPE_IRQ)) {
        error_setg(errp, "irq=%s: is a %s and no interrupt input: those end "
                   "with a name and an index, such as %s/unnamed-gpio-in[0]",
                   path, object_get_typename(object), path);
    } else {
        return object;
    }
    return NULL;
}

/* The type was looked at when it was found; 7.2 has no cast for it. */
static qemu_irq ivflat_irq_of(Object *line)
{
    return (qemu_irq)line;
}

/* Who drives a line. */

typedef struct IvflatDriver {
    qemu_irq line;
    Object *driver;    /* the first one found */
} IvflatDriver;

static bool ivflat_drives(DeviceState *dev, qemu_irq line)
{
    NamedGPIOList *outputs;

    QLIST_FOREACH(outputs, &dev->gpios, node) {
        for (int i = 0; i < outputs->num_out; i++) {
            if (qdev_get_gpio_out_connector(dev, outputs->name, i) == line) {
                return true;
            }
        }
    }
    return false;
}

static int ivflat_look_for_driver(Object *object, void *opaque)
{
    IvflatDriver *search = opaque;
    DeviceState *dev = (DeviceState *)object_dynamic_cast(object, TYPE_DEVICE);

    if (dev && ivflat_drives(dev, search->line)) {
        search->driver = object;
        return 1;
    }
    return 0;
}

/* Outputs of devices are found; what board code keeps to itself is not. */
static bool ivflat_line_is_free(Object *line, const char *value, Error **errp)
{
    IvflatDriver search = { .line = ivflat_irq_of(line) };
    g_autofree char *path = NULL;

    object_child_foreach_recursive(object_get_root(), ivflat_look_for_driver,
                                   &search);
    if (!search.driver) {
        return true;
    }
    path = object_get_canonical_path(search.driver);
    error_setg(errp, "irq=%s: this line is driven by %s already", value, path);
    return false;
}

/* The lists. */

typedef struct IvflatLines {
    qemu_irq *line;
    uint32_t count;
} IvflatLines;

static bool ivflat_add_line(IvflatLines *lines, Object *line,
                            const char *value, Error **errp)
{
    g_autofree char *path = NULL;

    if (!line || !ivflat_line_is_free(line, value, errp)) {
        return false;
    }
    if (lines->count == IVFLAT_MAX_LINES) {
        error_setg(errp, "irqs=: more than %d lines", IVFLAT_MAX_LINES);
        return false;
    }
    for (uint32_t i = 0; i < lines->count; i++) {
        if (OBJECT(lines->line[i]) == line) {
            error_setg(errp, "irqs=: %s is given twice", value);
            return false;
        }
    }
    path = object_get_canonical_path(line);
    trace_ivshmem_flat_irq_resolved(path);
    lines->line[lines->count++] = ivflat_irq_of(line);
    return true;
}

static bool ivflat_add_numbers(IvflatLines *lines, unsigned first,
                               unsigned last, Error **errp)
{
    for (unsigned number = first; number <= last; number++) {
        g_autofree char *value = g_strdup_printf("%u", number);

        if (!ivflat_add_line(lines, ivflat_line_by_number(number, value, errp),
                             value, errp)) {
            return false;
        }
    }
    return true;
}

/* "N", "N-M" or a path */
static bool ivflat_add_lines(IvflatLines *lines, const char *value,
                             Error **errp)
{
    const char *rest;
    unsigned first, last;

    if (qemu_strtoui(value, &rest, 0, &first) < 0 || !g_ascii_isdigit(*value)) {
        return ivflat_add_line(lines, ivflat_line_by_path(value, errp), value,
                               errp);
    }
    last = first;
    if (*rest == '-' && (qemu_strtoui(rest + 1, &rest, 0, &last) < 0 ||
                         last < first || last - first >= IVFLAT_MAX_LINES)) {
        error_setg(errp, "irqs=%s: is no range of at most %d lines, such as "
                   "40-43", value, IVFLAT_MAX_LINES);
        return false;
    }
    if (*rest) {
        error_setg(errp, "irq=%s: is neither a number nor a QOM path", value);
        return false;
    }
    return ivflat_add_numbers(lines, first, last, errp);
}

bool ivflat_lines_find(const char *irq, const char *irqs,
                       qemu_irq lines[IVFLAT_MAX_LINES], uint32_t *count,
                       Error **errp)
{
    IvflatLines found = { .line = lines };
    g_auto(GStrv) values = NULL;

    if (irq && irqs) {
        error_setg(errp, "irq=%s and irqs=%s are both given: one of them is "
                   "right", irq, irqs);
        return false;
    }
    values = irqs ? g_strsplit(irqs, ":", -1) : NULL;
    for (char **value = values; value && *value; value++) {
        if (!ivflat_add_lines(&found, *value, errp)) {
            return false;
        }
    }
    if (irq && !ivflat_add_lines(&found, irq, errp)) {
        return false;
    }
    *count = found.count;
    return true;
}
