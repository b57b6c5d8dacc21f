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

/* What was found so far, and the property that it came from, for Errors. */
typedef struct IvflatLines {
    const char *property;
    qemu_irq *line;
    uint32_t count;
} IvflatLines;

/* The controller. */

/*
 * Of those that a controller counts, some are the CPU's own: the exceptions of
 * an NVIC, and the first 32 of a GIC.
 */
static const struct {
    const char *type;
    uint32_t own;
} ivflat_controllers[] = {
    { "armv7m", 16 },
    { "arm_gic_common", 32 },
    { "arm-gicv3-common", 32 },
};

typedef struct IvflatController {
    Object *object;
    uint32_t lines;
} IvflatController;

static void ivflat_refuse_several(const char *property, const char *value,
                                  const char *type, Error **errp)
{
    error_setg(errp, "%s=%s: this machine has several interrupt controllers "
               "(%s): say which by the QOM path of an input, "
               ".../unnamed-gpio-in[%s]; 'info qom-tree' shows them", property,
               value, type, value);
}

/* The board's NVIC or GIC, when there is one and no more. */
static bool ivflat_find_controller(IvflatController *found,
                                   const char *property, const char *value,
                                   Error **errp)
{
    found->object = NULL;
    for (unsigned i = 0; i < ARRAY_SIZE(ivflat_controllers); i++) {
        const char *type = ivflat_controllers[i].type;
        bool ambiguous = false;
        Object *object = object_resolve_path_type("", type, &ambiguous);

        if (ambiguous || (object && found->object)) {
            ivflat_refuse_several(property, value, type, errp);
            return false;
        }
        if (object) {
            found->object = object;
            found->lines = object_property_get_uint(object, "num-irq", NULL) -
                           ivflat_controllers[i].own;
        }
    }
    if (!found->object) {
        error_setg(errp, "%s=%s: this machine has no NVIC and no GIC: give the "
                   "QOM path of an interrupt input", property, value);
    }
    return found->object;
}

/* One line. */

static Object *ivflat_line_by_number(unsigned number, const char *property,
                                     const char *value, Error **errp)
{
    g_autofree char *name = g_strdup_printf("unnamed-gpio-in[%u]", number);
    IvflatController controller;
    Object *line;

    if (!ivflat_find_controller(&controller, property, value, errp)) {
        return NULL;
    }
    line = number < controller.lines
           ? object_resolve_path_component(controller.object, name) : NULL;
    if (!line) {
        error_setg(errp, "%s=%s: line %s is out of range, the machine's %s has "
                   "lines 0 to %" PRIu32, property, value, value,
                   object_get_typename(controller.object),
                   controller.lines - 1);
    }
    return line;
}

static Object *ivflat_line_by_path(const char *property, const char *path,
                                   Error **errp)
{
    bool ambiguous = false;
    Object *object = object_resolve_path(path, &ambiguous);

    if (ambiguous) {
        error_setg(errp, "%s=%s: several objects end so: begin the path with "
                   "/machine", property, path);
    } else if (!object) {
        error_setg(errp, "%s=%s: is neither a number nor a QOM path; 'info "
                   "qom-tree' shows the machine's", property, path);
    } else if (!object_dynamic_cast(object, TYPE_IRQ)) {
        error_setg(errp, "%s=%s: is of type %s and no interrupt input: those "
                   "end with a name and index, as %s/unnamed-gpio-in[0] would",
                   property, path, object_get_typename(object), path);
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
static bool ivflat_line_is_free(qemu_irq line, const char *property,
                                const char *value, Error **errp)
{
    IvflatDriver search = { .line = line };
    g_autofree char *path = NULL;

    object_child_foreach_recursive(object_get_root(), ivflat_look_for_driver,
                                   &search);
    if (!search.driver) {
        return true;
    }
    path = object_get_canonical_path(search.driver);
    error_setg(errp, "%s=%s: this line is driven by %s already", property,
               value, path);
    return false;
}

/* Several. */

static bool ivflat_has_line(const IvflatLines *lines, qemu_irq line)
{
    for (uint32_t i = 0; i < lines->count; i++) {
        if (lines->line[i] == line) {
            return true;
        }
    }
    return false;
}

static bool ivflat_add_line(IvflatLines *lines, Object *line,
                            const char *value, Error **errp)
{
    g_autofree char *path = NULL;

    if (!line || !ivflat_line_is_free(ivflat_irq_of(line), lines->property,
                                      value, errp)) {
        return false;
    }
    if (lines->count == IVFLAT_MAX_LINES) {
        error_setg(errp, "%s=...%s: one more than %d lines", lines->property,
                   value, IVFLAT_MAX_LINES);
        return false;
    }
    if (ivflat_has_line(lines, ivflat_irq_of(line))) {
        error_setg(errp, "%s=...%s: this line is given twice", lines->property,
                   value);
        return false;
    }
    path = object_get_canonical_path(line);
    trace_ivshmem_flat_irq_resolved(path);
    lines->line[lines->count++] = ivflat_irq_of(line);
    return true;
}

/* Decimal, or hexadecimal with 0x; one that is too large is the largest. */
static bool ivflat_is_number(const char *value, const char **rest,
                             unsigned *number)
{
    int base = g_str_has_prefix(value, "0x") ? 16 : 10;
    int error = g_ascii_isdigit(*value)
                ? qemu_strtoui(value, rest, base, number) : -EINVAL;

    return error == 0 || error == -ERANGE;
}

/* A number or a path. */
static bool ivflat_add_one(IvflatLines *lines, const char *value, Error **errp)
{
    const char *rest = value;
    unsigned number;
    Object *line;

    if (!*value) {
        error_setg(errp, "%s=: a line is missing: a number or a QOM path",
                   lines->property);
        return false;
    }
    line = ivflat_is_number(value, &rest, &number) && !*rest
           ? ivflat_line_by_number(number, lines->property, value, errp)
           : ivflat_line_by_path(lines->property, value, errp);
    return ivflat_add_line(lines, line, value, errp);
}

/* Whether @value is "N-M". */
static bool ivflat_is_range(const char *value, unsigned *first, unsigned *last)
{
    const char *rest;

    return ivflat_is_number(value, &rest, first) && *rest == '-' &&
           ivflat_is_number(rest + 1, &rest, last) && !*rest;
}

static bool ivflat_add_range(IvflatLines *lines, const char *value,
                             unsigned first, unsigned last, Error **errp)
{
    if (last < first || last - first >= IVFLAT_MAX_LINES) {
        error_setg(errp, "%s=%s: is no range of 1 to %d lines, such as 40-43",
                   lines->property, value, IVFLAT_MAX_LINES);
        return false;
    }
    for (unsigned number = first; number <= last; number++) {
        g_autofree char *one = g_strdup_printf("%u", number);

        if (!ivflat_add_one(lines, one, errp)) {
            return false;
        }
    }
    return true;
}

static bool ivflat_add_list(IvflatLines *lines, const char *irqs, Error **errp)
{
    g_auto(GStrv) values = g_strsplit(irqs, ":", -1);
    unsigned first, last;

    if (!*values) {
        return ivflat_add_one(lines, "", errp);
    }
    for (char **value = values; *value; value++) {
        if (ivflat_is_range(*value, &first, &last)
            ? !ivflat_add_range(lines, *value, first, last, errp)
            : !ivflat_add_one(lines, *value, errp)) {
            return false;
        }
    }
    return true;
}

bool ivflat_lines_find(const char *irq, const char *irqs,
                       qemu_irq lines[IVFLAT_MAX_LINES], uint32_t *count,
                       Error **errp)
{
    IvflatLines found = { .property = irq ? "irq" : "irqs", .line = lines };
    unsigned first, last;

    if (irq && irqs) {
        error_setg(errp, "irq=%s and irqs=%s are both given: one of them is "
                   "right", irq, irqs);
        return false;
    }
    if (irq && (strchr(irq, ':') || ivflat_is_range(irq, &first, &last))) {
        error_setg(errp, "irq=%s: is one line; several are for irqs=", irq);
        return false;
    }
    if ((irq && !ivflat_add_one(&found, irq, errp)) ||
        (irqs && !ivflat_add_list(&found, irqs, errp))) {
        return false;
    }
    *count = found.count;
    return true;
}
